"""Serving over HTTP: the socket and log around the ASGI application."""

import asyncio
import contextlib
import gc
import logging
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType

import uvicorn

from stubserver.app import StubServer
from stubserver.lane.protocol import Protocol
from stubserver.records.access_log import AccessLog, as_json, as_text
from stubserver.records.json_lines import JsonFormat
from stubserver.records.log_writer import LogWriter
from stubserver.serving import workers
from stubserver.serving.accepting import Acceptor, Counts

KEEP_ALIVE = 75
"""Seconds after which an idle connection is closed. Clients keep theirs for a minute at most, so that they close first:
a request that is sent while the server closes is lost."""
GRACE = 5
"""Seconds that requests have to end when the server does."""
QUIET = 0.25
"""Seconds after which a worker that ends takes a connection for idle. To close it earlier would lose requests that are
on their way, although other workers go on: three for each restart of a worker, with four busy clients."""


AtEnd = Callable[[], Awaitable[None]]
"""What is done when all requests have ended."""


def serve(
    app: StubServer,
    listener: socket.socket,
    log_format: str,
    number: int = 1,
    at_end: AtEnd | None = None,
    *,
    quiet: bool = False,
) -> None:
    """Serve until interrupted, with `number` processes, logging each request to standard error, unless it is to be
    `quiet`. `log_format` is text or json. `at_end` is awaited when all requests have ended; what it raises is raised.
    Raises SystemExit if none of several processes stays alive."""
    at_end = at_end or nothing
    if number == 1:
        _serve(app, listener, log_format, quiet, partial(_LoggingServer, at_end=at_end))
        return
    counts = Counts(number)
    app.metrics.share(number)

    def serve_one(place: int, pipe: int) -> None:
        app.metrics.join(place)
        make = partial(_WorkerServer, acceptor=Acceptor(listener, counts, place), pipe=pipe)
        _serve(app, listener, log_format, quiet, make)

    async def end() -> None:
        await at_end()
        await app.close()

    workers.run(serve_one, listener, number, partial(_say, log_format), lambda: asyncio.run(end()))


async def nothing() -> None:
    """What is done at the end, unless there is something to do."""


def _serve(
    app: StubServer,
    listener: socket.socket,
    log_format: str,
    quiet: bool,
    make: "Callable[[StubServer, LogWriter], _LoggingServer]",
) -> None:
    """Serve in this process until interrupted."""
    log = LogWriter(sys.stderr.fileno())
    log_to(log, log_format)
    if not quiet:
        app.recorder.log = AccessLog(log.write, as_json if log_format == "json" else as_text)
    gc.freeze()  # what exists now stays for good, so the collector need not scan it
    gc.set_threshold(10_000)  # requests leave hardly any cycles behind
    gc.enable()
    server = make(app, log)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def config(app: StubServer) -> uvicorn.Config:
    """uvicorn's configuration for the application, wherever it runs."""
    return uvicorn.Config(
        app,
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        proxy_headers=False,  # it would believe whoever connects from this machine
    )


_TICKS = 10
"""How many of uvicorn's ticks make a second."""


class Server(uvicorn.Server):
    """uvicorn's server, which drops clients that read nothing, and which a second signal ends at once."""

    def __init__(self, app: StubServer) -> None:
        super().__init__(config(app))
        self._signals = 0

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections and the files of fixtures once a second. One look at all of them costs less than a
        timer for each."""
        if counter % _TICKS == 0:
            if (watch := self.config.app.watch) is not None:  # type: ignore[union-attr]
                watch.look()
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                connection.look_for_reader(now)  # type: ignore[union-attr]
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, and let go of the store of worlds."""
        await super().shutdown(sockets)
        await self.config.app.close()  # type: ignore[union-attr]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End gracefully at the first signal, and at once at the second, whichever they are."""
        self._signals += 1
        self.config.app.begin_end()  # type: ignore[union-attr]
        super().handle_exit(sig, frame)
        if self._signals > 1:
            self.end_at_once()

    def end_at_once(self) -> None:
        """Drop all requests, once the end has begun."""
        self.force_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _LoggingServer(Server):
    """A server that closes its log when it ends. Afterwards, uvicorn lets the signal that ended it end the process."""

    def __init__(self, app: StubServer, log: LogWriter, at_end: AtEnd) -> None:
        super().__init__(app)
        self._app = app
        self._log = log
        self._at_end = at_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, write what waits in the log, and do what is to be done in the end."""
        await super().shutdown(sockets)
        await asyncio.sleep(0)  # the last requests are logged in the turn after their answers
        self._log.close()
        try:
            await self._at_end()
        finally:
            await self._app.close()


class _WorkerServer(_LoggingServer):
    """A server in one of several processes, which share the connections. It ends when its parent wants it to."""

    def __init__(self, app: StubServer, log: LogWriter, acceptor: Acceptor, pipe: int) -> None:
        """The parent speaks through `pipe` (`workers.ServeOne` says what)."""
        super().__init__(app, log, nothing)
        self._acceptor = acceptor
        self._pipe = pipe
        self._asked = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve; uvicorn gets no socket, because it would take all that waits at it."""
        await super().startup([])
        asyncio.get_running_loop().add_reader(self._pipe, self._hear)
        protocol = partial(Protocol, config=self.config, server_state=self.server_state, app_state={})
        self._acceptor.start(protocol, self.server_state.connections)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let those that are busy end, and stop serving."""
        await self._acceptor.stop()
        await self._see_off()
        await super().shutdown(sockets)

    async def _see_off(self) -> None:
        """Tell clients with every answer to connect anew, which lets them find another worker, until all have."""
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        now = asyncio.get_running_loop().time
        end = now() + QUIET
        while self.server_state.connections and now() < end and not self.force_exit:
            await asyncio.sleep(0.01)

    def _hear(self) -> None:
        """End as the parent wants. What it says is counted apart from signals: a group gets a signal as one, and that
        must not count twice."""
        said = os.read(self._pipe, 1)
        if not said:
            asyncio.get_running_loop().remove_reader(self._pipe)
        self._asked += len(said)
        self._app.begin_end()
        self.should_exit = True
        if self._asked > 1:
            self.end_at_once()


def _say(log_format: str, text: str) -> None:
    """Log a line of the parent's. Its thread ends at once, before the next fork; if nobody takes the line and it does
    not, further lines are lost."""
    if threading.active_count() > 1:
        return
    log = LogWriter(sys.stderr.fileno())
    log_to(log, log_format)
    logging.getLogger(__name__).warning(text)
    log.close()


def log_to(log: LogWriter, log_format: str) -> None:
    """Log warnings and errors, including those of libraries."""
    handler = logging.StreamHandler(log)
    if log_format == "json":
        handler.setFormatter(JsonFormat())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
