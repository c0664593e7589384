"""Sending a request from the journal again, by an HTTP client or by curl: what it takes, and what the journal lacks."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from stubserver.addressing import SWITCH_COOKIE, WORLD_HEADER, base_path
from stubserver.api.images import png
from stubserver.records.journal import REDACTED
from stubserver.worlds.registry import DEFAULT

_MEANINGFUL = ("accept", "content-type", "content-range", "host", "prefer", "x-stub-fixture", WORLD_HEADER.lower())
"""The headers that can change an answer, apart from credentials."""
_SWITCH = re.compile(rf"{SWITCH_COOKIE}=[^;]+")
_LEFT_OUT = re.compile(r"\([0-9]+ bytes\)")
_COVER, _NO_PICTURE = "image_original", ("invalid_image", "empty")
"""The field whose file must be a picture, unless it was refused for not being one (R133)."""
_LONGEST = 8000
"""Maximum length of a body in a curl command; a longer one is left to a file."""


class Unsendable(Exception):
    """The journal does not have what it takes to send the request again; the message says what is missing."""


@dataclass
class Sending:
    """A request that can be sent again."""

    method: str
    target: str
    """Path and query, with the base path of the world unless a header names it."""
    headers: dict[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    """As options for httpx: `content`, or `files` for a multipart form."""
    missing: list[str] = field(default_factory=list)
    """What is sent differently, because the journal does not have it."""


def sending(entry: Mapping[str, Any], token: str | None) -> Sending:
    """How to send `entry`, a Request of the control plane's contract, with this token. Raises Unsendable."""
    asked = entry["request"]
    query = asked["query"]
    if _mentions_secrets(query):
        raise Unsendable("its query held credentials")
    headers = {name: text for name, text in asked["headers"].items() if name in _MEANINGFUL}
    world = entry["id"].rpartition("-")[0]
    base = "" if world == DEFAULT or WORLD_HEADER.lower() in headers else base_path(world)
    found = Sending(asked["method"], f"{base}{asked['path']}", headers)
    if switch := _SWITCH.match(asked["headers"].get("cookie", "")):
        headers["cookie"] = switch[0]
    if query:
        found.target += f"?{urlencode(query, doseq=True)}"
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    _fill_body(found, asked["body"], {problem.get("code") for problem in entry.get("problems", ())})
    return found


def _fill_body(found: Sending, body: Any, codes: set[str]) -> None:
    """Give it the body that the journal shows; `codes` say why it was refused."""
    if body is None:
        return
    if _mentions_secrets(body):
        raise Unsendable("its body held credentials")
    if is_left_out(body):
        raise Unsendable("the journal has only the size of its body")
    media = found.headers.get("content-type", "application/json").partition(";")[0].lower()
    is_fields = isinstance(body, dict) and "parse_error" not in codes
    if media == "multipart/form-data" and is_fields:
        del found.headers["content-type"]  # the client chooses a boundary
        found.body = {"files": list(_parts(found, body, codes))}
    elif media == "application/x-www-form-urlencoded" and is_fields:
        found.body = {
            "content": urlencode({name: texts_of(value) for name, value in body.items()}, doseq=True).encode()
        }
    elif isinstance(body, str) and (media != "application/json" or "parse_error" in codes):
        found.body = {"content": body.encode()}
    else:
        found.body = {"content": orjson.dumps(body)}


def _parts(
    found: Sending, fields: Mapping[str, Any], codes: set[str]
) -> Iterator[tuple[str, tuple[str | None, bytes]]]:
    for name, value in fields.items():
        if isinstance(value, dict) and {"name", "size", "digest"} <= value.keys():
            was_picture = name == _COVER and codes.isdisjoint(_NO_PICTURE)
            content = png(1, str(value["digest"])) if was_picture else bytes(int(value["size"]))
            other = "another picture" if was_picture else f"{value['size']} zeros"
            found.missing.append(f"{name} is sent as {other}, because files are not kept; answers may differ")
            yield name, (str(value["name"]), content)
        else:
            yield from ((name, (None, text.encode())) for text in texts_of(value))


def is_left_out(body: Any) -> bool:
    """Whether the journal has only the size of a body."""
    return isinstance(body, str) and _LEFT_OUT.fullmatch(body) is not None


def texts_of(value: Any) -> list[str]:
    """A value of a form field or a parameter as the texts to send."""
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value if isinstance(value, str) else orjson.dumps(value).decode()]


def _mentions_secrets(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_mentions_secrets, value.values()))
    return any(map(_mentions_secrets, value)) if isinstance(value, list) else value == REDACTED


def curl(found: Sending, url: str) -> str:
    """The request as a command for a POSIX shell; `url` is that of the server."""
    words = ["curl"]
    if found.method == "HEAD":
        words.append("-I")
    elif found.method != ("POST" if found.body else "GET"):
        words += ["-X", found.method]
    words.append(f"{url.rstrip('/')}{found.target}")
    for name, text in found.headers.items():
        if name != "host" and (name, text) != ("accept", "*/*"):
            words += ["-H", f"{name.title()}: {text}"]
    return shlex.join([*words, *_data(found.body)])


def _data(body: Mapping[str, Any]) -> Iterator[str]:
    """The options of curl for a body."""
    if "content" in body:
        text = body["content"].decode()
        yield from ("--data-binary", text if len(text) <= _LONGEST and not text.startswith("@") else "@FILE")
    for name, (file, text) in body.get("files", ()):
        yield from ("--form-string", f"{name}={text.decode()}") if file is None else ("-F", f"{name}=@{file}")
