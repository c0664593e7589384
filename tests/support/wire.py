"""Requests as a server hands them to the application, even malformed ones."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from stubserver.app import StubServer


def drive(
    app: StubServer,
    runner: asyncio.Runner,
    outbox: list[Any],
    method: str,
    path: str,
    headers: Mapping[str, str],
    chunks: Sequence[bytes] = (b"",),
    address: tuple[str, int | None] = ("stub.test", 80),
    peer: str = "127.0.0.1",
) -> None:
    """Call the app as a server does, with exactly these headers and messages; what it sends goes into `outbox`. Without
    a Host header, the request is in HTTP/1.0. Raises ConnectionResetError if a fault drops the connection."""
    inbox = [{"type": "http.request", "body": c, "more_body": n < len(chunks) - 1} for n, c in enumerate(chunks)]

    async def receive() -> dict[str, Any]:
        return inbox.pop(0)

    async def send(message: Any) -> None:
        outbox.append(message)

    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1" if "host" in map(str.lower, headers) else "1.0",
        "method": method,
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": (peer, 50000),
        "server": address,
    }
    runner.run(app(scope, receive, send))


def ask(
    app: StubServer,
    runner: asyncio.Runner,
    method: str,
    path: str,
    headers: Mapping[str, str],
    chunks: Sequence[bytes] = (b"",),
    address: tuple[str, int | None] = ("stub.test", 80),
    peer: str = "127.0.0.1",
) -> tuple[int, dict[str, str], bytes]:
    """Call the app as a server does, with exactly these headers and messages; return status, headers and body."""
    outbox: list[Any] = []
    drive(app, runner, outbox, method, path, headers, chunks, address, peer)
    start, *rest = outbox
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], found, b"".join(message.get("body", b"") for message in rest)
