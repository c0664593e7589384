"""The server without a socket: requests run one at a time, and dropped connections look dropped."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from stubserver.serving.in_process import InProcess


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo the request, or fail as the path says."""
    request = Request(scope, receive)
    if scope["path"] == "/drop":
        raise ConnectionResetError("nobody is there")
    if scope["path"] == "/half":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ConnectionResetError("half an answer")
    if scope["path"] == "/bug":
        raise ZeroDivisionError
    text = f"{request.method} {request.url.path}?{request.url.query} {(await request.body()).decode()}"
    await PlainTextResponse(text, 201, {"X-Sent": request.headers.get("x-sent", "")})(scope, receive, send)


@pytest.fixture
def transport() -> Iterator[InProcess]:
    transport = InProcess(app)
    yield transport
    transport.close()


def ask(transport: InProcess, method: str, path: str, **options: str) -> httpx.Response:
    with httpx.Client(transport=transport, base_url="http://localhost", headers={"X-Sent": "y"}) as client:
        return client.request(method, path, **options)  # type: ignore[arg-type]


def test_requests_and_answers_come_whole(transport: InProcess) -> None:
    answer = ask(transport, "POST", "/a?b=c", content="body")
    assert (answer.status_code, answer.text, answer.headers["x-sent"]) == (201, "POST /a?b=c body", "y")


def test_the_transport_outlives_its_clients(transport: InProcess) -> None:
    """Every client closes it."""
    assert [ask(transport, "GET", "/").status_code for _ in range(3)] == [201] * 3


@pytest.mark.parametrize("path", ["/drop", "/half"])
def test_a_dropped_connection_is_one(transport: InProcess, path: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(transport, "GET", path)
    assert ask(transport, "GET", "/").status_code == 201


def test_a_bug_is_an_answer(transport: InProcess) -> None:
    assert ask(transport, "GET", "/bug").status_code == 500
