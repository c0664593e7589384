"""What every client asks."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

Answer = tuple[int, bytes]
"""Status and body."""

MOST = 200_000
"""Bytes of a body that the server reads."""


class Exchange(NamedTuple):
    """A request as its client is told of it."""

    method: str
    path: str
    media: str = ""
    body: bytes = b""
    fields: Mapping[str, Any] = {}
    """What the body says, for clients that encode it themselves."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": self.media} if self.media else {}


Client = Callable[[str, Sequence[Exchange], Mapping[str, str]], list[Answer]]
"""Sends the exchanges to a URL, one after the other, each with these headers; returns the answers."""


def _json(fields: Mapping[str, Any]) -> tuple[str, bytes, Mapping[str, Any]]:
    return "application/json", json.dumps(fields).encode(), fields


def _form(fields: Mapping[str, str]) -> tuple[str, bytes, Mapping[str, str]]:
    return "application/x-www-form-urlencoded", urlencode(fields).encode(), fields


def _multipart(fields: Mapping[str, str]) -> tuple[str, bytes, Mapping[str, str]]:
    parts = (f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{fields[key]}\r\n' for key in fields)
    return "multipart/form-data; boundary=b", f"{''.join(parts)}--b--\r\n".encode(), fields


def exchanges() -> Iterator[Exchange]:
    """Every method, with every kind of body, small and large; what is refused; and then what has become of it."""
    for encode in (_json, _form, _multipart):
        name = encode.__name__
        yield Exchange("POST", "/course/", *encode({"name": f"Ünï {name}", "type": "self-paced", "privacy": "open"}))
        yield Exchange("PUT", "/course/1/section/2/", *encode({"name": f"50 % & {name}"}))
        yield Exchange("PATCH", "/course/1/", *encode({"description": f"<p>{name}</p>" + "x" * 70_000}))
    for method in ("POST", "DELETE"):
        yield Exchange(method, "/course/1/invite/", *_json({"users": [6]}))
    yield Exchange("DELETE", "/course/1/section/3/")
    yield Exchange("POST", "/course/2/join/")
    for encode in (_json, _multipart):
        yield Exchange("PATCH", "/course/1/", *encode({"description": "x" * MOST}))  # too large to be read
    yield Exchange("POST", "/course/1/", *_form({"name": "x" * 70_000}))  # not allowed
    yield Exchange("PUT", "/nowhere/", *_json({"name": "x" * 70_000}))
    yield Exchange("POST", "/course/", "text/plain", b"x" * 70_000)
    yield Exchange("HEAD", "/course/99/")
    yield Exchange("OPTIONS", "/course/1/")
    yield Exchange("HEAD", "/course/1/")
    yield Exchange("GET", "/course/1/")
    yield Exchange("GET", "/course/search/?limit=100")
