"""The server in this process: handles call the application without a socket, and it listens once somebody asks for its
URL."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx
from starlette.types import Message, Scope

from stubserver.client.transport import NO_TIME
from stubserver.serving.sockets import bind, url_of

if TYPE_CHECKING:
    import uvicorn

    from stubserver.app import StubServer

_monotonic = time.monotonic


class StandardLoop(asyncio.SelectorEventLoop):
    """The event loop of the standard library, by a clock that no test stops. Unlike libuv's, it begins with a pair of
    sockets."""

    def time(self) -> float:
        """The time in seconds, from some moment on."""
        return _monotonic()


try:  # now, because it keeps the class of sockets that it finds, which a test may replace
    import uvloop

    new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
except ImportError:  # there is none for Windows
    new_loop = StandardLoop


class InProcess(httpx.BaseTransport):
    """A transport that runs an application in a thread of its own, for clients in any other thread.

    The thread's event loop is libuv's, which needs no socket and reads no clock of Python, so it runs while a test
    forbids sockets or stops time. Without uvloop, it only runs while a test stops time.
    """

    def __init__(self, app: "StubServer") -> None:
        self._app = app
        self._runner = asyncio.Runner(loop_factory=new_loop)
        self._loop = self._runner.get_loop()
        self._stopping = asyncio.Event()
        self._opening = threading.Lock()
        self._url = ""
        self._server: uvicorn.Server | None = None
        self._serving: Future[None] = Future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="stubserver", daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and wait for its answer. Raises the errors of httpx's own transport."""
        request.read()
        if threading.current_thread() is self._thread:
            raise RuntimeError("the server cannot wait for its own answer; send the request from another thread")
        try:
            if not self._thread.is_alive():
                raise httpx.ConnectError("the server in this process has been stopped", request=request)
            return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()
        except CancelledError:
            raise httpx.ReadError("the server was stopped before it answered", request=request) from None

    def listen(self) -> str:
        """Listen on a free port of loopback, too, from the first call on; returns the base URL."""
        from stubserver.serving.server import Server

        with self._opening:
            if not self._url:
                listener = bind("127.0.0.1", 0)
                self._url = url_of(listener)
                self._server = Server(self._app)
                self._serving = asyncio.run_coroutine_threadsafe(self._server.serve([listener]), self._loop)
            return self._url

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Does nothing: clients come and go, but the transport stays open until `close`."""

    def close(self) -> None:
        """Stop the server and its thread; requests that wait for an answer get none."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._until_stopped())

    async def _until_stopped(self) -> None:
        await self._stopping.wait()
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            await asyncio.wrap_future(self._serving)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        seconds = request.extensions.get("timeout", {}).get("read")
        if seconds is not None and seconds <= 0:
            raise httpx.ReadTimeout(NO_TIME.format(seconds), request=request)
        try:
            async with asyncio.timeout(seconds) as limit:
                exchange = _Exchange(request, limit, seconds)
                running = self._loop.create_task(exchange.run(self._app))
                self._tasks.add(running)
                running.add_done_callback(self._forget)
                await asyncio.shield(running)  # a server goes on when a client has lost its patience
        except TimeoutError:
            raise httpx.ReadTimeout("timed out", request=request) from None
        except ConnectionResetError as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from None
        return httpx.Response(exchange.status, headers=exchange.headers, stream=httpx.ByteStream(exchange.body))

    def _forget(self, done: asyncio.Task[None]) -> None:
        """Let go of a task, and see its error, which its client may not have waited for."""
        self._tasks.discard(done)
        if not done.cancelled():
            done.exception()


class _Exchange:
    """A request, and what the application has answered so far."""

    def __init__(self, request: httpx.Request, limit: asyncio.Timeout, seconds: float | None) -> None:
        """Every message of the application sets the limit to so many seconds from then."""
        self._request = request
        self._limit = limit
        self._seconds = seconds
        self._is_read = False
        self._is_whole = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def run(self, app: Any) -> None:
        """Run the application. Raises ConnectionResetError if it drops the connection; a bug in it is an answer, as
        over a socket."""
        try:
            await app(_scope(self._request), self._receive, self._send)
        except ConnectionResetError:
            raise
        except Exception:
            if self.status:
                raise ConnectionResetError("the server failed within an answer") from None
            self.status, self.body, self._is_whole = 500, b"Internal Server Error", True
        if not self._is_whole:
            raise ConnectionResetError("the server closed the connection within an answer")

    async def _receive(self) -> Message:
        if self._is_read:
            return {"type": "http.disconnect"}
        self._is_read = True
        return {"type": "http.request", "body": self._request.content, "more_body": False}

    async def _send(self, message: Message) -> None:
        if self._seconds is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._seconds)
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
            return
        self._is_whole = not message.get("more_body", False)
        if self._request.method != "HEAD":
            self.body += message.get("body", b"")


def _scope(request: httpx.Request) -> Scope:
    """The request as ASGI describes it."""
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 1),
    }
