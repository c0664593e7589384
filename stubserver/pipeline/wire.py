"""The wire: creates the `Call`, enforces bounds, and hides from Connexion the odd spellings that HTTP allows."""

import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import (
    BASE_PATH,
    CONTROL,
    EVENTS,
    FIXTURE_HEADER,
    METRICS,
    METRICS_ALIAS,
    WORLD_HEADER,
    base_path,
)
from stubserver.call import REFUSAL_KEY, SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal, invalid, refusal
from stubserver.pipeline.answer import Headers, send_refusal
from stubserver.pipeline.decoding import decoded, too_large
from stubserver.pipeline.exchange import CONNECTION
from stubserver.pipeline.hints import oddity, shown
from stubserver.pipeline.protection import Protection
from stubserver.pipeline.proxies import HOST, Addresses
from stubserver.pipeline.visitors import Visitors, is_followed
from stubserver.worlds.clock import EARLIEST
from stubserver.worlds.registry import DEFAULT, NAME, NAMING, Worlds
from stubserver.worlds.world import World

MAX_PATH = 2048
"""Maximum length of a path; a longer one cannot name anything (and would overflow an integer in it)."""
API = ("/api/", "/oauth/")
"""Prefixes of the paths that follow the API's rules on media types and slashes."""
INSPECTOR = "/inspector/"
"""Prefix of what the page at / loads; it only looks at a world."""
PAGE = "/oauth/authorize"
"""The exception: a page for people, with a trailing slash or, as in the docs, without."""


_TEXTS = {METRICS: "text/plain", EVENTS: "text/event-stream"}
"""Paths that answer with something else than JSON."""
_MAX_DIGITS = 18
"""Maximum number of digits in a Content-Length; int() raises an error for thousands."""


class Wire:
    """ASGI middleware that turns a raw request into a call in the world it names, with its whole body read."""

    def __init__(self, app: ASGIApp, worlds: Worlds, control: Contract, protection: Protection) -> None:
        """Raises ValueError for settings of addresses and hosts that cannot be."""
        self._app = app
        self._control = control
        self._worlds = worlds
        self._protection = protection
        self._addresses = Addresses(worlds.settings)
        self._visitors = Visitors(worlds.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in its plain form, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            call = scope[SCOPE_KEY] = self.call(scope)
            check(call)
            most = self._most(call)
            body = await self._body(receive, call.headers, most)
            encoding = call.headers.get("content-encoding", "")
            call.raw_body = decoded(body, encoding, most) if body and encoding else body
        except ClientDisconnect:
            scope.pop(SCOPE_KEY)  # an incomplete request is not recorded
            return
        except Refusal as refused:
            scope[REFUSAL_KEY] = refused
            await send_refusal(refused, send, scope["method"])
            return
        root_path = call.prefix + call.base_path
        path = root_path + call.path
        inner = {
            **scope,
            "root_path": root_path,  # so that redirects and pages stay in the world
            "path": path,
            "raw_path": quote(path).encode(),
            "headers": plain_headers(call, scope["headers"]),
        }
        await self._app(inner, _after_body(receive), send)

    def admits(self, length: int) -> bool:
        """Whether a body of `length` bytes is small enough for every operation."""
        return length <= self._worlds.settings.max_body

    def _most(self, call: Call) -> int:
        """Maximum size of the body, in bytes."""
        operation = self._control.find(call.method, call.path) if call.is_control else None
        most: int = getattr(self._worlds.settings, operation.max_body if operation else "max_body")
        return most

    async def _body(self, receive: Receive, headers: Mapping[str, str], most: int) -> bytes:
        """The whole body. Raises a 413 refusal as soon as it is known to be too large, and ClientDisconnect."""
        length = headers.get("content-length", "")
        if not length and "transfer-encoding" not in headers:
            return b""
        body = bytearray()
        fits = not length.isdigit() or (len(length) <= _MAX_DIGITS and int(length) <= most)
        while fits:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            fits = len(body) <= most
            if fits and not message.get("more_body", False):
                return bytes(body)
        raise too_large(most)

    def call(self, scope: Scope) -> Call:
        """The request as a call. Raises a refusal if it does not name its host, names its world wrongly, or may not use
        the control plane."""
        headers = {key.lower().decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        prefix = BASE_PATH.match(scope["path"])
        base = prefix[0] if prefix else ""
        path, method = scope["path"].removeprefix(base) or "/", scope["method"]
        if f"{path}/" == CONTROL:
            path = CONTROL  # the index of the control plane answers without its slash, too
        if path == METRICS_ALIAS:
            path = METRICS
        used = self._addresses.used(scope, headers)
        address = self._addresses.public or used
        if CONNECTION in scope.get("extensions", {}):
            self._visitors.check_host(headers.get("host", ""))
            self._visitors.check_host(used.host)
        if path.startswith(CONTROL):
            self._protection.check(method, path, headers, used, address)
        _check_host(scope)
        name = _world_name(headers, prefix[1] if prefix else None)
        locate = partial(self._world, name, method, path, headers)
        is_shared = self._worlds.is_shared
        world = World(name, self._worlds.fixture, self._worlds.settings) if is_shared else locate()
        return Call(
            world=world,
            at=EARLIEST if is_shared else world.clock.now(),
            locate=locate if is_shared else None,
            method=method,
            path=path,
            base_url=f"{address.origin}{address.prefix}{base}",
            root=f"{address.origin if self._addresses.public else ''}{address.prefix}{base}",
            prefix=address.prefix,
            base_path=base,
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            content_type=_media_type(headers.get("content-type", "")),
        )

    def _world(self, name: str, method: str, path: str, headers: Mapping[str, str]) -> World:
        """The world of a request, which is made unless the request is for the control plane or the inspector, or of a
        foreign page. Raises a 400 or 403 refusal."""
        if path.startswith(CONTROL):
            return self._worlds.peek(name)
        if not self._visitors.is_foreign(headers) or (is_followed(method, headers) and not is_api(path)):
            if path == "/" or path.startswith(INSPECTOR):
                return self._worlds.peek(name)
            return self._worlds.touch(name, headers.get(FIXTURE_HEADER.lower()))
        if path.startswith(API) or name not in self._worlds:
            raise refusal(
                403,
                "Pages of another site may not use this server, unless it is started with --cors-origin for their "
                "origin. To open the address yourself, enter it into the browser.",
            )
        return self._worlds.peek(name)


def _check_host(scope: Scope) -> None:
    """Raises a 400 refusal unless one Host header names a host (RFC 9112, 3.2); only HTTP/1.0 may do without."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"]
    if len(hosts) > 1:
        raise invalid("Host", "invalid", f"There are {len(hosts)} Host headers; send one.")
    if not hosts and scope.get("http_version", "1.1") == "1.1":
        raise invalid("Host", "required", "A request in HTTP/1.1 has a Host header, such as localhost:8765.")
    if hosts and not HOST.fullmatch(hosts[0]):
        message = f"{hosts[0]!r} is not a host: send a name or an address, and a port if it is not 80."
        raise invalid("Host", "invalid", message)


def _world_name(headers: Mapping[str, str], in_path: str | None) -> str:
    """The name of the world, from the base path or the header. Raises a 400 refusal."""
    header = headers.get(WORLD_HEADER.lower())
    if header == "":
        raise invalid(WORLD_HEADER, "invalid", "It is empty: name a world, or leave the header out.")
    name = in_path if in_path is not None else header or DEFAULT
    if not NAME.fullmatch(name):
        raise invalid(WORLD_HEADER, "invalid", f"{name!r} is not a valid name of a world: {NAMING}.")
    if header and header != name:
        message = f"It names {header!r}, but the base path {base_path(name)} names another world."
        raise invalid(WORLD_HEADER, "invalid", message)
    return name


def _media_type(header: str) -> str:
    """A Content-Type with its media type in lower case and without blanks, the only spelling that Connexion knows."""
    kind, separator, parameters = header.partition(";")
    return kind.strip().lower() + separator + parameters


def plain_headers(call: Call, headers: Headers) -> Headers:
    """The request's headers, with its media type in the one spelling that Connexion understands."""
    plain = [(name, value) for name, value in headers if name.lower() != b"content-type"]
    if call.content_type:
        plain.append((b"content-type", call.content_type.encode("latin-1")))
    return plain


def check(call: Call) -> None:
    """Raises a refusal for an invalid path, or if the client does not accept JSON."""
    _check_path(call.path)
    _check_accept(call.path, call.headers.get("accept", ""))


def _check_path(path: str) -> None:
    if len(path) > MAX_PATH:
        raise refusal(404, "No such path.")
    what = oddity(path)
    if is_api(path) and not path.endswith("/") and not what:  # a path that is odd has a better hint
        raise refusal(404, f"No such path. Every path of the API ends with a slash: {shown(path)}/")
    if _is_control(path) and path.endswith("/") and path != CONTROL:
        also = f", and this one has {what}" if what else ""
        raise refusal(404, f"No such path. Below {CONTROL}, no path ends with a slash{also}: {shown(path.rstrip('/'))}")


def is_api(path: str) -> bool:
    """Whether the API's rules on media types and slashes apply to the path."""
    return path.startswith(API) and path.rstrip("/") != PAGE


def _is_control(path: str) -> bool:
    """Whether the path belongs to the control plane, not counting its docs page."""
    return path.startswith(CONTROL) and not path.startswith(f"{CONTROL}docs")


def _check_accept(path: str, header: str) -> None:
    """The API answers JSON only (R026), and so does the control plane, but for a few."""
    if not (is_api(path) or _is_control(path)) or not header:
        return
    media = _TEXTS.get(path, "application/json")
    if not any(_admits(part, media) for part in header.split(",")):
        raise refusal(406, f"Answers are {media} only; the Accept header does not admit it.")


def _admits(media_range: str, media: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_range.split(";"))
    unwanted = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return kind in ("*/*", f"{media.partition('/')[0]}/*", media) and not unwanted


def _after_body(receive: Receive) -> Receive:
    """A `receive` for after the body has been read: an empty body, then nothing until the client disconnects."""
    given = False

    async def following() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message

    return following
