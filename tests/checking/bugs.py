"""Realistic bugs, injected from outside into what our own server receives and answers, one at a time.

    python -m tests.checking.bugs [PART...] [NAME...]

prints what of a check notices each of them: its stories, grid or walks, or what looks at nothing but the shape.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode

import httpx
import orjson

from stubserver.app import create_app
from stubserver.checking.check import Effort, check
from stubserver.checking.findings import Finding, Report
from stubserver.contract.load import load_contract
from stubserver.serving.in_process import InProcess

PERSONAS = ("creator", "manager", "member", "invited", "requested", "stranger", "staff")
TOKENS: Mapping[str, str] = {name: f"stub-{name}" for name in PERSONAS}
URL = "http://127.0.0.1:8000"

COURSE = r"/api/v2/course/(\d+)/"
SECTIONS = rf"{COURSE}section/"
SECTION = rf"{SECTIONS}(\d+)/"
LESSONS = rf"{SECTION}lesson/"
LESSON = rf"{LESSONS}(\d+)/"
QUESTION = rf"{LESSON}question/(\d+)/"
COMMENTS = rf"{LESSON}comment/"
SEARCH = "/api/v2/course/search/"


@dataclass
class Exchange:
    """A request on its way to the server, and the answer on its way back."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: httpx.Headers
    body: Any
    memory: dict[str, Any]
    """What the bug remembers from one request to the next."""
    status: int = 0
    answer: Any = None
    answer_headers: httpx.Headers = field(default_factory=httpx.Headers)

    def is_about(self, methods: str, path: str) -> bool:
        """Whether it is a request of one of these methods, to such a path."""
        return self.method in methods.split() and re.fullmatch(path, self.path) is not None

    @property
    def who(self) -> str:
        """The persona that sends it; empty if nobody does."""
        token: str = self.headers.get("authorization", "")
        return token.removeprefix("Bearer stub-")

    def act_as(self, who: str) -> None:
        """Have it done with the rights of somebody else."""
        self.headers["authorization"] = f"Bearer stub-{who}"


Change = Callable[[Exchange], None]


@dataclass(frozen=True)
class Bug:
    """What is done to requests before they arrive, and to answers before they are sent."""

    before: Change = lambda _: None
    after: Change = lambda _: None


class Buggy(httpx.BaseTransport):
    """A transport to our own server, with a bug in between."""

    def __init__(self, inner: httpx.BaseTransport, bug: Bug) -> None:
        self._inner = inner
        self._bug = bug
        self._memory: dict[str, Any] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, changed, and return a changed answer. What the bug leaves alone passes as it is."""
        content = request.read()
        is_json = request.headers.get("content-type", "").startswith("application/json")
        exchange = Exchange(
            request.method,
            request.url.path,
            _queried(request.url),
            request.headers.copy(),
            _parsed(content) if is_json else None,
            self._memory,
        )
        self._bug.before(exchange)
        answered = b"" if exchange.status else self._send(exchange, request, content)
        self._bug.after(exchange)
        if exchange.answer != _parsed(answered):
            answered = b"" if exchange.answer is None else orjson.dumps(exchange.answer)
        exchange.answer_headers["content-length"] = str(len(answered))
        return httpx.Response(exchange.status, headers=exchange.answer_headers, content=answered)

    def _send(self, exchange: Exchange, request: httpx.Request, content: bytes) -> bytes:
        """Send the request to the server; returns the body of its answer."""
        if isinstance(exchange.body, dict) and exchange.body != _parsed(content):
            content = orjson.dumps(exchange.body)
            exchange.headers["content-length"] = str(len(content))
        url = request.url
        if exchange.query != _queried(url):
            url = url.copy_with(query=urlencode(exchange.query, doseq=True).encode() or None)
        answer = self._inner.handle_request(
            httpx.Request(
                exchange.method, url, headers=exchange.headers, content=content, extensions=request.extensions
            )
        )
        exchange.status, exchange.answer_headers = answer.status_code, answer.headers
        answered = answer.read()
        exchange.answer = _parsed(answered)
        return answered


def _queried(url: httpx.URL) -> dict[str, list[str]]:
    return parse_qs(url.query.decode("latin-1"), keep_blank_values=True)


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        return None


# The bugs


def _request(methods: str, path: str, change: Change) -> Bug:
    return Bug(before=lambda one: change(one) if one.is_about(methods, path) else None)


def _answer(methods: str, path: str, change: Change) -> Bug:
    """Changes the answers with a status below 300."""
    return Bug(after=lambda one: change(one) if one.is_about(methods, path) and one.status < 300 else None)


def _dropped(name: str) -> Change:
    def change(one: Exchange) -> None:
        if isinstance(one.body, dict):
            one.body.pop(name, None)

    return change


def _ignored(name: str) -> Change:
    return lambda one: one.query.pop(name, None)  # type: ignore[return-value]


def _set(name: str, value: Callable[[Any], Any]) -> Change:
    """Sets a field of the answer, or of each row of a list, wherever it is."""

    def change(one: Exchange) -> None:
        _everywhere(one.answer, name, value)

    return change


def _everywhere(part: Any, name: str, value: Callable[[Any], Any]) -> None:
    if isinstance(part, list):
        for one in part:
            _everywhere(one, name, value)
    elif isinstance(part, dict):
        if name in part:
            part[name] = value(part[name])
        for key, one in part.items():
            if key != name:
                _everywhere(one, name, value)


def _as(who: str, *others: str) -> Change:
    def change(one: Exchange) -> None:
        if one.who in others:
            one.act_as(who)

    return change


def _status(status: int) -> Change:
    def change(one: Exchange) -> None:
        one.status = status

    return change


def _stale(one: Exchange) -> None:
    """Every second read of a course shows what the first one did."""
    key = f"{one.path} {one.who}"
    one.memory[f"n {key}"] = one.memory.get(f"n {key}", 0) + 1
    if key in one.memory and one.memory[f"n {key}"] % 2 == 0:
        one.answer = one.memory[key]
    one.memory.setdefault(key, one.answer)


def _fails_beyond_ascii(one: Exchange) -> None:
    if isinstance(one.body, dict) and not str(one.body.get("name", "")).isascii():
        one.status, one.answer = 500, None


def _plain_errors(one: Exchange) -> None:
    if one.status >= 400 and isinstance(one.answer, dict):
        one.answer = {"detail": "refused"}


def _html_errors(one: Exchange) -> None:
    if one.status >= 400:
        one.answer_headers["content-type"] = "text/html"


def _without_challenge(one: Exchange) -> None:
    one.answer_headers.pop("www-authenticate", None)


def _next_repeats(one: Exchange) -> None:
    if isinstance(one.answer, dict) and one.answer.get("next"):
        one.answer["next"] = re.sub(r"offset=\d+", f"offset={one.query.get('offset', ['0'])[0]}", one.answer["next"])


def _off_by_one(one: Exchange) -> None:
    offset = one.query.get("offset", [""])[0]
    if offset.isdecimal() and offset != "0":
        one.query["offset"] = [str(int(offset) + 1)]


def _reused(one: Exchange) -> None:
    one.answer["id"] = one.memory.setdefault(one.path, one.answer["id"])


def _not_unique(one: Exchange) -> None:
    if one.is_about("POST", "/api/v2/course/") and isinstance(one.body, dict):
        names = one.memory.setdefault("names", [])
        name = one.body.get("name")
        if isinstance(name, str) and name in names:
            one.body["name"] = f"{name} {len(names)}"
        names.append(name)


def _never_deleted(one: Exchange) -> None:
    one.status = 204


def _moves(one: Exchange) -> None:
    if isinstance(one.answer, dict) and "created_at" in one.answer:
        one.memory["year"] = one.memory.get("year", 1900) % 2000 + 4  # never the one it is
        one.answer["created_at"] = re.sub(r"^\d{4}", f"{one.memory['year']:04}", one.answer["created_at"])


def _forbidden(one: Exchange) -> None:
    if one.status == 404 and one.who == "stranger":
        one.status = 403
        one.answer = {"errors": [{"message": "No.", "code": "permission_denied"}]}


def _overlaps(one: Exchange) -> bool:
    """Whether a request begins while another is under way; it takes a while for that."""
    with _COUNTING:
        one.memory["under way"] = one.memory.get("under way", 0) + 1
        overlaps: bool = one.memory["under way"] > 1
    time.sleep(0.05)
    return overlaps


def _ended(one: Exchange) -> None:
    with _COUNTING:
        one.memory["under way"] -= 1


def _lost_update(one: Exchange) -> None:
    """It writes back what it read before the other update."""
    if _overlaps(one) and isinstance(one.body, dict):
        one.body.clear()


def _unguarded(one: Exchange) -> None:
    """It looks for courses of the same name before the other one is made."""
    if _overlaps(one) and isinstance(one.body, dict):
        one.body["name"] = f"{one.body.get('name')}."


_COUNTING = threading.Lock()


def _slowly(methods: str, path: str, before: Change) -> Bug:
    return Bug(*((lambda one, do=do: do(one) if one.is_about(methods, path) else None) for do in (before, _ended)))


def _without_zone(one: Exchange) -> None:
    for name in ("created_at", "dripped_at"):
        _everywhere(one.answer, name, lambda text: text and re.sub(r"(\+00:00|Z)$", "", text))


ANY = r"/api/.*"
BUGS: Mapping[str, Bug] = {
    "PUT of a course drops the description": _request("PUT", COURSE, _dropped("description")),
    "PATCH of a section drops the name": _request("PATCH", SECTION, _dropped("name")),
    "PATCH of a lesson drops the text": _request("PATCH", LESSON, _dropped("text")),
    "the order of lessons is ignored": _request("PATCH PUT", SECTION, _dropped("lessons_order")),
    "reads of a course are stale": _answer("GET", COURSE, _stale),
    "lists count one too many": _answer("GET", ANY, _set("count", lambda n: n + 1)),
    "next leads to the same page": _answer("GET", ANY, _next_repeats),
    "offsets are off by one": _request("GET", ANY, _off_by_one),
    "ordering is ignored": _request("GET", ANY, _ignored("ordering")),
    "search is ignored": _request("GET", ANY, _ignored("search")),
    "the filter by statuses is ignored": _request("GET", ANY, _ignored("statuses")),
    "search shows strangers what the creator sees": _request("GET", SEARCH, _as("creator", "stranger")),
    "members may change sections": _request("PUT PATCH", SECTION, _as("creator", "member")),
    "strangers may read members' lessons": _request("GET", LESSON, _as("member", "stranger")),
    "names beyond ASCII are a 500": Bug(after=_fails_beyond_ascii),
    "a new section answers 200": _answer("POST", SECTIONS, _status(200)),
    "a deletion answers 200": _answer("DELETE", LESSON, _status(200)),
    "errors have another form": Bug(after=_plain_errors),
    "errors are HTML": Bug(after=_html_errors),
    "401 has no challenge": Bug(after=_without_challenge),
    "privacy has a value of its own": _answer("GET", COURSE, _set("privacy", lambda text: text and "public")),
    "ids of comments are texts": _answer("GET POST", COMMENTS, _set("id", str)),
    "no categories are null": _answer("GET", COURSE, _set("categories", lambda found: found or None)),
    "users have a secret field": _answer("GET", COURSE, _set("created_by", lambda user: {**user, "email": "a@b.c"})),
    "times have no zone": Bug(after=_without_zone),
    "ids of sections are used again": _answer("POST", SECTIONS, _reused),
    "names need not be unique": Bug(before=_not_unique),
    "joining a private course needs nobody": _answer(
        "GET", COURSE, _set("join_status", lambda s: "joined" if s == "requested" else s)
    ),
    "the number of lessons is wrong": _answer("GET", COURSE, _set("num_lessons", lambda n: n + 1)),
    "completion is never counted": _answer("GET", COURSE, _set("user_completion_rate", lambda n: 0)),
    "grades are rounded up": _answer("GET POST", rf"{LESSON}attempt/.*", _set("grade", lambda n: n and n - 1)),
    "members see the right answers": _request("GET", rf"{LESSON}question/.*", _as("creator", "member")),
    "members see drafts": _request("GET", SECTION, _as("creator", "member")),
    "lessons are not deleted": _request("DELETE", LESSON, _never_deleted),
    "texts are cut": _request(
        "POST",
        COMMENTS,
        lambda one: (
            one.body.update(text=str(one.body.get("text"))[:12])
            if isinstance(one.body, dict) and isinstance(one.body.get("text"), str)
            else None
        ),
    ),
    "created_at moves": _answer("PATCH", COURSE, _moves),
    "strangers learn what exists": Bug(after=_forbidden),
    "concurrent updates are lost": _slowly("PATCH", COURSE, _lost_update),
    "two at once may take one name": _slowly("POST", "/api/v2/course/", _unguarded),
}


def checked(bug: Bug, effort: Effort, seed: int = 0) -> Report:
    """What a check finds at a server with this bug."""
    inner = InProcess(create_app("empty"))
    try:
        return check(load_contract(), URL, TOKENS, seed, effort, lambda _: None, Buggy(inner, bug))
    finally:
        inner.close()


PARTS: Mapping[str, Effort] = {
    "stories": Effort(grid=False, walks=0, seconds=900, most=1),
    "grid": Effort(stories=False, walks=0, seconds=900, most=1),
    "walks": Effort(stories=False, grid=False, walks=8, seconds=900, most=1),
    "shape": Effort(grid=False, walks=0, sweeps=False, seconds=900, most=1),
}
"""Part of a check -> what is played for it. For the shape, nothing but the contract is looked at."""


def noticed(bug: Bug, part: str) -> Sequence[Finding]:
    """What a part of a check finds at a server with this bug."""
    with ExitStack() as patches:
        for place in ("stage.of_answers", "playing._of_statuses") if part == "shape" else ():
            patches.enter_context(patch(f"stubserver.checking.{place}", lambda *_: ()))
        return checked(bug, PARTS[part]).findings


def main(*arguments: str) -> None:
    """Print what notices each bug."""
    parts = [part for part in PARTS if part in arguments] or [*PARTS]
    names = [name for name in arguments if name not in PARTS]
    caught = 0
    for name, bug in {"(no bug)": Bug(), **BUGS}.items():
        if names and name not in names:
            continue
        found = {part: noticed(bug, part) for part in parts}
        caught += any(found.values())
        marks = "  ".join(f"{part} {'yes' if seen else ' - '}" for part, seen in found.items())
        first = next((seen[0].key for seen in found.values() if seen), "NOT CAUGHT")
        print(f"{name:50} {marks}  {first}", flush=True)
    print(f"{caught} of {len(names or BUGS)} caught")
    sys.exit(caught < len(names or BUGS))


if __name__ == "__main__":
    main(*sys.argv[1:])
