"""The permission matrix: what every operation answers to every kind of caller, in courses of every privacy and
for lessons in every state.

It is kept in permission_matrix.md, so that every change of access shows up in reviews.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from stubserver.api.grading import graded
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.worlds.world import World
from tests.support.client import Api
from tests.support.default import COURSES, NOW, STRANGER

FILE = Path(__file__).parent / "permission_matrix.md"
OTHER = 8
"""Owns comment and attempt where the stranger does not; the stranger gets each status in turn."""
CALLERS: dict[str, tuple[str | None, str | None]] = {
    "anonymous": (None, None),
    "no status": ("stranger", None),
    "requested": ("stranger", "requested"),
    "invited": ("stranger", "invited"),
    "joined": ("stranger", "joined"),
    "joined, own": ("stranger", "joined"),
    "manager": ("stranger", "manager"),
    "creator": ("creator", None),
    "staff": ("staff", None),
}
"""Column -> the persona and the status it gets; "own" means that comment and attempt belong to the caller."""
STATES = ("published", "draft", "not yet open", "comments off")
"""The states of the lesson."""
IDS = {"section_id": 900, "lesson_id": 901, "question_id": 902, "attempt_id": 905, "comment_id": 906}
BODIES: dict[str, Any] = {
    "make_course_attempt": {"responses": [{"question_id": 902, "selected_options": [903]}]},
    "create_course_comment": {"text": "<p>Good morning.</p>"},
}
"""Bodies for operations whose example names rows of its own."""
INTRODUCTION = """# Permission matrix

Made by `make docs`; a test compares it with what the server does. Each cell is the status of the answer to the
operation's own example request, sent to a fresh default world by somebody with that status in the course.
"""


def matrix(server: StubServer, runner: asyncio.Runner) -> str:
    """The whole matrix as Markdown."""
    lines = [INTRODUCTION]
    operations = list(server.contract.operations.values())
    for privacy, course in COURSES.items():
        lines += [f"## A course that is {privacy}", "", *_heading("operation")]
        for operation in operations:
            kinds = operation.loads.values()
            if "course" in kinds and not {"lesson", "quiz"} & set(kinds):
                lines.append(_row([operation.id, *_statuses(server, runner, operation, course, STATES[0])]))
        lines += ["", f"### Its lessons, in a course that is {privacy}", "", *_heading("operation | lesson")]
        for operation in operations:
            if {"lesson", "quiz"} & set(operation.loads.values()):
                for state in STATES:
                    cells = _statuses(server, runner, operation, course, state)
                    lines.append(_row([operation.id, state, *cells]))
        lines.append("")
    lines += ["## Operations that are not about one course", "", *_heading("operation")]
    for operation in operations:
        if "course" not in operation.loads.values():
            lines.append(_row([operation.id, *_statuses(server, runner, operation, COURSES["open"], STATES[0])]))
    return "\n".join(lines) + "\n"


def _heading(first: str) -> list[str]:
    cells = [*first.split(" | "), *CALLERS]
    return [_row(cells), _row(["---"] * len(cells))]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _statuses(
    server: StubServer, runner: asyncio.Runner, operation: Operation, course: int, state: str
) -> Iterator[str]:
    for caller, (persona, status) in CALLERS.items():
        world = server.worlds.reset()
        world.clock.freeze(NOW)
        if status:
            row = {"course_id": course, "user_id": STRANGER, "status": status, "joined_at": NOW, "last_active_at": None}
            world.memberships.put(row)
        _add_lesson(world, course, state, STRANGER if caller == "joined, own" else OTHER)
        first = {"course": course, "user": STRANGER}.get(_first(operation) or "", 1)
        path = operation.path.format(id=first, **IDS)
        answer = Api(server, runner, persona).request(operation.method.upper(), path, **_body(server, operation))
        yield str(answer.status_code)


def _first(operation: Operation) -> str | None:
    """The kind of the first row in the path."""
    return next(iter(operation.loads.values()), None)


def _body(server: StubServer, operation: Operation) -> dict[str, Any]:
    """The body, as options for httpx."""
    if operation.id == "upload_media_chunk":
        return {"files": {"image": ("sky.png", b"twelve bytes")}, "headers": {"Content-Range": "bytes 0-11/12"}}
    return {"json": BODIES.get(operation.id, example(server.contract, operation))} if operation.bodies else {}


def _add_lesson(world: World, course: int, state: str, owner: int) -> None:
    """A quiz in this state, with a question, and an attempt and a comment by `owner`."""
    row = world.courses[course]
    later = state == "not yet open"
    world.courses.put({**row, "sections_order": [900], "type": "scheduled" if later else row["type"]})
    section = {"id": 900, "course_id": course, "name": "Part", "drip_delay": 0, "lessons_order": [901]}
    world.sections.put({**section, "dripped_at": NOW + timedelta(days=1) if later else None})
    lesson = {
        "id": 901,
        "section_id": 900,
        "name": "Lesson",
        "type": "quiz",
        "status": "draft" if state == "draft" else "published",
        "comments_enabled": state != "comments off",
        "text": "",
        "medias": [],
        "passing_grade": 60,
        "questions_order": [902],
        "created_by": 1,
        "created_at": NOW,
    }
    world.lessons.put(lesson)
    answers = [{"id": 903, "text": "Yes", "correct": True}, {"id": 904, "text": "No", "correct": False}]
    question = {
        "id": 902,
        "lesson_id": 901,
        "type": "single_choice",
        "image": None,
        "text": "Well?",
        "answers": answers,
    }
    world.questions.put(question)
    made = {"id": 905, "lesson_id": 901, "user_id": owner, "created_at": NOW, "num_attempts": 1}
    world.attempts.put({**made, **graded([question], {902: {903}}, 60)})
    thread: dict[str, Any] = {"parent": None, "in_reply_to": None, "medias": []}
    world.comments.put(
        {"id": 906, "lesson_id": 901, "text": "Hello.", "created_by": owner, "created_at": NOW, **thread}
    )


def example(contract: Contract, operation: Operation) -> Any:
    """The operation's own JSON example."""
    raw = contract.document["paths"][operation.path][operation.method]
    content = contract.resolve(raw["requestBody"])["content"]["application/json"]
    return content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
