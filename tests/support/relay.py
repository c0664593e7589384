"""A relay in front of a server of any protocol, which cuts connections in the middle of what they carry."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Literal, Self

from tests.support.commands import PATIENCE

Direction = Literal["commands", "replies"]
"""What clients send, and what the server sends."""
_PIECE = 65536


class Relay:
    """Listens on `port` of loopback, as a context manager, and passes everything on to a port of loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.passed: dict[Direction, int] = {"commands": 0, "replies": 0}
        """How many bytes have passed so far, over all connections."""
        self.has_cut = False
        """Whether the last cut that was asked for has happened."""
        self._cut_of: Direction | None = None
        self._cut_at = 0
        self._state = threading.Lock()
        self._is_over = False
        self._sockets: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with socket.create_connection(("127.0.0.1", self.port)):  # wakes it up
            self._threads[0].join(PATIENCE)
        self._listener.close()
        self.cut_all()
        for thread in self._threads:
            thread.join(PATIENCE)

    def cut(self, of: Direction, after: int) -> None:
        """Let so many more bytes in this direction pass; then cut the connection that carries the next one, both ways.
        That happens once. Raises ValueError if it can never happen."""
        if of not in self.passed or after < 0:
            raise ValueError(f"there is no cut after {after} bytes of {of!r}: use commands or replies, and 0 or more")
        with self._state:
            self.has_cut = False
            self._cut_of, self._cut_at = of, self.passed[of] + after

    def let_pass(self) -> None:
        """Cut nothing, whatever was asked for before."""
        with self._state:
            self._cut_of = None

    def cut_all(self) -> None:
        """Cut all connections that there are now."""
        with self._state:
            open_now = list(self._sockets)
        for one in open_now:
            _shut(one)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._is_over:
                client.close()
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), PATIENCE)
            except OSError:  # nobody listens there now
                client.close()
                continue
            server.settimeout(None)
            with self._state:
                self._sockets |= {client, server}
            pair = _Pair(client, server)
            for of in self.passed:
                self._threads.append(threading.Thread(target=self._pump, args=(pair, of)))
                self._threads[-1].start()

    def _pump(self, pair: "_Pair", of: Direction) -> None:
        """Pass on what comes in one direction until the connection ends."""
        source, drain = (pair.client, pair.server) if of == "commands" else (pair.server, pair.client)
        with contextlib.suppress(OSError):
            for piece in _pieces(source):
                passing, is_cut = self._allowed(of, piece)
                drain.sendall(passing)
                if is_cut:
                    break
        _shut(source)
        _shut(drain)
        if pair.ended():
            with self._state:
                self._sockets -= {source, drain}
            source.close()
            drain.close()

    def _allowed(self, of: Direction, piece: bytes) -> tuple[bytes, bool]:
        """What may pass of a piece, and whether the connection is to be cut then."""
        with self._state:
            if self._cut_of == of and (room := self._cut_at - self.passed[of]) < len(piece):
                piece = piece[:room]
                self._cut_of, self.has_cut = None, True
                self.passed[of] += len(piece)
                return piece, True
            self.passed[of] += len(piece)
            return piece, False


class _Pair:
    """A connection of a client, and the one to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self._pumps = 2
        self._state = threading.Lock()

    def ended(self) -> bool:
        """Whether both directions have ended, now that one more has."""
        with self._state:
            self._pumps -= 1
            return self._pumps == 0


def _pieces(source: socket.socket) -> Iterator[bytes]:
    while piece := source.recv(_PIECE):
        yield piece


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended already
        one.shutdown(socket.SHUT_RDWR)
