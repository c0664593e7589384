"""The link to Redis, over real sockets: what it answers, and what it says has happened if it does not."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

from stubserver.stores import wire
from stubserver.stores.link import Interrupted, Link, Unreachable
from stubserver.stores.redis_url import Address
from tests.stores.servers import OK, Redis, Run, certificate, free_port, peer, redis, scripted, silence
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow
PING = ("PING",)
SOON = 0.2
"""The patience, in seconds, of a call that nobody answers."""


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    """A link, closed at the end."""
    link = Link(url)
    try:
        yield link
    finally:
        await link.close()


async def ask(link: Link, *commands: tuple[str | bytes | int, ...]) -> list[Any]:
    return await link.ask(commands, PATIENCE)


async def refused(link: Link, patience: float = PATIENCE) -> str:
    """Why nothing was sent."""
    with pytest.raises(Unreachable) as unreachable:
        await link.ask([PING], patience)
    return str(unreachable.value)


async def interrupted(link: Link, *commands: tuple[str | bytes | int, ...], patience: float = PATIENCE) -> str:
    """Why the replies did not come."""
    with pytest.raises(Interrupted) as unknown:
        await link.ask(commands or (PING,), patience)
    return str(unknown.value)


# Replies


def test_replies_come_in_the_order_of_the_commands(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(server.url) as link:
            assert await ask(link, ("FLUSHALL",)) == [b"OK"]
            push, see, other = ("RPUSH", "list", "a", 2), ("LRANGE", "list", 0, -1), ("GET", "none")
            assert await ask(link, push, see, push, other) == [2, [b"a", b"2"], 4, None]
            assert await link.ask([], PATIENCE) == []

    run(test())


def test_values_are_bytes_of_any_kind_and_length(run: Run, server: Redis) -> None:
    every = bytes(range(256)) + b"\r\n$-1\r\n"
    large = every * (5 * 1024 * 1024 // len(every))

    async def test() -> None:
        async with linked(server.url) as link:
            assert await ask(link, ("SET", every, large), ("SET", "s", "é\0"), ("SET", "i", 2**70)) == [b"OK"] * 3
            assert await ask(link, ("MGET", every, "s", "i"), ("STRLEN", every)) == [
                [large, "é\0".encode(), str(2**70).encode()],
                len(large),
            ]

    run(test())


def test_a_thousand_commands_go_at_once(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(server.url) as link:
            await ask(link, ("DEL", "n"))
            assert await ask(link, *[("INCR", "n")] * 1000) == [*range(1, 1001)]

    run(test())


def test_an_error_stands_in_the_place_of_its_reply(run: Run, server: Redis) -> None:
    """Each kind as the exception that redis-py has for it, and what comes after it is carried out."""

    async def test() -> None:
        async with linked(server.url) as link:
            replies = await ask(
                link,
                ("SET", "k", "text"),
                ("INCR", "k"),
                ("EVALSHA", "0" * 40, 0),
                ("EVAL", "return redis.error_reply('READONLY no')", 0),
                ("CONFIG", "SET", "maxmemory", 1),
                ("SET", "k", "more"),
                ("CONFIG", "SET", "maxmemory", 0),
                ("NOSUCH",),
                ("GET", "k"),
            )
            kinds = [type(reply) for reply in replies if isinstance(reply, Exception)]
            assert kinds == [ResponseError, NoScriptError, ReadOnlyError, OutOfMemoryError, ResponseError]
            assert replies[0] == b"OK"
            assert replies[-1] == b"text"

    run(test())


def test_a_call_uses_the_connection_of_the_one_before(run: Run, mortal: Redis) -> None:
    async def test() -> None:
        async with linked(mortal.url) as link:
            first = await ask(link, ("CLIENT", "ID"), ("CLIENT", "GETNAME"))
            second = await ask(link, ("CLIENT", "ID"), ("CLIENT", "GETNAME"))
            assert first == second == [first[0], b"stubserver"]

    run(test())


def test_nothing_is_opened_before_it_is_needed(run: Run) -> None:
    async def test() -> None:
        link = Link(f"redis://127.0.0.1:{free_port()}")
        assert await link.ask([], PATIENCE) == []
        await link.close()
        assert await refused(link) == f"{link.address} is no longer asked: the link was closed."

    run(test())


# Where it is, and the login


def test_the_url_chooses_the_database(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(f"{server.url}/3") as third, linked(server.url) as first:
            await ask(third, ("SET", "only", "third"))
            assert await ask(first, ("GET", "only")) == [None]
            assert "db=3" in server.tell("CLIENT", "LIST")
        async with linked(f"{server.url}/99") as none:
            assert await refused(none) == f"{none.address} refused the database: DB index is out of range."

    run(test())


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis with a password; guest may read and no more, and not even name a connection."""
    with redis(tmp_path_factory.mktemp("locked"), "--requirepass", "sesame@") as server:
        guest = ("ACL", "SETUSER", "guest", "on", ">guest", "~*", "+get")
        assert server.tell("--pass", "sesame@", "--no-auth-warning", *guest) == "OK"
        yield server


def test_the_url_logs_in(run: Run, locked: Redis) -> None:
    async def test() -> None:
        async with linked(locked.url.replace("//", "//:sesame%40@")) as link:
            assert await ask(link, PING) == [b"PONG"]
        async with linked(locked.url.replace("//", "//guest:guest@")) as guest:
            value, error = await ask(guest, ("GET", "k"), ("SET", "k", "v"))
            assert (value, type(error).__name__) == (None, "NoPermissionError")

    run(test())


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("", "refused the connection: Authentication required."),
        (":no@", "refused the login: invalid username-password pair or user is disabled."),
        ("guest:no@", "refused the login: invalid username-password pair or user is disabled."),
        ("guest@", "refused the login: invalid username-password pair or user is disabled."),
    ],
)
def test_a_wrong_login_is_told(run: Run, locked: Redis, login: str, told: str) -> None:
    async def test() -> None:
        async with linked(locked.url.replace("//", f"//{login}")) as link:
            assert await refused(link) == f"Redis at 127.0.0.1:{locked.port} {told}"

    run(test())


def test_a_login_that_nobody_wants_is_told(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(server.url.replace("//", "//:sesame@")) as link:
            told = "AUTH <password> called without any password configured for the default user."
            assert await refused(link) == f"{link.address} refused the login: {told}"

    run(test())


def test_a_port_on_which_nobody_listens_refuses(run: Run) -> None:
    async def test() -> None:
        for host in ("127.0.0.1", "localhost"):  # the latter has two addresses on many systems
            async with linked(f"redis://{host}:{free_port()}") as link:
                assert await refused(link) == f"{link.address} refused the connection."

    run(test())


def test_a_host_that_does_not_exist_is_told(run: Run) -> None:
    async def test() -> None:
        async with linked("redis://no.such.invalid") as link:
            assert (await refused(link)).startswith("Redis at no.such.invalid:6379 cannot be found: ")

    run(test())


def test_a_unix_socket_will_do(run: Run, tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "r"
        with redis(tmp_path / "redis", "--unixsocket", str(path)):
            async with linked(f"unix://{path}?db=2") as link:
                assert await ask(link, PING) == [b"PONG"]
        async with linked(f"unix://{tmp_path}/none") as link:
            assert await refused(link) == f"Redis at {tmp_path}/none cannot be reached: No such file or directory."

    run(test())


# TLS


@dataclass
class Secure:
    """Where a Redis with TLS is, and one that wants a certificate of the client, too; the certificate of both."""

    open: str
    strict: str
    certificate: str
    key: str


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("secure")
    made, key = certificate(folder)
    files = ["--tls-cert-file", str(made), "--tls-key-file", str(key), "--tls-ca-cert-file", str(made)]
    options = ["--tls-port", "{other}", *files]
    with (
        redis(folder / "open", *options, "--tls-auth-clients", "no") as lenient,
        redis(folder / "strict", *options) as strict,
    ):
        urls = [f"rediss://127.0.0.1:{each.other}" for each in (lenient, strict)]
        yield Secure(urls[0], urls[1], str(made), str(key))


def test_tls_works(run: Run, secure: Secure) -> None:
    large = "x" * 1_000_000

    async def test() -> None:
        client = f"&ssl_certfile={secure.certificate}&ssl_keyfile={secure.key}"
        verified = f"?ssl_ca_certs={secure.certificate}"
        for url in (secure.open + verified, secure.open + "?ssl_cert_reqs=none", secure.strict + verified + client):
            async with linked(url) as link:
                assert await ask(link, ("SET", "k", large), ("GET", "k")) == [b"OK", large.encode()]

    run(test())


def test_a_certificate_that_cannot_be_verified_is_refused(run: Run, secure: Secure) -> None:
    async def test() -> None:
        async with linked(secure.open) as link:
            told = "has a certificate that is not accepted: self-signed certificate."
            assert await refused(link) == f"{link.address} {told}"
        async with linked(f"{secure.open.replace('127.0.0.1', 'localhost')}?ssl_ca_certs={secure.certificate}") as link:
            told = "Hostname mismatch, certificate is not valid for 'localhost'."
            assert await refused(link) == f"{link.address} has a certificate that is not accepted: {told}"

    run(test())


def test_who_uses_tls_and_who_does_not_is_told(run: Run, secure: Secure, server: Redis) -> None:
    async def test() -> None:
        async with linked(secure.open.replace("rediss", "redis")) as link:
            hint = "If it wants TLS, the URL begins with rediss://."
            assert await refused(link) == f"{link.address} closed the connection. {hint}"
        async with linked(server.url.replace("redis", "rediss")) as link:  # it waits for a command to end
            hint = "If it does without TLS, the URL begins with redis://."
            assert await refused(link, SOON) == f"{link.address} did not answer within 0.2 seconds. {hint}"

    run(test())


def test_a_certificate_that_the_client_lacks_is_told(run: Run, secure: Secure) -> None:
    """As what, depends on whether the alert arrives before the connection ends."""

    async def test() -> None:
        async with linked(f"{secure.strict}?ssl_cert_reqs=none") as link:
            hint = "If it wants a certificate, the URL needs ssl_certfile and ssl_keyfile."
            assert await refused(link) in (
                f"{link.address} refused TLS: TLSV13_ALERT_CERTIFICATE_REQUIRED.",
                f"{link.address} closed the connection. {hint}",
            )

    run(test())


# Peers that are no Redis, or in trouble


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_a_web_server_is_no_redis(run: Run) -> None:
    async def test() -> None:
        async with peer(http) as url, linked(url) as link:
            assert await refused(link) == f"{link.address} does not speak the protocol of Redis."
        async with peer(http) as url, linked(url.replace("redis", "rediss")) as link:
            assert (await refused(link)).startswith(f"{link.address} refused TLS: ")

    run(test())


@pytest.mark.parametrize(
    ("scheme", "hint"), [("redis", ""), ("rediss", " If it does without TLS, the URL begins with redis://.")]
)
def test_who_never_answers_is_waited_for_with_patience(run: Run, scheme: str, hint: str) -> None:
    async def test() -> None:
        async with peer(silence) as url, linked(url.replace("redis", scheme)) as link:
            for _ in range(2):
                assert await refused(link, SOON) == f"{link.address} did not answer within 0.2 seconds.{hint}"

    run(test())


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"-ERR max number of clients reached\r\n", "max number of clients reached"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "Redis is loading the dataset in memory"),
        (b"-DENIED Redis is in protected mode. There are three ways. One.\r\n", "DENIED Redis is in protected mode"),
    ],
)
def test_what_the_server_says_instead_of_a_welcome_is_told(run: Run, reply: bytes, told: str) -> None:
    async def test() -> None:
        async with peer(scripted(reply)) as url, linked(url) as link:
            assert await refused(link) == f"{link.address} refused the connection: {told}."

    run(test())


def test_a_proxy_that_cannot_name_connections_will_do(run: Run) -> None:
    async def test() -> None:
        async with peer(scripted(b"-ERR unknown command 'CLIENT'\r\n", b"+PONG\r\n")) as url, linked(url) as link:
            assert await ask(link, PING) == [b"PONG"]

    run(test())


class Closing(Address):
    """A server that answers the greeting and closes the connection in the same moment."""

    async def connect(self, factory: Callable[[], Any]) -> None:
        protocol = factory()
        protocol.connection_made(ClosingTransport(protocol))


class ClosingTransport(asyncio.Transport):
    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.protocol.data_received(OK)
        self.protocol.eof_received()

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        with socket.socket() as plug:  # a closed one has no options
            return plug


def test_a_connection_that_ends_with_the_greeting_leaves_no_doubt(run: Run) -> None:
    async def test() -> None:
        link = Link(Closing())
        assert await refused(link) == "Redis at localhost:6379 closed the connection."
        await link.close()

    run(test())


@pytest.mark.parametrize("reply", [b"", b"$5\r\nab", b"$5\r\nabcde\r\n"], ids=["before", "within", "between"])
def test_a_connection_that_is_cut_leaves_the_outcome_unknown(run: Run, reply: bytes) -> None:
    """Before the first reply, in the middle of it, or between the two; the next call opens another connection."""

    async def test() -> None:
        async with peer(scripted(OK, reply)) as url, linked(url) as link:
            for _ in range(2):
                told = await interrupted(link, ("GET", "a"), ("GET", "b"))
                assert told == f"{link.address} closed the connection."

    run(test())


def test_replies_out_of_step_are_not_believed(run: Run) -> None:
    async def test() -> None:
        async with peer(scripted(OK, b"+a\r\n+b\r\n")) as url, linked(url) as link:
            assert await interrupted(link) == f"{link.address} sent more replies than there were commands."

    run(test())


# Servers that stop, and callers that leave


async def stopped(server: Redis) -> None:
    """Stop it while the loop runs, as it does in a server."""
    await asyncio.to_thread(server.stop)


def test_a_server_that_was_restarted_is_found_again(run: Run, mortal: Redis) -> None:
    """The connection is not used once its end is known, so nothing is in doubt."""

    async def test() -> None:
        async with linked(mortal.url) as link:
            assert await ask(link, PING) == [b"PONG"]
            await stopped(mortal)
            assert await refused(link) == f"{link.address} refused the connection."
            mortal.start()
            assert await ask(link, PING) == [b"PONG"]
            await stopped(mortal)
            mortal.start()
            assert await ask(link, PING) == [b"PONG"]

    run(test())


def test_a_server_that_dies_during_a_call_leaves_the_outcome_unknown(run: Run, mortal: Redis) -> None:
    async def test() -> None:
        async with linked(mortal.url) as link:
            call = asyncio.create_task(interrupted(link, ("SET", "k", 1), ("BLPOP", "none", 0)))
            await asyncio.to_thread(until_blocked, mortal)
            await stopped(mortal)
            assert await call == f"{link.address} closed the connection."

    run(test())


def until_blocked(server: Redis) -> None:
    """Wait until a client waits in the server; each look at it takes a process, and so needs no pause."""
    while "blocked_clients:1" not in server.tell("INFO", "clients"):
        pass


def test_a_paused_server_is_waited_for_with_patience(run: Run, mortal: Redis) -> None:
    """Its late replies are never taken for those to later commands."""

    async def test() -> None:
        async with linked(mortal.url) as link, linked(mortal.url) as other:
            await ask(link, ("SET", "k", "early"))
            mortal.send(signal.SIGSTOP)
            told = f"{link.address} did not answer within 0.2 seconds."
            assert await interrupted(link, ("GETSET", "k", "late"), patience=SOON) == told
            assert await refused(link, SOON) == told
            assert await refused(other, SOON) == told
            mortal.send(signal.SIGCONT)
            replies = await ask(link, ("ECHO", "mine"), ("GET", "k"))
            assert replies == [b"mine", b"late"]

    run(test())


def test_a_caller_that_leaves_takes_the_connection_along(run: Run, mortal: Redis) -> None:
    async def test() -> None:
        async with linked(mortal.url) as link:
            call = asyncio.create_task(ask(link, ("BLPOP", "list", 0)))
            await asyncio.to_thread(until_blocked, mortal)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await ask(link, ("ECHO", "mine")) == [b"mine"]

    run(test())


def test_a_caller_that_leaves_during_the_greeting_leaves_nothing_behind(run: Run) -> None:
    heard = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        heard.set()
        await silence(reader, writer)  # until the connection ends

    async def test() -> None:
        async with peer(listen) as url:
            link = Link(url)
            call = asyncio.create_task(ask(link, PING))
            await heard.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    run(test())


class Stuck(Address):
    """A server to which the connection is open, though the loop has not said so yet. uvloop then forgets to say when it
    has ended."""

    async def connect(self, factory: Callable[[], Any]) -> None:
        transport = ClosingTransport(factory())
        transport.abort = lambda: None  # type: ignore[method-assign]
        transport.protocol.connection_made(transport)
        await asyncio.get_running_loop().create_future()


def test_close_waits_for_no_connection_that_was_left(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_CLOSING", PATIENCE)

    async def test() -> None:
        link = Link(Stuck())
        call = asyncio.create_task(ask(link, PING))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(PATIENCE / 10):
            await link.close()

    run(test())


def test_close_ends_a_call(run: Run, mortal: Redis) -> None:
    async def test() -> None:
        link = Link(mortal.url)
        call = asyncio.create_task(interrupted(link, ("BLPOP", "list", 0)))
        await asyncio.to_thread(until_blocked, mortal)
        await link.close()
        assert await call == f"{link.address} is no longer asked: the link was closed."
        await link.close()

    run(test())


def test_close_ends_a_call_that_is_being_connected(run: Run, server: Redis) -> None:
    async def test() -> None:
        link = Link(server.url)
        call = asyncio.create_task(refused(link))
        await asyncio.sleep(0)  # it begins
        await link.close()
        assert await call == f"{link.address} is no longer asked: the link was closed."

    run(test())


# Wrong use


def test_calls_come_one_at_a_time(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(server.url) as link:
            first = asyncio.create_task(ask(link, PING))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match=r"^Another call is under way on the link to Redis at "):
                await ask(link, PING)
            assert await first == [b"PONG"]

    run(test())


def test_a_link_belongs_to_one_loop(run: Run, server: Redis) -> None:
    link = Link(server.url)

    async def open_it() -> None:
        assert await ask(link, PING) == [b"PONG"]

    async def use_it_elsewhere() -> None:
        with pytest.raises(RuntimeError, match=r"^The link to Redis at 127\.0\.0\.1:[0-9]+ is open in another"):
            await ask(link, PING)

    async def lose_it() -> None:
        assert await ask(link, ("QUIT",)) == [b"OK"]
        while not link._wire or not link._wire.lost:
            await asyncio.sleep(0)

    run(open_it())
    with asyncio.Runner() as other:
        other.run(use_it_elsewhere())
        run(open_it())
        run(lose_it())
        other.run(open_it())  # so there is nothing to mix up
        other.run(link.close())


@pytest.mark.parametrize("patience", [0, -1, float("nan")])
def test_patience_is_more_than_nothing(run: Run, server: Redis, patience: float) -> None:
    async def test() -> None:
        async with linked(server.url) as link:
            with pytest.raises(ValueError, match=f"^Patience is a number of seconds above 0, not {patience}"):
                await link.ask([PING], patience)
            assert await ask(link, PING) == [b"PONG"]

    run(test())


def test_what_is_no_command_is_refused_before_anything_is_sent(run: Run, server: Redis) -> None:
    async def test() -> None:
        async with linked(server.url) as link:
            for commands in ([("SET", "odd", 1), "GET"], [("SET", "odd", 1), ("GET", None)]):
                with pytest.raises(TypeError):
                    await link.ask(cast(Any, commands), PATIENCE)
            assert await ask(link, ("GET", "odd")) == [None]

    run(test())
