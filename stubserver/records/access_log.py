"""One log line per request: method, path, status, milliseconds, persona and, if it was refused, the reason. Lines
for machines have the operation, the world and the trace, too.

Lines are written in one batch per turn of the event loop. Written one by one through `logging`, they would often take
longer than the request itself.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote_plus

from stubserver.call import Call
from stubserver.errors import Refusal
from stubserver.records.journal import REDACTED, Answer
from stubserver.records.json_lines import line
from stubserver.records.trace_context import trace

Facts = Mapping[str, Any]
"""What can be logged about one request."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


_VALUE = re.compile(r"([^&=]+)=[^&]*")


def redacted(target: str, secrets: Collection[str]) -> str:
    """A path and query without the values of the parameters that hold credentials, as the journal shows them."""
    if "=" not in target:
        return target
    path, mark, query = target.partition("?")

    def shown(parameter: re.Match[str]) -> str:
        name = unquote_plus(parameter[1]).partition("[")[0]
        return f"{parameter[1]}={REDACTED}" if name in secrets else parameter[0]

    return path + mark + _VALUE.sub(shown, query)


class AccessLog:
    """A log of the requests that an event loop serves."""

    def __init__(self, write: Callable[[str], None], form: Callable[[Facts], str]) -> None:
        """`form` turns the facts of a request into a line; `write` writes lines, and must not block."""
        self._write = write
        self._form = form
        self._lines: list[str] = []

    def __call__(self, facts: Facts) -> None:
        """Log one request, in the next turn of the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(self._form(facts))

    def _flush(self) -> None:
        self._lines.append("")
        self._write("\n".join(self._lines))
        self._lines.clear()


def facts(
    method: str, target: str, call: Call | None, answer: Answer, refused: Refusal | None, entry: str | None
) -> Facts:
    """The facts of a request that has been answered, or that never will be; `target` is its path and query as sent,
    `entry` its id in the journal."""
    found: dict[str, Any] = {
        "method": method,
        "path": target,
        "status": answer.status or 500,
        "ms": answer.seconds * 1000,
        "persona": call.persona if call else "anonymous",
    }
    if entry is not None:
        found["request"] = entry
    if call is not None:
        if call.routed is not None:
            found["operation"] = call.routed.id
        if entry is not None or call.routed is not None:
            found["world"] = call.world.name
        if call.accepted:
            found["accepted"] = ", ".join(map(str, call.accepted))
        if call.faults:
            found["faults"] = ", ".join(str(fault["kind"]) for fault in call.faults)
        if call.varied:
            found["variants"] = ", ".join(str(told["kind"]) for told in call.varied)
        found.update(trace(call.headers) or ())
    if refused and answer.status >= 400:
        found["reason"] = refused.reason
    return found


def as_text(facts: Facts) -> str:
    """The facts as a line for people to read."""
    text = f"{facts['method']:6} {facts['path']} {facts['status']} {facts['ms']:.1f} ms {facts['persona']}"
    if "request" in facts:
        text += f" {facts['request']}"
    if "accepted" in facts:
        text += f" - accepted as Django REST Framework would: {facts['accepted']}"
    if "reason" in facts:
        text += f" - {facts['reason']}"
    return text if text.isprintable() else _CONTROL.sub("?", text)  # a path must not be able to forge a log line


def as_json(facts: Facts) -> str:
    """The facts as a line for machines: one JSON object. A failure is an error, unless a fault asked for it;
    that a client hung up is no failure, and has no reason."""
    level = "error" if facts["status"] >= 500 and "reason" in facts and "faults" not in facts else "info"
    message = f"{facts['method']} {facts['path']} {facts['status']}"
    return line(level, message=message, **{**facts, "ms": round(facts["ms"], 1)})
