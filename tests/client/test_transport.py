"""HTTP of the handles: what is sent and read, which connections are kept, and the errors of httpx for what fails."""

import asyncio
import gc
import gzip
import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from stubserver.client import transport as transport_module
from stubserver.client.transport import InThread, SocketTransport
from tests.support.peer import END, OK, RESET, SILENCE, Peer

SOON = 0.05
"""A timeout in seconds, of waits that end with it on any machine."""


@pytest.fixture
def transport() -> Iterator[SocketTransport]:
    with closing(SocketTransport()) as transport:
        yield transport


def ask(transport: httpx.BaseTransport, url: str, method: str = "GET", **options: Any) -> httpx.Response:
    """Send a request as httpx's client does, and let it keep the transport."""
    client = httpx.Client(transport=transport, headers={"User-Agent": "test"})
    return client.request(method, url, **options)


# What is sent


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"method": "HEAD"},
        {"method": "DELETE", "params": {"a": "b c", "ä": "ö"}},
        {"method": "PATCH", "json": {"name": "Knöts"}},
        {"method": "POST"},
        {"method": "POST", "data": {"a": ["1", "2"]}},
        {"method": "PUT", "content": b"\x00" * 100_000, "headers": {"X-Odd": "1"}},
        {
            "method": "POST",
            "files": {"file": ("a.png", b"png")},
            "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        },
        {"method": "BREW", "headers": [("X-Many", "1"), ("X-Many", "2")]},
    ],
)
def test_requests_are_those_of_httpx(transport: SocketTransport, options: dict[str, Any]) -> None:
    """Byte for byte what its own transport sends."""
    with Peer(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + END, OK) as peer:
        with httpx.HTTPTransport() as theirs:
            ask(theirs, peer.url, **options)
        ask(transport, peer.url, **options)
        theirs_sent, ours_sent = peer.received
    assert ours_sent == theirs_sent


@pytest.mark.parametrize(("parts", "sent"), [([b"ab", b"", b"c"], b"3\r\nabc\r\n0\r\n\r\n"), ([], b"0\r\n\r\n")])
def test_a_body_of_unknown_length_is_sent_in_chunks(
    transport: SocketTransport, parts: list[bytes], sent: bytes
) -> None:
    with Peer(OK) as peer:
        ask(transport, peer.url, "POST", content=iter(parts))
        assert peer.received[0].endswith(b"\r\n\r\n" + sent)


def test_a_body_that_cannot_be_read_sends_nothing(transport: SocketTransport) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with Peer(OK) as peer:
        with pytest.raises(ValueError, match="no more"):
            ask(transport, peer.url, "POST", content=broken())
        assert peer.connections == 0


# What is read


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end" + END, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold" + END, b"old"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"small", mtime=0) + END, b"small"),
    ],
)
def test_answers_are_read_to_their_end(transport: SocketTransport, answer: bytes, body: bytes) -> None:
    with Peer(answer) as peer:
        read = ask(transport, peer.url)
    assert (read.status_code, read.content, read.http_version) == (200, body, answer[:8].decode())


@pytest.mark.parametrize(
    ("method", "answer"),
    [("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"), ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n")],
)
def test_an_answer_without_a_body_ends_at_its_head(transport: SocketTransport, method: str, answer: bytes) -> None:
    """So the connection can be used again."""
    with Peer(answer, OK) as peer:
        assert ask(transport, peer.url, method).content == b""
        assert ask(transport, peer.url).content == b"ok"
        assert peer.connections == 1


def test_headers_are_read_as_they_are(transport: SocketTransport) -> None:
    head = b"HTTP/1.1 299 Fine by me\r\nContent-Length: 0\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: \xe4\r\n\r\n"
    with Peer(head) as peer:
        read = ask(transport, peer.url)
    assert (read.status_code, read.reason_phrase, read.headers["x-odd"]) == (299, "Fine by me", "ä")
    assert read.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_an_answer_can_be_read_in_parts(transport: SocketTransport) -> None:
    with Peer(OK) as peer, httpx.Client(transport=transport) as client, client.stream("GET", peer.url) as read:
        assert [*read.iter_raw()] == [b"ok"]


# Connections


def test_a_connection_is_kept_for_the_next_request(transport: SocketTransport) -> None:
    with Peer(OK, OK, OK) as peer:
        for _ in range(3):
            ask(transport, peer.url)
        assert peer.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        OK + END,
        OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + END,
        OK + b"nobody asked for this" + END,
    ],
)
def test_a_connection_that_cannot_go_on_is_replaced(transport: SocketTransport, answer: bytes) -> None:
    with Peer(answer, OK) as peer:
        ask(transport, peer.url)
        for kept in transport._idle:
            kept.sock.recv(100, socket.MSG_PEEK)  # waits for what the server does next
        assert ask(transport, peer.url).content == b"ok"
        assert peer.connections == 2


def test_a_forked_process_leaves_the_connections_of_its_parent_alone(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Peer(OK + END, OK) as peer:
        ask(transport, peer.url)
        (parents,) = transport._idle
        monkeypatch.setattr(os, "getpid", lambda: -1)
        ask(transport, peer.url)
        assert transport._idle[0] is parents


def test_idle_connections_are_bounded(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were used last stay."""
    monkeypatch.setattr(transport_module, "MOST_IDLE", 1)
    with Peer(OK) as one, Peer(OK, OK) as other:
        for peer in (one, other, other):
            ask(transport, peer.url)
        assert other.connections == 1
        assert len(transport._idle) == 1


def test_requests_at_once_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot wait is an error."""
    monkeypatch.setattr(transport_module, "MOST_CONNECTIONS", 1)
    with closing(SocketTransport()) as transport, Peer(OK) as peer:
        transport._slots.acquire()
        with pytest.raises(httpx.PoolTimeout, match=r"^1 other requests are waiting for answers$"):
            ask(transport, peer.url, timeout=SOON)
        transport._slots.release()
        with pytest.raises(httpx.ConnectError):
            ask(transport, "http://127.0.0.1:1")
        assert ask(transport, peer.url).content == b"ok"  # an error gives its place back


def test_closing_closes_all_connections() -> None:
    """One that is in use, as soon as it is not."""
    with closing(SocketTransport()) as transport, Peer(OK + END, OK + END) as peer:
        ask(transport, peer.url)
        (kept,) = transport._idle
        transport.close()
        assert kept.sock is None
        ask(transport, peer.url)
        assert transport._idle == []


def test_a_forgotten_transport_closes_its_connections() -> None:
    """Without a ResourceWarning, though nobody closed it."""
    with Peer(OK) as peer:
        transport = SocketTransport()
        ask(transport, peer.url)
        (kept,) = transport._idle
        del transport
        gc.collect()
        assert kept.sock is None


def test_threads_share_a_transport(transport: SocketTransport, served: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda number: ask(transport, f"{served}/api/v2/course/{number}/"), [1, 99] * 50)]
    assert [answer.status_code for answer in found] == [200, 404] * 50
    assert all(answer.json() for answer in found)


# What goes wrong

PLACE = "the server closed the connection"


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (END, httpx.RemoteProtocolError, f"{PLACE} without an answer"),
        (RESET, httpx.ReadError, "Connection reset by peer"),
        (SILENCE, httpx.ReadTimeout, "timed out"),
        (OK[:-1] + END, httpx.RemoteProtocolError, f"{PLACE} within an answer, after 1 bytes of its body"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFF\r\nabc" + END,
            httpx.RemoteProtocolError,
            f"{PLACE} within an answer",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", httpx.RemoteProtocolError, PLACE),
        (b"SSH-2.0-OpenSSH\r\n", httpx.RemoteProtocolError, "the answer is not HTTP: it begins with 'SSH-2.0-OpenSSH"),
        (
            b"HTTP/1.1 2000 OK\r\n\r\n",
            httpx.RemoteProtocolError,
            "the answer is not HTTP: it begins with 'HTTP/1.1 2000",
        ),
        (
            b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200,
            httpx.RemoteProtocolError,
            "the answer is not HTTP: got more than",
        ),
        (b"\x15\x03\x01\x00\x02\x02F" + END, httpx.RemoteProtocolError, "the server expects TLS: use https://"),
    ],
)
def test_no_answer_is_an_error(
    transport: SocketTransport, answer: bytes, error: type[httpx.HTTPError], says: str
) -> None:
    """Of the kind that httpx raises, with its request; the connection is not used again."""
    with Peer(answer, OK) as peer:
        with pytest.raises(error, match=re.escape(says)) as caught:
            ask(transport, peer.url, timeout=httpx.Timeout(None, read=SOON if answer == SILENCE else None))
        assert caught.value.request.url == peer.url
        assert transport._idle == []


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("http://127.0.0.1:1/", httpx.ConnectError, "Connection refused"),
        (f"http://{'a' * 64}.test/", httpx.ConnectError, "label"),
        ("ftp://127.0.0.1/", httpx.UnsupportedProtocol, "a URL begins with http:// or https://, not ftp://"),
    ],
)
def test_nobody_to_ask_is_an_error(
    transport: SocketTransport, url: str, error: type[httpx.HTTPError], says: str
) -> None:
    with pytest.raises(error, match=re.escape(says)):
        ask(transport, url)


def test_a_timeout_that_is_no_time_at_all_is_an_error(transport: SocketTransport) -> None:
    with pytest.raises(httpx.ConnectError, match="out of range"):
        ask(transport, "http://127.0.0.1:1/", timeout=1e300)


def test_a_client_may_name_another_host(transport: SocketTransport) -> None:
    with Peer(OK) as peer:
        ask(transport, peer.url, headers={"Host": "far.example"})
        assert re.findall(rb"(?i)host: (.*)\r\n", peer.received[0]) == [b"far.example"]


def test_a_host_without_an_address_is_an_error(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "_addresses", lambda *_, **__: [])
    with pytest.raises(httpx.ConnectError, match=r"^nowhere\.test has no address$"):
        ask(transport, "http://nowhere.test/")


def test_every_address_of_a_host_is_tried(transport: SocketTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(OK) as peer:
        port = httpx.URL(peer.url).port
        both = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", number)) for number in (1, port)]
        monkeypatch.setattr(transport_module, "_addresses", lambda *_, **__: both)
        assert ask(transport, "http://two.test/").content == b"ok"


def test_a_server_that_takes_no_connection_is_a_timeout(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_: socket.socket, address: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(transport_module._Socket, "connect", late)
    with pytest.raises(httpx.ConnectTimeout, match=r"^timed out$"):
        ask(transport, "http://127.0.0.1:1/")


def test_a_server_that_reads_nothing_is_a_timeout(transport: SocketTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(httpx.WriteTimeout):
            ask(transport, url, "POST", content=b"x" * 50_000_000, timeout=httpx.Timeout(None, write=SOON))


def test_a_server_may_answer_before_it_has_read_all(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: http.client.HTTPConnection, *body: bytes, encode_chunked: bool) -> None:
        http.client.HTTPConnection.endheaders(self, *body, encode_chunked=encode_chunked)
        raise BrokenPipeError

    monkeypatch.setattr(transport_module._Connection, "endheaders", refused)
    with Peer(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n") as peer:
        assert ask(transport, peer.url, "POST", content=b"x").status_code == 413


@pytest.mark.parametrize("seconds", [0, -1])
@pytest.mark.parametrize(
    ("kind", "error"),
    [("connect", httpx.ConnectTimeout), ("write", httpx.WriteTimeout), ("read", httpx.ReadTimeout)],
)
def test_a_timeout_that_leaves_no_time_is_one(
    transport: SocketTransport, kind: str, error: type[httpx.TimeoutException], seconds: float
) -> None:
    limits = httpx.Timeout(None)
    setattr(limits, kind, seconds)
    says = f"^a timeout of {seconds} s leaves no time to answer; None means no limit$"
    with Peer(OK) as peer, pytest.raises(error, match=says):
        ask(transport, peer.url, timeout=limits)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"headers": {"X-Odd": "a\nb"}}, "Invalid header value"),
        ({"headers": {"X\nOdd": "a"}}, "Invalid header name"),
        ({"method": "G\nET"}, "method can't contain"),
        ({"method": "GËT"}, "can't encode"),
    ],
)
def test_what_cannot_be_sent_is_an_error(transport: SocketTransport, options: dict[str, Any], says: str) -> None:
    with Peer(OK) as peer, pytest.raises(httpx.LocalProtocolError, match=says):
        ask(transport, peer.url, **options)


# TLS


def test_https_is_tls(transport: SocketTransport, served: str) -> None:
    """A server that does not speak it cannot be reached, and no socket is left."""
    with pytest.raises(httpx.ConnectError) as caught:
        ask(transport, served.replace("http", "https"))
    assert isinstance(caught.value.__cause__, ssl.SSLError)


# Asynchronous clients


async def gathered(transport: httpx.BaseTransport, *urls: str) -> list[int]:
    async with httpx.AsyncClient(transport=InThread(transport)) as client:
        answers = await asyncio.gather(*map(client.get, urls))
        return [answer.status_code for answer in answers]


def test_asynchronous_requests_run_at_once(transport: SocketTransport, served: str) -> None:
    urls = [f"{served}/api/v2/course/{number}/" for number in (1, 99)] * 20
    assert asyncio.run(gathered(transport, *urls)) == [200, 404] * 20


def test_asynchronous_bodies_are_sent(transport: SocketTransport) -> None:
    async def parts() -> Any:
        yield b"ab"
        yield b"c"

    async def upload(url: str) -> bytes:
        async with httpx.AsyncClient(transport=InThread(transport)) as client:
            return (await client.post(url, content=parts())).content

    with Peer(OK) as peer:
        assert asyncio.run(upload(peer.url)) == b"ok"
        assert peer.received[0].endswith(b"3\r\nabc\r\n0\r\n\r\n")


def test_errors_reach_asynchronous_callers(transport: SocketTransport) -> None:
    with pytest.raises(httpx.ConnectError, match="Connection refused"):
        asyncio.run(gathered(transport, "http://127.0.0.1:1/"))


def test_who_is_cancelled_does_not_wait(transport: SocketTransport) -> None:
    async def impatient(url: str) -> None:
        async with asyncio.timeout(SOON):
            await gathered(transport, url)

    with Peer(SILENCE) as peer, pytest.raises(TimeoutError):
        asyncio.run(impatient(peer.url))
