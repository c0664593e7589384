"""The journal of worlds in a store: entries as JSON, which the turn commits with the changes that they record."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from stubserver.call import Accepted, Call
from stubserver.contract.operation import Operation
from stubserver.errors import Problem, Refusal
from stubserver.records.journal import Answer, Entry, Journal, entry_of, shrink
from stubserver.settings import Settings
from stubserver.shared.turn import JOURNAL
from stubserver.shared.worlds import SharedWorlds
from stubserver.worlds.table import Change
from stubserver.worlds.world import World


class SharedJournal(Journal):
    """Records requests in a store. All of it happens in turns, except for the making of entries."""

    def __init__(self, settings: Settings, worlds: SharedWorlds, operations: Mapping[str, Operation]) -> None:
        super().__init__(settings)
        self._shared = worlds
        self._operations = operations

    def add(self, call: Call, answer: Answer) -> None:
        """Record a finished request with the commit of the turn."""
        shrink(call, answer)
        number = int(call.id.rpartition("-")[2])
        entry = orjson.dumps(_written(entry_of(call, answer)))
        self._shared.turn.entries.setdefault(call.world.name, []).append((number, entry))

    def entries(self, world: World) -> Sequence[Entry]:
        """See Journal."""
        turn, name = self._shared.turn, world.name
        before: Sequence[bytes] = () if name in turn.cleared | turn.replaced else self._shared.known(JOURNAL + name)
        found = [*before, *(entry for _, entry in turn.entries.get(name, ()))]
        return [self._read(orjson.loads(entry), world) for entry in found]

    def clear(self, world: World) -> None:
        """See Journal."""
        world.forgotten = {}
        self._shared.turn.entries.pop(world.name, None)
        self._shared.turn.cleared.add(world.name)

    @property
    def kept(self) -> int:
        """See Journal."""
        return sum(kept.entries for kept in self._shared.documents.values())

    @property
    def size(self) -> int:
        """See Journal."""
        return sum(kept.journal for kept in self._shared.documents.values())

    @property
    def forgotten(self) -> int:
        """See Journal."""
        return self._shared.counter("forgotten")

    def _read(self, data: Mapping[str, Any], world: World) -> Entry:
        refused = data["refusal"]
        return Entry(
            id=data["id"],
            at=datetime.fromisoformat(data["at"]),
            seconds=data["seconds"],
            operation=self._operations.get(data["operation"]),
            method=data["method"],
            path=data["path"],
            query=data["query"],
            headers=data["headers"],
            raw_body=data["raw_body"].encode("latin-1"),
            form=data["form"],
            persona=data["persona"],
            status=data["status"],
            answer_headers=[
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in data["answer_headers"]
            ],
            answer=data["answer"].encode("latin-1"),
            refusal=refused and Refusal(refused[0], [Problem(*problem) for problem in refused[1]], refused[2]),
            violations=tuple((kind, name) for kind, name in data["violations"]),
            accepted=[Accepted(*accepted) for accepted in data["accepted"]],
            changes=list(_changes(data["changes"], world)),
            faults=data["faults"],
        )


def _written(entry: Entry) -> Mapping[str, Any]:
    refused = entry.refusal
    return {
        "id": entry.id,
        "at": entry.at,
        "seconds": entry.seconds,
        "operation": entry.operation.id if entry.operation else "",
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "headers": dict(entry.headers),
        "raw_body": entry.raw_body.decode("latin-1"),
        "form": entry.form,
        "persona": entry.persona,
        "status": entry.status,
        "answer_headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in entry.answer_headers],
        "answer": entry.answer.decode("latin-1"),
        "refusal": refused and (refused.status, [_problem(one) for one in refused.problems], dict(refused.headers)),
        "violations": entry.violations,
        "accepted": [tuple(accepted) for accepted in entry.accepted],
        "changes": [_change(change) for change in entry.changes],
        "faults": entry.faults,
    }


def _change(change: Change) -> Sequence[Any]:
    return change.table.name, change.key, change.before, change.after


def _changes(written: Sequence[Any], world: World) -> Iterator[Change]:
    """The changes; times in their rows are the texts that a journal shows."""
    for table, key, before, after in written:
        yield Change(world.tables[table], tuple(key) if isinstance(key, list) else key, before, after, grows=False)


def _problem(problem: Problem) -> Sequence[Any]:
    return problem.code, problem.message, problem.field
