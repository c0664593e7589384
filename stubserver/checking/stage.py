"""The stage on which steps are played: the model and the target, who acts, what was made, and what differs."""

import base64
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from stubserver.checking.catalogue import NOBODY, CatalogueError, Step
from stubserver.checking.comparison import Difference, of_answers, of_contract, of_page
from stubserver.checking.identities import Identities
from stubserver.checking.meeting import Community
from stubserver.checking.presence import Presence
from stubserver.checking.shapes import Shapes
from stubserver.checking.sides import Answer, Request, Side
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.suggestions import unknown

ABSENT = 999_999_999_999_999
"""An id that neither side has."""
_LARGEST = 100
"""How many rows of a list are asked for at a time, at most."""
_PAGES = 50
"""How many pages of a list are read at most."""
_MOMENT = re.compile(r"\$now(?:([+-])(\d+(?:\.\d+)?)([smhd]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_REFERENCE = re.compile(r"\$([a-z_0-9]+)((?:\.[a-z_0-9]+)*)")
KINDS = {"quiz": "lesson"}
"""Kind of row that a path names -> the kind of its id, where that is another word."""

Both = tuple[Any, Any]
"""Something of the model and of the target."""


@dataclass(frozen=True)
class Row:
    """Something that was made on both sides."""

    path: Mapping[str, Both]
    """Kind of row -> its id: of this one, and of those that it belongs to."""
    shown: Both
    """What the answers said of it."""

    @property
    def id(self) -> Both:
        """Its own id."""
        return list(self.path.values())[-1]


@dataclass
class Played:
    """A step that was played."""

    step: Step
    operation: Operation
    requests: tuple[Request, Request]
    answers: tuple[Answer, Answer]
    differences: Sequence[Difference]

    @property
    def is_alike(self) -> bool:
        """Whether both sides have done the same, as far as the statuses tell."""
        return self.answers[0].status == self.answers[1].status


@dataclass
class Course:
    """A course to delete at the end."""

    who: str
    ids: Both


@dataclass
class Scene:
    """What one story or walk has made, and who plays whom."""

    run: str
    """A text that no other scene has."""
    cast: Mapping[str, str] = field(default_factory=dict)
    """Persona of the story -> persona of the check."""
    rows: dict[str, Row] = field(default_factory=dict)
    courses: list[Course] = field(default_factory=list)

    def actor(self, who: str) -> str:
        """The persona that plays a part."""
        return self.cast.get(who, who)


class Stage:
    """Plays steps on both sides."""

    def __init__(self, contract: Contract, model: Side, target: Side, community: Community) -> None:
        self.contract = contract
        self.shapes = Shapes(contract)
        self.sides = model, target
        self.community = community
        self.ids = Identities()
        self.presence = Presence()
        self.played: int = 0

    def play(self, step: Step, scene: Scene) -> Played:
        """Play a step. Raises CatalogueError if it cannot be, and Stopped."""
        operation, ours, theirs = self.asked(step, scene)
        pages: list[Difference] = []
        if self.is_foreign(operation):
            answers = self._gathered(ours, 0, []), self._gathered(theirs, 1, pages)
        else:
            answers = self.sides[0].ask(ours), self.sides[1].ask(theirs)
            pages += of_page(theirs.query, theirs.target, answers[1].body)
        self.played += 1
        self.presence.note(operation, *answers)
        shape = self.shapes.answer(operation)
        found = [*of_answers(shape, *answers, self.ids), *of_contract(operation, answers[1]), *pages]
        played = Played(step, operation, (ours, theirs), answers, [*_unlike(found)])
        self.remember(played, scene)
        return played

    def rules_of(self, operation: Operation) -> Sequence[str]:
        """The rules that an operation follows."""
        item = self.contract.document["paths"][operation.path][operation.method]
        rules: Sequence[str] = item.get("x-rules", ())
        return rules

    # Requests

    def asked(self, step: Step, scene: Scene) -> tuple[Operation, Request, Request]:
        """The operation of a step, and its requests to the model and to the target. Raises CatalogueError."""
        operation = self._operation(step.operation)
        return operation, *(self._request(step, operation, scene, side) for side in (0, 1))  # type: ignore[return-value]

    def _operation(self, name: str) -> Operation:
        operations = self.contract.operations
        if name not in operations:
            raise CatalogueError(unknown("operation", name, operations))
        return operations[name]

    def _request(self, step: Step, operation: Operation, scene: Scene, side: int) -> Request:
        path = {
            parameter: self._path_id(step, KINDS.get(kind, kind), scene, side)
            for parameter, kind in operation.loads.items()
        }
        body, query = (self.value(part, scene, side) for part in (step.body, step.query))
        media = step.media or ("multipart/form-data" if step.files else "application/json")
        files = {name: _SAMPLES[sample] for name, sample in step.files.items()}
        token = self.token(scene.actor(step.who), side)
        return Request(operation, path, query, body, media, files, token, step.headers)

    def _path_id(self, step: Step, kind: str, scene: Scene, side: int) -> int:
        """The id of a kind in the path of a step. What it is about is a row, or an id that is no row's: of a user, a
        category, or nothing. `lesson!other_lesson` is the path of the one, with the id of the other at its end."""
        if "!" in step.at:
            place, _, other = step.at.partition("!")
            if place not in scene.rows:
                raise CatalogueError(unknown("name of something saved", place, scene.rows))
            is_last = kind == [*scene.rows[place].path][-1]
            return self._path_id(replace(step, at=other if is_last else place), kind, scene, side)
        at = self.value(step.at, scene, side) if step.at[:1] in ("$", "@") else None
        if isinstance(at, int):
            return at
        if step.at not in scene.rows:
            raise CatalogueError(unknown("name of something saved", step.at, scene.rows))
        path = scene.rows[step.at].path
        return path[kind][side] if kind in path else ABSENT

    def token(self, who: str, side: int) -> str | None:
        """The credential of a persona at one side; None for nobody."""
        if who == NOBODY:
            return None
        return self.community.personas[who].tokens[side]

    def value(self, value: Any, scene: Scene, side: int) -> Any:
        """A value of a step, for one side. Raises CatalogueError if it refers to nothing."""
        if isinstance(value, Mapping):
            return {self.value(name, scene, side): self.value(part, scene, side) for name, part in value.items()}
        if isinstance(value, list):
            return [self.value(part, scene, side) for part in value]
        if not isinstance(value, str) or not ("$" in value or value[:1] == "@"):
            return value
        if value[:1] == "@" and (persona := self.community.personas.get(scene.actor(value[1:]))):
            return persona.id
        if value == "$absent":
            return ABSENT
        if value == "$category":
            return self.community.category
        if moment := _MOMENT.fullmatch(value):
            return self._moment(*moment.groups())
        if (found := _REFERENCE.fullmatch(value)) and found[1] != "run":
            return _part(scene.rows, found[1], found[2], side)
        return value.replace("$run", scene.run)

    def _moment(self, sign: str | None, number: str | None, unit: str | None) -> str:
        ahead = timedelta(**{_UNITS[unit]: float(number)}) if number and unit else timedelta()
        return (self.community.now() + (-ahead if sign == "-" else ahead)).isoformat()

    # Answers

    def is_foreign(self, operation: Operation) -> bool:
        """Whether a list has rows that others have made."""
        return self.shapes.listed(operation) == "course" and "course" not in operation.loads.values()

    def _gathered(self, request: Request, side: int, wrong: list[Difference]) -> Answer:
        """All pages of a list as one answer, with only those rows that were made in this check. What is `wrong` in the
        pages themselves is added to a list."""
        limits = {parameter.name for parameter in request.operation.parameters} & {"limit", "offset"}
        asked, size = dict(request.query), _page_size(request.query)
        answer = Answer()
        rows: list[Any] = []
        for page in range(_PAGES):
            if limits == {"limit", "offset"}:
                asked |= {"limit": size, "offset": size * page}
            answer = self.sides[side].ask(replace(request, query=dict(asked)))
            if answer.status != 200 or not isinstance(answer.body, dict) or "results" not in answer.body:
                return answer
            wrong += of_page(asked, request.target, answer.body)
            rows += answer.body["results"]
            if answer.body.get("next") is None or limits != {"limit", "offset"}:
                break
        own = [row for row in rows if self._is_own(row, side)]
        answer.body = {**answer.body, "count": len(own), "results": own, "next": None, "previous": None}
        return answer

    def _is_own(self, row: Any, side: int) -> bool:
        id = row.get("id") if isinstance(row, Mapping) else None
        return self.ids.knows("course", id) if side else self.ids.target_of("course", id) is not None

    def remember(self, played: Played, scene: Scene) -> None:
        """Note what a step has made. Raises Lost if one of the sides has made nothing."""
        step, operation = played.step, played.operation
        kind = self.shapes.made(operation)
        bodies = tuple(answer.body if answer.status < 300 else None for answer in played.answers)
        ids = tuple(body.get("id") if isinstance(body, dict) else None for body in bodies)
        if operation.id == "create_course" and ids != (None, None):
            scene.courses.append(Course(scene.actor(step.who), (ids[0], ids[1])))
        if not step.save:
            return
        if None in ids and kind:
            raise Lost(played)
        path = dict(scene.rows[step.at].path) if step.at in scene.rows else {}
        if kind:
            path[kind] = ids[0], ids[1]
        scene.rows[step.save] = Row(path, (bodies[0], bodies[1]))


class Lost(Exception):
    """Something was not made on one of the sides, so what follows cannot be played."""

    def __init__(self, played: Played) -> None:
        super().__init__(f"{played.operation.id} made nothing")
        self.played = played


def _page_size(query: Mapping[str, Any]) -> int:
    """How many rows to ask for at a time. Only a search is sure to find few enough for smaller pages."""
    limit = query.get("limit")
    return limit if query.get("search") and type(limit) is int and 0 < limit < _LARGEST else _LARGEST


def _unlike(found: Sequence[Difference]) -> Iterator[Difference]:
    """The differences, one for each place."""
    seen = set()
    for difference in found:
        if difference.at not in seen:
            seen.add(difference.at)
            yield difference


def _part(rows: Mapping[str, Row], name: str, path: str, side: int) -> Any:
    if name not in rows:
        raise CatalogueError(unknown("name of something saved", name, rows))
    if not path:
        return rows[name].id[side]
    value = rows[name].shown[side]
    for part in path.split(".")[1:]:
        try:
            value = value[int(part)] if part.isdecimal() else value[part]
        except (KeyError, IndexError, TypeError):
            raise CatalogueError(f"the answer that made {name} has no {path[1:]}") from None
    return value


_PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC")
"""A picture of one pixel."""
_SAMPLES = {
    "png": ("picture.png", _PNG, "image/png"),
    "text": ("notes.txt", b"no picture", "text/plain"),
    "broken": ("picture.png", b"\x89PNG\r\n\x1a\nbroken", "image/png"),
}
"""Name of a sample file -> file name, content, type."""


def wait(step: Step) -> None:
    """Wait as long as a step says."""
    time.sleep(step.wait)
