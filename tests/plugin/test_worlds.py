"""The worlds that tests own: their names never meet, and everything made from them ends with them."""

import re
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from typing import Any

import pytest

from stubserver.app import create_app
from stubserver.plugin.worlds import SHOWN, OwnedWorld, Run, Worlds
from stubserver.serving.background import Background
from stubserver.testing import CourseWorld, Stub, StubError
from stubserver.worlds.registry import NAME

HOSTILE = [
    "",
    "test_it",
    "-",
    "..",
    "test_it[a/b c]",
    "ä" * 200,
    "x" * 200,
    "test-" * 40,
    "a\ud800",
    "[\x00\n]",
    "a.-b",
]


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    """A server that nobody else uses, because what is on it is counted."""
    with Background(lambda: create_app("default")) as url, closing(Stub(url)) as stub:
        yield stub


@pytest.fixture
def worlds(request: pytest.FixtureRequest) -> Worlds:
    return Worlds(Run(worker=request.node.name))


def there(stub: Stub) -> set[str]:
    """The names of all worlds and snapshots on the server."""
    return {
        found["name"]
        for path in ("/worlds", "/snapshots")
        for found in stub.control("GET", path, params={"limit": 100})["results"]
    }


# Names


@pytest.mark.parametrize("label", HOSTILE)
@pytest.mark.parametrize(
    ("uid", "worker"), [*product(["", "0a", "b" * 99], ["", "gw0", "gw1", "//a-long-worker@host"])]
)
def test_a_name_is_valid_and_leaves_room_for_forks(label: str, uid: str, worker: str) -> None:
    name = Run(uid, worker).name(label, "key")
    assert NAME.fullmatch(name)
    assert len(name) <= 52
    assert Run(uid, worker).name(label, "key") == name


def test_names_differ_for_runs_workers_and_tests_but_not_from_run_to_run() -> None:
    """Even if what people read of them is the same."""
    runs = [Run(uid, worker) for uid, worker in product(["", "1", "2"], ["", "gw0", "gw1", "x" * 20, "x" * 21])]
    keys = ["a.py::test_it", "b.py::test_it", "b.py::test_it 1"]
    names = [run.name("test_it", key) for run, key in product(runs, keys)]
    assert len(set(names)) == len(names) == 45
    assert Run().name("test_it[1]", "a.py::test_it[1]") == "test_it-1-0b94ac4c08"


def test_a_name_shows_test_and_worker_and_begins_with_the_run() -> None:
    name = Run("some run", "gw1").name("test_with_a_very_long_name_indeed", "key")
    assert re.fullmatch(r"[0-9a-f]{8}-test_with_a_very_long_name_i-gw1-[0-9a-f]{10}", name)
    assert name[:8] == Run("some run", "gw0").name("other", "key")[:8] != Run("another", "gw1").name("x", "key")[:8]


def test_worlds_of_one_name_do_not_meet_while_both_exist(worlds: Worlds, stub: Stub) -> None:
    with worlds.made(stub, "same", "key") as first:
        with worlds.made(stub, "same", "key") as second:
            assert first.name != second.name
        with worlds.made(stub, "same", "key") as third:
            assert third.name == second.name


def test_forks_and_snapshots_have_names_of_their_own(worlds: Worlds, stub: Stub) -> None:
    """Which begin with the name of their world, and may be given with it."""
    with worlds.made(stub, "it", "key") as world:
        assert world.fork("x").name == f"{world.name}-x"
        assert world.fork(f"{world.name}-y").name == f"{world.name}-y"
        assert world.fork("x-2").fork("x-3").name == f"{world.name}-x-3"
        long = [world.fork(letter + "z" * 60).name for letter in "ab"]
        assert [len(name) for name in long] == [64, 64]
        assert long[0] != long[1]


# Ends


def test_everything_ends_with_the_world(worlds: Worlds, stub: Stub) -> None:
    before = there(stub)
    with worlds.made(stub, "it", "key") as world:
        world.snapshot("one")
        world.snapshot("one")
        world.fork("x").fork("y").snapshot("two")
        world.client().get("/feature/")
        assert there(stub) - before == {f"{world.name}{end}" for end in ("", "-x", "-y", "-one", "-two")}
    assert there(stub) == before


def test_everything_ends_even_if_the_test_fails_or_has_ended_it_itself(worlds: Worlds, stub: Stub) -> None:
    before = there(stub)

    def failing() -> None:
        with worlds.made(stub, "it", "key") as world:
            world.fork("x").delete()
            world.fork("y").snapshot("s")
            world.delete()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert there(stub) == before


@pytest.fixture
def another(stub: Stub) -> Iterator[CourseWorld]:
    """A world of somebody else, with a snapshot of it, both called `kept-by-others`."""
    world = stub.world("kept-by-others")
    world.reset()
    world.client("creator").patch("/course/1/", json={"name": "Theirs"}).raise_for_status()
    world.snapshot(world.name)
    yield world
    world.delete()
    stub.control("DELETE", f"/snapshots/{world.name}")


def test_what_others_have_made_is_left_alone(worlds: Worlds, stub: Stub, another: CourseWorld) -> None:
    """A test may use their names without touching it, and may restore it."""
    with worlds.made(stub, "it", "key") as world:
        world.restore(another.name)
        assert world.client().get("/course/1/").json()["name"] == "Theirs"
        world.reset()
        world.snapshot(another.name)
        world.fork(another.name)
        stub.world("default").restore(another.name)
        assert stub.world("default").client().get("/course/1/").json()["name"] == "Theirs"
        world.restore(another.name)  # its own now
        assert world.client().get("/course/1/").json()["name"] != "Theirs"
    assert another.name in there(stub)
    stub.world("default").reset()


def test_a_snapshot_of_a_wider_scope_can_be_restored(worlds: Worlds, stub: Stub) -> None:
    with worlds.made(stub, "session", "s") as wide:
        wide.client("creator").patch("/course/1/", json={"name": "Prepared"}).raise_for_status()
        wide.snapshot("prepared")
        with worlds.made(stub, "it", "key") as world:
            world.fork("x").restore("prepared")
            world.restore("prepared")
            assert world.client().get("/course/1/").json()["name"] == "Prepared"
    with worlds.made(stub, "it", "key") as world, pytest.raises(StubError, match=r"no snapshot prepared\.$"):
        world.restore("prepared")


REFUSED = [
    ("fork", "", "may not be blank"),
    ("fork", "a b", '"a b" does not match'),
    ("fork", "a/b", '"a/b" does not match'),
    ("fork", "x" * 65, '"x{59}.* does not match'),
    ("fork", "same", "already exists; reset it, or use another name"),
    ("snapshot", "", "may not be blank"),
    ("snapshot", "-a", '"-a" does not match'),
    ("restore", "nope", "There is no snapshot nope"),
    ("restore", "", "No such path"),
]


@pytest.mark.parametrize(("method", "label", "says"), REFUSED)
def test_what_is_refused_leaves_nothing_behind(worlds: Worlds, stub: Stub, method: str, label: str, says: str) -> None:
    before = there(stub)
    with worlds.made(stub, "it", "key") as world:
        world.fork("same")
        with pytest.raises(StubError, match=says):
            getattr(world, method)(label)
        found = worlds.received()
        assert [received.world.name for received in found] == [world.name, f"{world.name}-same"]
        assert not any(received.unknown for received in found)
    assert there(stub) == before


def breaking(monkeypatch: pytest.MonkeyPatch, *methods: str, error: Exception) -> list[str]:
    """From now on, requests with these methods fail; returns what is asked."""
    asked: list[str] = []
    control = Stub.control

    def broken(self: Stub, method: str, path: str, *rest: Any, **options: Any) -> Any:
        asked.append(f"{method} {path}")
        if method in methods:
            raise error
        return control(self, method, path, *rest, **options)

    monkeypatch.setattr(Stub, "control", broken)
    return asked


GONE = StubError("no stub server answers at http://127.0.0.1:1: [Errno 111] Connection refused")


def test_a_server_that_died_is_told_in_one_line(worlds: Worlds, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made is tried to delete, all of it; and what was received is not known."""
    made = worlds.made(stub, "it", "key")
    world = made.__enter__()
    world.fork("x")
    asked = breaking(monkeypatch, "GET", "POST", "DELETE", error=GONE)
    with pytest.raises(StubError):
        world.snapshot("perhaps")
    with pytest.raises(pytest.fail.Exception) as caught:
        made.__exit__(None, None, None)
    assert str(caught.value) == f"world {world.name} may be left on the stub server: {GONE}"
    assert caught.value.pytrace is False
    names = [f"/snapshots/{world.name}-perhaps", f"/worlds/{world.name}-x", f"/worlds/{world.name}"]
    assert asked[-3:] == [f"DELETE {name}" for name in names]
    assert [found.unknown for found in worlds.received()] == [str(GONE), str(GONE)]
    with pytest.raises(pytest.fail.Exception, match=r"^the stub server has no world for this test: no stub server"):
        worlds.made(stub, "it", "key").__enter__()
    monkeypatch.undo()
    for fork in (world.name, f"{world.name}-x"):
        stub.world(fork).delete()


def test_a_fixture_that_the_server_does_not_have_is_told_in_one_line(worlds: Worlds, stub: Stub) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"no world for this test: .* 'emty': use one of default, empty\.$"):
        worlds.made(stub, "it", "key", "emty").__enter__()
    with worlds.made(stub, "it", "key", "empty") as world:
        assert world.client().get("/course/search/").json()["count"] == 0


# Requests


def asked(worlds: Worlds) -> dict[str, list[str]]:
    """World -> the paths that it was asked during this test, the newest first."""
    return {
        found.world.name: [request["request"]["path"].removeprefix("/api/v2") for request in found.newest]
        for found in worlds.received()
    }


def test_requests_of_this_test_are_told_from_those_of_earlier_ones(worlds: Worlds, stub: Stub) -> None:
    with worlds.made(stub, "wide", "w") as wide, worlds.made(stub, "unused", "u") as unused:
        wide.client().get("/feature/")
        with worlds.made(stub, "it", "key") as world:
            world.client().get("/category/")
        assert asked(worlds) == {world.name: ["/category/"], wide.name: ["/feature/"], unused.name: []}
        worlds.next_test()
        assert asked(worlds) == {}
        wide.client().get("/category/")
        assert asked(worlds) == {wide.name: ["/category/"]}
        assert worlds.received()[0].earlier == 1
        worlds.next_test()
        wide.reset()
        for number in (1, 2):  # the second has the id that the newest had before
            wide.client().get(f"/course/{number}/")
        assert asked(worlds) == {wide.name: ["/course/2/", "/course/1/"]}


def test_only_the_newest_requests_are_kept(worlds: Worlds, stub: Stub) -> None:
    with worlds.made(stub, "it", "key") as world:
        client = world.client()
        for number in range(SHOWN + 3):
            client.get(f"/course/{number}/")
    (received,) = worlds.received()
    assert (len(received.newest), received.earlier, received.forgotten) == (SHOWN, 3, 0)
    assert received.newest[0]["request"]["path"] == f"/api/v2/course/{SHOWN + 2}/"


def test_what_the_journal_has_forgotten_is_counted(worlds: Worlds, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    with worlds.made(stub, "it", "key") as world:
        monkeypatch.setattr(OwnedWorld, "control", lambda *_, **__: {"results": [], "count": 0, "forgotten": 7})
        (received,) = worlds.received()
        assert (received.earlier, received.forgotten, received.world) == (0, 7, world)


def test_a_fork_that_was_made_again_is_shown_once(worlds: Worlds, stub: Stub) -> None:
    with worlds.made(stub, "it", "key") as world:
        for _ in range(2):
            world.fork("x").delete()
    assert [received.world.name for received in worlds.received()] == [world.name, f"{world.name}-x"]


def test_of_many_forks_the_newest_are_shown(worlds: Worlds, stub: Stub) -> None:
    with worlds.made(stub, "it", "key") as world:
        for number in range(9):
            world.fork(str(number))
    found = worlds.received()
    assert [received.world.name for received in found] == [world.name, *(f"{world.name}-{n}" for n in range(5, 9))]
    assert [received.forks for received in found] == [5, 0, 0, 0, 0]
