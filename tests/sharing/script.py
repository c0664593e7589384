"""What the clients of a load ask in one world, and what each answer means for the history."""

import itertools
import random
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.sharing.history import FOREVER, Act, Operation, Outcome
from tests.sharing.wire import Answer
from tests.support.answers import ok

LENGTH = 40
"""How many sections a course gets."""
WINDOW, RUSH = 100, 4
"""Of so many requests, so many in a row try to create a course with the same name, by as many clients."""
SHARES = {"read": 45, "write": 30, "append": 9, "list": 9, "find": 3}
"""Kind of the other requests -> how many there are, of 96."""
FIELDS = ("name", "description")
"""The fields of a course that are registers."""


@dataclass(frozen=True)
class Attempt:
    """A change that a request tries to make."""

    act: Act
    key: str
    value: Hashable
    table: str = ""


@dataclass(frozen=True)
class Request:
    """A request of the API as a client sends it, and what it is about."""

    method: str
    path: str
    body: Mapping[str, str] | None = None
    attempt: Attempt | None = None
    course: "Course | None" = None
    """The course whose registers the answer shows."""
    lists: tuple[Act, str, str] | None = None
    """What a list in the answer is: act, key and table."""
    only: str = ""
    """The name that the list is filtered by."""
    refusals: tuple[int, ...] = ()
    """Statuses below 500 that are no mistake."""

    def is_strange(self, answer: Answer) -> bool:
        """Whether no client should get this answer."""
        return answer.status >= 300 and answer.status != 503 and answer.status not in self.refusals

    def told(self, answer: Answer | None, began: int, ended: int, who: str) -> tuple[Outcome, list[Operation]]:
        """How it ended, and what it did and saw; without an answer, or with a 5xx, nobody knows what it did."""
        outcome = _outcome(answer)
        body = answer.json if answer is not None and outcome is Outcome.DONE else {}
        made = list(self._attempted(body, outcome, began, ended, who))
        if outcome is Outcome.DONE:
            seen = self._seen(body)
            made += [Operation(act, key, value, began, ended, outcome, who, None, ids) for act, key, value, ids in seen]
        return outcome, made

    def _attempted(self, body: Any, outcome: Outcome, began: int, ended: int, who: str) -> Iterator[Operation]:
        if (of := self.attempt) is not None:
            end = FOREVER if outcome is Outcome.UNKNOWN else ended
            number = body.get("id") if of.table else None
            yield Operation(of.act, of.key, of.value, began, end, outcome, who, number, of.table)

    def _seen(self, body: Any) -> Iterator[tuple[Act, str, Hashable, str]]:
        """What an answer shows: act, key, value and table."""
        if self.course is not None:
            yield from ((Act.READ, key, value, "") for key, value in self.course.registers(body).items())
        if self.lists is not None:
            act, key, table = self.lists
            rows = body["results"] if act is Act.FIND else body
            yield act, key, tuple((row["id"], row["name"]) for row in rows if self.only in ("", row["name"])), table


def _outcome(answer: Answer | None) -> Outcome:
    if answer is None or answer.status >= 500:
        return Outcome.UNKNOWN
    return Outcome.DONE if answer.status < 300 else Outcome.REFUSED


@dataclass(frozen=True)
class Course:
    """A course whose name and description are registers: two, which are written apart, or one, whose halves are only
    ever written together."""

    world: str
    number: int
    is_whole: bool

    @property
    def path(self) -> str:
        return f"/course/{self.number}/"

    def registers(self, shown: Mapping[str, Any]) -> dict[str, Hashable]:
        """The registers that have these fields, with their values: of an answer, all; of a change, what it writes."""
        name = f"{self.world}, course {self.number}"
        if self.is_whole:
            return {f"{name}, name and description": (shown["name"], shown["description"])}
        return {f"{name}, {field}": shown[field] for field in FIELDS if field in shown}


class Script:
    """What clients ask in one world, one request after the other."""

    def __init__(self, world: str, seed: int) -> None:
        self.world = world
        self.initial: dict[str, Hashable] = {}
        """Register -> its first value."""
        self._chance = random.Random(f"{seed} {world}")  # noqa: S311
        self._values, self._turns, self._appended = itertools.count(1), itertools.count(), itertools.count()
        self._courses: list[Course] = []
        self._lists: list[int] = []
        self._growing = self._claims = 0

    def prepare(self, client: httpx.Client, requests: int) -> None:
        """Create what so many requests need, as the creator whose client it is. Raises AssertionError if it cannot."""
        for number in range(5):
            body = {"name": f"first name {number}", "description": "first", "type": "self-paced"}
            shown = ok(client.post("/course/", json=body), 201)
            self._courses.append(Course(self.world, shown["id"], is_whole=number >= 3))
            self.initial |= self._courses[-1].registers(shown)
        for number in range(requests * SHARES["append"] // WINDOW // LENGTH + 2):
            shown = ok(client.post("/course/", json={"name": f"of sections {number}", "type": "self-paced"}), 201)
            self._lists.append(shown["id"])

    def next(self) -> Request:
        """The next request."""
        turn = next(self._turns)
        if turn % WINDOW < RUSH:
            return self._claim(turn // WINDOW)
        (kind,) = self._chance.choices([*SHARES], [*SHARES.values()])
        request: Request = getattr(self, f"_{kind}")()
        return request

    def last(self) -> Iterator[Request]:
        """Read everything, once the load is over."""
        yield from (Request("GET", course.path, course=course) for course in self._courses)
        yield from map(self._listing, self._lists)
        yield from map(self._finding, range(self._claims))

    def _claim(self, number: int) -> Request:
        self._claims = number + 1
        name = self._named(number)
        attempt = Attempt(Act.CLAIM, f"{self.world}, course called {name}", name, f"{self.world}, courses")
        body = {"name": name, "type": "self-paced"}
        return Request("POST", "/course/", body, attempt, refusals=(400,))

    def _named(self, number: int) -> str:
        return f"claim-{number:06}"

    def _find(self) -> Request:
        return self._finding(self._chance.randrange(max(0, self._claims - 3), self._claims))

    def _finding(self, number: int) -> Request:
        name = self._named(number)
        listed = (Act.FIND, f"{self.world}, course called {name}", f"{self.world}, courses")
        return Request("GET", f"/course/search/?search={name}", lists=listed, only=name)

    def _read(self) -> Request:
        course = self._chance.choice(self._courses)
        return Request("GET", course.path, course=course)

    def _write(self) -> Request:
        course, number = self._chance.choice(self._courses), next(self._values)
        fields = FIELDS if course.is_whole else [self._chance.choice(FIELDS)]
        body = {field: f"{field} {number}" for field in fields}
        ((key, value),) = course.registers(body).items()
        return Request("PATCH", course.path, body, Attempt(Act.WRITE, key, value), course)

    def _append(self) -> Request:
        turn = next(self._appended)
        self._growing = min(turn // LENGTH, len(self._lists) - 1)
        number, name = self._lists[self._growing], f"section {turn}"
        key = f"{self.world}, sections of course {number}"
        attempt = Attempt(Act.APPEND, key, name, f"{self.world}, sections")
        return Request("POST", f"/course/{number}/section/", {"name": name}, attempt)

    def _list(self) -> Request:
        return self._listing(self._lists[max(0, self._growing - self._chance.randrange(2))])

    def _listing(self, number: int) -> Request:
        listed = (Act.LIST, f"{self.world}, sections of course {number}", f"{self.world}, sections")
        return Request("GET", f"/course/{number}/section/", lists=listed)
