"""The control plane as the handles call it: at the right URL of the right server, or with a reason in one line."""

from contextlib import closing
from typing import Any

import httpx
import pytest

from stubserver.client.channel import PAGE, Channel, StubError, rows
from stubserver.client.transport import SocketTransport
from tests.support.peer import END, RESET, Peer

RIGHT = "http://127.0.0.1:8765"


def health(url: str, token: str | None = None, **options: Any) -> Any:
    with closing(SocketTransport()) as transport:
        return Channel(url, token, transport).call("GET", "/health", **options)


def refusal(url: str, token: str | None = None, **options: Any) -> str:
    """Why the server cannot be asked, in one line."""
    with pytest.raises(StubError) as caught:
        health(url, token, **options)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def answer(status: str, content: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(content)}", "", content]).encode()


# The URL


@pytest.mark.parametrize("after", ["", "/"])
def test_a_server_is_asked_at_its_url(served: str, after: str) -> None:
    assert health(f"{served}{after}")["status"] == "ok"
    assert health(f"{served.replace('http', 'HTTP')}{after}")["status"] == "ok"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("localhost:8765", "'localhost:8765' is not the URL of a server, such as http://localhost:8765."),
        ("127.0.0.1:8765", "'127.0.0.1:8765' is not the URL of a server, such as http://127.0.0.1:8765."),
        ("localhost", "'localhost' is not the URL of a server, such as http://localhost."),
        ("", f"'' is not the URL of a server, such as {RIGHT}."),
        ("/api", f"'/api' is not the URL of a server, such as {RIGHT}."),
        ("http://", f"'http://' is not the URL of a server, such as {RIGHT}."),
        ("ws://127.0.0.1:8765", f"'ws://127.0.0.1:8765' is not the URL of a server, such as {RIGHT}."),
        ("http://a:65536", f"'http://a:65536' is not the URL of a server, such as {RIGHT}."),
        (" http://a", f"' http://a' is not the URL of a server, such as {RIGHT}."),
        ("http://a\n", f"'http://a\\n' is not the URL of a server, such as {RIGHT}: Invalid non-printable"),
        ("http://a:b", f"'http://a:b' is not the URL of a server, such as {RIGHT}: Invalid port"),
        (None, f"None is not the URL of a server, such as {RIGHT}: Invalid type"),
        (8765, f"8765 is not the URL of a server, such as {RIGHT}: Invalid type"),
        (
            "http://a/api/v2",
            "'http://a/api/v2' is more than the URL of a server: use http://a, and .world(NAME) for a ",
        ),
        ("http://a:1/~w", "'http://a:1/~w' is more than the URL of a server: use http://a:1, and .world(NAME) for a "),
        ("http://a/?b", "'http://a/?b' is more than the URL of a server: use http://a, "),
        ("http://a#b", "'http://a#b' is more than the URL of a server: use http://a, "),
        ("http://me:secret@a", "The URL of a server has no user or password: use http://a, and token= for its control"),
    ],
)
def test_a_mistake_in_the_url_is_told_at_once(url: Any, says: str) -> None:
    """Before anything is sent, with what would be right."""
    with closing(SocketTransport()) as transport, pytest.raises(StubError) as caught:
        Channel(url, None, transport)
    assert str(caught.value).startswith(says)
    assert len(str(caught.value).splitlines()) == 1


def test_https_instead_of_http_is_told(served: str) -> None:
    url = served.replace("http", "https")
    assert refusal(url) == f"no stub server answers at {url}: it does not speak TLS; use {served}"


# What answers


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (END, "no stub server answers at @: the server closed the connection without an answer"),
        (RESET, "no stub server answers at @: [Errno 104] Connection reset by peer"),
        (b"\x15\x03\x01" + END, "no stub server answers at @: the server expects TLS: use https://"),
        (b"220 ftp\r\n" + END, "no stub server answers at @: the answer is not HTTP: it begins with '220 ftp\\r\\n'"),
        (
            answer("200 OK", "<html>", "Content-Type: text/html", "Server: nginx"),
            "@ is not a stub server: GET /__stub/version was answered with status 200 text/html from nginx. "
            "`stubserver serve` starts one and prints its URL.",
        ),
        (answer("404 Not Found", ""), "@ is not a stub server: GET /__stub/version was answered with status 404. "),
        (
            answer("401 Unauthorized", "{}"),
            "@ is not a stub server: GET /__stub/version was answered with status 401",
        ),
        (answer("200 OK", "{}"), "@ is not a stub server: "),
        (answer("200 OK", '{"name": "another"}'), "@ is not a stub server: "),
        (answer("200 OK", "[]"), "@ is not a stub server: "),
        (answer("404 Not Found", '{"errors": [{"message": "Not found."}]}'), "@ is not a stub server: "),
        (answer("302 Found", "", "Location: /"), "@ is not a stub server: "),
    ],
)
def test_another_server_is_told(sent: bytes, says: str) -> None:
    with Peer(sent) as peer:
        assert refusal(peer.url).startswith(says.replace("@", peer.url))


def test_nobody_is_told() -> None:
    says = "no stub server answers at http://127.0.0.1:1: [Errno 111] Connection refused"
    assert refusal("http://127.0.0.1:1/") == says


VERSION = answer("200 OK", '{"name": "course-stubserver"}')


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (answer("502 Bad Gateway", "<html>", "Content-Type: text/html"), "GET /health: status 502 text/html"),
        (answer("500 Oops", '{"errors": 7}'), "GET /health: status 500"),
        (answer("500 Oops", '{"errors": ["x"]}'), "GET /health: status 500"),
        (answer("200 OK", "<html>"), "GET /health: the answer is not JSON but status 200"),
        (END, "no stub server answers at @: the server closed the connection without an answer"),
    ],
)
def test_an_answer_of_no_stub_server_is_told_later_too(sent: bytes, says: str) -> None:
    """As when a proxy stands between."""
    with Peer(VERSION, sent) as peer:
        assert refusal(peer.url) == says.replace("@", peer.url)


def test_a_server_is_recognized_once() -> None:
    with closing(SocketTransport()) as transport, Peer(VERSION, answer("200 OK", "1"), answer("200 OK", "")) as peer:
        channel = Channel(peer.url, None, transport)
        assert [channel.call("GET", "/health") for _ in range(2)] == [1, None]
        assert [request.split()[1] for request in peer.received] == [b"/__stub/version", *[b"/__stub/health"] * 2]


def test_a_guarded_server_is_recognized_by_its_refusal() -> None:
    sent = answer("401 Unauthorized", '{"errors": [{"message": "Needs a token."}]}')
    with Peer(sent, sent) as peer:
        assert refusal(peer.url) == "GET /health: Needs a token."


# What is asked


@pytest.mark.parametrize("token", ["a\nb", "schlüssel", "\x00"])
def test_a_token_that_cannot_be_sent_is_told(token: str) -> None:
    """Without repeating it."""
    says = "A token consists of printable ASCII characters; this one has others."
    assert refusal("http://127.0.0.1:1", token) == says


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_timeout_that_leaves_no_time_is_told(served: str, seconds: int) -> None:
    says = f"a timeout of {seconds} s leaves no time to answer; None means no limit"
    assert refusal(served, timeout=seconds) == f"no stub server answers at {served}: {says}"


def test_a_path_that_cannot_be_sent_is_told(served: str) -> None:
    with closing(SocketTransport()) as transport, pytest.raises(StubError) as caught:
        Channel(served, None, transport).call("GET", "/worlds/a\nb")
    assert str(caught.value).startswith(r"GET '/worlds/a\nb' cannot be sent: Invalid non-printable")


def test_clients_of_httpx_are_not_needed(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test has made of them."""
    monkeypatch.setattr(httpx.Client, "send", None)
    assert health(served)["status"] == "ok"


# Pages of a list


def test_rows_are_those_of_all_pages_or_of_one() -> None:
    """A page is asked for with all filters."""
    asked: list[Any] = []

    def ask(query: Any) -> Any:
        asked.append(query)
        end = query["offset"] + query["limit"]
        return {"results": [*range(250)][query["offset"] : end], "next": "more" if end < 250 else None}

    assert rows(ask, {"kind": "null"}) == [*range(250)]
    assert [query["offset"] for query in asked] == [0, PAGE, 2 * PAGE]
    assert all(query["kind"] == "null" for query in asked)
    assert rows(ask, {"offset": 240}) == [*range(240, 250)]
    assert rows(ask, {"limit": 2, "offset": 3}) == [3, 4]
    assert len(asked) == 5


def test_what_is_no_offset_is_for_the_server_to_refuse() -> None:
    asked: list[Any] = []

    def ask(query: Any) -> Any:
        asked.append(query["offset"])
        return {"results": ["row"], "next": "more" if len(asked) < 2 else None}

    assert rows(ask, {"offset": "7"}) == ["row", "row"]
    assert asked == ["7", 8]
    with pytest.raises(StubError, match="no offset"):
        rows(_refuse, {"offset": "x"})


def _refuse(query: Any) -> Any:
    raise StubError(f"{query['offset']} is no offset")
