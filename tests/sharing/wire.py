"""Bare connections to servers, which tell when a request began and its answer ended as exactly as one process can."""

import asyncio
import re
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

DEADLINE = 30.0
"""Seconds in which every request is answered, whatever happens to the server's store."""
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_REQUEST = re.compile(rb"(?i)\r\nx-stub-request: *([^\r]+)")


class Lost(Exception):
    """There is no answer: the connection was lost, or the deadline is over. The request may have been carried out."""


class NotSent(Exception):
    """Nobody listens, so nothing was sent."""


class Answer(NamedTuple):
    """An answer, with its times in nanoseconds of the monotonic clock."""

    status: int
    request: str
    """The id that the server gave to the request; empty if none."""
    body: bytes
    began: int
    ended: int

    @property
    def json(self) -> Any:
        """The body. Raises ValueError if it is not JSON."""
        return orjson.loads(self.body)


class Connection(asyncio.Protocol):
    """A connection that carries one request after the other."""

    def __init__(self) -> None:
        self._received = b""
        self._waiting: asyncio.Future[tuple[int, int]] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def to(cls, url: str) -> "Connection":
        """Connect to the server. Raises NotSent."""
        address = urlsplit(url)
        try:
            _, made = await asyncio.get_running_loop().create_connection(
                cls, address.hostname or "", address.port or 80
            )
        except OSError as error:
            raise NotSent(f"nobody listens at {url}: {error.strerror or error}") from None
        return made

    @property
    def is_open(self) -> bool:
        """Whether it can carry another request."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    async def ask(self, text: bytes) -> Answer:
        """The answer to a whole request. Raises Lost; the connection is closed then."""
        if not self.is_open or self._transport is None:
            raise Lost("the connection is closed")
        self._received = b""
        self._waiting = asyncio.get_running_loop().create_future()
        began = time.monotonic_ns()
        self._transport.write(text)
        try:
            async with asyncio.timeout(DEADLINE):
                end, ended = await self._waiting
        except TimeoutError:
            self.close()
            raise Lost(f"there is no answer after {DEADLINE:g} s") from None
        return self._answer(end, began, ended)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._waiting is None or self._waiting.done():
            return
        now = time.monotonic_ns()
        end = self._received.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        length = _LENGTH.search(self._received, 0, end)
        if not _HEAD.match(self._received):
            self.close()
        elif len(self._received) >= end + int(length[1] if length else 0):
            self._waiting.set_result((end, now))

    def _answer(self, end: int, began: int, ended: int) -> Answer:
        head, body = self._received[:end], self._received[end:]
        status, request = _HEAD.match(head), _REQUEST.search(head)
        assert status is not None
        return Answer(int(status[1]), request[1].decode() if request else "", body, began, ended)

    def connection_lost(self, _: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Lost("the connection was lost"))

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()


def raw(method: str, url: str, path: str, headers: dict[str, str], body: Any = None) -> bytes:
    """A request as it is sent; the body goes as JSON."""
    content = b"" if body is None else orjson.dumps(body)
    sent = {"Host": urlsplit(url).netloc, **headers}
    if body is not None:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + content
