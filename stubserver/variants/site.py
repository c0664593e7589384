"""Sites: one place of one operation's answer with one kind of variant, and which of them can go into one run."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from stubserver.contract.places import KINDS, Place
from stubserver.contract.varying import Variation

REMOVING = ("null", "absent", "empty")
"""Kinds that take along what is inside."""
DEFAULT_KINDS = tuple(kind for kind in KINDS if kind != "big-id")
"""The kinds that are tried unless others are wanted. A client that asks for another id is refused, and would be blamed
for that."""


class Site(NamedTuple):
    """A variant that can be sent: one kind, at one place of the answers of one operation."""

    operation: str
    place: str
    kind: str
    choice: str | None = None

    @property
    def what(self) -> str:
        """The kind, and the choice if there is one."""
        return self.kind if self.choice is None else f"{self.kind}={self.choice}"

    @property
    def key(self) -> str:
        """What stands for it in files and reports."""
        return f"{self.what} {self.operation} {self.place}".rstrip()

    @property
    def wanted(self) -> Mapping[str, Any]:
        """The VariantCreate of the control plane's contract."""
        choice = {} if self.choice is None else {"choice": self.choice}
        return {"kind": self.kind, "operation": self.operation, "place": self.place, **choice}

    @property
    def variation(self) -> Variation:
        """What it does to an answer."""
        return Variation(self.kind, self.place, self.choice)


def sites(operation: str, places: Mapping[str, Place], kinds: Sequence[str]) -> Iterator[Site]:
    """All sites of an operation, of some kinds, one for each choice."""
    for pointer, place in places.items():
        for kind in kinds:
            if kind in place.offers:
                choices: Sequence[str | None] = place.offers[kind] or [None]
                yield from (Site(operation, pointer, kind, choice) for choice in choices)


def rounds(found: Iterable[Site]) -> list[list[Site]]:
    """The runs of the first round: each kind everywhere, but one choice of each place at a time, and what would remove
    another site not together with it. The second choices of all kinds are together, and so on: they are few."""
    groups: dict[tuple[int, int, int], list[Site]] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    ordered = sorted(found, key=lambda site: (KINDS.index(site.kind), site.operation, site.place))
    outer = {(site.operation, site.kind, site.place) for site in ordered if site.kind in REMOVING}
    for site in ordered:
        which = site.operation, site.place, site.kind
        number, seen[which] = seen[which], seen[which] + 1
        first = KINDS.index(site.kind) if number == 0 else len(KINDS)
        groups.setdefault((first, _layer(site, outer), number), []).append(site)
    return [groups[key] for key in sorted(groups)]


def _layer(site: Site, outer: set[tuple[str, str, str]]) -> int:
    """How many others of its kind would take it along."""
    steps = site.place.split("/")
    around = ("/".join(steps[:length]) for length in range(1, len(steps)))
    return sum((site.operation, site.kind, place) in outer for place in around)
