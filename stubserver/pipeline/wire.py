"""The wire: creates the `Call`, enforces bounds, and hides from Connexion the odd spellings that HTTP allows."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import BASE_PATH, CONTROL, FIXTURE_HEADER, WORLD_HEADER, base_path
from stubserver.call import REFUSAL_KEY, SCOPE_KEY, Call
from stubserver.errors import Refusal, invalid, refusal
from stubserver.pipeline.answer import Headers, send_refusal
from stubserver.pipeline.decoding import decoded, too_large
from stubserver.pipeline.protection import Protection
from stubserver.worlds.registry import DEFAULT, NAME, NAMING, Worlds

MAX_PATH = 2048
"""Maximum length of a path; a longer one cannot name anything (and would overflow an integer in it)."""
API = ("/api/", "/oauth/")
"""Prefixes of the paths that follow the API's rules on media types and slashes."""
PAGE = "/oauth/authorize"
"""The exception: a page for people, with a trailing slash or, as in the docs, without."""


_MAX_DIGITS = 18
"""Maximum number of digits in a Content-Length; int() raises an error for thousands."""
HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)
"""Valid Host headers; with any other, absolute URLs use the server's own address."""


class Wire:
    """ASGI middleware that turns a raw request into a call in the world it names, with its whole body read."""

    def __init__(self, app: ASGIApp, worlds: Worlds, protection: Protection) -> None:
        self._app = app
        self._worlds = worlds
        self._protection = protection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in its plain form, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            call = scope[SCOPE_KEY] = self.call(scope)
            check(call)
            body = await self._body(receive, call.headers)
            encoding = call.headers.get("content-encoding", "")
            call.raw_body = decoded(body, encoding, self._worlds.settings.max_body) if body and encoding else body
        except ClientDisconnect:
            scope.pop(SCOPE_KEY)  # an incomplete request is not recorded
            return
        except Refusal as refused:
            scope[REFUSAL_KEY] = refused
            await send_refusal(refused, send, scope["method"])
            return
        path = call.base_path + call.path
        inner = {
            **scope,
            "root_path": call.base_path,  # so that redirects and pages stay in the world
            "path": path,
            "raw_path": quote(path).encode(),
            "headers": plain_headers(call, scope["headers"]),
        }
        await self._app(inner, _after_body(receive), send)

    def admits(self, length: int) -> bool:
        """Whether a body of `length` bytes is small enough."""
        return length <= self._worlds.settings.max_body

    async def _body(self, receive: Receive, headers: Mapping[str, str]) -> bytes:
        """The whole body. Raises a 413 refusal as soon as it is known to be too large, and ClientDisconnect."""
        length = headers.get("content-length", "")
        if not length and "transfer-encoding" not in headers:
            return b""
        body = bytearray()
        fits = not length.isdigit() or (len(length) <= _MAX_DIGITS and self.admits(int(length)))
        while fits:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            fits = self.admits(len(body))
            if fits and not message.get("more_body", False):
                return bytes(body)
        raise too_large(self._worlds.settings.max_body)

    def call(self, scope: Scope) -> Call:
        """The request as a call. Raises a refusal if it names its world wrongly, or may not use the control plane."""
        headers = {key.lower().decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        prefix = BASE_PATH.match(scope["path"])
        base = prefix[0] if prefix else ""
        path, method = scope["path"].removeprefix(base) or "/", scope["method"]
        if f"{path}/" == CONTROL:
            path = CONTROL  # the index of the control plane answers without its slash, too
        origin = _origin(scope, headers.get("host", ""))
        if control := path.startswith(CONTROL):
            self._protection.check(method, path, headers, origin)
        name = _world_name(headers, prefix[1] if prefix else None)
        world = self._worlds.peek(name) if control else self._worlds.touch(name, headers.get(FIXTURE_HEADER.lower()))
        return Call(
            world=world,
            at=world.clock.now(),
            method=method,
            path=path,
            base_url=origin + base,
            base_path=base,
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            content_type=_media_type(headers.get("content-type", "")),
        )


def _world_name(headers: Mapping[str, str], in_path: str | None) -> str:
    """The name of the world, from the base path or the header. Raises a 400 refusal."""
    header = headers.get(WORLD_HEADER.lower())
    name = in_path if in_path is not None else header or DEFAULT
    if not NAME.fullmatch(name):
        raise invalid(WORLD_HEADER, "invalid", f"{name!r} is not a valid name of a world: {NAMING}.")
    if header and header != name:
        message = f"It names {header!r}, but the base path {base_path(name)} names another world."
        raise invalid(WORLD_HEADER, "invalid", message)
    return name


def _origin(scope: Scope, host: str) -> str:
    """Scheme and host as the client knows them; the server's own address if the Host header is invalid."""
    if not HOST.fullmatch(host):
        address, port = scope.get("server") or ("localhost", None)
        host = f"[{address}]" if ":" in address else address
        host += f":{port}" if port else ""
    return f"{scope.get('scheme', 'http')}://{host}"


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
    if is_api(path) and not path.endswith("/"):
        raise refusal(404, f"No such path. Every path of the API ends with a slash: {path}/")
    if _is_control(path) and path.endswith("/") and path != CONTROL:
        raise refusal(404, f"No such path. Below {CONTROL}, no path ends with a slash: {path.rstrip('/')}")


def is_api(path: str) -> bool:
    """Whether the API's rules on media types and slashes apply to the path."""
    return path.startswith(API) and path.rstrip("/") != PAGE


def _is_control(path: str) -> bool:
    """Whether the path belongs to the control plane, not counting its docs page."""
    return path.startswith(CONTROL) and not path.startswith(f"{CONTROL}docs")


def _check_accept(path: str, header: str) -> None:
    """The API answers JSON only (R026), and so does the control plane."""
    if not (is_api(path) or _is_control(path)) or not header:
        return
    if not any(_admits_json(part) for part in header.split(",")):
        raise refusal(406, "Answers are application/json only; the Accept header does not admit it.")


def _admits_json(media_range: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_range.split(";"))
    unwanted = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return kind in ("*/*", "application/*", "application/json") and not unwanted


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
