"""`stubserver exec --import FILE --export-on-exit FILE -- COMMAND`: worlds from a run to the next, and mistakes."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import CLEAN, COMMAND, PATIENCE, invoke, told
from tests.support.executing import execute, script

RENAME = """
before = ask("GET", "/api/v2/course/1/", world="w")["name"]
ask("PATCH", "/api/v2/course/1/", "creator", {"name": before + "!"}, world="w")
print(before)
"""
NAME = "Watercolour for Absolute Beginners"


@pytest.mark.slow
def test_worlds_go_from_one_run_to_the_next(tmp_path: Path) -> None:
    """Whether the command succeeds or fails."""
    options = ["--import", "w.json", "--export-on-exit", "w.json", "--journal", "j.ndjson"]
    for status in (0, 3, 0):
        done = execute(*options, command=script(f"{RENAME}raise SystemExit({status})"), folder=tmp_path)
        assert (done.returncode, done.stderr) == (status, "")
        assert done.stdout.startswith(NAME)
    assert done.stdout == f"{NAME}!!\n"
    assert {file.name for file in tmp_path.iterdir()} == {"w.json", "j.ndjson"}
    assert {world["name"] for world in json.loads((tmp_path / "w.json").read_text())["worlds"]} == {"w"}
    done = execute("--import", "w.json", command=script(RENAME), folder=tmp_path)
    assert done.stdout == f"{NAME}!!!\n"


@pytest.mark.untraced  # the tracer could not write its file either
@pytest.mark.slow
@pytest.mark.parametrize(("text", "status"), [("", 2), ("raise SystemExit(5)", 5)])
def test_worlds_that_can_no_longer_be_written_are_told(tmp_path: Path, text: str, status: int) -> None:
    """As any other file of exec; that of an earlier run is as it was."""
    (tmp_path / "w.json").write_text("of the last run")
    many = 'for number in range(50): ask("PATCH", "/api/v2/course/1/", "creator", {"name": "x"}, world=f"w{number}")'
    limited = ["sh", "-c", 'ulimit -f 16 && exec "$@"', "sh", *COMMAND]  # 8,192 bytes
    done = subprocess.run(
        [*limited, "exec", "--export-on-exit", "w.json", "--", *script(f"{many}\n{text}")],
        cwd=tmp_path,
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == status
    assert done.stderr == "stubserver: --export-on-exit: cannot write w.json: File too large\n"
    assert (tmp_path / "w.json").read_text() == "of the last run"
    assert [file.name for file in tmp_path.iterdir()] == ["w.json"]


@pytest.mark.slow
def test_without_the_command_nothing_is_exported(tmp_path: Path) -> None:
    """Nothing has run, so the worlds of an earlier run are not replaced."""
    (tmp_path / "w.json").write_text("of the last run")
    (tmp_path / "no-program").write_bytes(b"\x00")
    (tmp_path / "no-program").chmod(0o755)
    done = execute("--export-on-exit", "w.json", command=["./no-program"], folder=tmp_path)
    assert done.returncode == 127
    assert (tmp_path / "w.json").read_text() == "of the last run"


def test_the_variables_of_serve_name_no_files_of_exec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that a server's environment starts must not write to the server's file."""
    monkeypatch.chdir(tmp_path)
    for name in ("IMPORT", "EXPORT_ON_EXIT"):
        status, _, err = invoke("exec", "--journal", "none/j", "--", "true", **{f"STUBSERVER_{name}": "none.json"})
        assert (status, err) == (2, "stubserver: cannot write none/j: No such file or directory\n")


SHARE = "cannot share the file"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--imprt w.json true", "Error: No such option '--imprt'. ..."),
        ("--export-on-exi w.json true", "Error: No such option '--export-on-exi'. Did you mean '--export-on-exit'?"),
        ("--import", "Error: Option '--import' requires an argument."),
        ("--import= true", "Error: Invalid value for '--import': it is empty; ..."),
        ("--import . true", "Error: Invalid value for '--import': File '.' is a directory."),
        ("--export-on-exit . true", "Error: Invalid value for '--export-on-exit': File '.' is a directory."),
        ("--import none.json true", "stubserver: --import: cannot read none.json: No such file or directory"),
        ("--import kept.json true", "stubserver: --import: cannot read kept.json: this is no JSON: ..."),
        (
            "--import kept.json --export-on-exit kept.json true",
            "stubserver: --import: cannot read kept.json: this is no JSON: ...",
        ),
        (
            "--export-on-exit none/w.json true",
            "stubserver: --export-on-exit: cannot write none/w.json: No such file or directory",
        ),
        (
            "--journal kept.json --export-on-exit kept.json true",
            f"stubserver: --journal and --export-on-exit {SHARE} kept.json",
        ),
        (
            "--coverage kept.json --export-on-exit ./kept.json true",
            f"stubserver: --coverage and --export-on-exit {SHARE} kept.json",
        ),
        ("--journal kept.json --import kept.json true", f"stubserver: --journal and --import {SHARE} kept.json"),
        ("--coverage kept.json --import kept.json true", f"stubserver: --coverage and --import {SHARE} kept.json"),
        ("--coverage kept.json --journal kept.json true", f"stubserver: --journal and --coverage {SHARE} kept.json"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept.json").write_text("of the last run\n")
    status, out, err = invoke("exec", *arguments.split())
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert [file.read_text() for file in tmp_path.iterdir()] == ["of the last run\n"]
