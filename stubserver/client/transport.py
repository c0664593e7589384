"""HTTP for the handles, on the standard library's client instead of httpx's own transport.

Tests replace what their application uses: respx, pytest-httpx and vcrpy answer for httpx, pytest-socket forbids
sockets, freezegun stops clocks. None of them may come between a handle and its server. So what they replace is kept
here as it was when this module was loaded, and no clock is read: the operating system measures the timeouts.
"""

import http.client
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

import httpx
from anyio import to_thread

MOST_CONNECTIONS = 100
"""Requests that are sent at once; others wait."""
MOST_IDLE = 20
"""Connections that are kept open for later requests."""
NO_TIME = "a timeout of {:g} s leaves no time to answer; None means no limit"
_PORTS = {"http": 80, "https": 443}
_SHOWN = 60
"""Characters that a message shows of what is not HTTP."""
_TLS_ALERT = "\x15\x03"
"""What a server that expects TLS sends to a client that does not."""

_addresses = socket.getaddrinfo

Origin = tuple[int, str, str, int]
"""Process, scheme, host and port: a forked process must not use the connections of its parent."""


class _Socket(socket.socket):
    """A socket that connects as it did when this module was loaded."""

    connect = socket.socket.connect


class _Connection(http.client.HTTPConnection):
    """A connection that is already open, and is never opened again."""

    auto_open = 0

    def __init__(self, origin: Origin, opened: socket.socket) -> None:
        super().__init__("")
        self.origin = origin
        self.sock = opened

    @property
    def is_idle(self) -> bool:
        """Whether it can take a request: the server has neither closed it nor sent what nobody asked for."""
        self.sock.settimeout(0)
        try:
            _Socket.recv(self.sock, 1, socket.MSG_PEEK)  # below TLS, where nothing is decrypted
        except BlockingIOError:
            return True
        except OSError:  # a reset
            return False
        return False


class SocketTransport(httpx.BaseTransport):
    """A transport for any number of clients and threads. It follows no proxy, and reads each answer to its end."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._closing = weakref.finalize(self, _close, self._idle)  # a transport that is not closed does it, too

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the answer. Raises the errors of httpx's own transport."""
        body = request.read()
        limits = request.extensions.get("timeout", {})
        if not self._slots.acquire(timeout=limits.get("pool")):
            raise httpx.PoolTimeout(f"{MOST_CONNECTIONS} other requests are waiting for answers", request=request)
        try:
            connection = self._connection(request, limits.get("connect"))
            try:
                answer = _exchange(connection, request, body)
            except BaseException:
                connection.close()
                raise
            self._keep(connection)
            return answer
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the connections; those that are in use are closed after their answers."""
        self._closing()

    def _connection(self, request: httpx.Request, seconds: float | None) -> _Connection:
        scheme, host = request.url.scheme, request.url.host
        if scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"a URL begins with http:// or https://, not {scheme}://", request=request)
        origin = (os.getpid(), scheme, host, request.url.port or _PORTS[scheme])
        if kept := self._kept(origin):
            return kept
        with _raises(httpx.ConnectTimeout, httpx.ConnectError, request):
            tls = self._tls if scheme == "https" else None
            opened = _connected(host, origin[-1], _positive(seconds))
            return _Connection(origin, tls.wrap_socket(opened, server_hostname=host) if tls else opened)

    def _kept(self, origin: Origin) -> _Connection | None:
        """The connection that was used last, if one is still open."""
        with self._lock:
            for kept in [kept for kept in reversed(self._idle) if kept.origin == origin]:
                self._idle.remove(kept)
                if kept.is_idle:
                    return kept
                kept.close()
        return None

    def _keep(self, connection: _Connection) -> None:
        """Keep an open connection for later, in place of the one that has not been used for longest."""
        with self._lock:
            if connection.sock is not None:
                self._idle.append(connection)
            if len(self._idle) > (MOST_IDLE if self._closing.alive else 0):
                self._idle.pop(0).close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()


class InThread(httpx.AsyncBaseTransport):
    """A transport for asynchronous clients, under asyncio and trio: a worker thread waits for each answer."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the answer. Whoever is cancelled no longer waits for it."""
        await request.aread()
        return await to_thread.run_sync(self._inner.handle_request, request, abandon_on_cancel=True)


def _close(connections: list[_Connection]) -> None:
    while connections:
        connections.pop().close()


def _connected(host: str, port: int, seconds: float | None) -> socket.socket:
    failed = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in _addresses(host, port, type=socket.SOCK_STREAM):
        opened = _Socket(family, kind, protocol)
        try:
            opened.settimeout(seconds)
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
        except BaseException as error:
            opened.close()
            if not isinstance(error, OSError):
                raise
            failed = error
    raise failed


def _exchange(connection: _Connection, request: httpx.Request, body: bytes) -> httpx.Response:
    """Send a request over a connection and read its answer, which may close the connection."""
    limits = request.extensions.get("timeout", {})
    with _raises(httpx.WriteTimeout, httpx.WriteError, request):
        connection.sock.settimeout(_positive(limits.get("write")))
        _send(connection, request, body)
    with _raises(httpx.ReadTimeout, httpx.ReadError, request):
        connection.sock.settimeout(_positive(limits.get("read")))
        answer = connection.getresponse()
        content = answer.read()
    return httpx.Response(
        answer.status,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()],
        stream=httpx.ByteStream(content),
        extensions={
            "http_version": b"HTTP/1.%d" % (answer.version % 10),
            "reason_phrase": answer.reason.encode("latin-1"),
        },
    )


def _send(connection: _Connection, request: httpx.Request, body: bytes) -> None:
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    try:
        target = request.url.raw_path.decode("ascii")
        connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.raw:
            connection.putheader(name, value)
        with suppress(ConnectionError):  # the server may have refused before it has read everything, and say why
            connection.endheaders(body, encode_chunked=is_chunked)
    except (ValueError, http.client.InvalidURL) as error:
        raise httpx.LocalProtocolError(str(error), request=request) from error


def _positive(seconds: float | None) -> float | None:
    """The timeout; raises TimeoutError if it leaves no time."""
    if seconds is not None and seconds <= 0:
        raise TimeoutError(NO_TIME.format(seconds))
    return seconds


@contextmanager
def _raises(
    timeout: type[httpx.TimeoutException], network: type[httpx.NetworkError], request: httpx.Request
) -> Iterator[None]:
    """Raise httpx's errors instead of the standard library's."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error), request=request) from error
    except http.client.HTTPException as error:
        raise httpx.RemoteProtocolError(_not_http(error), request=request) from error
    except (OSError, OverflowError, UnicodeError) as error:  # the latter for ports and names that cannot exist
        raise network(str(error), request=request) from error


def _not_http(error: http.client.HTTPException) -> str:
    """What is wrong with an answer."""
    match error:
        case http.client.RemoteDisconnected():
            return "the server closed the connection without an answer"
        case http.client.IncompleteRead():
            return f"the server closed the connection within an answer, after {len(error.partial)} bytes of its body"
        case http.client.BadStatusLine(args=(str(line), *_)) if line.startswith(_TLS_ALERT):
            return "the server expects TLS: use https://"
        case http.client.BadStatusLine(args=(str(line), *_)):
            return f"the answer is not HTTP: it begins with {line[:_SHOWN]!r}"
    return f"the answer is not HTTP: {error}"
