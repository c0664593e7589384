"""What the grid and the walks send: for each operation somebody who may, a row, and a body that is accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from stubserver.checking.catalogue import Step, prepared
from stubserver.contract.operation import Operation
from stubserver.contract.resources import folder

EVERYTHING = "everything"
"""The part of `given` with at least one row of each kind, and a second one elsewhere."""
ROWS: Mapping[str, str] = {
    "course": "course",
    "section": "section",
    "lesson": "lesson",
    "quiz": "quiz",
    "question": "question",
    "comment": "comment",
    "attempt": "attempt",
    "category": "$category",
    "user": "@member",
}
"""Kind of row -> what it is called in `everything`."""
SIBLINGS: Mapping[str, str] = {
    "course": "other_course",
    "section": "other_section",
    "lesson": "other_lesson",
    "quiz": "lesson",
    "question": "second_question",
    "comment": "reply",
}
"""Kind of row -> one of another parent, or of another sort."""


@cache
def _written() -> Mapping[str, Mapping[str, Any]]:
    text = (folder("openapi") / "stories" / "ingredients.yaml").read_text(encoding="utf-8")
    written: Mapping[str, Mapping[str, Any]] = yaml.safe_load(text)
    return written


def step_of(operation: Operation) -> Step:
    """A step that is accepted where `everything` is given."""
    last = [*operation.loads.values()][-1:]
    at = ROWS.get(last[0], "") if last else ""
    return replace(Step("creator", operation.id, at), **_named(_written().get(operation.id, {})))


def everything() -> Sequence[Step]:
    """The steps that make a row of each kind."""
    return prepared(EVERYTHING)


def _named(written: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"who" if key == "as" else key: value for key, value in written.items()}
