"""A journal entry as the control plane shows it: without credentials, but with the rules it broke and its changes."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from stubserver.addressing import SWITCH_COOKIE
from stubserver.contract.contract import Contract
from stubserver.control.row_view import changed_rows, key_text, plain
from stubserver.pipeline.bounds import MAX_DEPTH, is_deeper
from stubserver.records.journal import MAX_TEXT, REDACTED, Entry
from stubserver.records.trace_context import trace
from stubserver.worlds.base import Row
from stubserver.worlds.table import Change

_SWITCH = re.compile(rf"\b{SWITCH_COOKIE}=[\w.-]+", re.ASCII)
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-auth-token"}


class RequestView:
    """All documented fields of a Request, as properties."""

    def __init__(self, contract: Contract, entry: Entry) -> None:
        """`contract` is that of the API; it says which fields hold credentials."""
        self._contract = contract
        self._entry = entry

    def as_dict(self) -> dict[str, Any]:
        """Field -> value, for all documented fields."""
        names = [name for name, part in vars(type(self)).items() if isinstance(part, property) and name != "body"]
        return {name: getattr(self, name) for name in names}

    @property
    def id(self) -> str:
        """The name of its world and its number there."""
        return self._entry.id

    @property
    def time(self) -> datetime:
        """When it arrived, by the world's clock."""
        return self._entry.at

    @property
    def operation(self) -> str | None:
        """operationId of the operation that it reached, if any."""
        return self._entry.operation.id if self._entry.operation else None

    @property
    def persona(self) -> str:
        """The caller: a persona's token, a username or anonymous."""
        return self._entry.persona

    @property
    def status(self) -> int | None:
        """Status of the response; None if none was sent."""
        return self._entry.status or None

    @property
    def milliseconds(self) -> float:
        """How long it took, in milliseconds; 0 if time stands still in its world."""
        return round(self._entry.seconds * 1000, 3)

    @property
    def trace(self) -> Mapping[str, str] | None:
        """The trace that it belongs to, if its headers name one."""
        return trace(self._entry.headers)

    @property
    def request(self) -> Mapping[str, Any]:
        """The request as sent, without credentials."""
        entry = self._entry
        query = {name: texts[0] if len(texts) == 1 else texts for name, texts in entry.query.items()}
        return {
            "method": entry.method,
            "path": entry.path,
            "query": self._redacted(query),
            "headers": _headers(entry.headers.items()),
            "body": self.body,
        }

    @property
    def body(self) -> Any:
        """The body as sent if it was JSON, the fields of a form with its files described, else its text or size."""
        entry = self._entry
        if entry.form is not None:
            return self._redacted(entry.form)
        if not entry.raw_body:
            return None
        try:
            sent = orjson.loads(entry.raw_body)
        except orjson.JSONDecodeError:
            return self._text_or_size(entry.raw_body)
        return self._text_or_size(entry.raw_body) if is_deeper(sent, MAX_DEPTH) else self._redacted(sent)

    def _text_or_size(self, text: bytes) -> str:
        """The text of a body that could not be parsed; only its size if it is large or mentions a credential's name."""
        readable = text.decode(errors="replace")
        hidden = len(text) > MAX_TEXT or any(name in readable for name in self._contract.secrets)
        return f"({len(text)} bytes)" if hidden else readable

    @property
    def response(self) -> Mapping[str, Any] | None:
        """Headers and body of the response, without credentials; None if none was sent."""
        entry = self._entry
        if not entry.status:
            return None
        headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in entry.answer_headers)
        try:
            body = orjson.loads(entry.answer) if entry.answer else None
        except orjson.JSONDecodeError:
            body = entry.answer.decode(errors="replace")
        if isinstance(body, dict) and entry.status < 400:  # the `code` in a refusal is not a credential
            body = self._redacted(body)
        return {"headers": _headers(headers), "body": body}

    def _redacted(self, value: Any) -> Any:
        """A JSON value with its credentials replaced."""
        if isinstance(value, list):
            return [self._redacted(part) for part in value]
        if not isinstance(value, dict):
            return value
        secrets = self._contract.secrets
        return {
            name: REDACTED if name.partition("[")[0] in secrets else self._redacted(part)
            for name, part in value.items()
        }

    @property
    def violations(self) -> list[Mapping[str, str]]:
        """What the request used that the contract does not define."""
        return [{"kind": kind, "name": name} for kind, name in self._entry.violations]

    @property
    def accepted(self) -> list[Mapping[str, str]]:
        """What the contract's types do not allow, but was accepted as Django REST Framework would."""
        return [{"field": part.field, "what": part.what} for part in self._entry.accepted]

    @property
    def problems(self) -> list[Mapping[str, Any]]:
        """Why it was refused; empty if it was not."""
        problems = self._entry.refusal.problems if self._entry.refusal else []
        return [{"code": p.code, "message": p.message, "field": p.field} for p in problems]

    @property
    def rules(self) -> list[str]:
        """Codes of the operation's rules that refuse with this status and one of these problems' codes."""
        entry = self._entry
        if entry.operation is None or entry.refusal is None:
            return []
        book = self._contract.document["x-rules"]
        codes = {problem.code for problem in entry.refusal.problems}
        operation = self._contract.document["paths"][entry.operation.path][entry.operation.method]
        return [
            rule
            for rule in operation["x-rules"]
            if book[rule].get("status") == entry.refusal.status and book[rule].get("code") in codes
        ]

    @property
    def changes(self) -> list[Mapping[str, Any]]:
        """What it changed in the world's rows, as a JSON Patch."""
        return list(_patch(self._entry.changes, self._contract.secrets))

    @property
    def faults(self) -> list[Mapping[str, Any]]:
        """The faults that fired for it, in the order of acting."""
        return list(self._entry.faults)

    @property
    def variants(self) -> list[Mapping[str, Any]]:
        """What was different in its answer, by variant."""
        return list(self._entry.variants)


def _headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers without credentials; an Authorization header keeps its scheme, a cookie the switch of a fault."""
    shown = {}
    for name, value in headers:
        if name in SECRET_HEADERS:
            scheme, space, _ = value.partition(" ")
            switch = _SWITCH.search(value) if name == "cookie" else None
            kept = f"{switch[0]};" if switch else scheme if name.endswith("authorization") and space else ""
            value = f"{kept} {REDACTED}".strip()
        shown[name] = value
    return shown


def _patch(changes: Iterable[Change], secrets: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """The JSON Patch operations (RFC 6902) that turn the rows before into the rows after."""
    for (table, key), (before, after) in changed_rows(changes).items():
        path = f"/{table}/{_escaped(key_text(key))}"
        if before is None and after is not None:
            yield {"op": "add", "path": path, "value": plain(after, secrets)}
        elif before is not None and after is None:
            yield {"op": "remove", "path": path}
        elif before is not None and after is not None:
            yield from _field_patch(path, plain(before, secrets), plain(after, secrets))


def _field_patch(path: str, before: Row, after: Row) -> Iterator[Mapping[str, Any]]:
    for field in {**before, **after}:
        where = f"{path}/{_escaped(field)}"
        if field not in after:
            yield {"op": "remove", "path": where}
        elif field not in before:
            yield {"op": "add", "path": where, "value": after[field]}
        elif before[field] != after[field]:
            yield {"op": "replace", "path": where, "value": after[field]}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
