"""Pages out of several sorted lists of keys, newest first."""

from hypothesis import given
from hypothesis import strategies as st

from stubserver.worlds.base import FixtureTable, Row
from stubserver.worlds.log import Log
from stubserver.worlds.newest import Newest
from stubserver.worlds.table import Table


@given(
    st.lists(st.sampled_from("abc"), max_size=30), st.integers(0, 35), st.integers(0, 35), st.sampled_from(["ab", "c"])
)
def test_newest_cuts_pages_out_of_several_lists(kinds: list[str], offset: int, limit: int, wanted: str) -> None:
    rows: list[Row] = [{"id": 3 * number, "kind": kind} for number, kind in enumerate(kinds, start=1)]
    things = Table("things", FixtureTable(("id",), ("kind",), rows), Log())
    newest = Newest(things, [things.keys("kind", kind) for kind in wanted])
    expected = [row for row in reversed(rows) if row["kind"] in wanted]
    assert len(newest) == len(expected)
    assert newest[offset : offset + limit] == expected[offset : offset + limit]
    assert newest[:] == expected
    oldest = newest.oldest_first()
    assert len(oldest) == len(expected)
    assert oldest[offset : offset + limit] == expected[::-1][offset : offset + limit]
    assert oldest[:] == expected[::-1]
    assert oldest[-limit:offset] == expected[::-1][-limit:offset]
