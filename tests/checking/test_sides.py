"""How requests are sent to a side, and what becomes of its answers."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from stubserver.checking import sides
from stubserver.checking.sides import Answer, Gone, Request, Side, Stopped
from stubserver.contract.contract import Contract

Handler = Callable[[httpx.Request], httpx.Response]


def noting(seen: list[Any], read: Callable[[httpx.Request], Any]) -> Handler:
    """A target that only notes what it is sent."""

    def handler(sent: httpx.Request) -> httpx.Response:
        seen.append(read(sent))
        return httpx.Response(200)

    return handler


def side(handler: Handler, **options: float) -> Side:
    client = httpx.Client(transport=httpx.MockTransport(handler), base_url="http://example.test/stub")
    return Side(client, **options)


def request(contract: Contract, operation: str, **options: Any) -> Request:
    return Request(contract.operations[operation], **options)


def test_a_request_is_sent_as_it_is_meant(contract: Contract) -> None:
    seen: list[httpx.Request] = []

    def handler(sent: httpx.Request) -> httpx.Response:
        seen.append(sent)
        return httpx.Response(201, json={"id": 1})

    asked = request(
        contract, "create_course_section", path={"id": 7}, query={"a": [1, True]}, body={"name": "ü"}, token="t"
    )
    answer = side(handler).ask(asked)
    (sent,) = seen
    assert (sent.method, str(sent.url)) == ("POST", "http://example.test/stub/api/v2/course/7/section/?a=1&a=true")
    assert (sent.headers["authorization"], sent.headers["content-type"]) == ("Bearer t", "application/json")
    assert sent.read() == b'{"name": "\\u00fc"}'
    assert (answer.status, answer.body, answer.is_json, answer.failure) == (201, {"id": 1}, True, "")


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=x&b=y&c="),
        ("text/plain", b'{"a": 1, "b": ["x", "y"], "c": null}'),
    ],
)
def test_other_media_types(contract: Contract, media: str, body: bytes) -> None:
    seen: list[httpx.Request] = []
    sent = request(contract, "create_course", body={"a": 1, "b": ["x", "y"], "c": None}, media=media)
    side(noting(seen, lambda one: one)).ask(sent)
    assert seen[0].headers["content-type"].startswith(media)
    assert seen[0].read() == body


def test_headers_replace_the_usual_ones(contract: Contract) -> None:
    seen: list[httpx.Request] = []
    headers = {"Authorization": "Bearer other", "Accept": "image/png"}
    side(noting(seen, lambda one: one)).ask(request(contract, "get_me", token="t", headers=headers))
    assert (seen[0].headers["authorization"], seen[0].headers["accept"]) == ("Bearer other", "image/png")


def test_files_are_parts_of_a_form(contract: Contract) -> None:
    seen: list[bytes] = []
    files = {"image_original": ("a.png", b"PNG", "image/png")}
    sent = request(
        contract, "patch_course", path={"id": 1}, body={"name": "x"}, media="multipart/form-data", files=files
    )
    side(noting(seen, lambda one: one.read())).ask(sent)
    assert b'name="name"\r\n\r\nx\r\n' in seen[0]
    assert b'filename="a.png"\r\nContent-Type: image/png\r\n\r\nPNG' in seen[0]


def test_a_target_that_does_not_answer_is_a_failure_and_no_error(contract: Contract) -> None:
    def dead(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert side(dead).ask(request(contract, "get_me")).failure == "refused"


def test_what_is_no_json_is_text(contract: Contract) -> None:
    answer = side(lambda _: httpx.Response(200, text="<p>" + "x" * 5000)).ask(request(contract, "get_me"))
    assert (answer.body, answer.is_json, len(answer.text)) == (None, False, 1000)


def test_answers_are_bounded(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "_MOST", 10)
    assert side(lambda _: httpx.Response(200, text="x" * 11)).ask(request(contract, "get_me")).failure


def test_retry_after_is_honoured(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    answers = iter([httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(429), httpx.Response(200)])
    assert side(lambda _: next(answers)).ask(request(contract, "get_me")).status == 200
    assert [wait for wait in waits if wait] == [7, 1]


@pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"Retry-After": "soon"}, {}])
def test_a_503_that_asks_for_too_much_is_an_answer(
    contract: Contract, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    assert side(lambda _: httpx.Response(503, headers=headers)).ask(request(contract, "get_me")).status == 503
    assert not any(waits)


def test_a_rate_is_kept(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    slow = side(lambda _: httpx.Response(200), rate=4)
    for _ in range(5):
        slow.ask(request(contract, "get_me"))
    assert now[0] == 101.0


def test_nothing_is_sent_after_the_end(contract: Contract) -> None:
    late = side(lambda _: httpx.Response(200), end=time.monotonic() - 1)
    with pytest.raises(Stopped):
        late.ask(request(contract, "get_me"))
    assert late.sent == 0


def test_everything_is_watched(contract: Contract) -> None:
    watched: list[tuple[Request, Answer]] = []
    one = side(lambda _: httpx.Response(204))
    one.watch = lambda asked, answer: watched.append((asked, answer))
    one.ask(request(contract, "get_me"))
    assert [(asked.operation.id, answer.status) for asked, answer in watched] == [("get_me", 204)]


def test_requests_at_once_overlap(contract: Contract) -> None:
    both = threading.Barrier(2, timeout=20)

    def answer(_: httpx.Request) -> httpx.Response:
        both.wait()
        return httpx.Response(200, json={})

    target = side(answer, rate=1000)
    asked = [Request(contract.operations["get_me"])] * 2
    assert [one.status for one in target.ask_at_once(asked)] == [200, 200]
    assert target.sent == 2


def test_whoever_of_two_is_sent_away_comes_again(contract: Contract) -> None:
    answers = [httpx.Response(429, headers={"Retry-After": "0"}), *[httpx.Response(200, json={})] * 2]
    target = side(lambda _: answers.pop(0))
    asked = [Request(contract.operations["get_me"])] * 2
    assert [one.status for one in target.ask_at_once(asked)] == [200, 200]
    assert target.sent == 3


def test_an_answer_without_an_end_is_not_read_for_ever(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "_MOST", 1000)

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 100

    target = side(lambda _: httpx.Response(200, content=endless()))
    assert target.ask(Request(contract.operations["get_me"])).failure == "more than 1,000 bytes"
    monkeypatch.setattr(sides, "_MOST", 10**9)
    monkeypatch.setattr(sides, "_LONGEST", 0.2)
    assert target.ask(Request(contract.operations["get_me"])).failure == "no end within 0 seconds"


def test_three_requests_without_an_answer_are_enough(contract: Contract) -> None:
    answers: list[httpx.Response | Exception] = [httpx.ConnectError("a"), httpx.Response(200, json={})]
    answers += [httpx.ReadTimeout("b"), httpx.ReadTimeout("c"), httpx.ReadTimeout("d")]

    def handler(_: httpx.Request) -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    target = side(handler)
    request = Request(contract.operations["get_me"])
    assert [target.ask(request).failure for _ in range(4)] == ["a", "", "b", "c"]
    with pytest.raises(Gone):
        target.ask(request)
