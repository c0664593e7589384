"""Bodies in every encoding that the vendor's client and pages use."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
AXIOS = {"Accept": "application/json, text/plain, */*", "Content-Type": "application/json"}
"""The headers of the vendor's client."""

Encode = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Turns fields into options for httpx."""
Options = dict[str, Any]
"""Options for httpx."""


def pairs(fields: Mapping[str, Any], array: str) -> list[tuple[str, str]]:
    """The fields as a form has them; `array` is the spelling of array items."""
    found = []
    for name, value in fields.items():
        if isinstance(value, list):
            found += [(array.format(name, n), str(item)) for n, item in enumerate(value)]
        else:
            found.append((name, _text(value)))
    return found


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def urlencoded(array: str) -> Encode:
    return lambda fields: {"content": urlencode(pairs(fields, array)), "headers": FORM}


def multipart(array: str) -> Encode:
    return lambda fields: {"files": [(name, (None, text)) for name, text in pairs(fields, array)]}


ENCODINGS: dict[str, Encode] = {
    "json": lambda fields: {"json": fields},
    "urlencoded-indexed": urlencoded("{}[{}]"),
    "multipart-indexed": multipart("{}[{}]"),
    "urlencoded-bracketed": urlencoded("{}[]"),
    "multipart-bracketed": multipart("{}[]"),
    "urlencoded-repeated": urlencoded("{}"),
    "multipart-repeated": multipart("{}"),
}
"""JSON and both kinds of form, in each spelling of arrays."""
IN_EVERY_ENCODING = pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
MEDIA_TYPES: dict[str, Encode] = {
    "json": ENCODINGS["json"],
    "urlencoded": ENCODINGS["urlencoded-indexed"],
    "multipart": ENCODINGS["multipart-bracketed"],
}
"""JSON and both kinds of form, each in one spelling of arrays."""
IN_EVERY_MEDIA_TYPE = pytest.mark.parametrize("encode", MEDIA_TYPES.values(), ids=MEDIA_TYPES)


def sent(content: bytes, media: Mapping[str, str] | str = JSON) -> dict[str, Any]:
    """Options for httpx: this body, unchanged, with this media type."""
    return {"content": content, "headers": {"Content-Type": media} if isinstance(media, str) else media}


def part(name: str, text: bytes, file: str = "") -> bytes:
    """A part of a form with the boundary of MULTIPART: a text, or the contents of a file with this name."""
    disposition = f'form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
    return b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + text + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A form of such parts."""
    return b"".join(parts) + b"--b--\r\n"
