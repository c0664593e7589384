"""The outermost layer: bounds, and the odd spellings of HTTP that Connexion must not see."""

import re
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.call import SCOPE_KEY, Call
from stubserver.errors import Refusal, refusal
from stubserver.world import Worlds

MAX_BODY = 8 * 1024 * 1024
"""Bytes of the largest request body; a larger one is a 413."""
MAX_PATH = 2048
"""Characters of the longest path; a longer one names nothing (and would overflow a path integer)."""
API = ("/api/", "/oauth/")
"""Paths below these follow the API's rules on media types and slashes."""
PAGE = "/oauth/authorize"
"""Except this, which people see; with a slash or, as in the docs, without."""

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)


class Wire:
    """ASGI middleware: turns a raw request into a call in a world, with its whole body at hand."""

    def __init__(self, app: ASGIApp, worlds: Worlds) -> None:
        self._app = app
        self._worlds = worlds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in one plain form, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {key.lower().decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        call = Call(
            world=self._worlds.get(),
            method=scope["method"],
            path=scope["path"],
            origin=_origin(scope, headers.get("host", "")),
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            content_type=_media_type(headers.get("content-type", "")),
        )
        scope[SCOPE_KEY] = call
        try:
            _check_path(call.path)
            _check_accept(call.path, headers.get("accept", ""))
            call.raw_body = await _read(receive, headers)
        except Refusal as refused:
            call.refusal = refused
            await send_refusal(refused, send)
            return
        plain = [(key, value) for key, value in scope["headers"] if key.lower() != b"content-type"]
        if call.content_type:
            plain.append((b"content-type", call.content_type.encode("latin-1")))
        await self._app({**scope, "headers": plain}, _after_body(receive), send)


async def send_refusal(refused: Refusal, send: Send) -> None:
    """Answer with a refusal."""
    body = refused.body()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **refused.headers}
    start = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": start})
    await send({"type": "http.response.body", "body": body})


def _origin(scope: Scope, host: str) -> str:
    """Scheme and host as the client knows them; the address of the server where the Host header makes no sense."""
    if not _HOST.fullmatch(host):
        address, port = scope.get("server") or ("localhost", None)
        host = f"[{address}]" if ":" in address else address
        host += f":{port}" if port else ""
    return f"{scope.get('scheme', 'http')}://{host}"


def _media_type(header: str) -> str:
    """Media types have no case and may have blanks before their parameters; Connexion knows neither."""
    kind, separator, parameters = header.partition(";")
    return kind.strip().lower() + separator + parameters


def _check_path(path: str) -> None:
    if len(path) > MAX_PATH:
        raise refusal(404, "No such path.")
    if _is_api(path) and not path.endswith("/"):
        raise refusal(404, f"No such path. Every path of the API ends with a slash: {path}/")


def _is_api(path: str) -> bool:
    return path.startswith(API) and path.rstrip("/") != PAGE


def _check_accept(path: str, header: str) -> None:
    """The API answers JSON only (R026)."""
    if not _is_api(path) or not header:
        return
    if not any(_admits_json(part) for part in header.split(",")):
        raise refusal(406, "The API answers application/json only; the Accept header does not admit it.")


def _admits_json(media_range: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_range.split(";"))
    unwanted = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return kind in ("*/*", "application/*", "application/json") and not unwanted


async def _read(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The whole body. Raises a 413 refusal as soon as it is known to be too large."""
    length = headers.get("content-length", "")
    if not length and "transfer-encoding" not in headers:
        return b""
    body = bytearray()
    too_large = length.isdigit() and (len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY)
    while not too_large:
        message = await receive()
        body += message.get("body", b"")
        too_large = len(body) > MAX_BODY
        if not too_large and not message.get("more_body", False):
            return bytes(body)
    raise refusal(413, f"The request body is larger than {MAX_BODY} bytes.")


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
