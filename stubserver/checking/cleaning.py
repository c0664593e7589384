"""Deleting what a check has made: at once after each story or walk, and what nobody knows of at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from stubserver.checking.sides import Request, Side
from stubserver.checking.stage import Scene, Stage

_DONE = (204, 404)
"""Statuses with which something is gone."""


def clean_up(stage: Stage, scene: Scene) -> Iterator[str]:
    """Delete what a scene has made, on both sides. Yields what could not be deleted at the target."""
    delete = stage.contract.operations["delete_course"]
    with _unlimited(stage.sides[1]):
        for course in reversed(scene.courses):
            for number, (side, id) in enumerate(zip(stage.sides, course.ids, strict=True)):
                if id is None:
                    continue
                answer = side.ask(Request(delete, {"id": id}, token=stage.token(course.who, number)))
                if number and answer.status not in _DONE:
                    yield f"course {id} of {course.who}: {answer.failure or answer.status}"
    scene.courses.clear()


def left_over(stage: Stage, run: str) -> Iterator[str]:
    """Delete the target's courses whose names have the text of a run: those whose making was interrupted, so that
    nobody knows of them. Yields what could not be deleted."""
    search, delete = (stage.contract.operations[name] for name in ("search_courses", "delete_course"))
    target = stage.sides[1]
    with _unlimited(target):
        for name in stage.community.personas:
            token = stage.token(name, 1)
            found = target.ask(Request(search, query={"search": run, "limit": 100}, token=token))
            rows = found.body.get("results", ()) if found.status == 200 and isinstance(found.body, dict) else ()
            for row in rows:
                if run in str(row.get("name", "")) and row.get("join_status") == "creator":
                    answer = target.ask(Request(delete, {"id": row["id"]}, token=token))
                    if answer.status not in _DONE:
                        yield f"course {row['id']} of {name}: {answer.failure or answer.status}"


@contextmanager
def _unlimited(target: Side) -> Iterator[None]:
    """What was made has to go, even if the time is over."""
    end, target.end = target.end, float("inf")
    try:
        yield
    finally:
        target.end = end
