"""What the head of a request alone decides: its route, security, media type, parameters and CORS headers.

It is decided once for each distinct head, by uvicorn's parser and by Connexion's own objects, taken from the stack that
serves all other requests. Requests whose heads are the same, byte for byte, share the result.

Trace context is another in each request, and decides nothing: in the usual spelling, its values are taken out of the
head before it is looked up, and given back to the call. A head with one of these headers twice is for the stack.
"""

import re
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import httptools
from starlette.datastructures import Headers as RequestHeaders
from starlette.routing import Match, Mount

from stubserver.addressing import FIXTURE_HEADER, SWITCH_COOKIE
from stubserver.call import Call
from stubserver.contract.operation import Operation
from stubserver.lane.connection import MAX_HEAD
from stubserver.pipeline import reading, wire
from stubserver.pipeline.answer import Headers, success_headers
from stubserver.pipeline.cors import Cors
from stubserver.pipeline.exchange import CONNECTION
from stubserver.pipeline.wire import Wire
from stubserver.worlds.base import Row
from stubserver.worlds.world import World

MAX_HEADS = 1024
"""Maximum number of cached heads."""
MAX_LENGTH = 8 * 1024
"""Maximum length of a cached head, in bytes."""
MAX_ROUTES = 4096
"""Maximum number of paths whose route is cached."""

MAX_READS = 1024
"""Maximum number of names of what a cached answer was made of; with more, any change makes it stale."""

_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
_PLAIN_URL = re.compile(r"/(?!/)[\w./~-]*(\?[!\"$-~]*)?", re.ASCII)
_FOR_THE_STACK = re.compile(rb"prefer|x-forwarded-.*|forwarded|expect|transfer-encoding|content-encoding")
"""Headers that only the stack handles: preferences, a proxy's headers, and those on how the body is sent."""
_TRACED = b"raceparent: "
"""What a head with trace context in the usual spelling has in it."""
_TRACE = re.compile(rb"(?<=\r\n)(traceparent|tracestate): ([!-~](?:[ -~]*[!-~])?)(?=\r\n)", re.IGNORECASE)
"""A line of trace context whose value the parser would take as it is. It refuses lines that go on in the next one."""
_LEFT_OUT = rb"\1: -"


@dataclass(slots=True)
class CachedAnswer:
    """The answer to a GET, cached until something changes that it was made of, or a relevant time passes."""

    text: bytes
    user: Row | None
    """The caller, who need not be identified again; all else that a call needs is in the head's."""
    world: weakref.ref[World]
    reads: set[Any] | None
    """The names of all that was read in the world's tables; None if that is too much to keep."""
    writes: int
    """The world's number of writes at the time when none of that had changed."""
    since: datetime
    until: datetime
    """The answer holds from `since` until just before `until`, as long as nothing of that changes."""

    def is_good(self, world: World, at: datetime) -> bool:
        """Whether the answer would be the same at this time."""
        if self.world() is not world or not self.since <= at < self.until:
            return False
        if self.writes != world.writes:
            if self.reads is None or world.log.touches(self.reads, self.writes):
                return False
            self.writes = world.writes
        return True


@dataclass
class Head:
    """What all requests with the same head have in common."""

    call: Call
    """A call that has taken all steps that depend only on the head, detached from its world."""
    length: int
    """Length of the body, in bytes."""
    target: str
    """Path and query as sent."""
    world: str
    fixture: str | None
    secured: bool
    """Whether the operation identifies the caller."""
    media: str | None
    """Media type of the body, if the operation reads one."""
    headers: Headers
    """Headers of every success answer, without Content-Length."""
    cors: Headers
    """CORS headers of the answer."""
    cached: CachedAnswer | None = None
    """The last answer, if it could be cached, for as long as its world exists."""

    def cache(self, call: Call, text: bytes, reads: set[Any]) -> None:
        """Keep the answer to a call that has changed nothing, made of what it `reads`."""
        world, clock = call.world, call.world.clock
        end = weakref.ref(world, self.drop)
        few = reads if len(reads) <= MAX_READS else None
        self.cached = CachedAnswer(text, call.user, end, few, world.writes, clock.since, clock.until)

    def again(self, headers: Mapping[str, str]) -> "Head":
        """The head of a request with other values of headers that decide nothing. Its answer is cached for all."""
        call, twin = self.call.detached(), Head.__new__(Head)
        call.headers = {**call.headers, **headers}
        twin.__dict__ = {**self.__dict__, "call": call, "cache": self.cache}
        return twin

    def drop(self, _: object = None) -> None:
        """Forget the cached answer, for instance because its world is gone."""
        self.cached = None


class ParsedHead:
    """A head as uvicorn's parser reads it."""

    def __init__(self, text: bytes) -> None:
        """Parse the text of a head. Raises httptools' errors if uvicorn would refuse it, or warn about it."""
        self._url = b""
        self._is_usual = False
        self.headers: Headers = []
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(text)
        self.method: str = self._parser.get_method().decode()
        del self._parser  # which refers to this object, too

    @property
    def url(self) -> str:
        """Path and query as sent."""
        return self._url.decode("latin-1")

    @property
    def length(self) -> int:
        """Length of the body, in bytes."""
        return int(dict(self.headers).get(b"content-length", b"0"))

    @property
    def is_plain(self) -> bool:
        """Whether the head needs no interpretation by uvicorn or the wire hop."""
        return (
            self._is_usual
            and self.method in _METHODS
            and _PLAIN_URL.fullmatch(self.url) is not None
            and "__" not in self.url
            and not self._has_trace_twice
            and not any(_FOR_THE_STACK.fullmatch(name) or _switches(name, value) for name, value in self.headers)
        )

    @property
    def _has_trace_twice(self) -> bool:
        """Whether there is another value of trace context than the one that would be taken out."""
        names = [name for name, _ in self.headers if name in (b"traceparent", b"tracestate")]
        return len(names) > len({*names})

    # Callbacks of the parser

    def on_url(self, url: bytes) -> None:
        """Add a part of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Note whether this is HTTP/1.1 and the connection stays open for more of it."""
        lasting = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._is_usual = lasting and self._parser.get_http_version() == "1.1"


class Heads:
    """Makes heads, and caches them."""

    def __init__(self, hops: Mapping[str, Any], operations: Mapping[str, Operation]) -> None:
        """`hops` has the outermost layer of each hop, by the hop's name."""
        self._router = hops["routing"].router
        self._securities = _operations(hops["authentication"])
        self._validations = _operations(hops["validation"])
        self._wire: Wire = hops["wire"]
        self._cors: Cors = hops["cors"]
        self._operations = operations
        self._routed = lru_cache(MAX_ROUTES)(self._route)
        self._known: dict[bytes, Head | None] = {}

    def find(self, text: bytes) -> Head | None:
        """The head of a plain request that Connexion would pass on to an operation, as far as the head decides that;
        None for any other request. `text` includes the empty line that ends the head."""
        try:
            return self._known[text]
        except KeyError:
            traced = _TRACED in text and len(text) <= MAX_LENGTH
            return self._find_traced(text) if traced else self._first(text)

    def _find_traced(self, text: bytes) -> Head | None:
        same = _TRACE.sub(_LEFT_OUT, text)
        head = self._known[same] if same in self._known else self._first(same)
        trace = {name.lower().decode(): value.decode() for name, value in _TRACE.findall(text)}
        return head.again(trace) if head and trace else head

    def _first(self, text: bytes) -> Head | None:
        """A head that is not cached, which it is from now on, unless it is too long."""
        head = self._read(text)
        if len(text) <= MAX_LENGTH:
            if len(self._known) >= MAX_HEADS:
                self._clear()
            self._known[text] = head
        return head

    def _clear(self) -> None:
        for head in filter(None, self._known.values()):
            head.drop()  # it and the reference to its world refer to each other
        self._known.clear()

    def _read(self, text: bytes) -> Head | None:
        if len(text) > MAX_HEAD:
            return None
        try:
            sent = ParsedHead(text)
            if not sent.is_plain or not self._wire.admits(sent.length):  # the stack refuses it before it has arrived
                return None
            return self._head(sent.method, sent.url, sent.headers, sent.length)
        except Exception:  # the stack will run into it, too, and report it
            return None

    def _head(self, method: str, target: str, headers: Headers, length: int) -> Head | None:
        """None if the request is not for an operation. Raises a refusal, or an exception of Connexion's."""
        path, _, query = target.partition("?")
        scope = {
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": headers,
            "extensions": {CONNECTION: {}},  # it comes over a socket
        }
        call = self._wire.call(scope)
        wire.check(call)
        routed = self._routed(method, call.path)
        if routed is None or routed[0] not in self._operations:
            return None
        call.routed, call.ids = self._operations[routed[0]], routed[1]
        security = self._securities[call.routed.id].security
        if security and {} not in security and "authorization" not in call.headers:
            return None
        reading.read_parameters(call)
        if call.accepted:  # which depends on the world, that may become strict
            return None
        return Head(
            call=call.detached(),
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


def _switches(name: bytes, value: bytes) -> bool:
    """Whether a header may switch on a fault, which only the stack does."""
    return name == b"cookie" and SWITCH_COOKIE.encode() in value


def _operations(middleware: Any) -> Mapping[str, Any]:
    """The objects that a Connexion middleware holds, by operationId."""
    return {name: found for apis in middleware.apis.values() for api in apis for name, found in api.operations.items()}


def _match(router: Any, scope: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The operationId and the path parameters of the first matching route, which the router itself would choose."""
    for route in router.routes:
        fits, found = route.matches(dict(scope))
        if fits is Match.FULL:
            within = {**scope, **found}
            if isinstance(route, Mount):
                return _match(route.app, within)
            return route.endpoint.operation_id, within["path_params"]
    return None
