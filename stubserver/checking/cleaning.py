"""Deleting what a check has made: at once after each story or walk, and what nobody knows of at the end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from stubserver.checking.sides import Request, Side
from stubserver.checking.stage import Scene, Stage
from stubserver.contract.contract import Contract

_DONE = (204, 404)
"""Statuses with which something is gone."""


def clean_up(stage: Stage, scene: Scene) -> Iterator[str]:
    """Delete what a scene has made, on both sides. Yields what could not be deleted at the target. Where that does not
    answer, it is not asked again."""
    delete = stage.contract.operations["delete_course"]
    failure = ""
    with _unlimited(stage.sides[1]):
        while scene.courses:
            course = scene.courses[-1]
            for number, (side, id) in enumerate(zip(stage.sides, course.ids, strict=True)):
                if id is None or (number and failure):
                    continue
                answer = side.ask(Request(delete, {"id": id}, token=stage.token(course.who, number)))
                if number == 0:
                    continue
                failure = answer.failure
                if not failure and answer.status not in _DONE:
                    yield f"course {id} of {course.who}: {answer.status}"
            if failure and course.ids[1] is not None:
                yield f"course {course.ids[1]} of {course.who}: {failure}"
            scene.courses.pop()


def left_over(contract: Contract, target: Side, tokens: Mapping[str, str], run: str) -> Iterator[str]:
    """Delete the target's courses whose names have the text of a run: those whose making was interrupted, so that
    nobody knows of them. `tokens` are those of the personas. Yields what could not be deleted, or looked for."""
    search, delete = (contract.operations[name] for name in ("search_courses", "delete_course"))
    with _unlimited(target):
        for name, token in tokens.items():
            found = target.ask(Request(search, query={"search": run, "limit": 100}, token=token))
            if found.status != 200 or not isinstance(found.body, dict):
                yield f"perhaps courses with {run} in their names: search_courses gave {found.failure or found.status}"
                return
            for row in found.body.get("results", ()):
                if run in str(row.get("name", "")) and row.get("join_status") == "creator":
                    answer = target.ask(Request(delete, {"id": row["id"]}, token=token))
                    if answer.status not in _DONE:
                        yield f"course {row['id']} of {name}: {answer.failure or answer.status}"


@contextmanager
def _unlimited(target: Side) -> Iterator[None]:
    """What was made has to go, even if the time is over."""
    before = target.end, target.patience
    target.end = target.patience = float("inf")
    try:
        yield
    finally:
        target.end, target.patience = before
