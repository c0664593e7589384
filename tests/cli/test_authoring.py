"""`stubserver fixture generate|from-world`: what they write, and how mistakes are told."""

import os
from pathlib import Path

import orjson
import pytest
import yaml

from stubserver.authoring import phrases
from stubserver.authoring.generator import generate
from tests.support.commands import invoke, run, told

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# generate


def test_generate_writes_yaml_and_json() -> None:
    """The same to standard output and to a file, whose ending decides."""
    expected = generate(3, 1)
    status, out, err = invoke("fixture", "generate", "--courses", "3", "--seed", "1")
    assert (status, yaml.safe_load(out), err) == (0, expected, "")
    for name in ("x.yaml", "x.json", "x"):
        assert invoke("fixture", "generate", "--courses", "3", "--seed", "1", "--output", name) == (
            0,
            f"wrote {name}\n",
            "",
        )
    assert Path("x.yaml").read_text(encoding="utf-8") == Path("x").read_text(encoding="utf-8") == out
    assert orjson.loads(Path("x.json").read_bytes()) == expected


def test_generate_has_a_seed_by_default() -> None:
    assert invoke("fixture", "generate", "--courses", "2") == invoke(
        "fixture", "generate", "--courses", "2", "--seed", "0"
    )
    assert invoke("fixture", "generate", "--courses", "2", "--output", "-")[1].startswith("name: large-2-0\n")


def test_generate_makes_a_preset() -> None:
    assert yaml.safe_load(invoke("fixture", "generate", "--preset", "empty")[1]) == generate(None, 0, "empty")
    both = invoke("fixture", "generate", "--preset", "long-texts", "--courses", "1")[1]
    assert yaml.safe_load(both) == generate(1, 0, "long-texts")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "stubserver: say how many courses there shall be, with --courses, or choose a --preset"),
        (["--courses", "0"], "Error: Invalid value for '--courses': 0 is not in the range 1<=x<=1000000."),
        (["--courses", "1000001"], "Error: Invalid value for '--courses': 1000001 is not in the range ..."),
        (["--courses", "x"], "Error: Invalid value for '--courses': 'x' is not a valid integer range."),
        (["--courses", "1", "--seed", "-1"], "Error: Invalid value for '--seed': -1 is not in the range x>=0."),
        (["--preset", "bussy"], "Error: Invalid value for '--preset': 'bussy' is not one of 'empty', ..."),
        (["--preset", ""], "Error: Invalid value for '--preset': '' is not one of 'empty', ..."),
        (["--preset", "empty", "--courses", "1"], "stubserver: --courses 1 contradicts --preset empty: its number ..."),
        (["--preset", "busy", "--courses", "1001"], "stubserver: --courses 1001 contradicts --preset busy: its ..."),
        (["--prest", "busy"], "Error: No such option '--prest'. ..."),
        (["busy"], "Error: Got unexpected extra argument (busy)"),
        (["--courses", "1", "--output", ""], "Error: Invalid value for '--output': it is empty; ..."),
        (["--courses", "1", "--output", "."], "Error: Invalid value for '--output': File '.' is a directory."),
        (["--courses", "1", "--output", "no/x"], "stubserver: cannot write no/x: No such file or directory"),
        (["--courses", "1", "--output", "/dev/null"], "stubserver: cannot write /dev/null: it is not a regular file"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_generate_tells_a_mistake_in_one_line(arguments: list[str], says: str) -> None:
    status, out, err = invoke("fixture", "generate", *arguments)
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert [*Path().iterdir()] == []


def test_generate_leaves_the_old_file_if_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("x.yaml").write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    says = "stubserver: cannot write x.yaml: No space left on device\n"
    assert invoke("fixture", "generate", "--courses", "1", "--output", "x.yaml") == (2, "", says)
    assert Path("x.yaml").read_text() == "old"


def test_generate_needs_faker(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise phrases.NoFaker("this needs Faker: pip install 'course-stubserver[data]'")

    monkeypatch.setattr(phrases, "_fakes", missing)
    says = "stubserver: this needs Faker: pip install 'course-stubserver[data]'\n"
    assert invoke("fixture", "generate", "--courses", "1") == (2, "", says)


def test_generate_writes_utf8_whatever_the_locale() -> None:
    done = run("fixture", "generate", "--preset", "one-course", "--seed", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert yaml.safe_load(done.stdout) == generate(None, 3, "one-course")
