"""Meeting a target: who its tokens stand for, which users, categories and settings it has; and a model made like it."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from stubserver.checking.sides import Request, Side
from stubserver.contract.contract import Contract

_FIRST_ID = 10**12
"""The ids of the model begin here, so that none of them is by chance one of the target."""
_PAGES = 20
"""How many pages of users are read."""
_USER = ("id", "username", "real_name", "ext_id", "date_joined", "bio", "location", "description", "community_badge")
_CATEGORY = ("id", "name", "slug", "slogan", "order", "active", "content_only_staff", "lastmod_datetime")
_DECIDING = (
    "configurations.content_availability",
    "configurations.courses_only_staff_enabled",
    "addons.private_messages_enabled",
)
"""The settings that change what the API does."""


class CannotCheck(Exception):
    """The target cannot be checked; the message says why, and what would help."""


@dataclass
class Persona:
    """Somebody who acts in a check."""

    id: int
    tokens: tuple[str, str]
    """Those of the model and of the target."""
    is_staff: bool = False
    may_create: bool = True


@dataclass
class Community:
    """What a target has, besides courses."""

    personas: Mapping[str, Persona]
    users: Sequence[Mapping[str, Any]]
    categories: Sequence[Mapping[str, Any]]
    preferences: Mapping[str, Any]
    features: Sequence[str] = ()
    ahead: timedelta = timedelta()
    """How far its clock is ahead of ours."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the report should know."""

    @property
    def category(self) -> int | None:
        """A category in use."""
        return next((found["id"] for found in self.categories if found.get("active", True)), None)

    def now(self) -> datetime:
        """The time at the target."""
        return datetime.now(UTC) + self.ahead


def introduced(contract: Contract, target: Side, tokens: Mapping[str, str]) -> Mapping[str, Persona]:
    """Who the tokens stand for. Raises CannotCheck if one of them stands for nobody."""
    meeting = _Meeting(contract, target, tokens)
    return {name: meeting.persona(name) for name in tokens}


def meet(contract: Contract, target: Side, tokens: Mapping[str, str]) -> Community:
    """Ask a target who and what it has. `tokens` are those of the personas. Raises CannotCheck."""
    meeting = _Meeting(contract, target, tokens)
    personas = {name: meeting.persona(name) for name in tokens}
    if not any(persona.may_create for persona in personas.values()):
        raise CannotCheck("none of the personas may create courses, as /api/v2/user/me/ says of each: name one who may")
    first: dict[int, str] = {}
    for name, persona in personas.items():
        if (other := first.setdefault(persona.id, name)) != name:
            said = f"{other} and {name} are the same user, {persona.id}, as /api/v2/user/me/ says"
            raise CannotCheck(f"{said}: give the token of another user to each")
    users = {user["id"]: user for user in [*meeting.rows("search_users"), *meeting.selves.values()]}
    categories = {row["id"]: row for name in tokens for row in meeting.rows("list_categories", name)}
    settings = {f"{row['section']}.{row['name']}": row.get("value") for row in meeting.rows("list_preferences")}
    return Community(personas, [*users.values()], [*categories.values()], settings)


class _Meeting:
    """The requests of a meeting."""

    def __init__(self, contract: Contract, target: Side, tokens: Mapping[str, str]) -> None:
        self._operations = contract.operations
        self._target = target
        self._tokens = tokens
        self._first = next(iter(tokens), "")
        self.selves: dict[str, Mapping[str, Any]] = {}

    def persona(self, name: str) -> Persona:
        """Who a token stands for."""
        operation = self._operations["get_me"]
        answer = self._target.ask(Request(operation, token=self._tokens[name]))
        if answer.failure:
            raise CannotCheck(f"the target does not answer: {answer.failure}")
        if answer.status != 200 or not isinstance(answer.body, dict) or not isinstance(answer.body.get("id"), int):
            says = f"the target answered {operation.path} with {answer.status}"
            if answer.status in (401, 403):
                raise CannotCheck(f"{says} for the token of {name}: give a valid token, or leave {name} out")
            raise CannotCheck(f"{says}, and no user: is the API below another address?")
        self.selves[name] = answer.body
        permission = answer.body.get("permission") or {}
        role = answer.body.get("role")
        return Persona(
            answer.body["id"],
            (f"model-{name}", self._tokens[name]),
            is_staff=role in ("admin", "moderator"),
            may_create=bool(permission.get("create_course", True)),
        )

    def rows(self, operation: str, who: str = "") -> Iterator[Mapping[str, Any]]:
        """All rows of a list, as far as it can be read."""
        for page in range(_PAGES):
            query = {"limit": 100, "offset": 100 * page}
            request = Request(self._operations[operation], query=query, token=self._tokens[who or self._first])
            answer = self._target.ask(request)
            if answer.status != 200 or not isinstance(answer.body, dict):
                return
            yield from (row for row in answer.body.get("results", ()) if isinstance(row, dict))
            if not answer.body.get("next"):
                return


@contextmanager
def model(contract: Contract, community: Community, base_url: str) -> Iterator[httpx.Client]:
    """A client of a server of our own in this process, whose community is like that of the target. It goes by the
    target's address, so that links and addresses look alike. Raises CannotCheck."""
    from stubserver.app import create_app
    from stubserver.fixtures.fixture import FixtureError
    from stubserver.serving.in_process import InProcess

    url = urlsplit(base_url)
    with tempfile.TemporaryDirectory(prefix="stubserver-check-") as directory:
        file = Path(directory) / "model.json"
        file.write_text(json.dumps(_fixture(community)), encoding="utf-8")
        try:
            app = create_app(str(file), allowed_hosts=(url.hostname or "",), max_requests=1)
        except (FixtureError, ValueError) as error:
            raise CannotCheck(f"no model can be made of what the target has: {error}") from None
    world = app.worlds.get()
    for table in world.tables.values():
        if table.name not in ("users", "categories"):
            table.own().next_id = _FIRST_ID
    world.clock.advance(community.ahead) if community.ahead else None
    transport = InProcess(app)
    with closing(transport), httpx.Client(transport=transport, base_url=f"{url.scheme}://{url.netloc}") as client:
        yield client


def _fixture(community: Community) -> Mapping[str, Any]:
    """The fixture of a model. What it cannot hold is left out."""
    return {
        "name": "model",
        "preferences": {name: community.preferences[name] for name in _DECIDING if name in community.preferences},
        "personas": [
            {"token": persona.tokens[0], "user": persona.id, "role": name}
            for name, persona in community.personas.items()
        ],
        "users": [_user(user) for user in community.users],
        "categories": [_fields(category, _CATEGORY, _MISSING) for category in community.categories],
    }


_MISSING = {"date_joined": "2020-01-01T00:00:00+00:00", "lastmod_datetime": "2020-01-01T00:00:00+00:00"}


def _user(user: Mapping[str, Any]) -> Mapping[str, Any]:
    named = {"username": f"user-{user['id']}", "real_name": f"User {user['id']}"}
    found = _fields(user, _USER, {**_MISSING, **named})
    role = user.get("role")
    return {**found, "role": role} if role in ("admin", "moderator", "editor", "publisher") else found


def _fields(row: Mapping[str, Any], names: Sequence[str], missing: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: row[name] for name in names if row.get(name) is not None}
    return {**{name: value for name, value in missing.items() if name in names}, **found}


def clock_of(contract: Contract, target: Side, token: str, run: str) -> timedelta:
    """How far the target's clock is ahead of ours, by a course that is made and deleted; its name has the text of the
    run. Raises CannotCheck."""
    before = datetime.now(UTC)
    body = {"name": f"Clock {run}", "type": "self-paced"}
    answer = target.ask(Request(contract.operations["create_course"], body=body, token=token))
    middle = before + (datetime.now(UTC) - before) / 2
    if answer.status != 201 or not isinstance(answer.body, dict) or "id" not in answer.body:
        problem = answer.failure or f"status {answer.status}"
        raise CannotCheck(f"no course can be made at the target ({problem}): the creator needs a token that allows it")
    target.ask(Request(contract.operations["delete_course"], {"id": answer.body["id"]}, token=token))
    try:
        ahead = datetime.fromisoformat(answer.body["created_at"]) - middle
    except (KeyError, TypeError, ValueError):
        return timedelta()
    return ahead if abs(ahead) > timedelta(seconds=1) else timedelta()
