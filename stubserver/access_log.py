"""One log line for each request: method, path, status, milliseconds, persona, and why it was refused."""

import logging
import re
import time

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.call import SCOPE_KEY, Call

REFUSAL_KEY = "stubserver.refusal"
"""Where a refusal that comes before there is a call travels in the ASGI scope."""

_log = logging.getLogger("stubserver.access")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class AccessLog:
    """ASGI middleware that logs each request when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and log it."""
        if scope["type"] != "http" or not _log.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            milliseconds = (time.perf_counter() - started) * 1000
            _log.info("request", extra={"request": _facts(scope, status, milliseconds)})


def _facts(scope: Scope, status: int, milliseconds: float) -> dict[str, object]:
    call: Call | None = scope.get(SCOPE_KEY)
    query = scope["query_string"].decode("latin-1")
    facts: dict[str, object] = {
        "method": scope["method"],
        "path": scope["path"] + (f"?{query}" if query else ""),
        "status": status,
        "ms": round(milliseconds, 1),
        "persona": _persona(call),
    }
    refused = call.refusal if call else scope.get(REFUSAL_KEY)
    if refused and status >= 400:
        facts["reason"] = refused.reason
    return facts


def _persona(call: Call | None) -> str:
    """The token that stands for the caller, or the name of a caller without one."""
    if call is None or call.user is None:
        return "anonymous"
    return call.world.personas.get(call.user["id"]) or str(call.user["username"])


class TextFormat(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The request as columns; any other record as its message."""
        facts = getattr(record, "request", None)
        if facts is None:
            return super().format(record)
        line = "{method:6} {path} {status} {ms} ms {persona}".format(**facts)
        line += f" - {facts['reason']}" if "reason" in facts else ""
        return _CONTROL.sub("?", line)  # a path must not forge a line of its own


class JsonFormat(logging.Formatter):
    """A line for machines: one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The request's facts, or the record's message and level."""
        facts = getattr(record, "request", None)
        if facts is None:
            facts = {"level": record.levelname.lower(), "message": super().format(record)}
        return orjson.dumps(facts).decode()
