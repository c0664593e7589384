"""Answers as they are sent: their headers, their length, and HEAD."""

import asyncio

import pytest
from starlette.types import Message

from stubserver.contract.contract import Contract
from stubserver.pipeline.answer import send_json
from tests.support.client import Api


def test_head_equals_get_without_a_body(api: Api, contract: Contract) -> None:
    paths = [o.path.replace("{id}", "1") for o in contract.operations.values() if o.method == "get"]
    for path in [*paths, "//openapi.json", "//docs/", "//upfiles/courses/small/a_0001.png", "/course/99/"]:
        for persona in (None, "creator"):
            get, head = (api.as_(persona).request(method, path) for method in ("GET", "HEAD"))
            assert head.status_code == get.status_code, path
            for response in (get, head):
                for own in ("x-stub-request", "date"):  # each request has its own id and time
                    response.headers.pop(own, None)
            assert head.headers == get.headers, path
            assert head.content == b""


def sent(method: str, status: int, headers: dict[str, str], body: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body of an answer."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(send_json(send, method, status, headers, body))
    start, rest = messages
    assert (start["type"], start["status"], rest["type"]) == ("http.response.start", status, "http.response.body")
    return dict(start["headers"]), rest["body"]


def test_a_body_has_its_type_and_its_length() -> None:
    """Header names are in lower case, as HTTP/2 requires."""
    headers, body = sent("GET", 200, {"Retry-After": "5"}, b"{}")
    assert headers == {b"retry-after": b"5", b"content-type": b"application/json", b"content-length": b"2"}
    assert body == b"{}"


def test_head_tells_of_a_body_that_it_does_not_bring() -> None:
    assert sent("HEAD", 200, {}, b"{}") == (sent("GET", 200, {}, b"{}")[0], b"")


@pytest.mark.parametrize(("status", "length"), [(204, None), (201, b"0")])
def test_without_a_body_there_is_no_type(status: int, length: bytes | None) -> None:
    """And for a 204 no length either, as RFC 9110 requires."""
    headers, body = sent("POST", status, {}, b"")
    assert (headers.get(b"content-length"), body) == (length, b"")
    assert b"content-type" not in headers
