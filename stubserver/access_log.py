"""One log line for each request: method, path, status, milliseconds, persona, and why it was refused."""

import logging
import re

import orjson
from starlette.types import Scope

from stubserver.call import Call
from stubserver.errors import Refusal
from stubserver.journal import Answer

_log = logging.getLogger("stubserver.access")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def write(scope: Scope, call: Call | None, answer: Answer, refused: Refusal | None, entry: str | None) -> None:
    """Log a request that has been answered, or that nobody will answer any more; `entry` is its id in the journal."""
    if not _log.isEnabledFor(logging.INFO):
        return
    query = scope["query_string"].decode("latin-1")
    facts: dict[str, object] = {
        "method": scope["method"],
        "path": scope["path"] + (f"?{query}" if query else ""),
        "status": answer.status or 500,
        "ms": round(answer.seconds * 1000, 1),
        "persona": call.persona if call else "anonymous",
    }
    if entry is not None:
        facts["request"] = entry
    if refused and answer.status >= 400:
        facts["reason"] = refused.reason
    _log.info("request", extra={"request": facts})


class TextFormat(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The request as columns; any other record as its message."""
        facts = getattr(record, "request", None)
        if facts is None:
            return super().format(record)
        line = "{method:6} {path} {status} {ms} ms {persona}".format(**facts)
        line += f" {facts['request']}" if "request" in facts else ""
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
