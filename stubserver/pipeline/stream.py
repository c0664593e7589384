"""Answers that go on: their parts are sent when there are some, until they end or the client is gone."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from starlette.types import Receive, Send

from stubserver.api.views import Stream
from stubserver.contract.operation import Operation
from stubserver.pipeline.answer import success_headers

_HEADERS = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
"""Nothing in between may keep the parts back."""


async def send_stream(stream: Stream, operation: Operation, method: str, receive: Receive, send: Send) -> None:
    """Send the parts of an answer, each once the client has room for it; HEAD gets only the headers. A client that is
    gone ends it."""
    headers = [*success_headers(operation), *_HEADERS]
    await send({"type": "http.response.start", "status": operation.status, "headers": headers})
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        while method != "HEAD" and (part := await _next(stream.parts, gone)) is not None:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    finally:
        gone.cancel()
        await stream.parts.aclose()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(parts: AsyncGenerator[bytes, None], gone: asyncio.Future[None]) -> bytes | None:
    """The next part; None if there is none, or nobody to send it to any more."""
    waiting = asyncio.ensure_future(anext(parts, None))
    try:
        both: list[asyncio.Future[Any]] = [waiting, gone]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        if not waiting.done():
            waiting.cancel()
            await asyncio.wait({waiting})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
