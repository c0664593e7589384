"""Refusals: every error answer of the server, in the one shape that the vendor's client reads (R017, R018)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

CODES = {
    400: "parse_error",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    431: "request_header_fields_too_large",
    500: "error",
    501: "not_implemented",
    505: "http_version_not_supported",
}
"""Status -> its default code."""
OAUTH_SHAPE = "OAuthErrorResponse"
"""Schema of refusals in the form that RFC 6749 defines (R717)."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: a code from R018, a sentence for people, and the field that it concerns, if any."""

    code: str
    message: str
    field: str | None = None


@dataclass
class Refusal(Exception):
    """The server refuses a request and has changed nothing; `problems` must not be empty."""

    status: int
    problems: list[Problem]
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status == 401:
            self.headers.setdefault("WWW-Authenticate", 'Bearer realm="api"')

    @property
    def reason(self) -> str:
        """All problems in one line, for the log."""
        return "; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in self.problems)

    def body(self, schema: str = "ErrorResponse") -> bytes:
        """The answer as JSON: `{"errors": [...]}`, with the problems of one field grouped.

        `schema` names the schema that the contract declares for it (R717).
        """
        entries = {"errors": list(_entries(self.problems))}
        if schema == OAUTH_SHAPE:
            return orjson.dumps({"error": _oauth_code(self.problems[0]), "error_description": self.reason, **entries})
        return orjson.dumps(entries)


def _oauth_code(problem: Problem) -> str:
    """The RFC 6749 error code for a problem."""
    if problem.code in ("invalid_client", "invalid_grant"):
        return problem.code
    unsupported = problem.field == "grant_type" and problem.code == "invalid_choice"
    return "unsupported_grant_type" if unsupported else "invalid_request"


def _entries(problems: Iterable[Problem]) -> Iterable[Mapping[str, Any]]:
    by_field: dict[str | None, list[dict[str, str]]] = {}
    for problem in problems:
        message = {"message": problem.message, "code": problem.code}
        by_field.setdefault(problem.field, []).append(message)
    for name, messages in by_field.items():
        yield from messages if name is None else [{"field": name, "messages": messages}]


def refusal(status: int, message: str, code: str | None = None, **headers: str) -> Refusal:
    """A refusal that does not concern a particular field; `code` defaults to the usual one for the status."""
    return Refusal(status, [Problem(code or CODES.get(status, "invalid"), message)], headers)


def invalid(name: str, code: str, message: str) -> Refusal:
    """A 400 about the field or parameter `name`."""
    return Refusal(400, [Problem(code, message, name)])


def not_found(what: str) -> Refusal:
    """A 404 that reads the same whether `what` does not exist or is hidden from the caller (R004)."""
    return refusal(404, f"{what} does not exist or is not visible to you.")


def forbidden(message: str) -> Refusal:
    """A 403 for a caller who can see the object but lacks the role (R003)."""
    return refusal(403, message)


def unauthenticated(message: str, code: str = "not_authenticated") -> Refusal:
    """A 401 for missing or rejected credentials (R001, R002)."""
    return refusal(401, message, code)
