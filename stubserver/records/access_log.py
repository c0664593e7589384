"""One log line for each request: method, path, status, milliseconds, persona, and why it was refused.

Lines go straight to a stream, those of one turn of the event loop together: through `logging`, and one by one, they
would cost more than many a request.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import orjson

from stubserver.call import Call
from stubserver.errors import Refusal
from stubserver.records.journal import Answer

Facts = Mapping[str, Any]
"""What there is to say of one request."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class AccessLog:
    """A log on a stream, for requests that are served by an event loop."""

    def __init__(self, stream: TextIO, form: Callable[[Facts], str]) -> None:
        """`form` makes a line of the facts."""
        self._stream = stream
        self._form = form
        self._lines: list[str] = []

    def __call__(self, facts: Facts) -> None:
        """Log one request."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(self._form(facts))

    def _write(self) -> None:
        self._lines.append("")
        self._stream.write("\n".join(self._lines))
        self._stream.flush()
        self._lines.clear()


def facts(
    method: str, target: str, call: Call | None, answer: Answer, refused: Refusal | None, entry: str | None
) -> Facts:
    """The facts of a request that has been answered, or that nobody will answer any more; `target` is its path and
    query as asked, `entry` its id in the journal."""
    found: dict[str, Any] = {
        "method": method,
        "path": target,
        "status": answer.status or 500,
        "ms": answer.seconds * 1000,
        "persona": call.persona if call else "anonymous",
    }
    if entry is not None:
        found["request"] = entry
    if refused and answer.status >= 400:
        found["reason"] = refused.reason
    return found


def as_text(facts: Facts) -> str:
    """A line for people."""
    line = f"{facts['method']:6} {facts['path']} {facts['status']} {facts['ms']:.1f} ms {facts['persona']}"
    if "request" in facts:
        line += f" {facts['request']}"
    if "reason" in facts:
        line += f" - {facts['reason']}"
    return line if line.isprintable() else _CONTROL.sub("?", line)  # a path must not forge a line of its own


def as_json(facts: Facts) -> str:
    """A line for machines: one JSON object."""
    return orjson.dumps({**facts, "ms": round(facts["ms"], 1)}).decode()
