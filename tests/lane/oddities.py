"""Unusual things about requests: in path, query, headers, body and framing."""

import contextlib
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httptools
import jwt

from tests.support.default import HOST, NOW, SECRET

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
MAX_BODY = 100_000
"""The largest body that the servers of these tests accept."""
PAST, SOON, LATER = (NOW + timedelta(days=days) for days in (-1, 2, 4000))


@dataclass(frozen=True)
class Request:
    """A request as its client writes it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    chunks: tuple[int, ...] = ()
    """Sizes of the chunks, used in turn until the whole body is sent; without chunks, the request gives its content
    length."""
    trailer: str = ""
    version: str = "1.1"

    def with_(self, name: str, *values: str) -> "Request":
        """The request with these values of a header in place of its own."""
        others = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return replace(self, headers=(*others, *((name, value) for value in values)))

    def header(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def raw(self) -> bytes:
        """The bytes to send."""
        headers = list(self.headers)
        if self.chunks:
            headers.append(("Transfer-Encoding", "chunked"))
        elif self.body or self.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/{self.version}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + (self._chunked() if self.chunks else self.body)

    def _chunked(self) -> bytes:
        pieces, rest, turn = [], self.body, 0
        while rest:
            piece = rest[: self.chunks[turn % len(self.chunks)]]
            pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
            rest, turn = rest[len(piece) :], turn + 1
        return b"".join(pieces) + f"0\r\n{self.trailer}\r\n".encode("latin-1")


def multipart(request: Request, *parts: tuple[str, bytes]) -> Request:
    """The request with a form; each part has a disposition and a content."""
    form = b"".join(
        b"--edge\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (disposition.encode(), content)
        for disposition, content in parts
    )
    return replace(request, body=form + b"--edge--\r\n").with_("Content-Type", f"{MULTIPART}; boundary=edge")


def signed(user: Any, until: Any = LATER, secret: str = SECRET, kind: str = "access") -> str:
    """A JWT."""
    claims = {"user_id": user, "token_type": kind, "jti": "one", "iat": 1, "exp": int(until.timestamp())}
    return jwt.encode(claims, secret, "HS256")


def is_http(raw: bytes) -> bool:
    """Whether a server can parse it; if not, the server closes at once, whatever else was requested."""
    try:
        httptools.HttpRequestParser(object()).feed_data(raw)
    except httptools.HttpParserUpgrade:
        return True
    except httptools.HttpParserError:
        return False
    return True


def broken() -> Iterator[bytes]:
    """Malformed HTTP, or HTTP that a server may not answer."""
    for line in ("GARBAGE", "GET", "GET /api/v2/course/1/ HTTP/9.9", "GET  /api/v2/course/1/ HTTP/1.1 x", "\0\1\2"):
        yield f"{line}\r\nHost: {HOST}\r\n\r\n".encode()
    for header in (
        "Content-Length: x",
        "Content-Length: -1",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Bad header: 1",
        "No-Colon",
        ": nothing",
        " folded: 1",
        "Host: a\r\n b",
        "X-Nul: a\0b",
    ):
        yield f"POST /api/v2/course/1/join/ HTTP/1.1\r\nHost: {HOST}\r\n{header}\r\n\r\n{{}}".encode()
    get, host, seen = b"GET /api/v2/course/1/ HTTP/1.1", f"Host: {HOST}".encode(), b"GET /api/v2/category/ HTTP/1.1"
    for first, second, end in (
        (b"\n", b"\n", b"\n"),
        (b"\r\n", b"\r\n", b"\n"),
        (b"\r\n", b"\n", b"\r\n"),
        (b"\r", b"\r\n", b"\r\n"),
    ):
        yield get + first + host + second + end + seen + b"\r\n" + host + b"\r\n\r\n"
    chunked = f"POST /api/v2/course/ HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield f"{chunked}zz\r\n{{}}\r\n0\r\n\r\n".encode()
    yield f"{chunked}1\r\n{{}}\r\n0\r\n\r\n".encode()


_PATHS = """
    {bare} {path}/ /{path} {path}x/ /x/..{path} {path}#part {path};a=b http://stub.test{path} * / /docs/ /openapi.json
    {course}/01/ {course}/-1/ {course}/+1/ {course}/0/ {course}/9999/ {course}/99999999999999999999/ {course}/1.0/
    {course}/1%20/ {course}/%31/ {course}//1/ {course}/1/?/ {course}/x/ {course}/1/section/4/ {course}/
    /~{world}{path} /~{world}{path} /~{world}/{path} /~fresh{path} /~a__b{path} /~-bad{path} /~{path} /~{world}/
    /api/v2/nothing/ /api/v2/ /API/V2/course/1/ /favicon.ico /upfiles/courses/small/x_1.png /__stub/version
    /oauth/authorize/?client_id=stub-app&response_type=code&redirect_uri=http://localhost/&login_hint=wren_hollis
    """.split()
_QUERIES = """
    limit=0 limit=101 limit=100 limit=abc limit= limit limit=1&limit=2 limit[]=1 limit=-1 limit=1.0 limit=007 LIMIT=1
    limit=99999999999999999999 offset=-1 offset=3 offset=99999 unknown=1 __code=404 __code=999 __wait=0 %5F_code=404 &&&
    search=%C3%BC search=%FF search=%zz search=a;b search=a+b search=%00 search=a%26b = =x a=b;c=d ?limit=1 limit=1?
    statuses= statuses=,, statuses=nobody statuses=[] statuses=[1 statuses=[[1]] statuses=joined,invited
    statuses[0]=joined statuses[]=joined&statuses[]=invited categories=1,2 categories=x categories=[1,2] user=3 user=99
    ordering=name ordering=-name ordering=nonsense view=edit view=dashboard view=nonsense parent=1 parent=null parent=0
    user=x user= search=%22 search=" search={}|\\^~` search=<> search=' search=\xfc
    """.split()
_HEADERS = """
    Accept:*/* Accept:application/json,text/plain,*/* Accept:text/html Accept:application/json;q=0 Accept:
    Accept:text/html|application/json Accept-Encoding:gzip Cookie:a=b TE:trailers Range:bytes=0-9 If-None-Match:*
    Origin:http://localhost:3000 Origin:https://app.example Origin:http://evil.example Origin:null
    Origin:https://app.example|http://evil.example Origin:
    Prefer:code=404 Prefer:code=299 Prefer:wait=0 Prefer:return=minimal Prefer:respond-async|code=403
    X-Stub-World:other X-Stub-World:other|default X-Stub-World:-bad X-Stub-World: X-Stub-World:a/b
    X-Stub-Fixture:default X-Stub-Fixture:empty X-Stub-Fixture:nothing X-Stub-Fixture:
    X-Forwarded-Proto:https X-Forwarded-For:203.0.113.9 X-Forwarded-Host:shop.example Forwarded:proto=https
    X-HTTP-Method-Override:DELETE X-Odd:\xff\xfe Content-Encoding:gzip Content-Range:bytes_0-11/12 Content-Range:x
    Host Host: Host:under_score.test Host:stub.test:8080 Host:stub.test:123456 Host:[::1]:80 Host:a,b
    Host:stub.test|other.test Expect:100-continue Expect:other Upgrade:websocket Upgrade:h2c
    Connection:close Connection:keep-alive Connection:Upgrade Content-Type:application/json Content-Type:text/plain
    """.split()
"""Names and values that replace those of the request."""
_TOKENS = ("Bearer unknown", "Bearer", "Bearer ", "", "Basic c3R1Yi1hcHA6", "Token stub-member", "Bearer stüb")
_MEDIA = "text/plain application/xml application/problem+json application/* */* json ;".split()
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**30,
    1.5,
    float("nan"),
    "",
    " ",
    "text",
    "7",
    "null",
    [],
    [1],
    ["1"],
    [[1]],
    {},
)
_VALUES += ({"a": 1}, "\0", "\ud800", "x" * 70_000, [1] * 3000, "2030-02-30T00:00:00Z", "2030-01-01T00:00:60Z")
"""Values for a field, whatever its type."""
_TEXTS: tuple[bytes, ...] = (
    b"",
    b" ",
    b"null",
    b"[]",
    b'"text"',
    b"7",
    b"{",
    b"{}",
    b"[" * 5000,
    b'{"name":' + b"[" * 200 + b"]" * 200 + b"}",
)
_TEXTS += (b'{"embed":' + b'{"a":' * 1500 + b"1" + b"}" * 1500 + b"}", b"name=a&x=1", b"\xff\xfe", b"&" * 2000)
"""Replacements for a body."""


def _fields(body: bytes) -> dict[str, Any]:
    """The fields of a JSON object; none for anything else."""
    with contextlib.suppress(ValueError, RecursionError):  # some are nested deeply
        found = json.loads(body)
        return found if isinstance(found, dict) else {}
    return {}


class Oddities:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def of(self, request: Request) -> Request:
        """The request with one unusual thing about it."""
        kinds = [self._path, self._query, self._header, self._header, self._token, self._method, self._framing]
        if request.body:
            kinds += [self._body, self._body, self._type]
        return self._chance.choice(kinds)(request)

    def _path(self, request: Request) -> Request:
        path, mark, query = request.target.partition("?")
        world = request.header("X-Stub-World") or "default"
        at = self._chance.randrange(min(1, len(path) - 1), len(path))
        filled = {"path": path, "bare": path.rstrip("/"), "course": "/api/v2/course", "world": world}
        encoded = f"{path[:at]}%{ord(path[at]):02x}{path[at + 1 :]}"
        odd = self._chance.choice(
            [
                encoded,
                path.upper(),
                re.sub("/([0-9])", r"/00\1", path),
                re.sub("/[0-9]+/", f"/{self._chance.randint(1, 60)}/", path, count=1),
                "/api/v2/" + "x" * 3000 + "/",
                *(text.format(**filled) for text in _PATHS),
            ]
        )
        return replace(request, target=odd if "?" in odd else odd + mark + query)

    def _query(self, request: Request) -> Request:
        odd = self._chance.choice([*_QUERIES, "", "search=" + "a" * 5000, "&".join(f"q{n}=1" for n in range(1001))])
        path, mark, query = request.target.partition("?")
        if mark and self._chance.random() < 0.6:
            odd = f"{query}&{odd}"
        return replace(request, target=f"{path}?{odd}")

    def _header(self, request: Request) -> Request:
        chosen = self._chance.choice([*_HEADERS, "HTTP/1.0", "X-Odd:" + "x" * 20_000])
        if chosen == "HTTP/1.0":
            connection = self._chance.choice(([], ["keep-alive"], ["close"]))
            return replace(request, version="1.0").with_("Connection", *connection)
        name, colon, values = chosen.partition(":")
        if name == "Upgrade":
            request = request.with_("Connection", "Upgrade")
        return request.with_(name, *(value.replace("_0", " 0") for value in values.split("|") if colon))

    def _token(self, request: Request) -> Request:
        good, user = request.header("Authorization") or "Bearer stub-member", self._chance.randint(1, 16)
        odd = self._chance.choice(
            (
                *([token] for token in _TOKENS),
                [good.replace("Bearer", "bearer")],
                [good.replace("Bearer ", "BEARER   ")],
                [f"{good} x"],
                [good, "Bearer stub-stranger"],
                ["Bearer stub-stranger", good],
                [f"Bearer {signed(user)}"],
                [f"Bearer {signed(user, SOON)}"],
                [f"Bearer {signed(user, PAST)}"],
                [f"Bearer {signed(user, secret='another-secret-that-is-long-enough')}"],
                [f"Bearer {signed(user, kind='refresh')}"],
                [f"Bearer {signed('1')}"],
                [],
            )
        )
        return request.with_("Authorization", *odd)

    def _method(self, request: Request) -> Request:
        methods = "HEAD HEAD HEAD OPTIONS GET POST PUT PATCH DELETE get Get TRACE PURGE PROPFIND".split()
        return replace(request, method=self._chance.choice(methods))

    def _type(self, request: Request) -> Request:
        media = request.header("Content-Type")
        spelled = [f"{media}; charset=utf-8", f"{media};charset=latin-1", f"{media} ; x=y", f"  {media}  "]
        spelled += [media.upper().replace("BOUNDARY", "boundary"), MULTIPART, f"{MULTIPART}; boundary=", JSON, FORM, ""]
        return request.with_(
            "Content-Type",
            *self._chance.choice(
                ([], [media, JSON], [JSON, media], [media, media], *([text] for text in (*spelled, *_MEDIA)))
            ),
        )

    def _body(self, request: Request) -> Request:
        body, wider = request.body, (70_000, MAX_BODY, MAX_BODY + 1)
        odd = [*_TEXTS, body[:-5], body + b"x", b"\xef\xbb\xbf" + body, body[:9] + b"\xff" + body[9:], b" \r\n" + body]
        odd += [body + b" " * (size - len(body)) for size in wider]
        if fields := _fields(body):
            name = self._chance.choice(list(fields))
            odd += [json.dumps({**fields, name: value}).encode() for value in _VALUES]
            odd += [json.dumps({**fields, extra: 1}).encode() for extra in ("unknown", "id", "created_by", "ü" * 40)]
            odd += [body[:-1] + b',"name":"Twice"}', body[:-1] + b',"privacy":"open","privacy":"secret"}']
            form = urlencode({key: str(fields[key]) for key in fields}, errors="replace")  # lone surrogates
            odd += [json.dumps(fields).encode("utf-16"), form.encode()]
        return replace(request, body=self._chance.choice(odd))

    def _framing(self, request: Request) -> Request:
        if not request.body:
            text = self._chance.choice((b"{}", b'{"a":1}', b'{"a":2}', b"x" * 20_000))
            return replace(request, body=text).with_(
                "Content-Type", *self._chance.choice(((), (JSON,), ("text/plain",)))
            )
        trailer = self._chance.choice(("", "", "X-Sum: 1\r\n", "Prefer: code=404\r\n", "Expect: 100-continue\r\n"))
        sizes = self._chance.choice(((1,), (3, 5), (7, 1, 400), (10**6,)))
        return replace(request, chunks=sizes if len(request.body) < 2000 else (10**6,), trailer=trailer)
