"""Serving over HTTP: the socket, log and banner around the ASGI application."""

import asyncio
import contextlib
import gc
import logging
import socket
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import orjson
import uvicorn

from stubserver import __version__
from stubserver.addressing import CONTROL, PRODUCT
from stubserver.app import StubServer
from stubserver.lane.protocol import Protocol
from stubserver.records.access_log import AccessLog, as_json, as_text
from stubserver.records.log_writer import LogWriter

KEEP_ALIVE = 75
"""Seconds after which an idle connection is closed. Clients keep theirs for a minute at most, so that they close first:
a request that is sent while the server closes is lost."""
GRACE = 5
"""Seconds that requests have to end when the server does."""


def serve(app: StubServer, listener: socket.socket, log_format: str, at_end: Callable[[], None] = lambda: None) -> None:
    """Serve until interrupted, logging each request to standard error. `log_format` is text or json. `at_end` is called
    when all requests have ended; what it raises is raised."""
    log = LogWriter(sys.stderr.fileno())
    log_to(log, log_format)
    app.recorder.log = AccessLog(log.write, as_json if log_format == "json" else as_text)
    gc.freeze()  # what exists now stays for good, so the collector need not scan it
    gc.set_threshold(10_000)  # requests leave hardly any cycles behind
    gc.enable()
    server = _LoggingServer(app, log, at_end)
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

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections once a second. One look at all of them costs less than a timer for each."""
        if counter % _TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                connection.look_for_reader(now)  # type: ignore[union-attr]
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End gracefully at the first signal, and at once at the second, whichever they are."""
        self.force_exit = self.should_exit
        super().handle_exit(sig, frame)
        if self.force_exit:
            for connection in list(self.server_state.connections):
                connection.transport.abort()


class _LoggingServer(Server):
    """A server that closes its log when it ends. Afterwards, uvicorn lets the signal that ended it end the process."""

    def __init__(self, app: StubServer, log: LogWriter, at_end: Callable[[], None]) -> None:
        super().__init__(app)
        self._log = log
        self._at_end = at_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, write what waits in the log, and do what is to be done in the end."""
        await super().shutdown(sockets)
        await asyncio.sleep(0)  # the last requests are logged in the turn after their answers
        self._log.close()
        self._at_end()


def log_to(log: LogWriter, log_format: str) -> None:
    """Log warnings and errors, including those of libraries."""
    handler = logging.StreamHandler(log)
    if log_format == "json":
        handler.setFormatter(_JsonFormat())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


class _JsonFormat(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps({"level": record.levelname.lower(), "message": super().format(record)}).decode()


def banner(app: StubServer, url: str) -> str:
    """What a newcomer needs, as text: the URLs, who the tokens stand for, how to sign in, and a command to paste.

    `url` is where the server listens.
    """
    shown = (app.settings.public_url or url).rstrip("/")
    lines = [
        f"{PRODUCT} {__version__}   fixture {app.fixture.name}, {len(app.contract.operations)} operations",
        "",
        f"  API    {shown}/api/v2/",
        f"  Docs   {shown}/docs/",
        f"  Spec   {shown}/openapi.json",
        f"  Stub   {shown}{CONTROL}docs/   (worlds, clock, faults, journal, coverage)",
        *([f"  Local  {url}   (where the proxy finds the server)"] if shown != url else []),
        *(_token(token) if (token := app.settings.control_token) else []),
        "",
        "  Tokens",
        *(_persona(app, persona) for persona in app.fixture.personas),
    ]
    if app.fixture.personas:
        token = app.fixture.personas[0]["token"]
        path = app.contract.operations["search_courses"].path
        user = app.fixture.tables["users"].rows[app.fixture.personas[0]["user"]]
        apps = ", ".join(app.fixture.tables["apps"].rows)
        lines += [
            "",
            "  Sign in",
            f"    {url}/oauth/token/ as {user['username']} with {user['password']}, client_id: {apps}",
        ]
        lines += ["", "  Try", f"    curl -H 'Authorization: Bearer {token}' '{url}{path}?limit=3'"]
    return "\n".join(lines)


def _token(token: str) -> list[str]:
    """How to send the token of the control plane."""
    return [f"         Authorization: Bearer {token}", "         (in a browser: any name, the token as the password)"]


def _persona(app: StubServer, persona: Mapping[str, Any]) -> str:
    name = app.fixture.tables["users"].rows[persona["user"]]["username"]
    return f"    {persona['token']:16} {name:15} {persona['role']:10} {persona['about']}".rstrip()
