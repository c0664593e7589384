"""`stubserver replay`: what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stubserver.cli import main
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.worlds import make

pytestmark = pytest.mark.in_process("it is about the journal of the world default")


def case_of(api: Api, folder: Path, **changes: Any) -> Path:
    """The file of a case with two requests."""
    make(api, "Knots")
    ok(api.get("/course/1/"))
    case = ok(api.get("/__stub/case"))
    file = folder / "case.json"
    file.write_text(json.dumps({**case, **changes}), encoding="utf-8")
    return file


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(main, ["replay", *arguments])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.stdout, found.stderr


def test_the_same_answers_are_a_success(api: Api, tmp_path: Path) -> None:
    assert run(str(case_of(api, tmp_path))) == (0, "2 of 2 requests sent again: all answered the same\n", "")


def test_a_different_answer_is_a_failure(api: Api, tmp_path: Path) -> None:
    file = case_of(api, tmp_path)
    file.write_text(file.read_text().replace('"name": "Knots"', '"name": "Ropes"', 1))
    status, out, err = run(str(file))
    assert (status, err) == (1, "")
    assert out.startswith('default-1  POST /api/v2/course/\n  body.name: "Knots" then, "Ropes" now\n')
    assert out.endswith("\n2 of 2 requests sent again: 1 answered differently\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is not JSON"),
        (b"\xff\xfe", "'utf-8' codec can't decode"),
        (b"[]", "a case is a JSON object, as GET /__stub/case answers"),
        (b'{"case": 1}', "a case has start and requests, and this file does not"),
        (b'{"start": {"fixture": "nope"}, "requests": []}', "; give its fixture with --fixture"),
        (b'{"start": {"fixture": 3}, "requests": [], "seed": "x"}', "; give its fixture with --fixture"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "case.json"
    file.write_bytes(content)
    status, out, err = run(str(file))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"stubserver: {file}: ")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'CASE'"),
        (["nowhere.json"], "File 'nowhere.json' does not exist"),
        (["."], "is a directory"),
        (["--fixtur", "x", "."], "Did you mean '--fixture'?"),
        (["a.json", "b.json"], "does not exist"),
    ],
)
def test_wrong_use_is_refused(arguments: list[str], message: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_another_fixture_is_taken_on_request(api: Api, tmp_path: Path) -> None:
    """Its digest differs, so the state at the start is not what it was; that is said."""
    file = case_of(api, tmp_path)
    status, out, err = run(str(file), "--fixture", "empty")
    assert (status, err) == (0, "")
    assert out.startswith("2 of 2 requests")
    status, out, err = run(str(file), "--fixture", "nope")
    assert (status, out, err.count("\n")) == (2, "", 1)
