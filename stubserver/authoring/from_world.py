"""A fixture of a world as it is now: what differs from the fixture that the world started from, in as few rows as
possible, and what a fixture cannot say."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stubserver.api.grading import graded
from stubserver.authoring.fixture_text import fixture_text
from stubserver.authoring.rows import Writing
from stubserver.contract.contract import Contract
from stubserver.fixtures.check import key_in
from stubserver.fixtures.extending import KEYS, Content, extended
from stubserver.fixtures.file import File
from stubserver.fixtures.fixture import ORDERS, load, schema_of
from stubserver.fixtures.reading import read
from stubserver.worlds import snapshot_file
from stubserver.worlds.base import Key, Row
from stubserver.worlds.snapshot import TABLES, Fixture
from stubserver.worlds.world import World

_NEVER = {"pictures": "uploaded pictures", "grants": "sign-ins with OAuth"}
"""Tables that fixtures do not have, and what is in them."""
_MOST_NAMED = 5
"""Rows of a table that are named when they cannot be said."""


class AnotherFixture(Exception):
    """The world started from another fixture than the one that is there; the message says so in one line."""


@dataclass(frozen=True)
class Made:
    """A fixture, and what it leaves out."""

    data: Mapping[str, Any]
    """What differs, as a fixture says it."""
    lost: Sequence[str]
    """What it cannot say, each in one line."""

    def text(self, heading: Sequence[str], more: Sequence[str] = ()) -> str:
        """As YAML, with comments on top; `more` is missing as well."""
        lost = [f"- {line}" for line in (*more, *self.lost)]
        return fixture_text(self.data, [*heading, *(["What a fixture cannot say is missing:", *lost] if lost else [])])


def from_world(snapshot: Mapping[str, Any], base: Path, contract: Contract) -> Made:
    """The fixture of the world in a SnapshotFile; it extends that in `base`. Raises AnotherFixture, FixtureError, and
    a 400 refusal if the snapshot is none."""
    moment = datetime.fromisoformat(snapshot["moment"])
    fixture = load(str(base), contract, moment)
    if fixture.digest != snapshot["digest"]:
        raise AnotherFixture(f"the world started from a fixture called {snapshot['fixture']!r}, and {base} is another")
    world = World.of("w", snapshot_file.read(snapshot, lambda *_: fixture))
    data, lost = _Difference(world, base, contract).made()
    return Made(data, [*lost, *_unlike(world, data, base, contract)])


class _Difference:
    """What a world has that differs from its fixture."""

    def __init__(self, world: World, base: Path, contract: Contract) -> None:
        self._schema = schema_of(contract)
        self._world, self._base = world, base
        self._parent = read(base, self._schema, world.fixture.moment)
        self._writing = Writing(self._schema, contract, world.fixture.moment)
        self._lost: list[str] = []
        self._rows: dict[str, dict[Key, dict[str, Any]]] = {}
        written = {table: _known(self._parent.data.get(table) or [], table) for table in self._tables}
        for table in self._tables:
            rows = {world.tables[table].base.key_of(row): row for row in self._in_order(table)}
            self._rows[table] = {
                key: self._writing.written(table, row, written[table].get(key)) for key, row in rows.items()
            }
        self._leave_out_attempts()

    @property
    def _tables(self) -> list[str]:
        return [table for table in TABLES if table in self._schema["properties"] and table in self._world.tables]

    def _in_order(self, table: str) -> Iterator[Row]:
        """The rows of a table, in the order in which they are shown, where that counts."""
        order = next((order for order in ORDERS if order[2] == table), None)
        if order is None:
            yield from self._world.tables[table]
            return
        parents, field, _, _ = order
        for parent in self._in_order(parents):
            yield from (self._world.tables[table][key] for key in parent[field])

    def _leave_out_attempts(self) -> None:
        """A fixture grades attempts by the quiz that it has."""
        for row in self._world.attempts:
            if not _is_graded_so(row, self._world):
                del self._rows["attempts"][row["id"]]
                self._lost.append(
                    f"attempt {row['id']} of user {row['user_id']} at lesson {row['lesson_id']}, whose quiz has changed"
                    " since"
                )

    def made(self) -> tuple[dict[str, Any], list[str]]:
        """The content of a fixture, and what is left out of it."""
        remove = self._removed()
        rest = self._rest(remove)
        data: dict[str, Any] = {"extends": self._base.stem}
        for table in self._tables:
            known = rest[table]
            rows = [row for key, row in self._rows[table].items() if not self._is_said(table, known.get(key), row)]
            if rows:
                data[table] = rows
        if any(remove.values()):
            data["remove"] = {table: [_spelt(key) for key in keys] for table, keys in remove.items() if keys}
        return data, self._lost

    def _is_said(self, table: str, known: Row | None, row: Row) -> bool:
        return known is not None and self._writing.means_the_same(table, known, row)

    def _removed(self) -> dict[str, list[Key]]:
        """Table -> the keys to remove: of rows that are gone, unless they go with others; then of rows that are to be
        shown after others that come later in the file, so that they are added again behind them."""
        remove: dict[str, list[Key]] = {table: [] for table in self._tables}
        for table in self._tables:
            rest = self._rest(remove)[table]
            remove[table] += [key for key in rest if key not in self._rows[table]]
        while moved := {table: keys for table, keys in self._moved(self._rest(remove)).items() if keys}:
            for table, keys in moved.items():
                remove[table] += keys
        return remove

    def _moved(self, rest: Mapping[str, Mapping[Key, Row]]) -> dict[str, list[Key]]:
        found: dict[str, list[Key]] = {}
        for parents, field, table, _ in ORDERS:
            places = {key: place for place, key in enumerate(rest[table])}
            for parent in self._world.tables[parents]:
                found.setdefault(table, []).extend(_out_of_order(parent[field], places))
        return found

    def _rest(self, remove: Mapping[str, Sequence[Key]]) -> dict[str, dict[Key, Row]]:
        """What is left of the fixture's rows: table -> key -> row."""
        given = {"remove": {table: [_spelt(key) for key in keys] for table, keys in remove.items() if keys}}
        content: Content = extended(self._parent, given, File(self._base, ""), self._schema)
        return {table: _known(content.data.get(table) or [], table) for table in self._tables}


def _known(rows: Sequence[Any], table: str) -> dict[Key, Any]:
    return {_plain(key_in(row, KEYS[table])): row for row in rows}


def _plain(key: Any) -> Key:
    """A key as worlds have it."""
    return key[0] if len(key) == 1 else key


def _spelt(key: Key) -> Any:
    """A key as fixtures spell it."""
    return [*key] if isinstance(key, tuple) else key


def _out_of_order(wanted: Sequence[int], places: Mapping[int, int]) -> Iterator[int]:
    """The rows that have a place, but come behind one with a later place or none."""
    last = -1
    for key in wanted:
        place = places.get(key)
        if place is not None and place > last:
            last = place
            continue
        last = len(places)
        if place is not None:
            yield key


def _is_graded_so(attempt: Row, world: World) -> bool:
    """Whether the quiz as it is now would give an attempt the result that it has."""
    lesson = world.lessons[attempt["lesson_id"]]
    selected = {
        question["id"]: {answer["id"] for answer in question["answers"] if answer["selected"]}
        for question in attempt["questions"]
    }
    if not selected or selected.keys() != {*lesson["questions_order"]}:
        return False
    result = graded([world.questions[key] for key in lesson["questions_order"]], selected, lesson["passing_grade"])
    return all(attempt[field] == value for field, value in result.items())


def _unlike(world: World, data: Mapping[str, Any], base: Path, contract: Contract) -> Iterator[str]:
    """What differs in a world that starts from the fixture, found out by loading it."""
    with tempfile.TemporaryDirectory(prefix="stubserver-") as folder:
        (Path(folder) / base.name).write_bytes(base.read_bytes())
        file = Path(folder) / "made-from-a-world.yaml"
        file.write_text(fixture_text(data, []), encoding="utf-8")
        loaded = load(str(file), contract, world.fixture.moment)
    for table, what in _NEVER.items():
        if number := len(world.tables[table]):
            yield f"{what}: {number}"
    for table in KEYS:
        if table in world.tables:
            yield from _unlike_rows(table, world, loaded)


def _unlike_rows(table: str, world: World, loaded: Fixture) -> Iterator[str]:
    found = world.tables[table]
    rows = {found.base.key_of(row): row for row in found}
    unlike = [
        f"{_spelt(key)} ({', '.join(name for name in row if name not in other or row[name] != other[name])})"
        for key, row in rows.items()
        if (other := loaded.tables[table].rows.get(key)) is not None and other != row
    ]
    if unlike:
        more = f" and {len(unlike) - _MOST_NAMED} more" if len(unlike) > _MOST_NAMED else ""
        yield f"in {table}: {', '.join(unlike[:_MOST_NAMED])}{more}"
