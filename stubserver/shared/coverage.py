"""Contract coverage over all processes: counted in the store, with the commits of the requests."""

from collections.abc import Iterable, Mapping
from typing import Any

from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.records.coverage import Coverage, Points
from stubserver.shared.turn import COUNTERS, SETTLED, Counted, summed
from stubserver.shared.worlds import SharedWorlds

PREFIX = "coverage/"
_MOST_KNOWN = 4096
"""Maximum number of requests whose counters are known."""
_SHORT = 4096
"""Maximum length of the query and the body of such a request together, in bytes."""
_REQUESTS, _ACCEPTED = "requests", "accepted"


class _Counts(dict[str, int]):
    """Counts that stay at zero; whatever is added to one of them is counted elsewhere, with `path` before its name."""

    def __init__(self, names: Iterable[str], path: str, coverage: "SharedCoverage") -> None:
        super().__init__(dict.fromkeys(names, 0))
        self._counters = {name: f"{path}/{name}" for name in names}
        self._coverage = coverage

    def __setitem__(self, name: str, _: int) -> None:
        counter, counts = self._counters[name], self._coverage.counts
        counts[counter] = counts.get(counter, 0) + 1


class SharedCoverage(Coverage):
    """Counts in the turn how often each point of a contract was exercised."""

    def __init__(self, contract: Contract, personas: Mapping[str, Any], worlds: SharedWorlds) -> None:
        super().__init__(contract, personas)
        self._shared = worlds
        self.counts: Counted = {}
        """What the turn counts for the world of the current request."""
        self._known: dict[tuple[Any, ...], tuple[str, ...]] = {}
        """What decides which counters a request adds to -> these counters."""
        self._in_headers = {
            operation.id: any(parameter.place == "header" for parameter in operation.parameters)
            for operation in contract.operations.values()
        }
        """Whether an operation has parameters in headers."""
        for name, tally in self._tallies.items():
            tally.points = {
                dimension: _Counts(counts, f"{PREFIX}{name}/{dimension}", self)
                for dimension, counts in tally.points.items()
            }

    def note(self, call: Call, status: int) -> None:
        """See Coverage."""
        operation = call.routed
        if operation is None or operation.id not in self._tallies:
            return
        counts = self._shared.turn.counted.setdefault(call.world.name, {})
        if self._in_headers[operation.id] or len(call.raw_query) + len(call.raw_body) > _SHORT:
            self._count(call, status, counts)
            return
        chosen = [str(call.body.get(name)) for name in operation.choices] if call.sent_fields else ()
        asked = operation.id, bool(call.query) and call.raw_query, call.sent_fields, *chosen
        key = *asked, status, call.persona, call.refusal is None
        if (names := self._known.get(key)) is None:
            found: Counted = {}
            self._count(call, status, found)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            names = self._known[key] = tuple(summed([found]))
        counts[names] = counts.get(names, 0) + 1

    def _count(self, call: Call, status: int, counts: Counted) -> None:
        """Add what a request has exercised."""
        assert call.routed is not None  # noqa: S101 (the caller has looked)
        self.counts = counts
        super().note(call, status)
        tally, path = self._tallies[call.routed.id], f"{PREFIX}{call.routed.id}"
        for name, count in ((f"{path}/{_REQUESTS}", tally.requests), (f"{path}/{_ACCEPTED}", tally.accepted)):
            if count:
                counts[name] = counts.get(name, 0) + count
        tally.requests = tally.accepted = 0

    def clear(self) -> None:
        """See Coverage."""
        if hasattr(self, "_shared"):
            self._shared.known(SETTLED)
            self._shared.turn.reset = PREFIX
        else:
            super().clear()

    def report(self) -> dict[str, Any]:
        """See Coverage."""
        self._shared.known(SETTLED)
        counts: Mapping[str, int] = {} if self._shared.turn.reset else self._shared.known(COUNTERS)
        seen = Coverage(self._contract, self._personas)
        for name, tally in seen._tallies.items():
            tally.requests = counts.get(f"{PREFIX}{name}/{_REQUESTS}", 0)
            tally.accepted = counts.get(f"{PREFIX}{name}/{_ACCEPTED}", 0)
            tally.points = _filled(tally.points, f"{PREFIX}{name}", counts)
        return seen.report()


def _filled(points: Points, path: str, counts: Mapping[str, int]) -> Points:
    return {
        dimension: {name: counts.get(f"{path}/{dimension}/{name}", 0) for name in names}
        for dimension, names in points.items()
    }
