"""Bare connections: whole answers with their times, and no answer where there is none."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.sharing import wire
from tests.sharing.wire import Answer, Connection, Lost, NotSent, raw
from tests.support.peer import END, OK, RESET, SILENCE, Peer

GET = raw("GET", "http://localhost", "/", {})
PIECES = b"HTTP/1.1 201 Created\r\nX-Stub-Request: w-7\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
NO_BODY = b"HTTP/1.1 204 No Content\r\n\r\n"


def run(*answers: bytes, use: Callable[[Connection], Coroutine[Any, Any, Any]]) -> Any:
    """What comes of the use of a connection to a server with these answers."""

    async def connected() -> Any:
        with Peer(*answers) as peer:
            connection = await Connection.to(peer.url)
            try:
                return await use(connection)
            finally:
                connection.close()

    return asyncio.run(connected())


async def ask(connection: Connection) -> Answer:
    return await connection.ask(GET)


async def ask_three(connection: Connection) -> list[Answer]:
    return [await connection.ask(GET) for _ in range(3)]


def test_answers_are_whole_and_timed() -> None:
    before = time.monotonic_ns()
    answers = run(OK, PIECES, NO_BODY, use=ask_three)
    assert [(answer.status, answer.request, len(answer.body)) for answer in answers] == [
        (200, "", 2),
        (201, "w-7", 200_000),
        (204, "", 0),
    ]
    times = [before, *(moment for answer in answers for moment in (answer.began, answer.ended)), time.monotonic_ns()]
    assert times == sorted(times)


@pytest.mark.parametrize("answer", [RESET, END, PIECES[:-1] + END, b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0\r\n\r\n"])
def test_what_is_no_whole_answer_is_lost(answer: bytes) -> None:
    with pytest.raises(Lost, match="the connection was lost"):
        run(answer, use=ask)


def test_a_server_that_says_nothing_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "DEADLINE", 0.1)
    with pytest.raises(Lost, match=r"there is no answer after 0\.1 s"):
        run(SILENCE, use=ask)


def test_a_connection_that_is_closed_carries_nothing() -> None:
    async def use(connection: Connection) -> None:
        assert connection.is_open
        connection.close()
        assert not connection.is_open
        await connection.ask(GET)

    with pytest.raises(Lost, match="the connection is closed"):
        run(OK, use=use)


def test_nothing_is_sent_if_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NotSent, match=url):
        asyncio.run(Connection.to(url))


def test_a_request_is_sent_as_json() -> None:
    assert raw("PATCH", "http://127.0.0.1:80", "/a/", {"X-Stub-World": "w"}, {"name": "é"}) == (
        b"PATCH /a/ HTTP/1.1\r\nHost: 127.0.0.1:80\r\nX-Stub-World: w\r\nContent-Type: application/json\r\n"
        b'Content-Length: 13\r\n\r\n{"name":"\xc3\xa9"}'
    )
