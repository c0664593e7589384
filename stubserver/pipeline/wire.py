"""The outermost layer: bounds, and the odd spellings of HTTP that Connexion must not see."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import BASE_PATH, CONTROL, FIXTURE_HEADER, WORLD_HEADER, base_path
from stubserver.call import REFUSAL_KEY, SCOPE_KEY, Call
from stubserver.errors import Refusal, invalid, refusal
from stubserver.pipeline import protection
from stubserver.pipeline.answer import Headers, send_refusal
from stubserver.worlds.registry import DEFAULT, NAME, NAMING, Worlds

MAX_PATH = 2048
"""Characters of the longest path; a longer one names nothing (and would overflow a path integer)."""
API = ("/api/", "/oauth/")
"""Paths below these follow the API's rules on media types and slashes."""
PAGE = "/oauth/authorize"
"""Except this, which people see; with a slash or, as in the docs, without."""


_MAX_DIGITS = 18
"""Of a Content-Length; int() would refuse one of thousands of digits."""
HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)
"""What a Host header may say; if it says anything else, addresses begin with that of the server."""


class Wire:
    """ASGI middleware: turns a raw request into a call in the world it names, with its whole body at hand."""

    def __init__(self, app: ASGIApp, worlds: Worlds) -> None:
        self._app = app
        self._worlds = worlds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in one plain form, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            call = scope[SCOPE_KEY] = self.call(scope)
            check(call)
            call.raw_body = await self._body(receive, call.headers)
        except ClientDisconnect:
            scope.pop(SCOPE_KEY)  # what has no end is no request
            return
        except Refusal as refused:
            scope[REFUSAL_KEY] = refused
            await send_refusal(refused, send, scope["method"])
            return
        inner = {
            **scope,
            "path": call.path,
            "raw_path": quote(call.path).encode(),
            "headers": plain_headers(call, scope["headers"]),
        }
        await self._app(inner, _after_body(receive), send)

    def admits(self, length: int) -> bool:
        """Whether a body may have so many bytes."""
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
        raise refusal(413, f"The request body is larger than {self._worlds.settings.max_body} bytes.")

    def call(self, scope: Scope) -> Call:
        """The request as a call. Raises a refusal where it names no world, or may not touch the control plane."""
        headers = {key.lower().decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        in_front = BASE_PATH.match(scope["path"])
        base = in_front[0] if in_front else ""
        path, method = scope["path"].removeprefix(base) or "/", scope["method"]
        origin = _origin(scope, headers.get("host", ""))
        if control := path.startswith(CONTROL):
            protection.check(method, headers, origin, self._worlds.settings.control_token)
        name = _world_name(headers, in_front[1] if in_front else None)
        world = self._worlds.peek(name) if control else self._worlds.touch(name, headers.get(FIXTURE_HEADER.lower()))
        return Call(
            world=world,
            at=world.clock.now(),
            method=method,
            path=path,
            base_url=origin + base,
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            content_type=_media_type(headers.get("content-type", "")),
        )


def _world_name(headers: Mapping[str, str], in_path: str | None) -> str:
    """The world that the base path or the header names. Raises a 400 refusal."""
    header = headers.get(WORLD_HEADER.lower())
    name = in_path if in_path is not None else header or DEFAULT
    if not NAME.fullmatch(name):
        raise invalid(WORLD_HEADER, "invalid", f"{name!r} is no name of a world: {NAMING}.")
    if header and header != name:
        message = f"It names {header!r}, but the base path {base_path(name)} another world."
        raise invalid(WORLD_HEADER, "invalid", message)
    return name


def _origin(scope: Scope, host: str) -> str:
    """Scheme and host as the client knows them; the address of the server where the Host header makes no sense."""
    if not HOST.fullmatch(host):
        address, port = scope.get("server") or ("localhost", None)
        host = f"[{address}]" if ":" in address else address
        host += f":{port}" if port else ""
    return f"{scope.get('scheme', 'http')}://{host}"


def _media_type(header: str) -> str:
    """Media types have no case and may have blanks before their parameters; Connexion knows neither."""
    kind, separator, parameters = header.partition(";")
    return kind.strip().lower() + separator + parameters


def plain_headers(call: Call, headers: Headers) -> Headers:
    """The request's headers with the one form of its media type that Connexion knows."""
    plain = [(name, value) for name, value in headers if name.lower() != b"content-type"]
    if call.content_type:
        plain.append((b"content-type", call.content_type.encode("latin-1")))
    return plain


def check(call: Call) -> None:
    """Raises a refusal for a path that is none, and where the answer could not be JSON."""
    _check_path(call.path)
    _check_accept(call.path, call.headers.get("accept", ""))


def _check_path(path: str) -> None:
    if len(path) > MAX_PATH:
        raise refusal(404, "No such path.")
    if is_api(path) and not path.endswith("/"):
        raise refusal(404, f"No such path. Every path of the API ends with a slash: {path}/")
    if _is_control(path) and path.endswith("/"):
        raise refusal(404, f"No such path. No path of the control plane ends with a slash: {path.rstrip('/')}")


def is_api(path: str) -> bool:
    """Whether the API's rules on media types and slashes hold for the path."""
    return path.startswith(API) and path.rstrip("/") != PAGE


def _is_control(path: str) -> bool:
    """Whether it is for the control plane, less its page of docs."""
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
    """What follows the body, which lies in the call: an empty one, and then nothing until the client goes."""
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
