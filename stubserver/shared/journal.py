"""The journal of worlds in a store: its entries are committed with the changes that they record, others soon after."""

from collections.abc import Mapping, Sequence

from stubserver.call import Call
from stubserver.contract.operation import Operation
from stubserver.records.journal import Answer, Entry, Journal, shrink
from stubserver.settings import Settings
from stubserver.shared.batch import Batch, number_of, unpacked
from stubserver.shared.turn import JOURNAL, SETTLED
from stubserver.shared.worlds import SharedWorlds
from stubserver.worlds.world import World


class SharedJournal(Journal):
    """Records requests in a store. All of it happens in turns."""

    def __init__(self, settings: Settings, worlds: SharedWorlds, operations: Mapping[str, Operation]) -> None:
        super().__init__(settings)
        self._shared = worlds
        self._operations = operations

    def add(self, call: Call, answer: Answer) -> None:
        """Record a finished request with the commit of the turn."""
        size = shrink(call, answer)
        batches = self._shared.turn.entries
        if (batch := batches.get(call.world.name)) is None:
            batch = batches[call.world.name] = Batch()
        batch.add(call, answer, size)

    def entries(self, world: World) -> Sequence[Entry]:
        """See Journal."""
        turn, name = self._shared.turn, world.name
        self._shared.known(SETTLED)
        before: Sequence[bytes] = () if name in turn.cleared | turn.replaced else self._shared.known(JOURNAL + name)
        new = [turn.entries[name].packed().packed] if name in turn.entries else []
        found = {
            number_of(entry): entry
            for packed in [*before, *new]
            for entry in unpacked(packed, world, self._operations)  # there twice if the store did not say that it was
        }
        return [found[number] for number in sorted(found)][-self._settings.max_requests :]

    def clear(self, world: World) -> None:
        """See Journal."""
        self._shared.known(SETTLED)
        world.forgotten = {}
        self._shared.turn.entries.pop(world.name, None)
        self._shared.turn.cleared.add(world.name)

    def find(self, world: World, number: str) -> Entry | None:
        """See Journal."""
        return next((entry for entry in self.entries(world) if entry.id == number), None)

    def recorded(self, world: World) -> int:
        """See Journal."""
        kept = self._shared.documents.get(world.name)
        return sum(world.forgotten.values()) + (kept.entries if kept else 0)

    @property
    def kept(self) -> int:
        """See Journal."""
        self._shared.known(SETTLED)
        return sum(kept.entries for kept in self._shared.documents.values())

    @property
    def size(self) -> int:
        """See Journal."""
        self._shared.known(SETTLED)
        return sum(kept.journal for kept in self._shared.documents.values())

    @property
    def forgotten(self) -> int:
        """See Journal."""
        return self._shared.counter("forgotten")
