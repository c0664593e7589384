"""Python's clients: bare sockets, the standard library, and the libraries that people use."""

import asyncio
import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3

from tests.edges.exchanges import Answer, Client, Exchange
from tests.support.commands import PATIENCE


def in_pieces(size: int, chunk: int = 0) -> Client:
    """A bare socket that sends pieces of so many bytes; with `chunk`, the bodies come in chunks of so many bytes."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        address = (urlsplit(url).hostname, urlsplit(url).port)
        with socket.create_connection(address, PATIENCE) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return [_ask_raw(connection, _raw(exchange, headers, chunk), exchange, size) for exchange in exchanges]

    return ask


def _ask_raw(connection: socket.socket, text: bytes, exchange: Exchange, size: int) -> Answer:
    begin = len(text) - len(exchange.body)
    for at in range(0, begin, size):
        connection.sendall(text[at : min(at + size, begin)])
    for at in range(begin, len(text), max(size, len(text) // 200)):  # not so many pieces of a large body
        connection.sendall(text[at : at + max(size, len(text) // 200)])
    answer = http.client.HTTPResponse(connection, method=exchange.method)
    answer.begin()
    return answer.status, answer.read()


def _raw(exchange: Exchange, headers: Mapping[str, str], chunk: int) -> bytes:
    body, framing = exchange.body, f"Content-Length: {len(exchange.body)}"
    if chunk and body:
        pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        body = b"".join(b"%x;name=value\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Sum: 1\r\n\r\n"
        framing = "Transfer-Encoding: Chunked"
    fields = (f"{name}: {value}" for name, value in ({"Host": "stub.test", **headers, **exchange.headers}).items())
    return "\r\n".join([f"{exchange.method} /api/v2{exchange.path} HTTP/1.1", *fields, framing, "", ""]).encode() + body


def by_http_client(in_chunks: bool) -> Client:
    """http.client, with one connection."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        answers = []
        for exchange in exchanges:
            body = _pieces(exchange) if in_chunks and exchange.body else exchange.body
            sent = {"Host": "stub.test", **headers, **exchange.headers}
            connection.request(exchange.method, f"/api/v2{exchange.path}", body, sent, encode_chunked=False)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
        connection.close()
        return answers

    return ask


def by_urllib(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
    """urllib, whose connections end with the answer."""
    answers = []
    for exchange in exchanges:
        sent = {"Host": "stub.test", **headers, **exchange.headers}
        request = urllib.request.Request(  # noqa: S310
            f"{url}/api/v2{exchange.path}", exchange.body or None, sent, method=exchange.method
        )
        try:
            answer = urllib.request.urlopen(request, timeout=PATIENCE)  # noqa: S310
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            answers.append((answer.status, answer.read()))
    return answers


def by_httpx(how: str) -> Client:
    """httpx, with a pool of connections."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        with httpx.Client(base_url=f"{url}/api/v2", headers={"Host": "stub.test", **headers}) as client:
            answers = (client.request(each.method, each.path, **_options(each, how, "content")) for each in exchanges)
            return [(answer.status_code, answer.content) for answer in answers]

    return ask


def by_requests(how: str) -> Client:
    """requests, with a session."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        with requests.Session() as session:
            session.headers.update({"Host": "stub.test", **headers})
            session.trust_env = False
            answers = (
                session.request(
                    each.method, f"{url}/api/v2{each.path}", timeout=PATIENCE, **_options(each, how, "data")
                )
                for each in exchanges
            )
            return [(answer.status_code, answer.content) for answer in answers]

    return ask


def _options(exchange: Exchange, how: str, name: str) -> dict[str, Any]:
    """How to send the body with httpx or requests; `name` is what they call a body that is sent as it is."""
    if not exchange.body:
        return {}
    if how == "encoding" and exchange.fields:
        return _encoded(exchange, "files", lambda fields: {name: (None, fields[name]) for name in fields})
    return {name: exchange.body if how == "length" else _pieces(exchange), "headers": exchange.headers}


def by_urllib3(how: str) -> Client:
    """urllib3, with a pool of connections."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        answers = []
        with urllib3.PoolManager(timeout=PATIENCE) as pool:
            for exchange in exchanges:
                options = content(exchange)
                sent = {"Host": "stub.test", **headers, **options.pop("headers", {})}
                answer = pool.request(exchange.method, f"{url}/api/v2{exchange.path}", headers=sent, **options)
                answers.append((answer.status, answer.data))
        return answers

    def content(exchange: Exchange) -> dict[str, Any]:
        if not exchange.body:
            return {}
        if how == "encoding" and exchange.media == "application/json":
            return {"json": exchange.fields}
        if how == "encoding" and exchange.fields:
            return {"fields": exchange.fields, "encode_multipart": exchange.media.startswith("multipart")}
        return {"body": exchange.body if how == "length" else _pieces(exchange), "headers": exchange.headers}

    return ask


def by_aiohttp(how: str) -> Client:
    """aiohttp, with a session; told to expect 100, it waits for "100 Continue" before it sends a body."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        return asyncio.run(ask_all(url, exchanges, {"Host": "stub.test", **headers}))

    async def ask_all(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        answers = []
        async with aiohttp.ClientSession(headers=headers) as session:
            for each in exchanges:
                async with session.request(each.method, f"{url}/api/v2{each.path}", **content(each)) as answer:
                    answers.append((answer.status, await answer.read()))
        return answers

    def content(exchange: Exchange) -> dict[str, Any]:
        if not exchange.body:
            return {}
        if how == "encoding" and exchange.fields:
            return _encoded(exchange, "data", form)
        data = pieces(exchange) if how == "chunked" else exchange.body
        return {"data": data, "headers": exchange.headers, "expect100": how == "expect"}

    def form(fields: Mapping[str, str]) -> aiohttp.FormData:
        form = aiohttp.FormData(default_to_multipart=True)
        for name in fields:
            form.add_field(name, fields[name])
        return form

    async def pieces(exchange: Exchange) -> AsyncIterator[bytes]:
        for piece in _pieces(exchange):
            yield piece

    return ask


def _pieces(exchange: Exchange) -> Iterator[bytes]:
    """The body as something whose length is unknown."""
    yield exchange.body[:9]
    yield exchange.body[9:]


def _encoded(exchange: Exchange, name: str, multipart: Callable[[Mapping[str, str]], Any]) -> dict[str, Any]:
    """The argument by which httpx and those that are like it encode the body: for a form with several parts, `name`."""
    if exchange.media == "application/json":
        return {"json": exchange.fields}
    if exchange.media.startswith("multipart"):
        return {name: multipart(exchange.fields)}
    return {"data": exchange.fields}
