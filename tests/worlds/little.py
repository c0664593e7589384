"""Small worlds with tables that no fixture has."""

from collections.abc import Iterable

from stubserver.worlds.base import FixtureTable, Row
from stubserver.worlds.log import Log
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.table import Table
from stubserver.worlds.world import World

THINGS = FixtureTable(("id",), ("kind",), [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}, {"id": 4, "kind": "a"}])
PAIRS = FixtureTable(("left", "right"), ("left",), [{"left": 1, "right": 2}, {"left": 2, "right": 1}])
LITTLE = Fixture(name="little", tables={"things": THINGS, "pairs": PAIRS}, preferences={}, tokens={})


def base() -> FixtureTable:
    """Three rows, not in the order of their ids."""
    rows = [{"id": number, "kind": kind} for number, kind in ((2, "a"), (1, "b"), (5, "a"))]
    return FixtureTable(("id",), ("kind",), rows)


def table() -> Table:
    """The same rows as a table outside any world."""
    return Table("things", base(), Log())


def fork(rows: Iterable[Row] | None = None) -> World:
    """A world with one table, `things`, in which a field `seen` is kept apart."""
    things = base() if rows is None else FixtureTable(("id",), ("kind",), rows, apart=("seen",))
    return World("test", Fixture(name="test", tables={"things": things}, preferences={}, tokens={}))


def things_of(world: World) -> Table:
    """The table `things` of any world made from LITTLE."""
    found: Table = vars(world)["things"]
    return found


def pairs_of(world: World) -> Table:
    """The table `pairs`."""
    found: Table = vars(world)["pairs"]
    return found


def ids(rows: Iterable[Row]) -> list[int]:
    return [row["id"] for row in rows]
