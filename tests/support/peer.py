"""A server that answers with bytes of the test's choice, whatever they are, and keeps what it was sent."""

import contextlib
import re
import socket
import struct
import threading
from typing import Self

from tests.support.commands import PATIENCE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
RESET = b"RESET"
"""Stands for a reset of the connection."""
SILENCE = b"SILENCE"
"""Stands for no answer, until the test is over."""
END = b"END"
"""At the end of an answer: the server closes the connection after it."""


class Peer:
    """It serves one connection after the other; as a context manager, it listens from beginning to end."""

    def __init__(self, *answers: bytes) -> None:
        """Each request is given the next answer."""
        self._answers = [*answers]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._open: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.received: list[bytes] = []
        """The requests, each with its body."""
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._open is not None:
            with contextlib.suppress(OSError):  # the client was faster
                self._open.shutdown(socket.SHUT_RDWR)
        with socket.create_connection(self._listener.getsockname()):  # wakes it up
            self._thread.join(PATIENCE)
        self._listener.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            connection, _ = self._listener.accept()
            with connection:
                self._open = connection
                self.connections += not self._over.is_set()
                while not self._over.is_set() and self._answer(connection):
                    pass

    def _answer(self, connection: socket.socket) -> bool:
        """Answer the next request; False if the connection ends with it."""
        request = _read(connection)
        if not request:
            return False
        self.received.append(request)
        answer = self._answers.pop(0)
        if answer == SILENCE:
            self._over.wait(PATIENCE)
        elif answer == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(ConnectionError):  # the client has given up
                connection.sendall(answer.removesuffix(END))
        return answer not in (SILENCE, RESET) and not answer.endswith(END)


def _read(connection: socket.socket) -> bytes:
    """A whole request; empty if the connection ends."""
    request = b""
    while not _is_whole(request):
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return b""
        if not more:
            return b""
        request += more
    return request


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    if re.search(rb"(?i)transfer-encoding: chunked", head):
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)
