"""What a consumer used of the API, as a pact (specification 4.0): a contract between two programs that a provider's
verifier replays and a broker compares.

There is one interaction for each operation, status and shape of request. Its provider states name the fixture, the
caller, and what was changed before; of several requests alike, that with the least before it is taken.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from stubserver import __version__
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.contract.schema import Schema
from stubserver.exports.matching import Body, rule
from stubserver.exports.recording import Recording, Request
from stubserver.reports.sending import Sending, Unsendable, is_left_out, sending, texts_of

MOST_BEFORE = 100
"""How many requests a provider state may ask for."""
_BOUNDARY = "course-stubserver"
"""Separates the parts of multipart forms, so that the same requests make the same pact."""
_TOKENS = "/grants/"
"""The rows that a sign-in changes, on which no answer depends."""


@dataclass
class Pact:
    """A pact, and what could not become part of it."""

    content: Mapping[str, Any]
    left_out: Mapping[str, int]
    """Reason -> how many requests."""

    @property
    def is_empty(self) -> bool:
        """Whether it demands nothing, so that every provider would fulfil it."""
        return not self.content["interactions"]


@dataclass
class _Candidate:
    """A request that could stand for all that are like it."""

    request: Request
    operation: Operation
    sent: Sending
    recording: Recording
    before: Sequence[Request]
    """The requests that changed the world before it."""

    @property
    def effort(self) -> tuple[bool, int]:
        """How hard it is to get a provider into the state before it."""
        return not self.recording.is_complete, len(self.before)


@dataclass
class _Found:
    """What has been found so far."""

    interactions: dict[str, _Candidate] = field(default_factory=dict)
    """By what makes them different."""
    left_out: Counter[str] = field(default_factory=Counter)


def pact(recordings: Iterable[Recording], contract: Contract, consumer: str, provider: str) -> Pact:
    """The pact of all requests of a consumer."""
    found = _Found()
    for recording in recordings:
        _collect(found, recording, contract)
    interactions = [_interaction(name, candidate, contract) for name, candidate in found.interactions.items()]
    content = {
        "consumer": {"name": consumer},
        "provider": {"name": provider},
        "interactions": interactions,
        "metadata": {
            "pactSpecification": {"version": "4.0"},
            "course-stubserver": {"version": __version__, "contract": contract.document["info"]["version"]},
        },
    }
    return Pact(content, found.left_out)


def _collect(found: _Found, recording: Recording, contract: Contract) -> None:
    changing: list[Request] = []
    for request in recording.requests:
        before = len(changing)
        if any(not change["path"].startswith(_TOKENS) for change in request["changes"]):
            changing.append(request)
        operation = contract.operations.get(request["operation"])
        reason = _reason(request, operation, before)
        if reason or operation is None:
            found.left_out[reason] += 1
            continue
        try:
            sent = _sent(request)
        except Unsendable as error:
            found.left_out[str(error)] += 1
            continue
        name = _name(request, operation)
        known = found.interactions.get(name)
        candidate = _Candidate(request, operation, sent, recording, changing[:before])
        if known is None or candidate.effort < known.effort:
            found.interactions[name] = candidate


def _reason(request: Request, operation: Operation | None, before: int) -> str:
    """Why a request says nothing about the provider, or cannot be repeated; empty if it can."""
    if operation is None:
        return "the contract has no such operation"
    if request["violations"]:
        return "it used what the contract does not define"
    if request["faults"] or not request["response"]:
        return "a fault acted on it"
    if request.get("variants"):
        return "a variant made its answer different"
    if before > MOST_BEFORE:
        return f"more than {MOST_BEFORE} requests had changed the world before"
    if is_left_out(request["response"]["body"]):
        return "the journal has only the size of its answer"
    return ""


def _sent(request: Request) -> Sending:
    """How to repeat a request, without a token. Raises Unsendable."""
    found = sending(request, None)
    if found.missing:
        raise Unsendable("it uploaded a file, which the journal does not keep")
    return found


def _name(request: Request, operation: Operation) -> str:
    """What a request asks for, in words: the same for all that are alike."""
    asked = request["request"]
    values = [f"{name}={_shape(operation, name, value)}" for name, value in sorted(asked["query"].items())]
    query = f" with {' and '.join(values)}" if values else ""
    body = f" with the body {_fields(operation, asked['body'])}" if asked["body"] is not None else ""
    return f"{operation.id}{query}{body}, answered with {request['status']}"


def _fields(operation: Operation, body: Any) -> str:
    if not isinstance(body, dict):
        return _kind(body)
    return f"{{{', '.join(f'{name}: {_shape(operation, name, value)}' for name, value in sorted(body.items()))}}}"


def _shape(operation: Operation, name: str, value: Any) -> str:
    """The value, if the contract enumerates those that there are, or else the kind of value."""
    if name in operation.choices:
        return ",".join(texts_of(value))
    return _kind(value)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_kind(part)}' for name, part in sorted(value.items()))}}}"
    if isinstance(value, list):
        return f"[{', '.join(sorted({_kind(part) for part in value}))}]"
    return _KINDS[type(value)]


_KINDS = {str: "text", int: "number", float: "number", bool: "boolean", type(None): "null"}


def _interaction(name: str, candidate: _Candidate, contract: Contract) -> dict[str, Any]:
    return {
        "type": "Synchronous/HTTP",
        "key": hashlib.sha256(name.encode()).hexdigest()[:16],
        "description": name,
        "pending": False,
        "providerStates": list(_states(candidate)),
        "request": _asked(candidate, contract),
        "response": _answered(candidate.request, candidate.operation, contract),
    }


def _states(candidate: _Candidate) -> Iterator[dict[str, Any]]:
    recording, persona = candidate.recording, candidate.request["persona"]
    yield {"name": f"the fixture {recording.fixture}", "params": {"fixture": recording.fixture}}
    if not recording.is_complete:
        yield {"name": "changes of which there is no record"}
    if candidate.before:
        requests = [_repeated(request) for request in candidate.before]
        yield {"name": "these requests have been made", "params": {"requests": requests}}
    yield {"name": f"the caller is {persona}", "params": {"persona": persona}}


def _repeated(request: Request) -> dict[str, Any]:
    """A request that a provider state asks for; without a body if nobody knows that."""
    try:
        sent = sending(request, None)
    except Unsendable as reason:
        return {"persona": request["persona"], "method": request["request"]["method"], "unknown": str(reason)}
    media, content = _content(sent)
    body = {"contentType": media, "body": content} if content else {}
    return {"persona": request["persona"], "method": sent.method, "target": _target(request, sent), **body}


def _target(request: Request, sent: Sending) -> str:
    """Path and query, whatever world it was."""
    _, separator, query = sent.target.partition("?")
    return f"{request['request']['path']}{separator}{query}"


def _content(sent: Sending) -> tuple[str, str]:
    """Media type and text of a body; both empty if there is none."""
    if "files" in sent.body:
        media = f"multipart/form-data; boundary={_BOUNDARY}"
        built = httpx.Request("POST", "http://x", headers={"content-type": media}, files=sent.body["files"])
        return media, built.read().decode(errors="replace")
    return sent.headers.get("content-type", "application/json"), sent.body.get("content", b"").decode()


def _asked(candidate: _Candidate, contract: Contract) -> dict[str, Any]:
    request, operation, sent = candidate.request, candidate.operation, candidate.sent
    asked = request["request"]
    query = {name: texts_of(value) for name, value in asked["query"].items()}
    free = [name for name in query if name not in operation.choices]
    rules: dict[str, Any] = {"path": rule({"match": "regex", "regex": _path_pattern(operation)})}
    found: dict[str, Any] = {"method": asked["method"], "path": asked["path"], "matchingRules": rules}
    headers: dict[str, list[str]] = {}
    if query:
        found["query"] = query
    if free:
        rules["query"] = {name: rule({"match": "type"}) for name in free}
    if "authorization" in asked["headers"]:
        headers["Authorization"] = [f"Bearer {request['persona']}"]
        rules["header"] = {"Authorization": rule({"match": "regex", "regex": "^Bearer .+$"})}
    media, text = _content(sent)
    if text:
        headers["Content-Type"] = [media]
        found["body"] = {"content": text, "contentType": media, "encoded": False}
    if text and media.partition(";")[0] == "application/json":
        found["body"] |= _json(text, asked["body"])
        if isinstance(asked["body"], dict):
            rules["body"] = Body(contract, _schema(operation), asked["body"]).rules
    if headers:
        found["headers"] = headers
    return found


def _json(text: str, body: Any) -> dict[str, Any]:
    """The content of a JSON body. A text would be taken for JSON that is still to be written."""
    if isinstance(body, dict | list):
        return {"content": body}
    return {"content": base64.b64encode(text.encode()).decode(), "encoded": "base64"}


def _schema(operation: Operation) -> Schema | None:
    body = operation.bodies.get("application/json")
    return body.schema if body else None


def _path_pattern(operation: Operation) -> str:
    def pattern(found: re.Match[str]) -> str:
        return "[0-9]+" if operation.path_parameters[found[1]].get("type") == "integer" else "[^/]+"

    return f"^{re.sub(r'{([^}]+)}', pattern, operation.path)}$"


def _answered(request: Request, operation: Operation, contract: Contract) -> dict[str, Any]:
    status, answer = request["status"], request["response"]
    found: dict[str, Any] = {"status": status}
    if answer["body"] is None:
        return found
    raw = contract.document["paths"][operation.path][operation.method]["responses"].get(str(status), {})
    content = contract.resolve(raw).get("content", {}).get("application/json", {})
    body = Body(contract, content.get("schema"), answer["body"])
    return {
        **found,
        "headers": {"Content-Type": ["application/json"]},
        "body": {"content": body.example, "contentType": "application/json", "encoded": False},
        "matchingRules": {"body": body.rules},
    }
