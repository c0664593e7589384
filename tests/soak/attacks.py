"""What no client should send: broken framing, halves of requests, too much of everything, pages of other sites."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from tests.lane.oddities import FORM, MULTIPART, Request, broken
from tests.lane.requests import control, plain
from tests.support.attacks import ATTACKS, SIMPLE

MAX_BODY = 256 * 1024
"""The largest body that the server of a soak takes, in bytes."""
WORLD = "attacked"


def _posted(body: bytes, media: str = "application/json", **headers: str) -> Request:
    request = replace(plain("POST", "/course/", "creator", WORLD), body=body).with_("Content-Type", media)
    for name, value in headers.items():
        request = request.with_(name.replace("_", "-"), value)
    return request


def _deep() -> list[Request]:
    """Bodies that are nested deeply, some of them without an end."""
    nested = [b"[" * 100_000, b'{"a":' * 40_000, b"[" * 60 + b"]" * 60, b'{"name":' + b"[" * 9000 + b"]" * 9000 + b"}"]
    return [_posted(text) for text in nested]


def _big() -> list[Request]:
    """Bodies that are too large, or larger than they look."""
    full = b'{"name": "' + b"x" * MAX_BODY + b'"}'
    bomb = gzip.compress(b" " * 100 * MAX_BODY)
    return [
        _posted(full),
        replace(_posted(full), chunks=(8000,)),
        _posted(bomb, Content_Encoding="gzip"),
        _posted(bomb[:-20], Content_Encoding="gzip"),
        _posted(json.dumps({"name": [7] * 30_000}).encode()),
        control("PUT", "snapshots/attacked", body=[{"rows": "x" * MAX_BODY}]),
    ]


def _many() -> list[Request]:
    """Very many fields, parts and headers."""
    part = b'--b\r\nContent-Disposition: form-data; name="a%d"\r\n\r\nx\r\n'
    parts = b"".join(part % number for number in range(3000)) + b"--b--\r\n"
    fields = b"&".join(b"a%d=x" % number for number in range(20_000))
    many = tuple((f"X-{number}", "x") for number in range(1500))
    return [
        _posted(parts, f"{MULTIPART}; boundary=b"),
        _posted(parts[:-40], f"{MULTIPART}; boundary=b"),
        _posted(b"--b\r\n" * 30_000, f"{MULTIPART}; boundary=b"),
        _posted(fields, FORM),
        _posted(json.dumps({f"a{number}": number for number in range(9000)}).encode()),
        replace(_posted(b"{}"), headers=_posted(b"{}").headers + many),
        plain("GET", "/course/search/?" + "&".join(f"q{number}=1" for number in range(5000))),
    ]


def _foreign() -> list[Request]:
    """The control plane and the API as pages of other sites ask for them."""
    made = control("POST", "worlds", body={"name": "foreign"})
    gone = control("DELETE", "worlds/default")
    asked = plain("GET", "/course/1/")
    headers = [*ATTACKS.values(), *SIMPLE.values()]
    return [_with(request, extra) for request in (made, gone, asked) for extra in headers]


def _with(request: Request, headers: Mapping[str, str]) -> Request:
    for name, value in headers.items():
        request = request.with_(name, value)
    return request


@cache
def attacks() -> Mapping[str, Sequence[bytes]]:
    """Kind -> bytes to send."""
    whole = _posted(json.dumps({"name": "Half", "type": "self-paced"}).encode()).raw
    head = b"POST /api/v2/course/ HTTP/1.1\r\nHost: stub.test\r\n"
    return {
        "framing": [*broken(), b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
        "no proxy": [
            b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
            head + b"Transfer-Encoding: gzip\r\n\r\n",
        ],
        "halves": [whole[:20], whole[:90], whole[:-5], head + b"Content-Length: 99999999999999999999\r\n\r\n{"],
        "endless": [head + b"X-Odd: " + b"x" * 100_000, head + b"X-Odd: a\r\n" * 20_000, b"x" * 200_000],
        "deep": [request.raw for request in _deep()],
        "big": [request.raw for request in _big()],
        "many": [request.raw for request in _many()],
        "foreign": [request.raw for request in _foreign()],
    }
