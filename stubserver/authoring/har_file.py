"""Recordings of browsers and proxies (HAR files): the answers of the API in them, and how much else there is."""

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from stubserver.addressing import WORLD_HEADER, base_path
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation

MAX_FILE = 256 * 1024 * 1024
"""Size of the largest file that is read, in bytes."""
MAX_ENTRIES = 100_000
"""Requests of one file that are read."""
MAX_BODY = 16 * 1024 * 1024
"""Size of the largest answer that is unpacked, in bytes."""
_GZIP = b"\x1f\x8b"
_AUTO = zlib.MAX_WBITS | 32
"""Has zlib find out whether it is gzip or zlib."""
_SUCCESS = range(200, 300)


class NoHar(Exception):
    """A file is not a HAR file that can be read; the message says why in one line."""


@dataclass(frozen=True)
class Exchange:
    """A request to the API, and its answer."""

    address: str
    """Where the API was found, such as https://community.example."""
    operation: Operation
    path: Mapping[str, int]
    """Path parameter -> the id there."""
    query: Mapping[str, str]
    caller: str
    """What tells callers apart: a credential, which goes no further; empty without one."""
    persona: str
    """The token, if the recording is one of a stub server."""
    body: Any
    """The JSON of the answer; None if it had none."""


@dataclass
class Found:
    """What is in the files."""

    exchanges: list[Exchange] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason -> how many entries."""


def read(file: Path, contract: Contract, found: Found) -> None:
    """Add what is in a file. Raises NoHar, and OSError if it cannot be read."""
    for entry in _entries(file):
        try:
            found.exchanges.append(_exchange(entry, contract))
        except _Skipped as reason:
            found.skipped[str(reason)] += 1


class _Skipped(Exception):
    """An entry is of no use; the message says why."""


def _entries(file: Path) -> list[Any]:
    size = file.stat().st_size
    if size > MAX_FILE:
        raise NoHar(f"it has {size} bytes, and at most {MAX_FILE} are read: export fewer requests")
    data = file.read_bytes().removeprefix(b"\xef\xbb\xbf")  # which some tools begin with
    if data.startswith(_GZIP):
        raise NoHar("it is compressed: unpack it with gunzip")
    content = _parsed(data)
    log = content.get("log") if isinstance(content, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise NoHar("this is no HAR file: it has no list log.entries")
    if len(entries) > MAX_ENTRIES:
        raise NoHar(f"it has {len(entries)} requests, and at most {MAX_ENTRIES} are read: export fewer")
    return entries


def _parsed(data: bytes) -> Any:
    """The JSON in a file. Raises NoHar."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        with suppress(ValueError, RecursionError):  # browsers cut texts in the middle of a character
            return json.loads(data)
        raise NoHar(f"this is no JSON: {error}") from None


def _exchange(entry: Any, contract: Contract) -> Exchange:
    """What an entry says. Raises _Skipped."""
    try:
        asked, answer = entry["request"], entry["response"]
        method, url, status = str(asked["method"]), urlsplit(str(asked["url"])), answer["status"]
        headers = {str(one["name"]).lower(): str(one["value"]) for one in asked.get("headers", ())}
        content = answer.get("content") or {}
        persona, varied = entry.get("_persona"), entry.get("_variants")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _Skipped("not a request with an answer") from None
    before, separator, rest = url.path.partition("/api/v2/")
    path = f"{separator}{rest}"
    operation = contract.find(method, path) if separator and method != "HEAD" else None
    if operation is None:
        raise _Skipped("not a request to an operation of the API")
    if status not in _SUCCESS:
        raise _Skipped("not answered with success")
    if varied:  # by a stub server, whose rows are not so
        raise _Skipped("the answer was varied")
    world = headers.get(WORLD_HEADER.lower())
    return Exchange(
        address=f"{url.scheme}://{url.netloc.rpartition('@')[2]}{before}{base_path(world) if world else ''}",
        operation=operation,
        path=_ids(operation, path),
        query=dict(parse_qsl(url.query)),
        caller=headers.get("authorization", "") + (persona if isinstance(persona, str) else ""),
        persona=persona if isinstance(persona, str) else "",
        body=None if operation.answer is None else _json(content),
    )


def _ids(operation: Operation, path: str) -> Mapping[str, int]:
    pairs = zip(operation.path.split("/"), path.split("/"), strict=True)
    return {name[1:-1]: int(text) for name, text in pairs if name.startswith("{") and text.isdecimal()}


def _json(content: Mapping[str, Any]) -> Any:
    """The body of an answer. Raises _Skipped."""
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str) or not text:
        raise _Skipped("the answer was not recorded")
    data = text.encode(errors="surrogatepass")
    if content.get("encoding") == "base64":
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:
            raise _Skipped("the answer is no base64") from None
    if data.startswith(_GZIP):
        data = _unpacked(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise _Skipped("the answer is cut off, or no JSON") from None


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(_AUTO)
    try:
        found = unpacking.decompress(data, MAX_BODY)
    except zlib.error:
        raise _Skipped("the answer is damaged") from None
    if unpacking.unconsumed_tail:
        raise _Skipped("the answer is too large")
    return found


def addresses(found: Found) -> Iterator[tuple[str, int]]:
    """Where the API was found, and how many answers came from there, most first."""
    yield from Counter(exchange.address for exchange in found.exchanges).most_common()
