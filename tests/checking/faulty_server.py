"""A server of our own with bugs, to see what `stubserver check` says of it.

    python -m tests.checking.faulty_server [PORT] [BUG ...]

Bugs are the names in `tests/checking/bugs.py`; without any, there are three.
"""

import sys
from functools import reduce
from typing import Any

import httpx
import uvicorn
from anyio import to_thread

from stubserver.app import create_app
from stubserver.serving.in_process import InProcess
from tests.checking.bugs import BUGS, Bug, Buggy

THREE = ("PUT of a course drops the description", "members see the right answers", "lists count one too many")


class FaultyServer:
    """An ASGI application that passes requests on to a server of our own, and answers with bugs."""

    def __init__(self, *bugs: Bug, fixture: str = "empty") -> None:
        inner: httpx.BaseTransport = InProcess(create_app(fixture))
        self._transport = reduce(Buggy, bugs, inner)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        host = dict(scope["headers"]).get(b"host", b"localhost").decode()
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        url = f"http://{host}{scope['raw_path'].decode()}{query}"
        asked = httpx.Request(scope["method"], url, headers=scope["headers"], content=body)
        answer = await to_thread.run_sync(self._transport.handle_request, asked)
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.read()})


def serve(*bugs: Bug, port: int) -> None:
    """Serve until interrupted."""
    uvicorn.run(FaultyServer(*bugs), port=port, log_level="warning", lifespan="off")


def main(port: str = "8766", *names: str) -> None:
    """Serve until interrupted."""
    for name in names:
        if name not in BUGS:
            sys.exit(f"there is no bug {name!r}: use some of\n" + "\n".join(BUGS))
    serve(*(BUGS[name] for name in names or THREE), port=int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
