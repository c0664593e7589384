"""Answers as ASGI messages: their headers and bodies."""

from collections.abc import Mapping

from starlette.types import Send

from stubserver.contract.operation import Operation
from stubserver.errors import Refusal

Headers = list[tuple[bytes, bytes]]


JSON = "application/json"
"""Media type of all answers but a few."""


def encoded(headers: Mapping[str, str], media: str) -> Headers:
    """The headers of an answer, without Content-Length; `media` is the media type of its body, if it has one."""
    found = {**headers, "content-type": media} if media else headers
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in found.items()]


def success_headers(operation: Operation) -> Headers:
    """The headers of every success answer of an operation, without Content-Length."""
    return encoded(operation.headers[operation.status], operation.media)


def with_length(headers: Headers, status: int, body: bytes) -> Headers:
    """`headers` completed with Content-Length, which only a 204 lacks."""
    return headers if status == 204 else [*headers, (b"content-length", b"%d" % len(body))]


async def send_json(send: Send, method: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Answer with JSON text, or without a body if it is empty; HEAD gets only the headers."""
    await send_encoded(send, method, status, encoded(headers, JSON if body else ""), body)


async def send_encoded(send: Send, method: str, status: int, headers: Headers, body: bytes) -> None:
    """Answer with encoded headers, which lack only Content-Length; HEAD gets only the headers."""
    start = with_length(headers, status, body)
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def send_refusal(refused: Refusal, send: Send, method: str) -> None:
    """Answer with a refusal from outside Connexion."""
    await send_json(send, method, refused.status, refused.headers, refused.body())
