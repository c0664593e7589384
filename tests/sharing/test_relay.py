"""The relay: it passes everything on, and cuts connections exactly where a test asks for it."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.support.relay import Direction, Relay

TEXT = b"0123456789"


class Echo(socketserver.ThreadingTCPServer):
    """Answers with what it receives, and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echoing)
        self.received: list[bytes] = []


class _Echoing(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Echo)
        while piece := self.request.recv(65536):
            self.server.received.append(piece)
            self.request.sendall(piece)
        self.server.received.append(b"END")


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def relay(echo: Echo) -> Iterator[Relay]:
    with Relay(echo.server_address[1]) as relay:
        yield relay


def said(relay: Relay, text: bytes = TEXT) -> bytes:
    """What a new connection answers to a text, until it has all been said or the connection ends."""
    with socket.create_connection(("127.0.0.1", relay.port), 20) as connection:
        return heard(connection, text)


def heard(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    answer = b""
    while len(answer) < len(text) and (more := connection.recv(65536)):
        answer += more
    return answer


def test_everything_passes_and_is_counted(relay: Relay) -> None:
    long = b"x" * 1_000_000
    assert said(relay) == TEXT
    assert said(relay, long) == long
    assert relay.passed == {"commands": len(TEXT + long), "replies": len(TEXT + long)}
    assert not relay.has_cut


@pytest.mark.parametrize("after", [0, 1, 9])
def test_replies_are_cut_where_they_are_to_be_once(relay: Relay, after: int) -> None:
    said(relay, TEXT * 7)
    relay.cut("replies", after)
    assert not relay.has_cut
    assert said(relay) == TEXT[:after]
    assert relay.has_cut
    assert said(relay) == TEXT


@pytest.mark.parametrize("after", [0, 1, 9])
def test_commands_are_cut_where_they_are_to_be_once(relay: Relay, echo: Echo, after: int) -> None:
    relay.cut("commands", after)
    said(relay)
    assert relay.has_cut
    assert said(relay) == TEXT
    got = sorted(piece for piece in echo.received if piece != b"END")  # who is served first is left to chance
    assert got == [TEXT[:after], TEXT][after == 0 :]


def test_a_cut_after_the_last_byte_waits_for_the_next(relay: Relay) -> None:
    with socket.create_connection(("127.0.0.1", relay.port), 20) as connection:
        relay.cut("replies", len(TEXT))
        assert heard(connection, TEXT) == TEXT
        assert not relay.has_cut
        assert heard(connection, TEXT) == b""
    assert relay.has_cut


def test_what_is_to_be_cut_may_pass_after_all(relay: Relay) -> None:
    relay.cut("replies", 3)
    relay.let_pass()
    assert said(relay) == TEXT
    assert not relay.has_cut


def test_all_connections_are_cut_at_once(relay: Relay) -> None:
    connections = [socket.create_connection(("127.0.0.1", relay.port), 20) for _ in range(3)]
    assert [heard(each, TEXT) for each in connections] == [TEXT] * 3
    relay.cut_all()
    assert [each.recv(1) for each in connections] == [b""] * 3
    for each in connections:
        each.close()
    assert said(relay) == TEXT


def test_nobody_behind_it_is_a_connection_that_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Relay(port) as relay, socket.create_connection(("127.0.0.1", relay.port), 20) as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize(("of", "after"), [("answers", 1), ("replies", -1)])
def test_a_cut_that_cannot_happen_is_refused(relay: Relay, of: Direction, after: int) -> None:
    with pytest.raises(ValueError, match=f"there is no cut after {after} bytes of '{of}'"):
        relay.cut(of, after)


def test_nothing_is_left_after_a_failed_test(echo: Echo) -> None:
    before = threading.active_count()
    with socket.socket() as connection:
        with contextlib.suppress(ZeroDivisionError), Relay(echo.server_address[1]) as relay:
            connection.connect(("127.0.0.1", relay.port))
            heard(connection, TEXT)
            raise ZeroDivisionError
        assert connection.recv(1) == b""
    assert not any(thread.is_alive() for thread in relay._threads)
    assert threading.active_count() <= before + 1  # the echo's
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port), 20)
