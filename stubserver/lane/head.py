"""What follows from the head of a request alone, decided by uvicorn's parser and by Connexion's own objects: those of
the stack that serves all other requests. They are asked once for each distinct head; requests whose heads are the same,
byte for byte, share what they said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import httptools
from starlette.datastructures import Headers as RequestHeaders
from starlette.routing import Match, Mount

from stubserver.addressing import FIXTURE_HEADER
from stubserver.call import Call
from stubserver.contract.operation import Operation
from stubserver.pipeline import reading, wire
from stubserver.pipeline.answer import Headers, success_headers
from stubserver.pipeline.cors import Cors
from stubserver.pipeline.wire import Wire
from stubserver.worlds.world import World

MAX_HEADS = 1024
"""Different heads that are remembered."""
MAX_LENGTH = 8 * 1024
"""Bytes of the longest one that is."""
MAX_ROUTES = 4096
"""Paths whose operation is remembered."""

_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
_PLAIN_URL = re.compile(r"/(?!/)[\w./~-]*(\?[!\"$-~]*)?", re.ASCII)
_FOR_THE_STACK = re.compile(rb"prefer|x-forwarded-.*|expect|transfer-encoding")
"""Headers that more depends on: wishes, what a proxy says of the client, and how the body comes."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """What a GET was answered."""

    call: Call
    text: bytes
    writes: int
    """How much had been done to the world by then."""
    since: datetime
    until: datetime
    """Before this moment, and not before `since`, it is true, if the rows are the same."""

    def is_good(self, world: World, at: datetime) -> bool:
        """Whether it would be answered the same at this moment."""
        same = self.call.world is world and self.writes == world.writes
        return same and self.since <= at < self.until


@dataclass
class Head:
    """What all requests with one head have in common."""

    call: Call
    """A call on which all steps are done that depend on nothing but the head."""
    length: int
    """Bytes of the body."""
    target: str
    """Path and query as asked."""
    world: str
    fixture: str | None
    secured: bool
    """Whether the operation asks who calls."""
    media: str | None
    """The media type of the body, where the operation reads one."""
    headers: Headers
    """Headers of every success answer, but for its length."""
    cors: Headers
    """Those that pages of other origins need."""
    cached: CachedAnswer | None = None
    """The last answer, where that is of use."""


class ParsedHead:
    """The text of a head as uvicorn's parser reads it."""

    def __init__(self, text: bytes) -> None:
        """Raises httptools' errors where uvicorn would refuse it, or warn of it."""
        self._url = b""
        self._is_usual = False
        self.headers: Headers = []
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(text)
        self.method: str = self._parser.get_method().decode()

    @property
    def url(self) -> str:
        """Path and query as sent."""
        return self._url.decode("latin-1")

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return int(dict(self.headers).get(b"content-length", b"0"))

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing in it of which uvicorn or the wire form would have to make sense."""
        return (
            self._is_usual
            and self.method in _METHODS
            and _PLAIN_URL.fullmatch(self.url) is not None
            and "__" not in self.url
            and not any(_FOR_THE_STACK.fullmatch(name) for name, _ in self.headers)
        )

    # What the parser calls

    def on_url(self, url: bytes) -> None:
        """Take a part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Note whether the connection goes on as it is."""
        lasting = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._is_usual = lasting and self._parser.get_http_version() == "1.1"


class Heads:
    """Makes heads, and remembers them."""

    def __init__(self, hops: Mapping[str, Any], operations: Mapping[str, Operation]) -> None:
        """`hops` are the layers of the stack by their names."""
        self._router = hops["routing"].router
        self._securities = _operations(hops["authentication"])
        self._validations = _operations(hops["validation"])
        self._wire: Wire = hops["wire"]
        self._cors: Cors = hops["cors"]
        self._operations = operations
        self._routed = lru_cache(MAX_ROUTES)(self._route)
        self._known: dict[bytes, Head | None] = {}

    def find(self, text: bytes) -> Head | None:
        """The head of a plain request that Connexion would let through to its operation, as far as that depends on the
        head, whose text ends with an empty line; None for any other."""
        try:
            return self._known[text]
        except KeyError:
            head = self._read(text)
        if len(text) <= MAX_LENGTH:
            if len(self._known) >= MAX_HEADS:
                self._known.clear()
            self._known[text] = head
        return head

    def _read(self, text: bytes) -> Head | None:
        try:
            sent = ParsedHead(text)
            if not sent.is_plain or not self._wire.admits(sent.length):  # which is refused before it has come
                return None
            return self._head(sent.method, sent.url, sent.headers, sent.length)
        except Exception:  # the stack will meet it, too, and say what is wrong
            return None

    def _head(self, method: str, target: str, headers: Headers, length: int) -> Head | None:
        """None where it leads to no operation. Raises a refusal or a problem of Connexion's."""
        path, _, query = target.partition("?")
        scope = {"method": method, "path": path, "query_string": query.encode(), "headers": headers}
        call = self._wire.call(scope)
        wire.check(call)
        routed = self._routed(method, call.path)
        if routed is None or routed[0] not in self._operations or not wire.HOST.fullmatch(call.headers.get("host", "")):
            return None
        call.routed, call.ids = self._operations[routed[0]], routed[1]
        security = self._securities[call.routed.id].security
        if security and {} not in security and "authorization" not in call.headers:
            return None
        reading.read_parameters(call)
        return Head(
            call=call,
            length=length,
            target=target if query else path,
            world=call.world.name,
            fixture=call.headers.get(FIXTURE_HEADER.lower()),
            secured=bool(security),
            media=self._media(call, call.routed),
            headers=success_headers(call.routed),
            cors=self._cors.added(RequestHeaders(raw=headers)),
        )

    def _route(self, method: str, path: str) -> tuple[str, Mapping[str, Any]] | None:
        return _match(self._router, {"type": "http", "method": method, "path": path, "path_params": {}})

    def _media(self, call: Call, operation: Operation) -> str | None:
        validation = self._validations[operation.id]
        media: str
        media, _ = validation.extract_content_type(wire.plain_headers(call, []))
        validation.validate_mime_type(media)
        return media if media in operation.bodies else None


def _operations(middleware: Any) -> Mapping[str, Any]:
    """What a middleware of Connexion has for each operationId."""
    return {name: found for apis in middleware.apis.values() for api in apis for name, found in api.operations.items()}


def _match(router: Any, scope: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The operationId and the path parameters of the first route that fits, as the router itself would find it."""
    for route in router.routes:
        fits, found = route.matches(dict(scope))
        if fits is Match.FULL:
            within = {**scope, **found}
            if isinstance(route, Mount):
                return _match(route.app, within)
            return route.endpoint.operation_id, within["path_params"]
    return None
