"""Requests as a server hands them to the application, even malformed ones."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from stubserver.app import StubServer


def ask(
    app: StubServer,
    runner: asyncio.Runner,
    method: str,
    path: str,
    headers: Mapping[str, str],
    chunks: Sequence[bytes] = (b"",),
    address: tuple[str, int | None] = ("stub.test", 80),
) -> tuple[int, dict[str, str], bytes]:
    """Call the app as a server does, with exactly these headers and messages; return status, headers and body."""
    inbox = [{"type": "http.request", "body": c, "more_body": n < len(chunks) - 1} for n, c in enumerate(chunks)]
    outbox: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return inbox.pop(0)

    async def send(message: Any) -> None:
        outbox.append(message)

    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": address,
    }
    runner.run(app(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in outbox[0]["headers"]}
    return outbox[0]["status"], found, b"".join(message.get("body", b"") for message in outbox[1:])
