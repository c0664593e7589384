"""One connection to Redis, byte by byte."""

import asyncio
import errno
import socket
import ssl
from typing import Any, cast

import pytest
from redis import exceptions

from stubserver.stores import wire
from stubserver.stores.redis_url import read_url
from stubserver.stores.wire import Lost, Wire, failure, pack, too_late
from tests.stores.servers import Run, peer, silence
from tests.support.commands import PATIENCE


class Transport:
    """What a wire writes to; it is no socket, so the test is the server."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_aborted = False

    def get_extra_info(self, _: str) -> socket.socket:
        with socket.socket() as plug:  # a closed one has no options
            return plug

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.is_aborted = True


def connected() -> tuple[Wire, Transport]:
    """A wire, and what it is connected to."""
    made, transport = Wire(), Transport()
    made.connection_made(cast(asyncio.Transport, transport))
    return made, transport


def asked(made: Wire, count: int, *, patience: float = PATIENCE) -> asyncio.Task[list[Any]]:
    """A call with commands that nobody looks at."""
    loop = asyncio.get_running_loop()
    return loop.create_task(made.ask(b"commands", count, loop.time() + patience, patience))


async def sent(made: Wire, *pieces: bytes, count: int = 1) -> list[Any]:
    """The replies to a call, or what it raises, if the server sends some bytes."""
    call = asked(made, count)
    await asyncio.sleep(0)  # it writes
    for piece in pieces:
        made.data_received(piece)
    return await call


# Commands


def test_commands_are_packed_in_order_and_whatever_their_bytes() -> None:
    packed = pack([("SET", "é", b"\0\r\n\xff"), ["GET", 12]])
    assert packed == b"*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xa9\r\n$4\r\n\0\r\n\xff\r\n*2\r\n$3\r\nGET\r\n$2\r\n12\r\n"


@pytest.mark.parametrize(
    ("commands", "kind", "message"),
    [
        (["GET"], TypeError, "A command is a sequence of its parts, such as ('GET', 'key'), not str."),
        ("GET k", TypeError, "A command is a sequence of its parts, such as ('GET', 'key'), not str."),
        ([b"GET"], TypeError, "A command is a sequence of its parts, such as ('GET', 'key'), not bytes."),
        ([()], ValueError, "A command has at least its name, and one is empty."),
        ([("SET", "k", None)], TypeError, "A tuple item must be str, int, float or bytes."),
    ],
)
def test_what_is_no_command_is_refused(commands: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as refused:
        pack(commands)
    assert str(refused.value) == message


# Replies

REPLIES = b"$4\r\na\0\r\n\r\n:-7\r\n*3\r\n$-1\r\n+OK\r\n*0\r\n$-1\r\n$0\r\n\r\n"
MEANT = [b"a\0\r\n", -7, [None, b"OK", []], None, b""]


def test_replies_may_come_in_any_two_pieces(run: Run) -> None:
    async def test() -> None:
        made, transport = connected()
        for cut in range(len(REPLIES)):
            assert await sent(made, REPLIES[:cut], REPLIES[cut:], count=5) == MEANT
        assert not transport.is_aborted

    run(test())


def test_replies_may_come_byte_by_byte(run: Run) -> None:
    async def test() -> None:
        made, _ = connected()
        assert await sent(made, *(REPLIES[at : at + 1] for at in range(len(REPLIES))), count=5) == MEANT

    run(test())


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("ERR no such thing", exceptions.ResponseError, "no such thing"),
        ("WRONGTYPE Operation against", exceptions.ResponseError, "WRONGTYPE Operation against"),
        ("NOSCRIPT No matching script.", exceptions.NoScriptError, "No matching script."),
        ("LOADING Redis is loading", exceptions.BusyLoadingError, "Redis is loading"),
        ("READONLY You can't write", exceptions.ReadOnlyError, "You can't write"),
        ("OOM command not allowed", exceptions.OutOfMemoryError, "command not allowed"),
        ("MOVED 1 127.0.0.1:7000", exceptions.MovedError, "1 127.0.0.1:7000"),
        ("MOVED nowhere", exceptions.ResponseError, "MOVED nowhere"),
        ("", exceptions.ResponseError, ""),
    ],
)
def test_an_error_is_a_reply_like_others(run: Run, line: str, kind: type[Exception], text: str) -> None:
    async def test() -> None:
        made, _ = connected()
        first, (second, third), last = await sent(made, f"-{line}\r\n*2\r\n-{line}\r\n:1\r\n:2\r\n".encode(), count=3)
        assert (type(first), str(first)) == (type(second), str(second)) == (kind, text)
        assert (third, last) == (1, 2)

    run(test())


NO_REDIS = "does not speak the protocol of Redis"
MORE = "sent more replies than there were commands"


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], NO_REDIS),
        ([b"*4000000000\r\n"], NO_REDIS),
        ([b"+OK\r\n+OK\r\n"], MORE),
        ([b"+OK\r\n!"], NO_REDIS),
        ([b"+OK\r\n", b"+OK\r\n"], None),
    ],
)
def test_replies_that_are_out_of_step_end_the_connection(run: Run, pieces: list[bytes], reason: str | None) -> None:
    async def test() -> None:
        made, transport = connected()
        if reason is None:  # the first piece was all of the reply
            assert await sent(made, *pieces) == [b"OK"]
        else:
            with pytest.raises(Lost, match=f"^{reason}$"):
                await sent(made, *pieces)
        assert transport.is_aborted
        with pytest.raises(Lost, match=f"^{reason or 'sent what nobody had asked for'}$"):
            await asked(made, 1)
        assert transport.written == [b"commands"]

    run(test())


def test_what_nobody_asked_for_ends_the_connection(run: Run) -> None:
    async def test() -> None:
        made, transport = connected()
        made.data_received(b"+OK\r\n")
        assert (made.lost, transport.is_aborted) == ("sent what nobody had asked for", True)

    run(test())


def test_replies_are_bounded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_REPLIES", 10)

    async def test() -> None:
        made, transport = connected()
        for _ in range(2):
            assert await sent(made, b"$4\r\n12", b"34\r\n") == [b"1234"]
        with pytest.raises(Lost, match=r"^answered with more than 10 bytes$"):
            await sent(made, b"$9999\r\n", b"1234")
        assert transport.is_aborted

    run(test())


# Ends


def test_a_reply_counts_though_the_connection_ends_with_it(run: Run) -> None:
    async def test() -> None:
        made, transport = connected()
        call = asked(made, 1)
        await asyncio.sleep(0)
        made.data_received(b"+OK\r\n")
        made.eof_received()
        assert await call == [b"OK"]
        assert (made.lost, transport.is_aborted) == ("closed the connection", True)

    run(test())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, "closed the connection"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "closed the connection"),
        (BrokenPipeError(), "closed the connection"),
        (RuntimeError("odd"), "closed the connection"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "cannot be reached: No route to host"),
    ],
)
def test_the_end_of_the_connection_ends_the_call(run: Run, error: Exception | None, reason: str) -> None:
    async def test() -> None:
        made, _ = connected()
        call = asked(made, 2)
        await asyncio.sleep(0)
        made.data_received(b"+OK\r\n")
        made.connection_lost(error)
        with pytest.raises(Lost, match=f"^{reason}$"):
            await call
        made.end("another reason")
        assert made.lost == reason
        await made.close("yet another")

    run(test())


def test_patience_ends(run: Run) -> None:
    async def test() -> None:
        made, transport = connected()
        with pytest.raises(Lost, match=r"^did not answer within 0\.01 seconds$"):
            await asked(made, 1, patience=0.01)
        assert transport.is_aborted

    run(test())


def test_patience_ends_with_the_call(run: Run) -> None:
    async def test() -> None:
        made, _ = connected()
        call = asked(made, 1, patience=0.01)
        await asyncio.sleep(0)
        made.data_received(b"+OK\r\n")
        assert await call == [b"OK"]
        await asyncio.sleep(0.02)  # a timer that is due later, so that of the call would have come before
        assert made.lost == ""

    run(test())


@pytest.mark.parametrize("is_late", [False, True])
def test_cancellation_ends_the_connection(run: Run, is_late: bool) -> None:
    """Even if the reply is there: nobody has taken it."""

    async def test() -> None:
        made, transport = connected()
        call = asked(made, 1)
        await asyncio.sleep(0)
        if is_late:
            made.data_received(b"+OK\r\n")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert transport.is_aborted
        made.data_received(b"+OK\r\n")
        made.connection_lost(None)

    run(test())


def test_what_ends_before_it_is_connected_never_is(run: Run) -> None:
    async def test() -> None:
        made, transport = Wire(), Transport()
        await made.close("was not wanted")
        made.connection_made(cast(asyncio.Transport, transport))
        assert transport.is_aborted
        with pytest.raises(Lost, match=r"^was not wanted$"):
            await asked(made, 1)
        assert transport.written == []

    run(test())


def test_close_waits_for_the_socket(run: Run) -> None:
    async def test() -> None:
        made, transport = connected()
        closing = asyncio.create_task(made.close("was closed"))
        await asyncio.sleep(0)
        assert transport.is_aborted
        assert not closing.done()
        made.connection_lost(None)
        await closing

    run(test())


def test_close_does_not_wait_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_CLOSING", 0.01)

    async def test() -> None:
        made, transport = connected()
        await made.close("was closed")
        assert transport.is_aborted

    run(test())


# The socket


def test_small_commands_go_at_once_and_dead_hosts_are_found_out(run: Run) -> None:
    async def test() -> None:
        made = Wire()
        async with peer(silence) as url:
            await read_url(url).connect(lambda: made)
            assert made._transport
            plug = made._transport.get_extra_info("socket")
            assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert plug.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            for name, value in wire._KEEPALIVE.items():
                assert plug.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
            await made.close("is no longer needed")

    run(test())


# Words


def unverified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] ...")
    error.verify_message = "self-signed certificate."
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (unverified(), "has a certificate that is not accepted: self-signed certificate"),
        (ssl.SSLError(1, "odd"), "refused TLS: odd"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "cannot be found: Name or service not known"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "refused the connection"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1, 0, 0), [Errno 111] ..."),
            "refused the connection",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "cannot be reached: No such file or directory"),
        (OSError("AF_UNIX path too long"), "cannot be reached: AF_UNIX path too long"),
    ],
)
def test_a_failure_is_told_in_plain_words(error: OSError, words: str) -> None:
    assert failure(error) == words


@pytest.mark.parametrize(("patience", "words"), [(1, "1 second"), (2.0, "2 seconds"), (1 / 3, "0.333 seconds")])
def test_patience_is_told_in_seconds(patience: float, words: str) -> None:
    assert too_late(patience) == f"did not answer within {words}"
