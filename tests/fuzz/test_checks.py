"""The fuzz gate notices what it could not see before: each of these faults is put into a server that is then fuzzed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from stubserver.api import guards, operations
from stubserver.api.operations import course
from stubserver.app import StubServer, create_app
from stubserver.call import Call
from stubserver.serving.background import Background
from tests.sources import ROOT
from tests.support.commands import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


def _everybody_manages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guards.GUARDS, "manager", guards.everyone)


def _everybody_sees_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "_visible", lambda call: list(call.world.courses))


def _sections_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operations.FUNCTIONS, "delete_course_section", lambda _: None)


def _courses_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    create = course.create_course

    def create_course(call: Call) -> Any:
        made = create(call)
        call.world.courses.delete(max(row["id"] for row in call.world.courses))
        return made

    monkeypatch.setitem(operations.FUNCTIONS, "create_course", create_course)


def _names_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    patch = course.patch_course

    def patch_course(call: Call) -> Any:
        before = call.course
        shown = patch(call)
        call.world.courses.put(before)
        return shown

    monkeypatch.setitem(operations.FUNCTIONS, "patch_course", patch_course)


def _categories_move(monkeypatch: pytest.MonkeyPatch) -> None:
    serve = StubServer.__call__

    async def moved(self: StubServer, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/api/v2/category/":
            await serve(self, scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", b"/api/v2/feature/")]})
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setattr(StubServer, "__call__", moved)


FAULTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, str, str]] = {
    "everybody may manage": (_everybody_manages, "stub-stranger", "patch_course", "nobody_does_what_others_may"),
    "everybody sees all": (_everybody_sees_all, "stub-stranger", "search_courses", "nobody_sees_hidden_courses"),
    "a section stays": (_sections_stay, "stub-creator", "delete_course_section", "a_write_lasts"),
    "a course vanishes": (_courses_vanish, "stub-creator", "create_course", "a_write_lasts"),
    "a name stays": (_names_stay, "stub-creator", "patch_course", "a_write_lasts"),
    "categories moved": (_categories_move, "stub-creator", "list_categories", "nothing_redirects"),
}
"""What is wrong -> how it is made so, who fuzzes which operation, and which check must fail."""


def fuzzed(url: str, persona: str, operation: str) -> str:
    """What Schemathesis says of one operation."""
    here = Path(__file__).parent
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
            *("run", f"{url}/openapi.json", "--url", url, "--seed", "1", "--warnings", "off"),
            *("--phases", "examples,fuzzing", "--max-examples", "5", "--include-operation-id", operation),
        ],
        cwd=here,
        env={**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{ROOT}", "FUZZ_PERSONA": persona},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """By the check that is about it; without the fault, the same run finds nothing."""
    put_in, persona, operation, check = FAULTS[fault]
    with Background(lambda: create_app(fast_path=False)) as url:
        sound = fuzzed(url, persona, operation)
    assert "No issues found" in sound, sound
    put_in(monkeypatch)
    with Background(lambda: create_app(fast_path=False)) as url:
        told = fuzzed(url, persona, operation)
    assert check in told, told
