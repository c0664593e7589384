"""Requests as a HAR file (HTTP Archive 1.2), which browsers, proxies and load testers read."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import orjson

from stubserver import __version__
from stubserver.addressing import WORLD_HEADER, base_path
from stubserver.exports.recording import Recording, Request
from stubserver.reports.sending import is_left_out, texts_of
from stubserver.worlds.registry import DEFAULT

_NO_MEDIA = "x-unknown"
"""The media type of nothing, as browsers write it."""
_UNKNOWN = -1
_LEFT_OUT = "The journal has only its size."


def har(recordings: Iterable[Recording], url: str, *, is_proxied: bool = False) -> dict[str, Any]:
    """All requests, oldest first, as the content of a HAR file. `url` is that of the server: for requests without a
    Host header; or for all of them, if the header names a proxy in front of it."""
    found = list(recordings)
    requests = sorted((one for each in found for one in each.requests), key=lambda request: str(request["time"]))
    log: dict[str, Any] = {
        "version": "1.2",
        "creator": {"name": "course-stubserver", "version": __version__},
        "entries": [_entry(request, url.rstrip("/"), is_proxied) for request in requests],
    }
    if lost := sum(each.lost for each in found):
        log["comment"] = f"Requests that were not kept: {lost}."
    return {"log": log}


def _entry(request: Request, url: str, is_proxied: bool) -> dict[str, Any]:
    taken = request["milliseconds"]
    return {
        "startedDateTime": request["time"],
        "time": taken,
        "request": _asked(request, url if is_proxied else _root(request, url)),
        "response": _answered(request),
        "cache": {},
        "timings": {"send": 0, "wait": taken, "receive": 0},
        **{f"_{name}": request[name] for name in ("id", "persona", "operation", "rules", "faults")},
        "_variants": request.get("variants", []),  # case files of older versions do not tell
    }


def _asked(request: Request, root: str) -> dict[str, Any]:
    asked = request["request"]
    pairs = [(name, text) for name, value in asked["query"].items() for text in texts_of(value)]
    query = f"?{urlencode(pairs)}" if pairs else ""
    headers = asked["headers"]
    found = {
        "method": asked["method"],
        "url": f"{root}{asked['path']}{query}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(headers.items()),
        "queryString": _named(pairs),
        "headersSize": _UNKNOWN,
        "bodySize": _size(headers, 0 if asked["body"] is None else _UNKNOWN),
    }
    return found if asked["body"] is None else {**found, "postData": _posted(request)}


def _root(request: Request, url: str) -> str:
    """What the URL began with: the address that the client used, and the base path of the world unless a header names
    that."""
    headers, world = request["request"]["headers"], request["id"].rpartition("-")[0]
    base = "" if world == DEFAULT or WORLD_HEADER.lower() in headers else base_path(world)
    return f"{url.partition('://')[0]}://{headers.get('host') or url.partition('://')[2]}{base}"


def _posted(request: Request) -> dict[str, Any]:
    """The body of the request: the fields of a form, or a text."""
    body, headers = request["request"]["body"], request["request"]["headers"]
    mime = headers.get("content-type", "application/json")
    if is_left_out(body):
        return {"mimeType": mime, "text": "", "comment": _LEFT_OUT}
    if isinstance(body, dict) and not mime.startswith("application/json"):
        return {"mimeType": mime, "params": list(_params(body))}
    is_text = isinstance(body, str) and (mime.partition(";")[0] != "application/json" or _is_malformed(request))
    return {"mimeType": mime, "text": body if is_text else orjson.dumps(body).decode()}


def _is_malformed(request: Request) -> bool:
    return any(problem["code"] == "parse_error" for problem in request["problems"])


def _params(fields: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict) and {"name", "size", "digest"} <= value.keys():
            yield {"name": name, "fileName": value["name"], "comment": f"{value['size']} bytes, {value['digest']}"}
        else:
            yield from ({"name": name, "value": text} for text in texts_of(value))


def _answered(request: Request) -> dict[str, Any]:
    answer = request["response"]
    status = request["status"] or 0
    headers = answer["headers"] if answer else {}
    found = {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in _STATUSES else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(headers.items()),
        "content": _content(answer["body"] if answer else None, headers),
        "redirectURL": headers.get("location", ""),
        "headersSize": _UNKNOWN,
        "bodySize": _size(headers, _UNKNOWN if answer else 0),
    }
    return found if answer else {**found, "comment": "No answer was sent."}


_STATUSES = {int(status) for status in HTTPStatus}


def _content(body: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    mime = headers.get("content-type", _NO_MEDIA)
    if body is None:
        return {"size": 0, "mimeType": mime}
    if is_left_out(body):
        return {"size": int(body[1:].split()[0]), "mimeType": mime, "comment": _LEFT_OUT}
    is_text = isinstance(body, str) and not mime.startswith("application/json")
    text = body if is_text else orjson.dumps(body).decode()
    return {"size": _size(headers, len(text.encode())), "mimeType": mime, "text": text}


def _size(headers: Mapping[str, str], otherwise: int) -> int:
    """The size of a body, as its headers say."""
    text = headers.get("content-length", "")
    return int(text) if text.isdecimal() else otherwise


def _named(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
