"""The story of one request, for a terminal: who sent what, which rules applied, the answer, and what it changed."""

import textwrap
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from stubserver.api.guards import GUARDS
from stubserver.contract.contract import Contract
from stubserver.reports.sending import Unsendable, curl, sending
from stubserver.reports.text import WIDTH, printable, wrapped

_LABEL = 12
"""Width of the label column on the left."""
_LONGEST = 600
"""Maximum number of characters shown of a body."""


def story(request: Mapping[str, Any], contract: Contract, url: str = "", tokens: Collection[str] = ()) -> str:
    """The story of `request`, a Request of the control plane's contract; with a `url`, also a command that sends it
    again to the server there. `tokens` are those of the personas of its world."""
    asked = request["request"]
    query = urlencode(asked["query"], doseq=True)
    lines = [f"{request['id']}  {asked['method']} {asked['path']}{'?' if query else ''}{query}", ""]
    again = [("again", _again(request, url, tokens))] if url else []
    for label, text in [*_parts(request, contract), *again]:
        lines.append(textwrap.indent(text, " " * _LABEL).replace(" " * _LABEL, f"  {label:{_LABEL - 2}}", 1))
    return "\n".join(printable(line) for line in "\n".join(lines).split("\n"))


def _parts(request: Mapping[str, Any], contract: Contract) -> Iterator[tuple[str, str]]:
    """Labels and their texts, without those that do not apply."""
    yield "when", f"{request['time']} by the clock of its world; it took {request['milliseconds']} ms"
    yield "who", request["persona"]
    if trace := request.get("trace"):  # older servers do not tell
        yield "trace", f"{trace['trace_id']}, sent by span {trace['parent_id']}"
    operation = contract.operations.get(request["operation"])
    if operation is None:
        yield "operation", "none"
    else:
        raw = contract.document["paths"][operation.path][operation.method]
        yield "operation", f"{operation.id}: {raw['summary']}"
        yield "open to", " ".join((GUARDS[operation.access].__doc__ or "").split())
    if request["request"]["body"] is not None:
        yield "sent", _json(request["request"]["body"])
    if request["violations"]:
        yield "unknown", "\n".join(f"{found['kind']} {found['name']}" for found in request["violations"])
    if request.get("accepted"):  # older servers do not tell
        yield (
            "accepted",
            "as Django REST Framework would:\n"
            + "\n".join(f"{part['field']}: {part['what']}" for part in request["accepted"]),
        )
    if request["faults"]:
        yield "faults" if len(request["faults"]) > 1 else "fault", "\n".join(map(_fault, request["faults"]))
    if request.get("variants"):  # older servers do not tell
        yield "varied", "\n".join(wrapped(_variant(told), width=WIDTH - _LABEL) for told in request["variants"])
    yield "answered", str(request["status"] or "no answer was sent")
    if request["problems"]:
        yield "because", "\n".join(wrapped(_problem(problem), width=WIDTH - _LABEL) for problem in request["problems"])
    elif request["response"] and request["response"]["body"] is not None:
        yield "with", _json(request["response"]["body"])
    for code in request["rules"]:
        rule = contract.document["x-rules"][code]
        source = "; ".join(rule["source"])
        text = f"{' '.join(rule['rule'].split())} (sure: {rule['sure']}; source: {source})"
        yield code, wrapped(text, width=WIDTH - _LABEL)
    if request["changes"]:
        yield "changed", "\n".join(_change(change) for change in request["changes"])


def _again(request: Mapping[str, Any], url: str, tokens: Collection[str]) -> str:
    """The request as a command, or why there is none."""
    persona = request["persona"]
    known = persona if persona in tokens else f"TOKEN-OF-{persona}"
    try:
        return curl(sending(request, None if persona == "anonymous" else known), url)
    except Unsendable as reason:
        return f"cannot be sent again: {reason}"


def _fault(fault: Mapping[str, Any]) -> str:
    number = f"fault {fault['id']}" if fault["id"] else "requested by the client"
    return f"{fault['kind']} ({number})"


def _variant(told: Mapping[str, Any]) -> str:
    number = f"variant {told['id']}" if told["id"] else "requested by the client"
    choice = "" if told["choice"] is None else f"={told['choice']}"
    places = ", ".join(place or "the whole answer" for place in told["places"])
    return f"{told['kind']}{choice} at {places} ({number})"


def _problem(problem: Mapping[str, Any]) -> str:
    field = f"{problem['field']}: " if problem["field"] else ""
    return f"{field}{problem['message']} ({problem['code']})"


def _change(change: Mapping[str, Any]) -> str:
    value = f" {_json(change['value'])}" if "value" in change else ""
    return f"{change['op']} {change['path']}{value}"


def _json(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
