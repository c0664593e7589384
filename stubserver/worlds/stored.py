"""A world as keys and values, which a store keeps: what it is as a whole, and what has changed since the last commit.

Everything that a world has is there: the changed rows and the next ids of its tables, its clock and the rest of its
state. Values are JSON. The keys are `TABLE/KEY`, `TABLE#` and `@NAME`.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from stubserver.settings import Settings
from stubserver.worlds.base import Key, Row
from stubserver.worlds.clock import Clock
from stubserver.worlds.fault import Fault
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.snapshot_file import Load
from stubserver.worlds.table import DROPPED, Change, Table, TakenId
from stubserver.worlds.variant import Variant
from stubserver.worlds.world import State, World

_MICROSECOND = timedelta(microseconds=1)
_DELETED = b"false"
"""The value of a row that the fixture has and the world does not."""
FIXTURE = "@fixture"
"""The key of what names the fixture."""


# To a store


def whole(world: World) -> dict[str, bytes]:
    """All keys and values of the world."""
    return {FIXTURE: _fixture(world.fixture), **_state(None, world.state), **dict(_rows(world.snapshot()))}


def snapshot_whole(snapshot: Snapshot) -> dict[str, bytes]:
    """All keys and values of a snapshot, as those of a world that has just been made from it."""
    return {FIXTURE: _fixture(snapshot.fixture), "@clock": _clock(snapshot.clock), **dict(_rows(snapshot))}


def changes(world: World, before: State) -> dict[str, bytes | None]:
    """What its log and its state, which was `before`, have changed. None stands for a key that is gone."""
    found: dict[str, bytes | None] = {}
    rows = ((entry.table.name, entry.key) for entry in world.log if isinstance(entry, Change))
    for name, key in dict.fromkeys(rows):  # in the order in which they were written first
        note = world.tables[name].note(key)
        found[_key(name, key)] = None if note is DROPPED else _row(note)
    for name in {entry.table.name for entry in world.log if isinstance(entry, TakenId)}:
        found[f"{name}#"] = b"%d" % world.tables[name].own().next_id
    after = world.state
    if after != before:
        found.update(_state(before, after))
    return found


def _key(table: str, key: Key) -> str:
    return f"{table}/{orjson.dumps(key).decode()}"


def _rows(snapshot: Snapshot) -> Iterator[tuple[str, bytes]]:
    for name, changed in snapshot.changes.items():
        if changed.next_id != snapshot.fixture.tables[name].next_id:
            yield f"{name}#", b"%d" % changed.next_id
        for key, row in changed.rows.items():
            yield _key(name, key), _row(row)


def _row(row: Row | None) -> bytes:
    """A row, and the names of its fields that are times or bytes."""
    if row is None:
        return _DELETED
    times = [name for name, value in row.items() if isinstance(value, datetime)]
    files = [name for name, value in row.items() if isinstance(value, bytes)]
    if files:
        row = {**row, **{name: base64.b64encode(row[name]).decode() for name in files}}
    return orjson.dumps((row, times, files))


def _state(before: State | None, after: State) -> dict[str, bytes | None]:
    """The parts of the state that have changed; those that are as at the beginning are left out of a new world."""
    found: dict[str, bytes | None] = {"@clock": _clock(Clock.of(after.clock)), "@strict": orjson.dumps(after.strict)}
    if before is None or after.faulted != before.faulted:
        found["@faulted"] = b"%d" % after.faulted
    if before is None or after.fault_log is not before.fault_log:
        found["@fault_log"] = orjson.dumps(list(after.fault_log))
    if after.origin is not (before.origin if before else None):
        found["@origin"] = _snapshot(after.origin)
    faults: Mapping[int, Fault] = before.faults if before else {}
    for number in {*faults, *after.faults}:
        if (fault := after.faults.get(number)) is not faults.get(number):
            found.update(_fault(number, faults.get(number), fault))
    found.update(_variants(before, after))
    return found


def _variants(before: State | None, after: State) -> Iterator[tuple[str, bytes | None]]:
    if after.varied != (before.varied if before else 0):
        yield "@varied", b"%d" % after.varied
    if after.variant_log is not before.variant_log if before else after.variant_log:
        yield "@variant_log", orjson.dumps(list(after.variant_log))
    known: Mapping[int, Variant] = before.variants if before else {}
    for number in {*known, *after.variants}:
        if (variant := after.variants.get(number)) is not known.get(number):
            yield f"@variant/{number}", orjson.dumps((variant.wanted, variant.sent)) if variant else None


def _fault(number: int, before: Fault | None, fault: Fault | None) -> Iterator[tuple[str, bytes | None]]:
    if fault is None:
        yield f"@fault/{number}", None
    else:
        wanted = (fault.wanted, fault.seed, fault.fired, fault.drawn)
        yield f"@fault/{number}", orjson.dumps(wanted)
    snapshot = fault.snapshot if fault else None
    if snapshot is not (before.snapshot if before else None):
        yield f"@past/{number}", _snapshot(snapshot)


def _fixture(fixture: Fixture) -> bytes:
    return orjson.dumps((fixture.name, fixture.moment, fixture.digest))


def _clock(clock: Clock) -> bytes:
    frozen, ahead = clock.setting
    return orjson.dumps((frozen, ahead // _MICROSECOND))


def _snapshot(snapshot: Snapshot | None) -> bytes | None:
    if snapshot is None:
        return None
    return orjson.dumps({key: orjson.Fragment(value) for key, value in snapshot_whole(snapshot).items()})


# From a store


def fixture_of(content: Mapping[str, Any], load: Load) -> Fixture | None:
    """The fixture of a world, which `load` loads; None if it is another one by now."""
    name, moment, digest = content[FIXTURE]
    fixture = load(name, datetime.fromisoformat(moment))
    return fixture if fixture.digest == digest else None


def snapshot_of(content: Mapping[str, Any], fixture: Fixture) -> Snapshot:
    """The snapshot with these keys and values, each parsed."""
    tables = {name: Table.of(name, base) for name, base in fixture.tables.items()}
    rows: dict[str, dict[Key, Row | None]] = {}
    for key, value in content.items():
        name, separator, rest = key.partition("/")
        if name in tables and separator:
            rows.setdefault(name, {})[_read_key(rest)] = _read_row(value)
        elif key.endswith("#"):
            tables[key[:-1]].own().next_id = value
    for name, found in rows.items():
        tables[name].fill(dict(sorted(found.items())))
    return Snapshot(fixture, _read_clock(content["@clock"]), {name: table.snapshot() for name, table in tables.items()})


def world_of(name: str, content: Mapping[str, Any], fixture: Fixture, settings: Settings, load: Load) -> World:
    """The world with these keys and values, each parsed."""
    world = World.of(name, snapshot_of(content, fixture), settings)
    world.state = _read_state(world.state._replace(origin=None), content, fixture, load)
    return world


def replay(world: World, changed: Mapping[str, Any], load: Load) -> None:
    """Repeat the changes that another process has made."""
    for key, value in changed.items():
        name, separator, rest = key.partition("/")
        if name.startswith("@"):
            continue
        if separator:
            table = world.tables[name]
            table.replay(_read_key(rest), DROPPED if value is None else _read_row(value))
        else:
            world.tables[name[:-1]].own().next_id = value
    if any(key.startswith("@") for key in changed):
        world.state = _read_state(world.state, changed, world.fixture, load)


def _read_key(text: str) -> Key:
    key = orjson.loads(text)
    return tuple(key) if isinstance(key, list) else key


def _read_row(value: Any) -> Row | None:
    if value is False:
        return None
    row, times, files = value
    for name in times:
        row[name] = datetime.fromisoformat(row[name])
    for name in files:
        row[name] = base64.b64decode(row[name])
    found: Row = row
    return found


def _read_clock(value: Any) -> Clock:
    frozen, ahead = value
    return Clock.of((datetime.fromisoformat(frozen) if frozen else None, ahead * _MICROSECOND))


def _read_state(state: State, content: Mapping[str, Any], fixture: Fixture, load: Load) -> State:
    """The state, with the parts that are in `content` as they are there."""
    state = _read_variants(state, content)
    faults = dict(state.faults)
    for key, value in content.items():
        match key:
            case "@clock":
                state = state._replace(clock=_read_clock(value).setting)
            case "@strict":
                state = state._replace(strict=value)
            case "@faulted":
                state = state._replace(faulted=value)
            case "@fault_log":
                state = state._replace(fault_log=value)
            case "@origin":
                state = state._replace(origin=_read_snapshot(value, fixture, load))
        if key.startswith("@fault/"):
            number = int(key.removeprefix("@fault/"))
            faults.pop(number, None)
            if value is not None:
                past = content.get(f"@past/{number}")
                known = state.faults.get(number)
                snapshot = _read_snapshot(past, fixture, load) if past else known.snapshot if known else None
                faults[number] = _read_fault(number, value, snapshot)
    return state._replace(faults={number: faults[number] for number in sorted(faults)})


def _read_variants(state: State, content: Mapping[str, Any]) -> State:
    variants = dict(state.variants)
    for key, value in content.items():
        if key.startswith("@variant/"):
            number = int(key.removeprefix("@variant/"))
            variants.pop(number, None)
            if value is not None:
                variants[number] = Variant(number, *value)
    return state._replace(
        variants={number: variants[number] for number in sorted(variants)},
        varied=content.get("@varied", state.varied),
        variant_log=content.get("@variant_log", state.variant_log),
    )


def _read_fault(number: int, value: Any, snapshot: Snapshot | None) -> Fault:
    wanted, seed, fired, drawn = value
    return Fault(number, wanted, {"id": number, "kind": wanted["kind"]}, seed, snapshot, fired, drawn)


def _read_snapshot(value: Any, fixture: Fixture, load: Load) -> Snapshot | None:
    if value is None:
        return None
    return snapshot_of(value, fixture_of(value, load) or fixture)
