"""Which values of two servers stand for each other: ids and addresses one to one, moments within a tolerance."""

from collections import defaultdict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

from stubserver.checking.shapes import GIVEN

SAME, NEAR = timedelta(milliseconds=1.5), timedelta(seconds=5)
"""How far apart a moment may be from when it was seen before, and from that of the model when it is new."""


class Identities:
    """What has been seen of two servers, the model and the target."""

    def __init__(self) -> None:
        self._there: dict[str, dict[Hashable, Any]] = defaultdict(dict)
        """Kind -> value of the model -> that of the target."""
        self._here: dict[str, dict[Hashable, Any]] = defaultdict(dict)
        """The other way round."""
        self._moments: dict[datetime, datetime] = {}

    def knows(self, kind: str, theirs: Hashable) -> bool:
        """Whether the target has shown this id before."""
        return theirs in self._here[kind]

    def target_of(self, kind: str, ours: Hashable) -> Any:
        """The target's id of a row of the model; None if it is not known."""
        return self._there[kind].get(ours)

    def problem(self, kind: str, ours: Any, theirs: Any, owner: Hashable = None) -> str:
        """What is wrong with a value of the target, where the model has `ours`; empty if nothing is. `owner` is whose
        value it is, for those of kind `given`."""
        if ours is None or theirs is None:
            return "" if ours is theirs or kind == GIVEN else f"{_shown(theirs)} instead of {_shown(ours)}"
        match kind:
            case "moment":
                return self._moment(ours, theirs)
            case "secret":
                return "" if isinstance(theirs, str) and theirs else "not a credential"
            case "given":
                before = self._there[GIVEN].setdefault(owner, theirs)
                return "" if before == theirs else f"{_shown(theirs)}, which was {_shown(before)} before"
            case "address":
                if not isinstance(theirs, str) or "://" not in theirs:
                    return f"{_shown(theirs)} is no absolute address"
        return self._pair(kind, ours, theirs)

    def _pair(self, kind: str, ours: Hashable, theirs: Any) -> str:
        if type(ours) is not type(theirs):
            return f"{_shown(theirs)} is no {type(ours).__name__}"
        there, here = self._there[kind], self._here[kind]
        if there.get(ours, theirs) != theirs:
            return f"{_shown(theirs)}, but the same {kind} was {_shown(there[ours])} before"
        if here.get(theirs, ours) != ours:
            return f"{_shown(theirs)}, which was another {kind} before"
        there[ours], here[theirs] = theirs, ours
        return ""

    def _moment(self, ours: str, theirs: Any) -> str:
        model = datetime.fromisoformat(ours)
        try:
            found = datetime.fromisoformat(theirs)
        except (TypeError, ValueError):
            return f"{_shown(theirs)} is no date and time"
        if found.tzinfo is None:
            return f"{_shown(theirs)} has no time zone"
        known = self._moments.get(model)
        if known is None and abs(found - model) <= NEAR:
            self._moments[model] = found
            return ""
        if known is None:
            return f"{_shown(theirs)}, but it should be about {ours}"
        return "" if abs(found - known) <= SAME else f"{_shown(theirs)}, but it was {known.isoformat()} before"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
