"""Worlds as keys and values: what is read is what was written, in every respect, at once and change by change."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import md5
from typing import Any

import httpx
import orjson
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.settings import Settings
from stubserver.stores.store import packed
from stubserver.worlds import stored
from stubserver.worlds.base import Row
from stubserver.worlds.clock import Clock, Setting
from stubserver.worlds.fault import Fault
from stubserver.worlds.registry import Load
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.table import Table
from stubserver.worlds.world import World
from tests.lane.oddities import Request, is_http
from tests.lane.requests import WORLDS, Requests, freeze
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.faults import DEFAULTS, create
from tests.support.worlds import act, busy, named, piece
from tests.worlds.little import LITTLE, pairs_of, things_of

SETTINGS = Settings()
EXACT = datetime(2031, 5, 1, 9, 0, 0, 123456, UTC)
MOMENTS = [
    NOW,
    EXACT,
    EXACT.replace(microsecond=1),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2199, 12, 31, 23, 59, 59, 999999, UTC),
]


# Descriptions


def described(world: World) -> Mapping[str, Any]:
    """Everything that a world is, as far as anybody can tell."""
    return {
        "tables": {name: of_table(table) for name, table in world.tables.items()},
        "clock": world.clock.setting,
        "strict": world.strict,
        "faults": [of_fault(fault) for fault in world.faults.values()],
        "faulted": world.faulted,
        "fault log": repr([*world.fault_log]),
        "variants": [repr(variant) for variant in world.variants.values()],
        "varied": (world.varied, repr([*world.variant_log])),
        "origin": of_snapshot(world.state.origin),
        "sizes": (world.size, world.held, world.changed, world.log.size),
        "fixture": (world.name, world.fixture.name, world.fixture.moment, world.fixture.digest),
    }


def of_table(table: Table) -> Mapping[str, Any]:
    """Rows are compared as text, in which 1 is not 1.0, a list is no tuple, and names are in their order."""
    changes = table.snapshot()
    values = {field: {*table.base.index[field], *changes.index[field]} for field in table.base.index}
    return {
        "rows": {table.base.key_of(row): repr(dict(row)) for row in table},
        "index": {
            (field, value): [*keys] for field in values for value in values[field] if (keys := table.keys(field, value))
        },
        "count": len(table),
        **of_changes({"": changes}),
    }


def of_changes(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: (
            {key: row if row is None else repr(dict(row)) for key, row in one.rows.items()},
            (one.added, one.next_id, one.sizes, one.size),
        )
        for name, one in changes.items()
    }


def of_fault(fault: Fault) -> tuple[Any, ...]:
    told = fault.id, repr(fault.wanted), repr(fault.shown), fault.seed, fault.fired, fault.drawn, fault.size
    return (*told, of_snapshot(fault.snapshot))


def of_snapshot(snapshot: Snapshot | None) -> Any:
    if snapshot is None:
        return None
    return snapshot.fixture.digest, snapshot.clock.setting, of_changes(snapshot.changes), snapshot.size


# Copies


def parsed(content: Mapping[str, bytes | None]) -> Mapping[str, Any]:
    """What another process is given; nothing that is there is null, which stands for what is gone."""
    found = {key: None if value is None else orjson.loads(value) for key, value in content.items()}
    assert [key for key, value in found.items() if value is None] == [
        key for key, value in content.items() if value is None
    ]
    return found


def copied(world: World, load: Load) -> World:
    """The world as another process reads it, which gets the keys in any order."""
    content = parsed(dict(sorted(stored.whole(world).items(), reverse=True)))
    fixture = stored.fixture_of(content, load)
    assert fixture is not None
    return stored.world_of(world.name, content, fixture, SETTINGS, load)


class Follower:
    """A copy of a world in another process, which learns of its changes."""

    def __init__(self, world: World, load: Load) -> None:
        self.world, self._load = world, load
        self.copy = copied(world, load)
        self._note()

    def _note(self) -> None:
        self.world.shared = True
        self.world.log.clear()
        self._state = self.world.state

    def follow(self) -> Mapping[str, bytes | None]:
        """Repeat what has happened to the world since; returns how it was told."""
        changes = stored.changes(self.world, self._state)
        if changes:
            stored.replay(self.copy, orjson.loads(packed(changes)), self._load)
        self._note()
        return changes

    def undo(self) -> None:
        """Undo what has happened to the world since."""
        self.world.undo(0, self._state)


def no_other(name: str, _: datetime) -> Fixture:
    assert name == "little"
    return LITTLE


def little(**changes: Any) -> Follower:
    """A small world that is followed."""
    return Follower(World("w", LITTLE, SETTINGS), no_other)


def assert_the_same(follower: Follower) -> None:
    """The copy, and one that is read as a whole, are what the world is."""
    expected = described(follower.world)
    assert described(follower.copy) == expected
    assert described(copied(follower.world, follower._load)) == expected


# Everything together


class Traffic:
    """Requests to the worlds of a server, which are followed."""

    def __init__(self, app: StubServer, contract: Contract, runner: asyncio.Runner, seed: int) -> None:
        self._app, self._runner = app, runner
        self.requests = Requests(contract, seed, app.worlds.peek)
        self.followers: dict[str, Follower] = {}
        self.told: set[str] = set()
        """The kinds of keys that were told so far."""

    def send(self, requests: Iterable[Request]) -> None:
        for request in requests:
            if is_http(request.raw):
                self._runner.run(self._send(request))

    async def _send(self, request: Request) -> None:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers]
            await client.request(request.method, request.target, headers=headers, content=request.body)

    def follow(self) -> list[Follower]:
        """Follow all worlds; one that was made anew is read as a whole."""
        changed = []
        for name in {*WORLDS}:
            world, follower = self._app.worlds.get(name), self.followers.get(name)
            if follower is None or follower.world is not world:
                changed.append(Follower(world, self._app.worlds.load_fixture))
                self.followers[name] = changed[-1]
                self.told.update(kind(key) for key in stored.whole(world))
            elif changes := follower.follow():
                changed.append(follower)
                self.told.update(kind(key) + " gone" * (value is None) for key, value in changes.items())
        return changed


def kind(key: str) -> str:
    return key.partition("/")[0]


@pytest.mark.long
@pytest.mark.no_world
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_copies_are_the_same_whatever_is_asked(
    app: StubServer, contract: Contract, runner: asyncio.Runner, seed: int
) -> None:
    """Each turn is of one or several requests; some turns are undone first, as after a conflict."""
    traffic = Traffic(app, contract, runner, seed)
    traffic.send(freeze(world) for world in {*WORLDS})
    traffic.follow()
    for number in range(200):
        if number % 10 == 9:
            for follower in traffic.followers.values():
                if follower.world is app.worlds.get(follower.world.name):
                    before = described(follower.copy)
                    traffic.send(traffic.requests.step().requests)
                    follower.undo()
                    assert described(follower.world) == before
        is_event = number % 12 == 11
        turns = [[one] for one in traffic.requests.event()] if is_event else [traffic.requests.step().requests]
        for turn in turns:
            traffic.send(turn)
            for follower in traffic.follow():
                if is_event or number % 5 == 0:
                    assert_the_same(follower)
    for follower in traffic.followers.values():
        assert_the_same(follower)
    assert {"courses", "lessons", "comments", "memberships", "completions"} <= traffic.told
    assert {"@clock", "@faulted", "@fault", "@fault gone", "@origin", "courses#"} <= traffic.told
    assert {"@varied", "@variant", "@variant gone", "@variant_log"} <= traffic.told


@pytest.mark.no_world
def test_a_world_with_everything_is_read_as_it_was_written(app: StubServer, runner: asyncio.Runner) -> None:
    api = Api(app, runner)
    world = app.worlds.reset("w")
    world.clock.freeze(EXACT)
    follower = Follower(world, app.worlds.load_fixture)
    for fault in ({"kind": "error", "probability": 0.5, "times": 7}, {"kind": "stale"}, {"kind": "latency"}):
        create(api, world="w", **fault, method="HEAD")
    busy(api, "w")
    changes = follower.follow()
    assert_the_same(follower)
    assert {name for name, table in world.tables.items() if table.differences} <= {kind(key) for key in changes}
    assert len({kind(key) for key in changes}) > 25
    snapshot = world.snapshot()
    content = parsed(stored.snapshot_whole(snapshot))
    again = stored.snapshot_of(content, world.fixture)
    assert of_snapshot(again) == of_snapshot(snapshot)
    assert described(World.of("f", again)) == described(World.of("f", snapshot))


@pytest.mark.no_world
def test_an_upload_goes_on_wherever_its_next_piece_arrives(app: StubServer, runner: asyncio.Runner) -> None:
    api = Api(app, runner)
    follower = Follower(app.worlds.reset("w"), app.worlds.load_fixture)
    upload = piece(api, b"\x00\xffb", 6, headers=named("w"))["upload_id"]
    follower.follow()
    assert_the_same(follower)
    assert [row["content"] for row in follower.copy.pieces.where("upload_id", upload)] == [b"\x00\xffb"]
    part = {"document": ("notes.pdf", b"end", "application/pdf")}
    headers = {**named("w"), "Content-Range": "bytes 3-5/6"}
    ok(api.as_("member").post("/media/upload/chunk/", data={"upload_id": upload}, files=part, headers=headers), 201)
    follower.follow()
    assert_the_same(follower)
    body = {"upload_id": upload, "md5": md5(b"\x00\xffbend", usedforsecurity=False).hexdigest()}
    act(api, "member", "POST", "/media/upload/complete/", body, headers=named("w"))
    gone = [key for key, value in follower.follow().items() if value is None]
    assert gone == [f'pieces/["{upload}",0]', f'pieces/["{upload}",3]', f'uploads/"{upload}"']
    assert_the_same(follower)


# Keys and values


def test_keys_and_values_are_plain() -> None:
    """They are what stays in stores, so they must not change without a new FORMAT."""
    world = World("w", LITTLE, SETTINGS)
    things_of(world).put({"id": things_of(world).next_id(), "kind": "c", "at": EXACT, "raw": b"\x00\xff"})
    things_of(world).delete(1)
    pairs_of(world).put({"left": 3, "right": 1})
    world.clock.freeze(NOW)
    world.strict = True
    world.faults = {2: Fault.of(2, {**DEFAULTS, "kind": "error"}, "0 w")}
    world.faulted = 2
    world.add_variant({"kind": "null"})
    world.variant_log = [{"after": 0}]
    content = stored.whole(world)
    assert orjson.loads(content.pop("@fault/2")) == [{**DEFAULTS, "kind": "error"}, "0 w 2 0", 0, 0]
    assert {key: value.decode() for key, value in content.items()} == {
        "@fixture": '["little","1970-01-01T00:00:00+00:00",""]',
        "@clock": f'["{NOW.isoformat()}",0]',
        "@strict": "true",
        "@faulted": "2",
        "@fault_log": "[]",
        "@varied": "1",
        "@variant/1": '[{"kind":"null"},0]',
        "@variant_log": '[{"after":0}]',
        "things#": "6",
        "things/5": '[{"id":5,"kind":"c","at":"2031-05-01T09:00:00.123456+00:00","raw":"AP8="},["at"],["raw"]]',
        "things/1": "false",
        "pairs/[3,1]": '[{"left":3,"right":1},[],[]]',
    }


def test_a_new_world_has_no_rows() -> None:
    assert set(stored.whole(World("w", LITTLE))) == {"@fixture", "@clock", "@strict", "@faulted", "@fault_log"}


def test_a_fixture_is_told_from_others_of_its_name() -> None:
    asked: list[tuple[str, datetime]] = []

    def load(name: str, moment: datetime) -> Fixture:
        asked.append((name, moment))
        return Fixture(name, {}, {}, {}, moment=moment, digest="new")

    fixture = Fixture("f", {}, {}, {}, moment=EXACT, digest="new")
    content = parsed(stored.whole(World("w", fixture)))
    assert stored.fixture_of(content, load) == fixture
    assert stored.fixture_of({**content, "@fixture": [*content["@fixture"][:2], "old"]}, load) is None
    assert asked == [("f", EXACT)] * 2


def test_a_fixture_that_is_gone_is_refused_as_by_whoever_loads_it() -> None:
    def load(name: str, _: datetime) -> Fixture:
        raise LookupError(name)

    with pytest.raises(LookupError, match="little"):
        stored.fixture_of(parsed(stored.whole(World("w", LITTLE))), load)


# Rows


def test_a_turn_that_changes_nothing_is_not_told() -> None:
    follower = little()
    assert follower.follow() == {}
    with follower.world.transaction():
        things_of(follower.world).delete(99)
    assert follower.follow() == {}


def test_only_what_has_changed_is_told() -> None:
    follower = little()
    things = things_of(follower.world)
    with follower.world.transaction():
        things.put({"id": 1, "kind": "z"})
        things.delete(2)
    assert set(follower.follow()) == {"things/1", "things/2"}
    assert_the_same(follower)
    with follower.world.transaction():
        things.put({"id": 1, "kind": "a"})
    assert set(follower.follow()) == {"things/1"}
    assert_the_same(follower)


def test_a_row_that_came_and_went_is_not_kept() -> None:
    """In one transaction, in one turn, or in two; and it may come again."""
    follower = little()
    world, things = follower.world, things_of(follower.world)
    row = {"id": 9, "kind": "c"}
    with world.transaction():
        things.put(row)
        things.delete(9)
    assert follower.follow() == {"things/9": None}
    with world.transaction():
        things.put(row)
    with world.transaction():
        things.delete(9)
    assert follower.follow() == {"things/9": None}
    with world.transaction():
        things.put(row)
    assert follower.follow()["things/9"] is not None
    assert_the_same(follower)
    with world.transaction():
        things.delete(9)
    assert follower.follow() == {"things/9": None}
    assert_the_same(follower)
    assert things_of(follower.copy).differences == {}
    with world.transaction():
        things.put(row)
        things.delete(9)
        things.put(row)
    follower.follow()
    assert_the_same(follower)


def test_a_row_of_the_fixture_that_is_put_back_is_a_change() -> None:
    """As it is in memory."""
    follower = little()
    things = things_of(follower.world)
    for step in (lambda: things.delete(1), lambda: things.put({"id": 1, "kind": "a"})):
        with follower.world.transaction():
            step()
        follower.follow()
        assert_the_same(follower)
    assert len(things_of(follower.copy).differences) == 1


def test_what_was_rolled_back_is_not_told() -> None:
    follower = little()
    things = things_of(follower.world)

    def fail() -> None:
        with follower.world.transaction():
            things.put({"id": things.next_id(), "kind": "c"})
            things.delete(1)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert follower.follow() == {}
    with follower.world.transaction():
        things.put({"id": 2, "kind": "z"})
    with pytest.raises(LookupError):
        fail()
    assert set(follower.follow()) == {"things/2"}
    assert_the_same(follower)


def test_an_id_that_was_taken_is_never_given_again() -> None:
    follower = little()
    with follower.world.transaction():
        assert [things_of(follower.world).next_id() for _ in range(2)] == [5, 6]
    assert follower.follow() == {"things#": b"7"}
    assert_the_same(follower)
    assert things_of(follower.copy).next_id() == 7


KEYS: list[tuple[str, Row]] = [
    ("uploads", {"upload_id": 'a/"b#', "expires": EXACT}),
    ("uploads", {"upload_id": "ü\n", "expires": NOW}),
    ("pieces", {"upload_id": "a/b", "start": 0, "content": bytes(range(256)) * 3}),
    ("pieces", {"upload_id": "@a#", "start": 2**40, "content": b""}),
    ("pictures", {"folder": "courses/1", "number": 7, "name": "a.png", "content": b"\x89PNG"}),
    ("apps", {"client_id": "an app", "secret": ""}),
]


@pytest.mark.parametrize(("table", "row"), KEYS)
def test_rows_of_any_key_are_kept(default_fixture: Fixture, table: str, row: Row) -> None:
    follower = Follower(World("w", default_fixture, SETTINGS), lambda *_: default_fixture)
    with follower.world.transaction():
        follower.world.tables[table].put(row)
    follower.follow()
    assert_the_same(follower)
    with follower.world.transaction():
        follower.world.tables[table].delete(follower.world.tables[table].base.key_of(row))
    assert [*follower.follow().values()] == [None]
    assert_the_same(follower)


@pytest.mark.parametrize("moment", [*MOMENTS, EXACT.astimezone(timezone(timedelta(hours=-3, minutes=-30)))])
def test_times_are_exact(moment: datetime) -> None:
    follower = little()
    with follower.world.transaction():
        things_of(follower.world).put({"id": 1, "kind": "a", "first": moment, "second": None, "text": str(moment)})
    follower.follow()
    assert_the_same(follower)
    row = things_of(follower.copy)[1]
    assert (row["first"], row["first"].utcoffset(), type(row["text"])) == (moment, moment.utcoffset(), str)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1.0, -1.5, 2**53, "", "ü 😀 \u2028 \\ \x00", [], [1, [None]], {}, {"a": {"b": [1.0]}}, "null"],
    ids=repr,
)
def test_values_are_exact(value: Any) -> None:
    follower = little()
    with follower.world.transaction():
        things_of(follower.world).put({"kind": "a", "value": value, "id": 1, "b": b"1", "times": [], "files": []})
    follower.follow()
    assert_the_same(follower)


def test_a_replayed_row_is_no_longer_cached() -> None:
    """Neither answers that were made of rows, nor what is derived from lists of keys."""
    follower = little()
    things, copy = things_of(follower.world), follower.copy
    derived = [len(copy.derived("all", [things_of(copy).keys("kind", "a")], lambda: ["made"]))]
    before = copy.writes
    with follower.world.transaction():
        things.put({"id": 2, "kind": "a"})
    follower.follow()
    assert copy.writes > before
    assert copy.derived("all", [things_of(copy).keys("kind", "a")], lambda: ["made", "anew"]) == ["made", "anew"]
    assert (derived, [*things_of(copy).keys("kind", "a")]) == ([1], [1, 2, 4])


# The rest of the state


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_clock_is_exact(moment: datetime) -> None:
    follower = little()
    follower.world.clock.freeze(moment)
    assert set(follower.follow()) == {"@clock", "@strict"}
    assert_the_same(follower)
    assert follower.copy.clock.now() == moment
    follower.world.clock.release()
    follower.follow()
    assert_the_same(follower)


@pytest.mark.parametrize(
    "ahead", [timedelta(), timedelta(microseconds=1), timedelta(days=-40_000, microseconds=1), timedelta(days=60_000)]
)
def test_a_clock_that_runs_keeps_its_distance(ahead: timedelta) -> None:
    follower = little()
    follower.world.clock.advance(ahead)
    follower.follow()
    assert_the_same(follower)
    expected: Setting = (None, ahead)
    assert follower.copy.clock.setting == expected


@pytest.mark.parametrize("strict", [True, False])
def test_strictness_is_that_of_the_world(strict: bool) -> None:
    """Whatever the other process was started with."""
    follower = Follower(World("w", LITTLE, Settings(strict=not strict)), no_other)
    follower.world.strict = strict
    follower.follow()
    assert_the_same(follower)
    assert follower.copy.strict is strict


def fault(number: int, follower: Follower, **wanted: Any) -> Fault:
    """A new fault of the world."""
    world = follower.world
    snapshot = world.snapshot() if wanted.get("kind") == "stale" else None
    made = Fault.of(number, {**DEFAULTS, "kind": "error", **wanted}, "7 w", snapshot)
    world.faults = {**world.faults, number: made}
    world.faulted = max(world.faulted, number)
    world.fault_log = [*world.fault_log, {"after": 3, "operation": "create", "id": number, "fault": made.wanted}]
    return made


def replace(follower: Follower, *faults: Fault) -> None:
    follower.world.faults = {one.id: one for one in faults}


def test_faults_are_told_as_they_come_fire_and_go() -> None:
    follower = little()
    first, second = fault(2, follower, probability=0.5), fault(11, follower, kind="latency", seconds=0.25, times=2)
    assert set(follower.follow()) == {"@clock", "@strict", "@faulted", "@fault_log", "@fault/2", "@fault/11"}
    assert_the_same(follower)
    tried, _ = first.tried()
    replace(follower, tried, second)
    assert set(follower.follow()) == {"@clock", "@strict", "@fault/2"}
    assert_the_same(follower)
    assert [one.tried() for one in follower.copy.faults.values()] == [one.tried() for one in (tried, second)]
    replace(follower, tried, second.fire()[0].fire()[0])
    follower.follow()
    assert follower.copy.faults[11].is_spent
    replace(follower, follower.world.faults[11])
    assert follower.follow()["@fault/2"] is None
    assert_the_same(follower)
    replace(follower)
    follower.follow()
    assert_the_same(follower)
    assert (follower.copy.faults, follower.copy.faulted) == ({}, 11)


def test_a_stale_fault_keeps_its_past() -> None:
    """It is told once, however often the fault fires; the world goes on."""
    follower = little()
    with follower.world.transaction():
        things_of(follower.world).put({"id": 9, "kind": "c", "at": EXACT})
    follower.world.clock.freeze(EXACT)
    stale, other = fault(1, follower, kind="stale"), fault(2, follower)
    assert "@past/1" in follower.follow()
    with follower.world.transaction():
        things_of(follower.world).delete(9)
    replace(follower, stale.fire()[0], other)
    assert set(follower.follow()) == {"things/9", "@clock", "@strict", "@fault/1"}
    assert_the_same(follower)
    past = follower.copy.faults[1].snapshot
    assert past is not None
    assert things_of(World.of("x", past))[9] == {"id": 9, "kind": "c", "at": EXACT}
    replace(follower, other)
    changes = follower.follow()
    assert (changes["@fault/1"], changes["@past/1"]) == (None, None)
    assert_the_same(follower)


def test_a_fault_log_is_told_when_it_has_changed() -> None:
    follower = little()
    follower.world.fault_log = [{"after": 0, "operation": "delete_faults", "id": None, "fault": None}]
    assert set(follower.follow()) == {"@clock", "@strict", "@fault_log"}
    assert_the_same(follower)
    follower.world.fault_log = []
    follower.follow()
    assert_the_same(follower)


def test_an_origin_is_told_when_it_has_changed() -> None:
    """That of a world that was restored is the snapshot, and that of one whose journal was cleared is what it was."""
    follower = little()
    with follower.world.transaction():
        things_of(follower.world).put({"id": 1, "kind": "z"})
    follower.follow()
    follower.world.clock.freeze(EXACT)
    follower.world.start_over()
    assert set(follower.follow()) == {"@clock", "@strict", "@origin"}
    with follower.world.transaction():
        things_of(follower.world).put({"id": 1, "kind": "y"})
    assert set(follower.follow()) == {"things/1"}
    assert_the_same(follower)
    assert things_of(World.of("x", follower.copy.origin))[1] == {"id": 1, "kind": "z"}
    restored = Follower(World.of("r", follower.world.snapshot(), SETTINGS), no_other)
    assert_the_same(restored)
    assert of_snapshot(restored.copy.origin) == of_snapshot(follower.world.snapshot())


def test_an_origin_may_have_another_fixture() -> None:
    """One of another moment, for example: the journal has been cleared since the world was made anew from it."""
    early, late = (Fixture("little", LITTLE.tables, {}, {}, moment=moment, digest="d") for moment in (NOW, EXACT))

    def load(_: str, moment: datetime) -> Fixture:
        return {NOW: early, EXACT: late}[moment]

    world = World("w", late, SETTINGS)
    world.state = world.state._replace(origin=Snapshot(early, Clock(), {}))
    again = copied(world, load).state.origin
    assert again is not None
    assert again.fixture is early


def test_what_was_undone_is_not_told() -> None:
    follower = little()
    before = described(follower.copy)
    fault(1, follower, kind="stale")
    follower.world.clock.freeze(EXACT)
    follower.world.strict = not follower.world.strict
    follower.world.start_over()
    with follower.world.transaction():
        things_of(follower.world).put({"id": things_of(follower.world).next_id(), "kind": "c"})
        things_of(follower.world).delete(1)
    with follower.world.transaction():
        things_of(follower.world).delete(5)
    follower.undo()
    assert follower.follow() == {}
    assert described(follower.world) == before


def test_a_world_is_only_as_large_as_it_may_be_in_every_process(default_fixture: Fixture) -> None:
    """A copy counts what it has as the world does."""
    small = Settings(max_rows=2)
    world = World("w", default_fixture, small)
    follower = Follower(world, lambda *_: default_fixture)
    for number in (1, 2):
        with world.transaction():
            world.courses.delete(number)
    follower.follow()
    follower.copy.settings = small

    def add() -> None:
        with follower.copy.transaction():
            follower.copy.courses.delete(3)

    with pytest.raises(Refusal, match="differs from its fixture in 2 rows"):
        add()
    assert_the_same(follower)
