"""The link to a cluster of Redis, with a real one of three nodes: where commands go, and what has happened if a node is
gone."""

import asyncio
import contextlib
import hashlib
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot
from redis.exceptions import ClusterCrossSlotError, ClusterDownError, MovedError, NoScriptError, TryAgainError

from stubserver.stores.cluster import ClusterLink, link
from stubserver.stores.link import Interrupted, Link, Unreachable
from stubserver.stores.redis_url import read_url
from tests.stores.servers import (
    OK,
    Peer,
    Redis,
    Run,
    cluster_of,
    free_port,
    peer,
    redis,
    scripted,
    silence,
    until_whole,
)
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow
SOON = 0.3
"""The patience, in seconds, of a call that nobody answers."""
KEYS = [f"key:{number}" for number in range(500)]
"""Keys of all nodes, in no order of theirs."""
ENDS = {0, 5460, 5461, 10922, 10923, 16383}
"""The first and last slots of the nodes."""
EDGES = [key for key in map(str, range(100_000)) if key_slot(key.encode()) in ENDS]
"""Keys that have one of these."""


def rounded(message: str) -> str:
    """The message, with the seconds as they were given: what is left of them when a command is sent may be less."""
    return re.sub(r"within 0\.[0-9]+ seconds", f"within {SOON} seconds", message)


class Cluster:
    """Three nodes without replicas; each has a third of the slots."""

    def __init__(self, nodes: list[Redis]) -> None:
        self.nodes = nodes
        self.url = nodes[0].url

    def owner(self, key: str) -> int:
        """Which node has a key: the one that does not send us on."""
        (owner,) = [number for number, node in enumerate(self.nodes) if "MOVED" not in node.tell("EXISTS", key)]
        return owner

    def keys(self, number: int) -> list[str]:
        """Some keys that a node has, of different slots."""
        return [key for key in KEYS[:20] if self.owner(key) == number]

    def redirections(self) -> int:
        """How often any node has sent a command on."""
        stories = [node.tell("INFO", "errorstats") for node in self.nodes]
        return sum(int(count) for story in stories for count in re.findall(r"_(?:MOVED|ASK):count=(\d+)", story))

    def set_slot(self, key: str, nodes: tuple[int, ...], *state: str) -> None:
        """Tell nodes about the slot of a key."""
        for number in nodes:
            assert self.nodes[number].tell("CLUSTER", "SETSLOT", str(key_slot(key.encode())), *state) == "OK"

    def name(self, number: int) -> str:
        return self.nodes[number].tell("CLUSTER", "MYID")


@contextlib.contextmanager
def cluster_in(folder: Path, *options: str) -> Iterator[Cluster]:
    with cluster_of(folder, *options) as nodes:
        yield Cluster(nodes)


@pytest.fixture(scope="module")
def cluster(nodes: list[Redis]) -> Cluster:
    """A cluster whose nodes no test stops."""
    return Cluster(nodes)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of the test's own. No node declares another one dead as long as the test takes."""
    with cluster_in(tmp_path) as made:
        yield made


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[ClusterLink]:
    """A link, closed at the end."""
    made = ClusterLink(url)
    try:
        yield made
    finally:
        await made.close()


async def ask(made: ClusterLink, *commands: tuple[str | bytes | int, ...]) -> list[Any]:
    return await made.ask(commands, PATIENCE)


async def refused(made: ClusterLink, *commands: tuple[str | bytes | int, ...], patience: float = PATIENCE) -> str:
    """Why nothing happened."""
    with pytest.raises(Unreachable) as unreachable:
        await made.ask(commands or [("GET", "k")], patience)
    return str(unreachable.value)


async def interrupted(made: ClusterLink, *commands: tuple[str | bytes | int, ...], patience: float = PATIENCE) -> str:
    """Why it is unknown what happened."""
    with pytest.raises(Interrupted) as unknown:
        await made.ask(commands, patience)
    return str(unknown.value)


# Where commands go


def test_every_command_goes_to_the_node_that_has_its_key(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        before = cluster.redirections()
        async with linked(cluster.url) as made:
            assert await ask(made, *[("SET", key, key) for key in KEYS]) == [b"OK"] * len(KEYS)
            assert await ask(made, *[("GET", key) for key in reversed(KEYS)]) == [
                key.encode() for key in reversed(KEYS)
            ]
            assert await ask(made, ("MSET", "{t}a", 1, "{t}b", 2), ("MGET", "{t}b", "{t}a")) == [b"OK", [b"2", b"1"]]
            assert set(await ask(made, *[("EXISTS", key) for key in EDGES])) == {0}
        assert cluster.redirections() == before
        assert {key_slot(key.encode()) for key in EDGES} == ENDS
        assert all(int(node.tell("DBSIZE")) > 100 for node in cluster.nodes)

    run(test())


def test_scripts_go_where_their_first_key_is(run: Run, cluster: Cluster) -> None:
    """A node that does not know a script says so, and learns it from EVAL."""
    script = "return KEYS[1] .. ARGV[1]"
    sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"

    async def test() -> None:
        before = cluster.redirections()
        async with linked(cluster.url) as made:
            for node in cluster.nodes:
                node.tell("SCRIPT", "FLUSH")
            unknown = await ask(made, *[("EVALSHA", sha, 1, key, "!") for key in KEYS])
            assert {type(reply) for reply in unknown} == {NoScriptError}
            told = await ask(made, *[("EVAL", script, 1, key, "!") for key in KEYS])
            assert told == [f"{key}!".encode() for key in KEYS]
            real = await ask(made, *[(b"evalsha", _sha(script), 1, key, "!") for key in KEYS])
            assert real == told
            assert await ask(made, ("EVAL", "return 7", 0)) == [7]
        assert cluster.redirections() == before

    run(test())


def _sha(script: str) -> str:
    return hashlib.sha1(script.encode()).hexdigest()  # noqa: S324


def test_an_error_stands_in_the_place_of_its_reply(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            first, crossed, last = await ask(made, ("SET", "a", 1), ("MGET", "a", "b", "c", "d"), ("GET", "a"))
            assert (first, type(crossed), last) == (b"OK", ClusterCrossSlotError, b"1")

    run(test())


def test_a_key_in_another_place_costs_a_redirection(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            await ask(made, *[("SET", key, 1) for key in KEYS[:20]])
            assert await ask(made, *[("OBJECT", "ENCODING", key) for key in KEYS[:20]]) == [b"int"] * 20
            assert await ask(made, ("PING",), ("ECHO", "hi")) == [b"PONG", b"hi"]

    run(test())


# Slots that move


def test_a_slot_that_has_moved_is_found_once(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            assert await ask(made, ("GET", "moving")) == [None]
            target = (cluster.owner("moving") + 1) % 3
            cluster.set_slot("moving", (target, (target + 1) % 3, (target + 2) % 3), "NODE", cluster.name(target))
            before = cluster.redirections()
            commands = [("SET", "moving", 1), ("INCR", "moving"), ("GET", "moving")]
            assert await ask(made, *commands, ("DEL", "moving")) == [b"OK", 2, b"2", 1]
            assert cluster.redirections() == before + 4
            assert await ask(made, ("GET", "moving")) == [None]
            assert cluster.redirections() == before + 4

    run(test())


def test_a_slot_that_is_moving_is_in_two_places(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            source = cluster.owner("{half}")
            target = (source + 1) % 3
            await ask(made, ("SET", "{half}here", "source"))
            cluster.set_slot("{half}", (target,), "IMPORTING", cluster.name(source))
            cluster.set_slot("{half}", (source,), "MIGRATING", cluster.name(target))
            before = cluster.redirections()
            replies = await ask(made, ("SET", "{half}gone", 1), ("GET", "{half}here"), ("INCR", "{half}gone"))
            assert replies == [b"OK", b"source", 2]
            assert cluster.redirections() == before + 2
            (both,) = await ask(made, ("MGET", "{half}here", "{half}gone"))
            assert type(both) is TryAgainError
            assert await ask(made, ("GET", "{half}here")) == [b"source"]
            assert cluster.redirections() == before + 2
            assert await ask(made, ("DEL", "{half}gone"), ("DEL", "{half}here")) == [1, 1]
            cluster.set_slot("{half}", (source, target), "STABLE")

    run(test())


# Nodes that are gone


async def stopped(node: Redis) -> None:
    """Stop it while the loop runs, as it does in a server."""
    await asyncio.to_thread(node.stop)


def test_a_node_that_is_gone_is_told_and_the_others_go_on(run: Run, mortal: Cluster) -> None:
    (alive, other), (dead, *_) = mortal.keys(0)[:2], mortal.keys(1)
    where = f"Redis at 127.0.0.1:{mortal.nodes[1].port}"

    async def test() -> None:
        async with linked(mortal.url) as made:
            await ask(made, *[("SET", key, 1) for key in (alive, other, dead)])
            await stopped(mortal.nodes[1])
            assert await refused(made, ("INCR", dead)) == f"{where} refused the connection."
            told = f"{where} refused the connection. Other nodes of the cluster have answered."
            assert await interrupted(made, ("INCR", alive), ("INCR", dead), ("INCR", other)) == told
            assert await ask(made, ("GET", alive), ("GET", other)) == [b"2", b"2"]
            mortal.nodes[1].start()
            until_whole(mortal.nodes[1])
            assert await ask(made, ("GET", dead), ("GET", alive)) == [None, b"2"]

    run(test())


def test_the_node_of_the_url_is_needed_only_once(run: Run, mortal: Cluster) -> None:
    """Even to find out who has which keys, after another node did not answer."""
    (lost, *_), (key, *_) = mortal.keys(0), mortal.keys(1)

    async def test() -> None:
        async with linked(mortal.url) as made:
            assert await ask(made, ("SET", key, 1)) == [b"OK"]
            await stopped(mortal.nodes[0])
            told = f"Redis at 127.0.0.1:{mortal.nodes[0].port} refused the connection."
            for _ in range(2):
                assert await refused(made, ("GET", lost)) == told
                assert await ask(made, ("GET", key)) == [b"1"]
        async with linked(mortal.url) as other:
            assert await refused(other, ("GET", key)) == told

    run(test())


def test_a_paused_node_is_waited_for_with_patience(run: Run, mortal: Cluster) -> None:
    key = mortal.keys(2)[0]

    async def test() -> None:
        async with linked(mortal.url) as made:
            await ask(made, ("SET", key, 1))
            mortal.nodes[2].send(signal.SIGSTOP)
            told = f"Redis at 127.0.0.1:{mortal.nodes[2].port} did not answer within 0.3 seconds."
            assert rounded(await interrupted(made, ("INCR", key), patience=SOON)) == told
            mortal.nodes[2].send(signal.SIGCONT)
            assert await ask(made, ("INCR", key)) == [3]

    run(test())


def test_a_cluster_that_lacks_slots_says_so_in_the_place_of_the_reply(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        with redis(tmp_path / "redis", "--cluster-enabled", "yes") as lone:
            async with linked(lone.url) as made:
                (reply,) = await ask(made, ("GET", "k"))
                assert (type(reply), str(reply)) == (ClusterDownError, "Hash slot not served")

    run(test())


# Peers that only play a cluster


ALL_SLOTS = "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$-1\r\n:PORT\r\n"


def playing(*replies: str, slots: str = ALL_SLOTS) -> Peer:
    """A node that has all slots, on the host that was asked, and answers each command with the next reply. Its own port
    replaces PORT."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        for reply in ("+OK\r\n", slots, *replies):
            await reader.read(65536)
            writer.write(reply.replace("PORT", str(port)).encode())
        await silence(reader, writer)

    return serve


@pytest.mark.parametrize(
    "slots", [":1\r\n", "*1\r\n:1\r\n", "*1\r\n*1\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n:1\r\n:1\r\n"]
)
def test_a_table_that_cannot_be_read_is_told(run: Run, slots: str) -> None:
    async def test() -> None:
        async with peer(playing(slots=slots)) as url, linked(url) as made:
            told = "is no node of a cluster: its table of slots cannot be read."
            assert await refused(made) == f"{made.address} {told}"

    run(test())


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
def test_a_command_that_is_sent_in_circles_comes_back(run: Run, host: str) -> None:
    async def test() -> None:
        moved = f"-MOVED 12539 {host}:PORT\r\n"
        async with peer(playing(*[moved] * 5)) as url, linked(url) as made:
            (reply,) = await ask(made, ("GET", "k"))
            assert type(reply) is MovedError

    run(test())


def test_a_node_that_dies_after_a_redirection_leaves_no_doubt(run: Run) -> None:
    """Nothing has happened on the first one, and nothing was sent to the second one."""
    port = free_port()

    async def test() -> None:
        async with peer(playing(f"-MOVED 12539 127.0.0.1:{port}\r\n")) as url, linked(url) as made:
            assert await refused(made) == f"Redis at 127.0.0.1:{port} refused the connection."
        async with peer(playing(f"+OK\r\n-MOVED 12539 127.0.0.1:{port}\r\n")) as url, linked(url) as made:
            told = f"Redis at 127.0.0.1:{port} refused the connection. Other nodes of the cluster have answered."
            assert await interrupted(made, ("SET", "k", 1), ("GET", "k")) == told

    run(test())


def test_the_worst_of_several_failures_is_told(run: Run) -> None:
    """One node cannot be reached, so nothing has happened there; what has happened on the other one, nobody knows."""

    async def test() -> None:
        async with peer(scripted(OK, b"")) as cut:
            table = two_nodes(free_port(), int(cut.rpartition(":")[2]))
            async with peer(playing(slots=table)) as url, linked(url) as made:
                told = f"Redis at {cut.removeprefix('redis://')} closed the connection."
                assert await interrupted(made, ("SET", LOW, 1), ("SET", HIGH, 1)) == told

    run(test())


LOW, HIGH = "b", "a"
"""Keys of the lower and of the upper half of the slots."""


def two_nodes(low: int | str, high: int | str) -> str:
    """The table of a cluster whose nodes, on these ports, have half of the slots each."""
    halves = [(0, 8191, low), (8192, 16383, high)]
    ranges = [f"*3\r\n:{first}\r\n:{last}\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n" for first, last, port in halves]
    return "*2\r\n" + "".join(ranges)


def test_the_cluster_is_asked_again_after_a_failure(run: Run) -> None:
    """Over a new connection to the first node, since it had no slots; the old one has ended."""
    tables = [two_nodes(free_port(), free_port()), ALL_SLOTS]
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await playing("+yes\r\n", slots=tables.pop(0))(reader, writer)
        ended.set()

    async def test() -> None:
        async with peer(serve) as url, linked(url) as made:
            assert (await refused(made)).endswith(" refused the connection.")
            await asyncio.wait_for(ended.wait(), PATIENCE)
            assert await ask(made, ("GET", "k")) == [b"yes"]

    run(test())


def test_a_node_that_never_answers_does_not_use_up_all_patience(run: Run) -> None:
    """When the cluster is asked who has which keys, each node has its share."""

    async def test() -> None:
        async with peer(silence) as silent:
            table = two_nodes(int(silent.rpartition(":")[2]), "PORT")
            async with peer(playing("+yes\r\n", table, "+again\r\n", slots=table)) as url, linked(url) as made:
                assert await ask(made, ("GET", HIGH)) == [b"yes"]
                await refused(made, ("GET", LOW), patience=SOON)
                assert await made.ask([("GET", HIGH)], 2) == [b"again"]

    run(test())


def test_a_node_that_closes_the_connection_gives_no_table(run: Run) -> None:
    async def test() -> None:
        async with peer(scripted(OK, b"")) as url, linked(url) as made:
            assert await refused(made) == f"{made.address} closed the connection."

    run(test())


def test_a_link_that_was_closed_during_a_call_opens_nothing_that_stays(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the call learns of another node after it was closed."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await scripted(OK, b"+late\r\n")(reader, writer)
        await silence(reader, writer)
        ended.set()

    async def test() -> None:
        async with peer(serve) as late:
            moved = f"-MOVED 12539 127.0.0.1:{late.rpartition(':')[2]}\r\n"
            async with peer(playing(moved)) as url:
                made = ClusterLink(url)
                redirect = made._redirect

                def close_and_redirect(*details: Any) -> Link:
                    made._is_closed = True
                    return redirect(*details)

                monkeypatch.setattr(made, "_redirect", close_and_redirect)
                assert await ask(made, ("GET", "k")) == [b"late"]
                await asyncio.wait_for(ended.wait(), PATIENCE)

    run(test())


def test_who_never_answers_is_waited_for_with_patience(run: Run) -> None:
    async def test() -> None:
        async with peer(silence) as url, linked(url) as made:
            told = f"Redis at {url.removeprefix('redis://')} did not answer within 0.3 seconds."
            assert rounded(await refused(made, patience=SOON)) == told

    run(test())


# What is no cluster, and wrong use


def test_nothing_is_opened_before_it_is_needed(run: Run) -> None:
    async def test() -> None:
        async with linked(f"redis://127.0.0.1:{free_port()}") as made:
            assert await made.ask([], PATIENCE) == []

    run(test())


def test_a_single_server_is_no_cluster(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(server.url) as made:
            told = "is no node of a cluster: This instance has cluster support disabled."
            assert await refused(made) == f"Redis at 127.0.0.1:{server.port} {told}"

    run(test())


def test_a_wrong_login_is_told(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        async with linked(cluster.url.replace("//", "//u:no@")) as made:
            told = "refused the login: invalid username-password pair or user is disabled."
            assert await refused(made) == f"Redis at 127.0.0.1:{cluster.nodes[0].port} {told}"

    run(test())


@pytest.mark.parametrize("url", ["redis://h/1", "redis://h?db=2", "unix:///run/r.sock"])
def test_a_cluster_has_no_databases_and_no_unix_sockets(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^A cluster of Redis has neither a Unix socket nor a database other than 0\.$"
    ):
        ClusterLink(url)


@pytest.mark.parametrize(
    ("commands", "kind", "message"),
    [
        (
            [("SET", "odd", 1), "GET"],
            TypeError,
            "A command is a sequence of its parts, such as ('GET', 'key'), not str.",
        ),
        ([("SET", "odd", 1), ("GET", None)], TypeError, "A tuple item must be str, int, float or bytes."),
        ([("SET", "odd", 1), ()], ValueError, "A command has at least its name, and one is empty."),
        (
            [("multi",), ("SET", "odd", 1), ("exec",)],
            ValueError,
            "A cluster of Redis has no place for MULTI, which names no key: use a script.",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    run: Run, cluster: Cluster, commands: Any, kind: type[Exception], message: str
) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            with pytest.raises(kind) as wrong:
                await made.ask(commands, PATIENCE)
            assert str(wrong.value) == message
            assert await ask(made, ("GET", "odd")) == [None]

    run(test())


@pytest.mark.parametrize("patience", [0, -1, float("nan")])
def test_patience_is_more_than_nothing(run: Run, cluster: Cluster, patience: float) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            with pytest.raises(ValueError, match=f"^Patience is a number of seconds above 0, not {patience}"):
                await made.ask([("GET", "k")], patience)

    run(test())


def test_calls_come_one_at_a_time(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        async with linked(cluster.url) as made:
            first = asyncio.create_task(ask(made, ("GET", "none")))
            await asyncio.sleep(0)
            with pytest.raises(
                RuntimeError, match=r"^Another call is under way on the link to the cluster of Redis at "
            ):
                await ask(made, ("GET", "none"))
            assert await first == [None]

    run(test())


def test_a_caller_that_leaves_takes_the_connections_along(run: Run, cluster: Cluster) -> None:
    """So that no reply is taken for another one's."""

    async def test() -> None:
        async with linked(cluster.url) as made:
            await ask(made, *[("SET", key, key) for key in KEYS])
            for _ in range(2):
                call = asyncio.create_task(ask(made, *[("GET", key) for key in KEYS]))
                await asyncio.sleep(0)
                await asyncio.sleep(0)  # the nodes are asked
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                assert await ask(made, *[("ECHO", key) for key in KEYS]) == [key.encode() for key in KEYS]

    run(test())


def test_close_is_for_good(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        for before in ([], [("GET", "k")]):
            made = ClusterLink(cluster.url)
            await made.ask(before, PATIENCE)
            await made.close()
            assert (await refused(made)).endswith(" is no longer asked: the link was closed.")

    run(test())


def test_close_ends_a_call(run: Run, cluster: Cluster) -> None:
    async def test() -> None:
        made = ClusterLink(cluster.url)
        await ask(made, ("DEL", "list"))
        call = asyncio.create_task(interrupted(made, ("BLPOP", "list", 0)))
        await asyncio.to_thread(until_blocked, cluster.nodes[cluster.owner("list")])
        await made.close()
        assert (await call).endswith(" is no longer asked: the link was closed.")

    run(test())


def until_blocked(node: Redis) -> None:
    while "blocked_clients:1" not in node.tell("INFO", "clients"):
        pass


# The choice


@pytest.mark.parametrize(
    ("url", "kind", "plain"),
    [
        ("redis://h", Link, "redis://h"),
        ("redis://h?db=1", Link, "redis://h?db=1"),
        ("redis://h:1?cluster=false&db=1", Link, "redis://h:1?db=1"),
        ("redis://h:1?cluster=true", ClusterLink, "redis://h:1"),
        ("redis://h:1?username=u&cluster=true&password=p", ClusterLink, "redis://h:1?username=u&password=p"),
        ("unix:///cluster=true", Link, "unix:///cluster=true"),
    ],
)
def test_the_url_chooses_the_link(url: str, kind: type[Link | ClusterLink], plain: str) -> None:
    made = link(url)
    assert type(made) is kind
    assert made.address == read_url(plain)


@pytest.mark.parametrize("option", ["cluster", "cluster=", "cluster=yes", "cluster=true&cluster=false", "cluster=TRUE"])
def test_a_choice_that_cannot_be_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=r"^The option cluster of a URL of Redis is true or false\.$"):
        link(f"redis://h?{option}")
