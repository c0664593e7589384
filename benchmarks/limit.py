"""What no server in Python with uvicorn can be faster than: its protocol parses a request, and writes a constant.

Usage: python benchmarks/limit.py ANSWERS PORT
"""

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ANSWERS: dict[tuple[bytes, bytes], bytes] = {}
"""Method and target -> all that is written."""


class Limit(HttpToolsProtocol):
    """A connection on which nothing is done between the end of a request and its answer."""

    def on_headers_complete(self) -> None:
        """Make no task for an application."""

    def on_body(self, body: bytes) -> None:
        """Keep no body."""

    def on_message_complete(self) -> None:
        """Answer."""
        self.transport.write(_ANSWERS[self.parser.get_method(), self.url])


async def _nothing(*_: Any) -> None:
    """The application, which nobody asks."""


def _written(answer: Mapping[str, Any]) -> bytes:
    status, text = HTTPStatus(answer["status"]), str(answer["text"])
    length = len(text.encode())
    head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    return (head + text).encode()


def main(file: str, port: int) -> None:
    """Serve."""
    for answer in json.loads(Path(file).read_text(encoding="utf-8")):
        _ANSWERS[answer["method"].encode(), answer["path"].encode()] = _written(answer)
    uvicorn.run(_nothing, port=port, http=Limit, lifespan="off", log_level="error")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
