"""`stubserver fixture validate` and `schema`: lines that editors read, statuses that CI reads, and wrong use."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stubserver.cli import main

GOOD = """\
personas: [{token: t, user: 1, role: r}]
users:
- {id: 1, username: ada, real_name: Ada, date_joined: -3d}
"""
ODD = GOOD.partition("\n")[2]
BAD = GOOD.replace("ada", "no").replace("-3d", "3 days")
SAYS = [
    'bad.yaml:3:11: error: users.0.username: no is no text here: write it in quotes, "no", if it is meant as one',
    'bad.yaml:3:41: error: users.0.date_joined: "3 days" is no date and time: write 2025-01-25T10:00:00Z, or with an '
    "offset like +01:00, or -3d for three days ago",
]
WARNS = (
    "odd.yaml:1:1: warning: users: no token stands for any of them: add personas, such as {token: t, user: 1, role: r}"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"good": GOOD, "odd": ODD, "bad": BAD}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fixture", *arguments])


@pytest.mark.parametrize(
    ("arguments", "lines", "status"),
    [
        (["good.yaml"], ["1 file, 0 errors, 0 warnings"], 0),
        (["bad.yaml"], [*SAYS, "1 file, 2 errors, 0 warnings"], 1),
        (["odd.yaml"], [WARNS, "1 file, 0 errors, 1 warning"], 0),
        (["odd.yaml", "--fail-on-warnings"], [WARNS, "1 file, 0 errors, 1 warning"], 1),
        (["good.yaml", "--fail-on-warnings"], ["1 file, 0 errors, 0 warnings"], 0),
        (["good.yaml", "bad.yaml", "odd.yaml"], [*SAYS, WARNS, "3 files, 2 errors, 1 warning"], 1),
        (["bad.yaml", "bad.yaml"], [*SAYS, "1 file, 2 errors, 0 warnings"], 1),
        (["."], [*SAYS, WARNS, "3 files, 2 errors, 1 warning"], 1),
    ],
)
def test_mistakes_are_lines_and_a_status(arguments: list[str], lines: list[str], status: int) -> None:
    done = run("validate", *arguments)
    assert (done.stdout.splitlines(), done.stderr, done.exit_code) == (lines, "", status)


def test_json_has_the_same(folder: Path) -> None:
    done = run("validate", "bad.yaml", "odd.yaml", "--format", "json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found[0] == {
        "file": "bad.yaml",
        "line": 3,
        "column": 11,
        "severity": "error",
        "path": "users.0.username",
        "message": 'no is no text here: write it in quotes, "no", if it is meant as one',
    }
    assert [mistake["severity"] for mistake in found] == ["error", "error", "warning"]
    assert json.loads(run("validate", "good.yaml", "--format", "json").stdout) == []


def test_many_mistakes_are_shown_in_part(folder: Path) -> None:
    (folder / "many.yaml").write_text("users:\n" + "- 1\n" * 150)
    lines = run("validate", "many.yaml").stdout.splitlines()
    assert (len(lines), *lines[-2:]) == (102, "and 50 more", "1 file, 150 errors, 0 warnings")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.yaml"], "stubserver: cannot read missing.yaml: No such file or directory"),
        (["empty-folder"], "stubserver: empty-folder: there is no fixture in this folder: their names end in .yaml"),
        (["clash"], f"stubserver: {Path('clash') / 'default.yaml'}: default is a fixture that ships"),
        ([""], "it is empty; the current folder is written as ."),
        ([], "Missing argument 'FILE...'"),
        (["good.yaml", "--formt", "json"], "No such option '--formt'"),
        (["good.yaml", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
    ],
)
def test_what_cannot_be_used_has_status_2(folder: Path, arguments: list[str], says: str) -> None:
    (folder / "empty-folder").mkdir()
    (folder / "clash").mkdir()
    (folder / "clash" / "default.yaml").touch()
    done = run("validate", *arguments)
    assert done.exit_code == 2
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_a_missing_file_does_not_hide_the_mistakes_of_others() -> None:
    done = run("validate", "missing.yaml", "bad.yaml")
    assert done.exit_code == 2
    assert done.stdout.splitlines()[:2] == SAYS
    assert done.stderr == "stubserver: cannot read missing.yaml: No such file or directory\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "x.yaml: error: the file: it is empty: a fixture has at least users"),
        (b"\xff\xfea", "x.yaml:1:1: error: the byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"\x00\x01\x02", "x.yaml:1:1: error: the character #x0000 is not allowed"),
        (b"users:\n\t- 1", "x.yaml:2:1: error: this is no YAML: a tab is in front of this line"),
        (b"\xef\xbb\xbfusers: no", "x.yaml:1:1: error: users: false is not valid; it must be a list"),
    ],
)
def test_whatever_is_in_a_file_is_told(folder: Path, content: bytes, says: str) -> None:
    (folder / "x.yaml").write_bytes(content)
    done = run("validate", "x.yaml")
    assert done.exit_code == 1
    assert done.stdout.startswith(says)


def test_the_schema_is_printed() -> None:
    done = run("schema")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["title"] == "Fixture of course-stubserver"
    assert run("schema", "x").exit_code == 2
