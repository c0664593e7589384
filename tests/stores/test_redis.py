"""What is particular to the store in Redis: its keys, how long they live, and commits whose answers are lost."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stubserver.stores import redis as redis_module
from stubserver.stores import redis_directory
from stubserver.stores.redis import RedisStore
from stubserver.stores.redis_calls import RedisCalls
from stubserver.stores.store import Commit, Wanted
from tests.stores.losses import Event, Lossy, lose
from tests.stores.processes import MAX_REQUESTS, Process
from tests.stores.servers import Redis
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow
_NUMBERS = itertools.count()
TTL = 5000
Pair = tuple[Process, Process]


@pytest.fixture
def prefix() -> str:
    return f"redis-{next(_NUMBERS)}"


@pytest.fixture
def url(server: Redis, prefix: str) -> str:
    return f"{server.url}?prefix={prefix}&ttl={TTL}"


@pytest.fixture
def pair(url: str, runner: asyncio.Runner) -> Iterator[Pair]:
    """Two processes at the same Redis."""
    one, other = Process(url, runner), Process(url, runner)
    yield one, other
    one.close()
    other.close()


def calls(process: Process) -> RedisCalls:
    assert isinstance(process.store, RedisStore)
    return process.store._calls


def losing(process: Process, *events: Event) -> Lossy:
    return lose(calls(process), *events)


def keys(server: Redis, prefix: str) -> list[str]:
    """All keys of a store."""
    return sorted(server.tell("KEYS", f"{prefix}:*").split())


def ends(server: Redis, names: list[str]) -> set[int]:
    """When these keys end, in milliseconds since 1970."""
    return {int(server.tell("PEXPIRETIME", name)) for name in names}


def use_all(process: Process) -> None:
    """Have a document with all that one can have, and the memory of one that was evicted."""
    process.agree({"seed": "1"})
    process.make("lost", {}, (1, b"0"), asked=1)
    process.evict("lost")
    process.make("a", {"x": b"1"}, (1, b"0"))
    process.alter("a", {"y": b"1"}, *((number, b"0") for number in range(2, MAX_REQUESTS + 3)))
    process.commit(counted={"n": 1})


# Keys


def test_keys_have_the_prefix_and_those_of_a_document_one_tag(mortal: Redis, runner: asyncio.Runner) -> None:
    prefix = "team:a"
    process = Process(f"{mortal.url}?prefix={prefix}", runner)
    use_all(process)
    process.make("snapshot:s")
    process.close()
    own = ["commits", "contents", "count", "journal", "version"]
    shared = ["counters", "entries", "facts", "held", "journals", "used"]
    expected = [
        *(f"{prefix}:{{a}}:{kind}" for kind in own),
        *(f"{prefix}:{kind}" for kind in shared),
        *(f"{prefix}:{{snapshot:s}}:{kind}" for kind in ("count", "version")),
        f"{prefix}:{{lost}}:lost",
    ]
    assert sorted(mortal.tell("KEYS", "*").split()) == sorted(expected)


def test_stores_with_different_prefixes_share_nothing(pair: Pair, server: Redis, runner: asyncio.Runner) -> None:
    pair[0].make("a", {"x": b"1"}, (1, b"0"))
    pair[0].commit(counted={"n": 1})
    pair[0].agree({"seed": "1"})
    other = Process(f"{server.url}?prefix=other-{next(_NUMBERS)}", runner)
    assert (other.read("a"), other.kept(), other.counters()) == (None, {}, {})
    assert other.agree({"seed": "2"}) == {"seed": "2"}
    other.close()


def test_the_prefix_is_stub_and_keys_live_for_a_week_unless_the_url_says_otherwise(
    mortal: Redis, runner: asyncio.Runner
) -> None:
    process = Process(mortal.url, runner)
    process.make("a")
    process.close()
    assert {key.split(":")[0] for key in mortal.tell("KEYS", "*").split()} == {"stub"}
    week = 7 * 24 * 3600 * 1000
    assert week - PATIENCE * 1000 < int(mortal.tell("PTTL", "stub:{a}:version")) <= week


def test_nothing_stays_for_ever(pair: Pair, server: Redis, prefix: str) -> None:
    """The keys of a document end at once; what is known of all documents, a little later."""
    use_all(pair[0])
    of_a = [key for key in keys(server, prefix) if "{a}" in key]
    others = [key for key in keys(server, prefix) if "{" not in key]
    assert len(ends(server, of_a)) == 1
    for names, most in ((of_a, TTL), ([f"{prefix}:{{lost}}:lost"], TTL), (others, TTL + 60)):
        for name in names:
            assert (most - PATIENCE) * 1000 < int(server.tell("PTTL", name)) <= most * 1000, name


USES: dict[str, Callable[[Process], Any]] = {
    "change": lambda process: process.alter("a", {"x": b"2"}),
    "entry": lambda process: process.alter("a", {}, (9, b"0")),
    "made anew": lambda process: process.make("a"),
}


@pytest.mark.parametrize("use", USES)
def test_each_use_prolongs_a_life(pair: Pair, server: Redis, prefix: str, monkeypatch: Any, use: str) -> None:
    monkeypatch.setattr(redis_module, "_SUMMED", -1.0)
    use_all(pair[0])
    for key in keys(server, prefix):
        server.tell("PEXPIRE", key, "100000")
    USES[use](pair[1])
    left = [key for key in keys(server, prefix) if int(server.tell("PTTL", key)) <= 100000]
    assert left == [f"{prefix}:{{lost}}:lost"]
    assert len(ends(server, [key for key in keys(server, prefix) if "{a}" in key])) == 1


def test_a_document_that_has_expired_is_gone(
    pair: Pair, server: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the list of all documents, which knows when it was used last."""
    one, other = pair
    one.make("a", {"x": b"1"}, (1, b"0"), held=7)
    one.make("b", {"x": b"1"}, held=3)
    now = redis_directory.time.time()  # type: ignore[attr-defined]
    for key in keys(server, prefix):
        if "{a}" in key:
            server.tell("PEXPIREAT", key, "1")
    server.tell("ZADD", f"{prefix}:used", str(now - TTL - 1), "a")
    assert (other.read("a"), [*other.kept()]) == (None, ["b"])
    monkeypatch.setattr(redis_module, "_SUMMED", -1.0)
    assert other.alter("b", {"x": b"2"}, held=3).totals == (1, 3, 0)
    other.make("a")
    assert other.look("a")["a"].asked == 0
    assert other.kept()["a"].entries == 0


def test_numbers_for_a_document_that_is_not_there_leave_no_keys(pair: Pair, server: Redis, prefix: str) -> None:
    """They would never expire."""
    pair[0].look("none", numbers=3)
    pair[0].release()
    assert keys(server, prefix) == []


def test_a_deleted_document_is_listed_by_nobody(pair: Pair, server: Redis, prefix: str) -> None:
    """At once, although the process that deleted it asks for nothing more."""
    one, other = pair
    one.make("a", {}, (1, b"0"), held=5)
    one.make("b")
    result = one.delete("a")
    assert ([*other.kept()], result.totals.documents) == (["b"], 1)
    assert server.tell("HEXISTS", f"{prefix}:held", "a") == "0"


def test_what_others_add_is_not_summed_up_with_each_commit(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = pair
    monkeypatch.setattr(redis_module, "_SUMMED", PATIENCE)
    one.make("a", {}, (1, b"00"), held=5)
    other.make("b", {}, (1, b"0"), held=7)
    assert one.make("c", held=1).totals == (3, 6, 2)
    assert one.alter("c", {"x": b"1"}, (1, b"0"), held=3).totals == (3, 8, 3)
    assert other.make("d").totals == (4, 12, 3)
    monkeypatch.setattr(redis_module, "_SUMMED", -1.0)
    assert one.alter("c", {"x": b"2"}, held=3).totals == (4, 15, 4)


# Numbers of a document that others make


def test_numbers_are_taken_again_of_a_document_that_was_just_made(pair: Pair) -> None:
    """Those that were taken when it was not there are given by others, too."""
    one, other = pair

    async def make() -> None:
        await other.store.refresh({"a": Wanted(None, 2)})
        await other.store.commit([other.whole("a", {}, asked=2)], {})

    for _ in range(2):  # at first it is not there, and then it is another one
        losing(one, "nothing", make)
        found = one.run(one.store.refresh({"a": Wanted(None, 3)}))["a"]
        assert (found.asked, found.whole) == (2, {})
        assert other.look("a", numbers=1)["a"].asked == 5


# Lost answers


def changed(process: Process, name: str = "a", value: bytes = b"2") -> Commit:
    """Begin a turn, and change a document with an entry of its journal."""
    asked = process.look(name, numbers=1)[name].asked
    return process.change(name, {"x": value}, (asked + 1, b"of %s" % value))


def state(process: Process, name: str = "a") -> tuple[Any, Any]:
    return process.read(name), process.entries(name)


@pytest.fixture
def documents(pair: Pair) -> Pair:
    """The processes, when both know two documents."""
    for name in "ab":
        pair[0].make(name, {"x": b"1"})
        pair[1].read(name)
    return pair


def test_a_commit_whose_answer_is_lost_was_stored(documents: Pair) -> None:
    one, other = documents
    commit = changed(one)
    losing(one, "answer")
    assert one.commit(commit).conflicts == frozenset()
    assert state(other) == state(one) == ({"x": b"2"}, [b"of 2"])


def test_a_commit_that_is_lost_never_comes_true(documents: Pair, runner: asyncio.Runner) -> None:
    """Not even if it arrives in the end: the fence has taken its place."""
    one, other = documents
    commit = changed(one)
    lossy = losing(one, "commands")
    assert one.commit(commit).conflicts == {"a"}
    assert state(other) == ({"x": b"1"}, [])
    late = runner.run(calls(other)._link.ask(lossy.asked[0][:1], PATIENCE))
    assert late[0][0] == 0
    assert state(other) == state(one) == ({"x": b"1"}, [])
    assert one.commit(changed(one)).conflicts == frozenset()
    assert state(other) == ({"x": b"2"}, [b"of 2"])


@pytest.mark.parametrize("event", ["answer", "commands"])
@pytest.mark.parametrize("more", [0, 100])
def test_the_log_tells_who_was_faster(documents: Pair, event: Event, more: int) -> None:
    """Others have committed since, on top of ours or in its place."""
    one, other = documents

    async def be_faster() -> None:
        for number in range(1 + more):
            found = await other.store.refresh({"a": Wanted(other.copy("a").version)})
            other._take("a", found["a"])
            commit = other.change("a", {"x": b"3" if number == more else b"0"})
            await other.store.commit([commit], {})
            other._note(commit)

    commit = changed(one)
    losing(one, event, be_faster)
    assert one.commit(commit).conflicts == (set() if event == "answer" else {"a"})
    assert state(other) == state(one) == ({"x": b"3"}, [b"of 2"] if event == "answer" else [])


def test_each_of_several_commits_is_found_out_about(documents: Pair) -> None:
    one, other = documents
    one.look("a", "b", numbers=1)
    losing(one, 1)
    result = one.commit(*(one.change(name, {"x": b"2"}, (1, b"0")) for name in "ab"))
    assert result.conflicts == {"b"}
    assert [state(other, name) for name in "ab"] == [({"x": b"2"}, [b"0"]), ({"x": b"1"}, [])]


UNKNOWN: dict[str, Callable[[Process], Commit]] = {
    "entry": lambda process: process.change("a", {}, (1, b"0")),
    "made anew": lambda process: process.whole("a", {"x": b"2"}),
    "new": lambda process: process.whole("new", {}),
    "deletion": lambda process: process.deletion("a"),
}


@pytest.mark.parametrize("event", ["answer", "commands", 1])
@pytest.mark.parametrize("kind", UNKNOWN)
def test_of_other_commits_nobody_knows(documents: Pair, kind: str, event: Event) -> None:
    one, other = documents
    one.look("a", "new", numbers=1)
    commit = UNKNOWN[kind](one)
    losing(one, event)
    assert one.what_unknown(one.store.commit([commit], {})) == "Redis closed the connection"
    other.read("a")
    other.read("new")
    assert other.make("a", {"x": b"9"}).conflicts == frozenset()


@pytest.mark.parametrize("what", [{"counted": {"n": 1}}, {"counted": {}, "reset": "n"}])
@pytest.mark.parametrize("event", ["answer", "commands"])
def test_of_counters_nobody_knows(documents: Pair, what: dict[str, Any], event: Event) -> None:
    one, _ = documents
    one.commit(counted={"n": 1})
    events: list[Event] = ["nothing", event] if "reset" in what else [event]
    losing(one, *events)
    assert one.what_unknown(one.store.commit([], **what)) == "Redis closed the connection"


@pytest.mark.parametrize(
    "events",
    [("commands", "commands"), ("answer", "answer"), ("answer", "connection"), ("answer", "nothing", "answer")],
    ids=str,
)
def test_nobody_knows_if_the_question_is_lost_as_well(documents: Pair, events: tuple[Event, ...]) -> None:
    one, other = documents
    commit = changed(one)
    losing(one, *events)
    assert one.what_unknown(one.store.commit([commit], {})) == "Redis closed the connection"
    value, entries = state(other)
    assert (value, entries) in [({"x": b"1"}, []), ({"x": b"2"}, [b"of 2"])]
    assert other.commit(changed(other, value=b"3")).conflicts == frozenset()


@pytest.mark.parametrize("then", ["delete", "make", "evict"])
@pytest.mark.parametrize("event", ["answer", "commands"])
def test_nobody_knows_if_the_document_is_another_one(documents: Pair, then: str, event: Event) -> None:
    one, other = documents

    async def end() -> None:
        if then == "evict":
            await other.store.evict(["a"], "max_worlds")
            return
        version = (await other.store.refresh({"a": Wanted(None)}))["a"].version
        made = Commit("a", version, None) if then == "delete" else other.whole("a", {"z": b"1"})
        made.expected = version
        assert not (await other.store.commit([made], {})).conflicts

    commit = changed(one)
    losing(one, event, end)
    assert one.what_unknown(one.store.commit([commit], {})) == "Redis closed the connection"
    assert other.read("a") == ({"z": b"1"} if then == "make" else None)


def test_nobody_knows_once_the_log_has_forgotten(documents: Pair, server: Redis, prefix: str) -> None:
    one, _ = documents

    async def forget() -> None:
        server.tell("XTRIM", f"{prefix}:{{a}}:commits", "MAXLEN", "0")

    commit = changed(one)
    losing(one, "answer", "nothing", forget)
    assert one.what_unknown(one.store.commit([commit], {})) == "Redis closed the connection"


def test_sizes_are_right_again_after_a_lost_answer(documents: Pair) -> None:
    one, other = documents
    events: list[tuple[Event, int]] = [("answer", 4), ("commands", 5)]
    for event, size in events:
        one.look("a")
        losing(one, event)
        one.commit(one.change("a", {"x": b"2"}, held=size))
        one.alter("a", {"x": b"3"}, held=size)
        assert other.kept()["a"].held == size


@pytest.mark.parametrize("event", ["answer", "commands", "connection"])
@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.refresh({"a": Wanted(None, 1)}),
        lambda store: store.agree({"x": "1"}),
        lambda store: store.kept(),
        lambda store: store.entries("a"),
        lambda store: store.counters(),
        lambda store: store.trim("a", 1, "max_journal"),
        lambda store: store.evict(["b"], "max_worlds"),
    ],
    ids=["refresh", "agree", "kept", "entries", "counters", "trim", "evict"],
)
def test_what_may_be_asked_again_is_just_unavailable(documents: Pair, call: Any, event: Event) -> None:
    one, _ = documents
    lossy = losing(one, event, event)  # one of them is met by what nobody needs
    told = one.why_not(call(one.store))
    lossy.events.clear()
    assert told == ("Redis is not there" if event == "connection" else "Redis closed the connection")
    one.run(call(one.store))


# Scripts


def test_a_store_works_though_redis_forgets_its_scripts(pair: Pair, server: Redis) -> None:
    one, other = pair

    def forget() -> None:
        server.tell("SCRIPT", "FLUSH")

    forget()
    one.make("a", {"x": b"1"}, (1, b"0"), (2, b"0"), asked=2)
    forget()
    assert other.read("a") == {"x": b"1"}
    forget()
    one.alter("a", {"x": b"2"})
    forget()
    assert other.read("a") == {"x": b"2"}
    forget()
    one.trim("a", 1)
    forget()
    one.evict("a")
    forget()
    assert other.look("a")["a"].forgotten == {"max_worlds": 2}


def test_a_lost_answer_is_found_out_about_without_scripts(documents: Pair, server: Redis) -> None:
    one, other = documents

    async def forget() -> None:
        server.tell("SCRIPT", "FLUSH")

    commit = changed(one)
    losing(one, "answer", forget)
    assert one.commit(commit).conflicts == frozenset()
    assert state(other) == ({"x": b"2"}, [b"of 2"])


# Errors in replies


@pytest.fixture
def full(server: Redis, documents: Pair) -> Iterator[None]:
    """Redis has no memory left."""
    documents[0].alter("a", {"x": b"1"}, (1, b"0"), held=5)
    server.tell("CONFIG", "SET", "maxmemory", "1")
    yield
    server.tell("CONFIG", "SET", "maxmemory", "0")


@pytest.mark.usefixtures("full")
def test_a_full_redis_is_told_and_nothing_is_half_done(documents: Pair, server: Redis, prefix: str) -> None:
    one, other = documents
    told = f"Redis at 127.0.0.1:{server.port}: command not allowed when used memory > 'maxmemory'"
    before = state(one), one.kept(), one.counters(), keys(server, prefix)
    known = {name: one.copy(name) for name in "ab"}
    commits = [
        [one.change("a", {"x": b"2"}, (2, b"0"), held=9)],
        [one.change("a", {}, (2, b"0"))],
        [one.whole("new", {"x": b"1"}, held=9)],
        [one.change("a", {"x": b"2"}), one.change("b", {"x": None})],
    ]
    for several in commits:
        assert told in one.why_not(one.store.commit(several, {"n": 1}))
    assert told in one.why_not(one.store.refresh({"a": Wanted(None, 1)}))
    assert told in one.why_not(one.store.commit([], {"n": 1}))
    assert (state(other), other.kept(), other.counters(), keys(server, prefix)) == before
    assert {name: one.copy(name) for name in "ab"} == known


@pytest.mark.usefixtures("full")
def test_a_full_redis_can_be_emptied(documents: Pair) -> None:
    """Otherwise nobody could make room."""
    one, other = documents
    one.trim("a", 1)
    assert state(other) == ({"x": b"1"}, [])
    one.evict("b")
    assert one.delete("a").conflicts == frozenset()
    assert ([*other.kept()], other.read("a"), other.read("b")) == ([], None, None)


def test_what_is_full_works_again(documents: Pair, server: Redis) -> None:
    one, other = documents
    server.tell("CONFIG", "SET", "maxmemory", "1")
    commit = changed_without_numbers(one)
    one.why_not(one.store.commit([commit], {}))
    server.tell("CONFIG", "SET", "maxmemory", "0")
    assert one.commit(changed(one)).conflicts == frozenset()
    assert state(other) == ({"x": b"2"}, [b"of 2"])


def changed_without_numbers(process: Process) -> Commit:
    return process.change("a", {"x": b"2"}, (1, b"0"))


def test_a_redis_that_takes_no_writes_is_told(mortal: Redis, runner: asyncio.Runner) -> None:
    """As after a failover, when it is a replica."""
    one = Process(mortal.url, runner)
    one.make("a", {"x": b"1"}, (1, b"0"))
    mortal.tell("REPLICAOF", "127.0.0.1", "1")
    told = f"Redis at 127.0.0.1:{mortal.port}: You can't write against a read only replica"
    calls: list[Any] = [
        one.store.commit([one.change("a", {"x": b"2"}, (2, b"0"))], {"n": 1}),
        one.store.commit([one.deletion("a")], {}),
        one.store.commit([one.whole("b", {})], {}),
        one.store.refresh({"a": Wanted(None, 1)}),
        one.store.trim("a", 1, "max_journal"),
        one.store.evict(["a"], "max_worlds"),
        one.store.agree({"seed": "1"}),
    ]
    for call in calls:
        assert one.why_not(call).startswith(told)
    mortal.tell("REPLICAOF", "NO", "ONE")
    assert (state(one), one.read("b"), [*one.kept()]) == (({"x": b"1"}, [b"0"]), None, ["a"])
    one.close()


def test_nobody_knows_if_some_of_several_commits_failed(documents: Pair, server: Redis, prefix: str) -> None:
    """The first one is stored, and the second one is not: what is true of both is that nobody should rely on it."""
    one, other = documents
    server.tell("SET", f"{prefix}:{{b}}:commits", "of another program")
    one.look("a", "b")
    commits = [one.change(name, {"x": b"2"}, (1, b"0")) for name in "ab"]
    assert "Operation against a key" in one.what_unknown(one.store.commit(commits, {}))
    assert state(other) == ({"x": b"2"}, [b"0"])


def test_nobody_knows_if_only_the_books_failed(documents: Pair, server: Redis, prefix: str) -> None:
    one, other = documents
    server.tell("DEL", f"{prefix}:used")
    server.tell("SET", f"{prefix}:used", "of another program")
    commit = changed(one)
    assert "Operation against a key" in one.what_unknown(one.store.commit([commit], {}))
    assert state(other) == ({"x": b"2"}, [b"of 2"])


# Data that Redis has lost


@pytest.mark.parametrize("more", [0, 1, 3])
def test_a_copy_of_what_redis_has_lost_is_dropped(documents: Pair, server: Redis, prefix: str, more: int) -> None:
    """As after a failover: the last commit is gone, and others have gone on without it. The two are never mixed."""
    one, other = documents
    kept = {kind: server.tell("GET", f"{prefix}:{{a}}:{kind}") for kind in ("version",)}
    one.alter("a", {"x": b"2", "only here": b"1"})
    server.tell("SET", f"{prefix}:{{a}}:version", kept["version"])
    server.tell("DEL", f"{prefix}:{{a}}:contents", f"{prefix}:{{a}}:commits")
    server.tell("HSET", f"{prefix}:{{a}}:contents", "x", "1")
    for number in range(more):
        other.alter("a", {f"y{number}": b"1"})
    expected = {"x": b"1", **{f"y{number}": b"1" for number in range(more)}}
    assert one.read("a") == other.read("a") == expected


def test_everything_may_be_lost(documents: Pair, server: Redis, prefix: str) -> None:
    one, other = documents
    commit = changed(one)
    server.tell("DEL", *keys(server, prefix))
    assert one.commit(commit).conflicts == {"a"}
    assert (one.read("a"), one.kept()) == (None, {})
    one.make("a", {"x": b"5"})
    assert other.read("a") == {"x": b"5"}
