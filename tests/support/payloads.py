"""Requests that elsewhere have made servers connect, read files or run code, and innocent ones to compare them with."""

import contextlib
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from stubserver.api.images import png
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from tests.permissions import example
from tests.support.attacks import BODIES
from tests.support.forms import MULTIPART, form, part
from tests.support.tokens import APP, PAGE

Options = dict[str, Any]
"""A request, as arguments of httpx."""
UPLOAD = "upload_media_chunk"
_PAYLOADS = [
    "http://127.0.0.1:{port}/x",
    "//127.0.0.1:{port}/x",
    "../../../../../../etc/passwd",
    "file:///etc/passwd",
    "{{{{7*7}}}}${{7*7}}<%= 7*7 %>#{{7*7}}",
    "${{jndi:ldap://127.0.0.1:{port}/x}}",
    "__import__('os').system('touch {mark}')",
    "$(touch {mark})`touch {mark}`;touch {mark}|touch {mark}",
    "!!python/object/apply:os.system ['touch {mark}']",
    "cos\nsystem\n(S'touch {mark}'\ntR.",
    '<!DOCTYPE x [<!ENTITY y SYSTEM "http://127.0.0.1:{port}/x">]><x>&y;</x>',
]
"""Texts that elsewhere have made servers connect, read files or run code."""
_HEADERS = ["Origin", "Referer", "User-Agent", "Cookie", "Accept-Language", "X-Forwarded-For", "Forwarded", "Prefer"]
_HEADERS += ["X-Stub-World", "X-Stub-Fixture", "Content-Disposition", "X-Original-URL", "Range", "Authorization"]
_NAMES = ("url", "embed", "hook", "avatar", "image", "fixture", "file")
"""Names of fields that elsewhere lead to files or servers."""
_MEDIA = ["application/xml", "application/yaml", "application/x-python-pickle", "application/x-www-form-urlencoded"]

_COVER: Options = {"method": "PATCH", "url": "/api/v2/course/1/"}
"""A request that takes a picture."""


class Canary:
    """An address in the payloads; a test sees whether anybody has connected to it, and a file that code would make."""

    def __init__(self, folder: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.mark = folder / "mark"
        self.payloads = [text.format(port=self._listener.getsockname()[1], mark=self.mark) for text in _PAYLOADS]

    @property
    def untouched(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            self._listener.accept()
            return False
        return not self.mark.exists()

    def close(self) -> None:
        self._listener.close()


def innocent(contracts: Sequence[Contract]) -> Iterator[Options]:
    """Each operation once, and each kind of page."""
    for contract in contracts:
        for operation in contract.operations.values():
            path = re.sub(r"\{\w+\}", "1", operation.path)
            options: Options = {"method": operation.method.upper(), "url": path}
            if operation.id == UPLOAD:
                options |= {
                    "files": {"image": ("sky.png", b"twelve bytes")},
                    "headers": {"Content-Range": "bytes 0-11/12"},
                }
            elif operation.bodies:
                options["json"] = _body(contract, operation)
            yield options
    own = {"X-Stub-World": "pictured"}  # where nobody has deleted the course
    yield {**_COVER, "headers": own, "files": {"image_original": ("sky.png", png(8, "sky"))}}
    pages = [
        "/",
        "/docs/",
        "/docs/swagger-ui.css",
        "/docs/swagger-ui-bundle.js",
        "/openapi.json",
        "/__stub/docs/",
        "/~empty/docs/",
    ]
    pages += ["/__stub/openapi.json", f"{PAGE}?{urlencode({**APP, 'response_type': 'code'})}", "/nowhere", "/api/v2/x"]
    pages += ["/upfiles/courses/small/a_1.png", "/upfiles/x.pdf"]
    yield from ({"method": "GET", "url": path} for path in pages)
    for fixture in ("empty", "default", "nope"):
        yield {
            "method": "GET",
            "url": "/api/v2/course/1/",
            "headers": {"X-Stub-World": fixture, "X-Stub-Fixture": fixture},
        }
    for media in _MEDIA:
        yield {"method": "POST", "url": "/api/v2/course/", "headers": {"Content-Type": media}, "content": b"x"}


def attacks(contracts: Sequence[Contract], payloads: Iterator[str]) -> Iterator[Options]:
    """The next payload in every text of every body, in every parameter, in headers, and as bodies."""
    for contract in contracts:
        for operation in contract.operations.values():
            yield from _attacks_on(contract, operation, payloads)
    yield from _attacks_besides(payloads)


def _attacks_on(contract: Contract, operation: Operation, payloads: Iterator[str]) -> Iterator[Options]:
    sent: Options = {"method": operation.method.upper(), "url": re.sub(r"\{\w+\}", "1", operation.path)}
    if "{" in operation.path:
        yield {**sent, "url": re.sub(r"\{\w+\}", quote(next(payloads), safe=""), operation.path)}
    paths = contract.document["paths"]
    raw = paths.get(operation.path, paths.get(operation.path.removeprefix("/__stub")))[operation.method]
    for parameter in map(contract.resolve, raw.get("parameters", [])):
        if parameter["in"] == "query":
            yield {**sent, "params": {parameter["name"]: next(payloads)}}
    if operation.bodies and operation.id != UPLOAD:
        body = _body(contract, operation)
        for place in _texts(body):
            yield {**sent, "json": _put(body, place, next(payloads))}
        yield {**sent, "json": {**dict.fromkeys(_NAMES, next(payloads)), **body}}


def _attacks_besides(payloads: Iterator[str]) -> Iterator[Options]:
    for name in _HEADERS:
        for path in ("/api/v2/course/1/", "/__stub/clock"):
            yield {"method": "GET", "url": path, "headers": {name: re.sub(r"\s", " ", next(payloads))}}
    course: Options = {"method": "POST", "url": "/api/v2/course/"}
    for media in _MEDIA:
        yield {**course, "headers": {"Content-Type": media}, "content": next(payloads)}
    name = re.sub(r"\s", " ", next(payloads)).replace('"', "'")
    upload = form(part("image", b"twelve bytes", name))
    headers = {**MULTIPART, "Content-Range": "bytes 0-11/12"}
    yield {"method": "POST", "url": "/api/v2/media/upload/chunk/", "headers": headers, "content": upload}
    picture = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{next(payloads)}"/></svg>'.encode()
    yield {**_COVER, "files": {"image_original": (name, picture)}}
    yield {**_COVER, "files": {"image_original": (f"{name}.png", png(8, "sky") + picture)}}
    for below in ("/upfiles/", "/docs/", "/~", f"{PAGE}?redirect_uri=", "/openapi.json?x=", "/"):
        yield {"method": "GET", "url": f"{below}{quote(next(payloads), safe='')}"}
    wish = {**APP, "redirect_uri": next(payloads), "state": next(payloads)}
    yield {"method": "GET", "url": f"{PAGE}?{urlencode(wish)}"}


def send(client: httpx.Client, number: int, options: Options) -> None:
    """Send a request as the creator, in one of a few worlds; it must be answered, and not by a failure. Faults have a
    world of their own."""
    world = "faulty" if "/faults" in options["url"] else f"w{number % 5}"
    headers = {"Authorization": "Bearer stub-creator", "X-Stub-World": world, **options.pop("headers", {})}
    answer = client.request(headers=headers, **options)
    assert answer.status_code < 500, (options, answer.text)


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of the texts in a body."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*path, key))


def _put(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """The body with another text at a place."""
    if not path:
        return text
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(value[path[0]], path[1:], text)
    return copy


def _body(contract: Contract, operation: Operation) -> Any:
    if operation.id == "load_snapshot":
        return {"version": "1", "fixture": "x", "name": "x"}
    return BODIES[operation.id] if operation.id in BODIES else example(contract, operation)
