"""What every client asks, and how each of them sends it."""

import http.client
import json
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx

from tests.support.commands import PATIENCE

Answer = tuple[int, bytes]
"""Status and body."""


class Exchange(NamedTuple):
    """A request as its client is told of it."""

    method: str
    path: str
    media: str = ""
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": self.media} if self.media else {}


Client = Callable[[str, Sequence[Exchange], Mapping[str, str]], list[Answer]]
"""Sends the exchanges to a URL, one after the other, each with these headers; returns the answers."""


def _json(fields: Mapping[str, Any]) -> tuple[str, bytes]:
    return "application/json", json.dumps(fields).encode()


def _form(fields: Mapping[str, str]) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _multipart(fields: Mapping[str, str]) -> tuple[str, bytes]:
    parts = (f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{fields[key]}\r\n' for key in fields)
    return "multipart/form-data; boundary=b", f"{''.join(parts)}--b--\r\n".encode()


def exchanges() -> Iterator[Exchange]:
    """Every method, with every kind of body, small and large."""
    for encode in (_json, _form, _multipart):
        name = encode.__name__
        yield Exchange("POST", "/course/", *encode({"name": f"Ünï {name}", "type": "self-paced", "privacy": "open"}))
        yield Exchange("PUT", "/course/1/section/2/", *encode({"name": f"50 % & {name}"}))
        yield Exchange("PATCH", "/course/1/", *encode({"description": f"<p>{name}</p>" + "x" * 70_000}))
    for method in ("POST", "DELETE"):
        yield Exchange(method, "/course/1/invite/", *_json({"users": [6]}))
    yield Exchange("DELETE", "/course/1/section/3/")
    yield Exchange("POST", "/course/2/join/")
    yield Exchange("HEAD", "/course/1/")
    yield Exchange("GET", "/course/1/")
    yield Exchange("GET", "/course/search/?limit=100")


# Python


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
            body = iter([exchange.body[:9], exchange.body[9:]]) if in_chunks and exchange.body else exchange.body
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
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            answers.append((answer.status, answer.read()))
    return answers


def by_httpx(in_chunks: bool) -> Client:
    """httpx, with a pool of connections."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        answers = []
        with httpx.Client(base_url=f"{url}/api/v2", headers={"Host": "stub.test", **headers}) as client:
            for exchange in exchanges:
                body = iter([exchange.body]) if in_chunks and exchange.body else exchange.body
                answer = client.request(exchange.method, exchange.path, content=body, headers=exchange.headers)
                answers.append((answer.status_code, answer.content))
        return answers

    return ask


# Other programs


def by_curl(*options: str) -> Client:
    """curl, with a connection for each request."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        return [
            _ask_curl(url, exchange, {"Host": "stub.test", **headers, **exchange.headers}) for exchange in exchanges
        ]

    def _ask_curl(url: str, exchange: Exchange, headers: Mapping[str, str]) -> Answer:
        command = ["curl", "-sS", "-w", r"\n%{http_code}", *options]
        command += ["--head"] if exchange.method == "HEAD" else ["-X", exchange.method]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        if exchange.body and "-T" not in options:
            command += ["--data-binary", "@-"]
        elif not exchange.body and "-T" in options:
            command[command.index("-T") : command.index("-T") + 2] = []
        done = subprocess.run(
            [*command, f"{url}/api/v2{exchange.path}"],
            input=exchange.body,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        body, _, status = done.stdout.rpartition(b"\n")
        return int(status), b"" if exchange.method == "HEAD" else body

    return ask


NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


def by_node(how: str, framing: str) -> Client:
    """Node's http, or its fetch, which is undici."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        told = [
            {
                "method": exchange.method,
                "url": f"{url}/api/v2{exchange.path}",
                "headers": {**headers, **exchange.headers},
                "body": b64encode(exchange.body).decode(),
            }
            for exchange in exchanges
        ]
        done = subprocess.run(
            [str(NODE), str(Path(__file__).parent / "client.mjs"), how, framing],
            input=json.dumps(told).encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        return [(status, text.encode()) for status, text in json.loads(done.stdout)]

    return ask


CLIENTS: Mapping[str, Client] = {
    "whole": in_pieces(10**6),
    "byte by byte": in_pieces(1),
    "in chunks": in_pieces(10**6, chunk=1000),
    "in chunks, in pieces": in_pieces(7, chunk=500),
    "http.client": by_http_client(in_chunks=False),
    "http.client, in chunks": by_http_client(in_chunks=True),
    "urllib": by_urllib,
    "httpx": by_httpx(in_chunks=False),
    "httpx, in chunks": by_httpx(in_chunks=True),
    "curl": by_curl(),
    "curl --http2": by_curl("--http2"),
    "curl --http1.0": by_curl("--http1.0"),
    "curl --compressed": by_curl("--compressed"),
    "curl -T -": by_curl("-T", "-"),
    "curl -T - --http2": by_curl("-T", "-", "--http2"),
    "node http": by_node("http", "length"),
    "node http, in chunks": by_node("http", "chunked"),
    "node fetch": by_node("fetch", "length"),
    "node fetch, in chunks": by_node("fetch", "chunked"),
}


def why_missing(name: str) -> str:
    """Why a client cannot be used here; empty if it can."""
    program = name.split()[0]
    if (program == "node" and NODE is None) or (program == "curl" and shutil.which("curl") is None):
        return f"{program} is not installed"
    return ""
