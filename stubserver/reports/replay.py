"""Replaying a case: restores the world it began with, sends its requests again, and says what is answered differently.

Each request is sent at the time it had, by a frozen clock, as the same caller. What a case does not hold (credentials,
the contents of files, forgotten requests) is named and left out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import orjson

from stubserver import __version__
from stubserver.addressing import CONTROL, WORLD_HEADER
from stubserver.errors import Refusal
from stubserver.records.journal import REDACTED
from stubserver.reports.sending import Sending, Unsendable, sending
from stubserver.reports.text import printable
from stubserver.row_check import RowChecks
from stubserver.worlds import snapshot_file
from stubserver.worlds.clock import EARLIEST, LATEST
from stubserver.worlds.world import World

if TYPE_CHECKING:
    from stubserver.app import StubServer

_REQUIRED = ("start", "requests")
_MAX_DIFFERENCES = 10
"""How many differences of one answer are shown."""
_LONGEST = 200
"""Maximum number of characters shown of a value."""
_PICTURE = re.compile(r"_[0-9]+\.(png|jpg|gif|webp|bmp|pdf)$")
"""The part of a picture's address that follows from its content."""
_RUNNING = timedelta(seconds=5)
"""How far two times may be apart if the clock was running."""


class UnreadableCase(Exception):
    """The file is not a case; the message says why, in one line."""


@dataclass
class Replayed:
    """What came of it: how many requests were sent, what was answered differently, and what the case did not hold."""

    sent: int = 0
    total: int = 0
    differences: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    faked: bool = False
    """Whether the contents of a file were replaced."""

    @property
    def verdict(self) -> str:
        """Whether the answers are the same, in words."""
        if not self.differences:
            return "all answered the same"
        return f"{len(self.differences)} answered differently"


def read(text: str) -> Mapping[str, Any]:
    """The case in the text of a file, of this version or another. Raises UnreadableCase."""
    try:
        case = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UnreadableCase(f"this is not JSON: {error}") from None
    if not isinstance(case, dict):
        raise UnreadableCase("a case is a JSON object, as GET /__stub/case answers")
    absent = [name for name in _REQUIRED if not isinstance(case.get(name), dict if name == "start" else list)]
    if absent:
        raise UnreadableCase(f"a case has {' and '.join(absent)}, and this file does not")
    return case


def fixture_of(case: Mapping[str, Any]) -> str:
    """Name of the fixture that the case's world was made from."""
    return str(case["start"].get("fixture", "default"))


def seed_of(case: Mapping[str, Any]) -> int:
    """The seed of the server that wrote the case."""
    seed = case.get("seed", 0)
    return seed if isinstance(seed, int) else 0


def is_strict(case: Mapping[str, Any]) -> bool:
    """Whether the case's world was strict."""
    return case.get("strict") is True


def _is_request(entry: Any) -> bool:
    """Whether it has all that replaying needs; other versions may write requests that do not."""
    try:
        asked, answered = entry["request"], entry["response"]
        texts = (entry["id"], entry["persona"], asked["method"], asked["path"])
        maps = (asked["query"], asked["headers"], answered or {})
        return (
            EARLIEST <= datetime.fromisoformat(entry["time"]) < LATEST
            and all(isinstance(text, str) for text in texts)
            and all(isinstance(part, dict) for part in maps)
            and all(isinstance(problem, dict) for problem in entry.get("problems", ()))
            and entry["id"].rpartition("-")[2].isdecimal()
            and "body" in asked
        )
    except (KeyError, TypeError, ValueError):
        return False


def _is_change(change: Any, what: str) -> bool:
    try:
        return isinstance(change["after"], int) and isinstance(change[what] or {}, dict) and "id" in change
    except (KeyError, TypeError):
        return False


def _changes(case: Mapping[str, Any], what: str, done: Replayed) -> list[Any]:
    """What was done to the faults or the variants of the world, as far as it can be read."""
    written = case.get(f"{what}s") or ()
    found = [change for change in written if _is_change(change, what)]
    if len(found) < len(written):
        done.missing.append(f"Some of its {what}s cannot be read.")
    return found


def replay(case: Mapping[str, Any], app: "StubServer", client: httpx.Client) -> Replayed:
    """Send the requests of a case to `app`, which `client` reaches; it needs a JWT secret for callers who are not
    personas."""
    done = Replayed(total=len(case["requests"]), missing=list(_other_versions(case, app)))
    world = _restored(case, app, done)
    changes = {what: _changes(case, what, done) for what in ("fault", "variant")}
    for number, entry in enumerate(case["requests"], 1):
        if _is_request(entry):
            for what, left in changes.items():
                _change(what, left, entry, client, world)
            world.clock.freeze(datetime.fromisoformat(entry["time"]))
            _send(entry, world, client, done)
        else:
            done.missing.append(f"Request {number} of the file cannot be read.")
    return done


def _send(entry: Mapping[str, Any], world: World, client: httpx.Client, done: Replayed) -> None:
    """Send one request, and note in `done` what came of it."""
    try:
        again = sending(entry, _token(entry, world))
    except Unsendable as reason:
        done.missing.append(f"{entry['id']} is not sent again: {reason}.")
        return
    done.sent += 1
    done.missing += [f"{entry['id']}: {text}." for text in again.missing]
    done.faked = done.faked or bool(again.missing)
    same = _Same(moments=entry.get("milliseconds") == 0, pictures=not done.faked)
    found = list(_differences(entry, _answer(client, again), same))
    if found:
        head = f"{entry['id']}  {entry['request']['method']} {entry['request']['path']}"
        more = [f"and {len(found) - _MAX_DIFFERENCES} more"] if len(found) > _MAX_DIFFERENCES else []
        lines = [head, *(f"  {text}" for text in [*found[:_MAX_DIFFERENCES], *more])]
        done.differences.append("\n".join(map(printable, lines)))


def _token(entry: Mapping[str, Any], world: World) -> str | None:
    """A token of the caller; None if there was none. Raises Unsendable if no such user exists."""
    persona = entry["persona"]
    if persona == "anonymous":
        return "rejected" if "authorization" in entry["request"]["headers"] else None
    if persona in world.tokens:
        return str(persona)
    people = world.users.where("username", persona)
    if not people:
        raise Unsendable(f"there is no user {persona!r}")
    now = world.clock.now().timestamp()
    claims = {"user_id": people[0]["id"], "token_type": "access", "jti": "replay", "iat": now, "exp": now + 60}
    return jwt.encode(claims, world.settings.jwt_secret, "HS256")


def _other_versions(case: Mapping[str, Any], app: "StubServer") -> Iterator[str]:
    """What is from another version."""
    form = app.control.schema("Case")["properties"]["case"]["enum"][0]
    here = {"case": form, "stubserver": __version__, "contract": app.contract.document["info"]["version"]}
    for name, version in here.items():
        if (found := case.get(name)) != version:
            what = "format of the case" if name == "case" else name
            yield f"The {what} is version {found if found is not None else 'unknown'}; this is {version}."
    if forgotten := case.get("forgotten"):
        yield f"{forgotten} requests before the first of these had been forgotten; the state they left is unknown."


def _restored(case: Mapping[str, Any], app: "StubServer", done: Replayed) -> World:
    name = str(case.get("world", "default"))
    try:
        return app.worlds.restore(
            name, snapshot_file.read(case["start"], app.worlds.load_fixture, RowChecks(app.contract))
        )
    except (Refusal, KeyError, TypeError) as error:
        reason = error.reason if isinstance(error, Refusal) else "it is incomplete"
        done.missing.append(f"The state at the start cannot be restored ({reason}); it is the fixture's instead.")
        return app.worlds.reset(name)


def _change(what: str, left: list[Any], entry: Mapping[str, Any], client: httpx.Client, world: World) -> None:
    """Do what was done to the faults or variants before the request; without delays, which only cost time."""
    number = int(entry["id"].rpartition("-")[2])
    while left and left[0]["after"] < number:
        change = left.pop(0)
        path = f"{CONTROL}{what}s"
        instant = {"seconds": 0} if what == "fault" else {}
        method, wanted = ("POST", {**change[what], **instant}) if change[what] else ("DELETE", None)
        if not wanted and change["id"]:
            path = f"{path}/{change['id']}"
        client.request(method, path, json=wanted, headers={WORLD_HEADER: world.name})


def _answer(client: httpx.Client, again: Sending) -> httpx.Response | None:
    """The answer; None if the connection was dropped."""
    try:
        return client.request(again.method, again.target, headers=again.headers, **again.body)
    except httpx.TransportError:
        return None


@dataclass
class _Same:
    """How strictly answers are compared."""

    moments: bool
    """Whether times must be equal; not if the clock was running."""
    pictures: bool
    """Whether addresses of pictures must be equal; not once the contents of a file were replaced."""

    def __call__(self, then: Any, now: Any) -> bool:
        """Whether two values that are neither objects nor arrays count as the same."""
        if then in (now, REDACTED):
            return True
        if not isinstance(then, str) or not isinstance(now, str):
            return False
        if not self.pictures and _PICTURE.sub("", then) == _PICTURE.sub("", now):
            return True
        return not self.moments and _close(then, now)


def _differences(entry: Mapping[str, Any], answer: httpx.Response | None, same: _Same) -> Iterator[str]:
    """How the answer differs from the one in the case."""
    status = answer.status_code if answer is not None else None
    if entry.get("status") != status:
        yield f"status: {entry.get('status') or 'no answer'} then, {status or 'no answer'} now"
    if answer is None or entry["response"] is None:
        return
    then = entry["response"].get("body")
    if isinstance(then, str) and then.endswith(" bytes)"):
        now: Any = f"({len(answer.content)} bytes)"
    else:
        now = _parsed(answer)
    yield from _unequal("body", then, now, same)


def _parsed(answer: httpx.Response) -> Any:
    try:
        return orjson.loads(answer.content) if answer.content else None
    except orjson.JSONDecodeError:
        return answer.text


def _unequal(where: str, then: Any, now: Any, same: _Same) -> Iterator[str]:
    """Where two JSON values differ, each with its two values."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in {**then, **now}:
            yield from _unequal(f"{where}.{name}", then.get(name, _NOTHING), now.get(name, _NOTHING), same)
    elif isinstance(then, list) and isinstance(now, list):
        for number, (old, new) in enumerate(zip_longest(then, now, fillvalue=_NOTHING)):
            yield from _unequal(f"{where}[{number}]", old, new, same)
    elif not same(then, now):
        yield f"{where}: {_shown(then)} then, {_shown(now)} now"


_NOTHING = object()


def _close(then: str, now: str) -> bool:
    """Whether these are times that a running clock shows during one request."""
    try:
        return abs(datetime.fromisoformat(then) - datetime.fromisoformat(now)) <= _RUNNING
    except (TypeError, ValueError):
        return False


def _shown(value: Any) -> str:
    text = "nothing" if value is _NOTHING else orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
