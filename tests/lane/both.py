"""Two servers that differ only in the fast lane, or in where their worlds are, and connections to both."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.lane.head import Head
from stubserver.lane.lane import Send
from stubserver.records.journal import Entry
from stubserver.serving.background import Background
from stubserver.stores.store import Store
from stubserver.worlds.snapshot import Fixture
from tests.lane.oddities import MAX_BODY, Request
from tests.lane.requests import Step, control, freeze
from tests.support.default import SETTINGS

PATIENCE = 5
"""Seconds to wait for an answer."""
_SOCKETS = Path("/proc/net/tcp")
"""The table of all connections: after a number, where from, where to, their state, and what waits there."""
_LOOKS = 200
"""How often it is looked at, at most: servers stop reading if too much waits for them."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    by_lane: bool
    """Whether the lane sent it."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Line:
    """A connection to one server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port, self._own = port, b"127.0.0.1:%d" % port
        self._read = b""

    def send(self, text: bytes, cuts: Sequence[int] = ()) -> None:
        """Send the text, cut into pieces."""
        for start, end in zip((0, *cuts), (*cuts, len(text)), strict=True):
            if start:
                self._await_read()
            with contextlib.suppress(ConnectionError):  # it may already have refused the first pieces
                self._socket.sendall(text[start:end])

    def _await_read(self) -> None:
        """Wait until the server has read what was sent, so that the next piece comes alone, unless it reads no more."""
        for _ in range(_LOOKS):
            time.sleep(0.001)
            if self._is_read():
                return

    def _is_read(self) -> bool:
        """Whether nothing waits at the other end of this connection. Other systems than Linux do not tell."""
        ends = f":{self._port:04X}", f":{self._socket.getsockname()[1]:04X}"
        for line in _SOCKETS.read_text().splitlines() if _SOCKETS.exists() else ():
            _, local, remote, _, queues, *_ = line.split()
            if (local[-5:], remote[-5:]) == ends:
                return queues.endswith(":00000000")
        return True

    def answer(self, method: str = "GET") -> bytes:
        """The next answer, or whatever arrives before the end. Times and addresses, which must differ, are made
        equal."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return self._taken(len(self._read)) + b"(closed)"
        head = self._read.partition(b"\r\n\r\n")[0]
        status, end = int(head[9:12]), len(head) + 4
        if status < 200:
            return self._taken(end) + self.answer(method)
        length = re.search(rb"\r\ncontent-length: ([0-9]+)", head)
        end += int(length[1]) if length and method != "HEAD" else 0
        while len(self._read) < end:
            if not self._more():
                return self._taken(len(self._read)) + b"(closed)"
        return self._taken(end)

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        while self._more():
            pass
        return self._taken(len(self._read))

    def end(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def _more(self) -> bool:
        try:
            more = self._socket.recv(1 << 20)
        except ConnectionError:
            more = b""
        self._read += more
        return bool(more)

    def _taken(self, length: int) -> bytes:
        taken, self._read = self._read[:length], self._read[length:]
        taken = re.sub(rb"\r\ndate: [^\r]*", b"", taken).replace(self._own, b"(server)")
        return re.sub(rb'"now":"[^"]*","frozen":false', b'"now":"(now)","frozen":false', taken)

    def close(self) -> None:
        self._socket.close()


class Both:
    """Two servers that differ only in the lane. Each request goes to both, and their answers must be equal."""

    def __init__(
        self, contract: Contract, default_fixture: Fixture, store: Store | None = None, **options: Any
    ) -> None:
        """If there is a `store`, both have the lane, and the first one has its worlds there."""
        self.by_lane = 0
        """How many answers the lane sent."""
        self.operations: set[str] = set()
        """The operations that it answered."""
        settings = replace(SETTINGS, **{"max_body": MAX_BODY, **options})
        without = replace(settings, fast_path=store is not None)
        self.servers = [
            Background(lambda: self._watched(StubServer(contract, default_fixture, settings, store=store))),
            Background(lambda: StubServer(contract, default_fixture, without)),
        ]
        self._ports = [int(server.start().rpartition(":")[2]) for server in self.servers]
        self._lines: dict[int, list[Line]] = {}
        self.ask(freeze("default"))

    def _watched(self, app: StubServer) -> StubServer:
        assert app.lane is not None
        answer, offer = app.lane.answer, app.lane.offer

        def answered(head: Head, body: bytes, send: Send) -> bool:
            found = answer(head, body, send)
            self._note(head, found)
            return found

        def offered(head: Head, body: bytes, send: Send, done: Callable[[bool], None]) -> None:
            def noted(found: bool) -> None:
                self._note(head, found)
                done(found)

            offer(head, body, send, noted)

        app.lane.answer, app.lane.offer = answered, offered  # type: ignore[method-assign]
        return app

    def _note(self, head: Head, found: bool) -> None:
        if found:
            self.by_lane += 1
            self.operations.add(head.call.operation.id)

    @property
    def apps(self) -> list[StubServer]:
        """The one with the lane, then the one without."""
        return [server.app for server in self.servers if server.app is not None]

    @property
    def connections(self) -> list[Any]:
        """Every connection to either server, as the server sees it."""
        return [each for server in self.servers for each in server._server.server_state.connections]  # type: ignore[union-attr]

    def ask(self, request: Request, line: int = 0) -> Answer:
        """The answer to one request."""
        before = self.by_lane
        (raw,) = self.take(Step((request,)), line)
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *headers = head.decode("latin-1").split("\r\n")
        return Answer(int(first.split()[1]), dict(text.split(": ", 1) for text in headers), body, self.by_lane > before)

    def take(self, step: Step, line: int = 0) -> list[bytes]:
        """The raw answers to a step."""
        lines, text = self.lines(line), b"".join(request.raw for request in step.requests)
        for each in lines:
            each.send(text, step.cuts)
        found: list[bytes] = []
        for request in step.requests:
            with_lane, without = (each.answer(request.method) for each in lines)
            assert with_lane == without, f"{request.raw[:3000]!r}\nas number {len(found)} of {len(step.requests)}"
            found.append(without)
            if without.endswith(b"(closed)") or b"\r\nconnection: close" in without.partition(b"\r\n\r\n")[0]:
                with_lane, without = (each.rest() for each in lines)
                assert with_lane == without, request.raw
                self.hang_up(line)
                return found
        return found

    def raw(self, text: bytes) -> bytes:
        """Everything that comes back on a separate connection, until the servers close it."""
        for each in self.lines(-1):
            each.send(text)
        with_lane, without = (each.rest() for each in self.lines(-1))
        assert with_lane == without, text
        self.hang_up(-1)
        return without

    def lines(self, number: int) -> list[Line]:
        """A connection to each server."""
        if number not in self._lines:
            self._lines[number] = [Line(port) for port in self._ports]
        return self._lines[number]

    def hang_up(self, number: int) -> None:
        for line in self._lines.pop(number, ()):
            line.close()

    def journals(self, world: str) -> list[Entry]:
        """The journal of the server with the lane; the other server has the same."""
        assert self.ask(control("GET", "requests?limit=100&offset=0", world)).json["count"] <= 100
        return list(self.apps[0].journal.entries(self.apps[0].worlds.peek(world)))

    def stop(self) -> None:
        for number in list(self._lines):
            self.hang_up(number)
        for server in self.servers:
            server.stop()
            assert server.error is None, server.error
