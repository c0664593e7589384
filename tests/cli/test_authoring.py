"""`stubserver fixture generate|from-world`: what they write, and how mistakes are told."""

import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import yaml

from stubserver.app import create_app
from stubserver.authoring import phrases
from stubserver.authoring.generator import generate
from stubserver.contract.load import load_contract
from stubserver.fixtures.fixture import load
from stubserver.serving.background import Background
from stubserver.testing import Stub
from tests.support.commands import invoke, run, told
from tests.support.default import CONTROL_TOKEN

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# generate


def test_generate_writes_yaml_and_json() -> None:
    """The same to standard output and to a file, whose ending decides, and which is the fixture's name."""
    expected = generate(3, 1)
    status, out, err = invoke("fixture", "generate", "--courses", "3", "--seed", "1")
    assert (status, yaml.safe_load(out), err) == (0, expected, "")
    for name in ("x.yaml", "x.json", "x"):
        assert invoke("fixture", "generate", "--courses", "3", "--seed", "1", "--output", name) == (
            0,
            f"wrote {name}\n",
            "",
        )
    name = expected.pop("name")
    written = f"name: {name}\n{Path('x.yaml').read_text(encoding='utf-8')}"
    assert Path("x").read_text(encoding="utf-8") == Path("x.yaml").read_text(encoding="utf-8")
    assert (written, orjson.loads(Path("x.json").read_bytes())) == (out, expected)


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


# from-world

Command = Callable[..., tuple[int, str, str]]
NAMING = "use 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot or a dash"
OWN = """\
name: mine
users:
  - {id: 1, username: ada, real_name: Ada, date_joined: '-3d'}
personas:
  - {token: stub-creator, user: 1, role: creator}
courses:
  - {id: 1, name: Knots, slug: knots, type: self-paced, created_by: 1, created_at: '-2d'}
memberships:
  - {course_id: 1, user_id: 1, status: creator, joined_at: '-2d'}
"""


@pytest.fixture
def stub(url: str) -> Stub:
    """The server, with a world `lessons` in which a course is called Knots."""
    stub = Stub(url, CONTROL_TOKEN)
    world = stub.world("lessons")
    world.reset()
    world.faults.clear()
    world.be_strict(False)
    world.clock.release()
    world.client("creator").patch("/course/15/", json={"name": "Knots"}).raise_for_status()
    return stub


def test_from_world_writes_what_differs(command: Command, stub: Stub) -> None:
    """To a file or to standard output, and a server starts with it."""
    before = stub.control("GET", "/snapshots")
    assert command("fixture", "from-world", "--world", "lessons", "--output", "x.yaml") == (0, "wrote x.yaml\n", "")
    status, out, err = command("fixture", "from-world", "--world", "lessons")
    assert (status, out, err) == (0, Path("x.yaml").read_text(encoding="utf-8"), "")
    first, second, *rest = out.splitlines()
    assert first.startswith(f"# The world lessons of {stub.url}, as it was when this was written by stubserver ")
    assert second == "# It starts from the fixture default: rows here replace those with the same key, or are added."
    assert rest[:4] == ["extends: default", "", "courses:", "- id: 15"]
    loaded = load("x.yaml", load_contract())
    assert (loaded.name, loaded.tables["courses"].rows[15]["name"]) == ("x", "Knots")
    assert stub.control("GET", "/snapshots") == before


def test_from_world_takes_the_default_world(command: Command, stub: Stub) -> None:
    status, out, _ = command("fixture", "from-world")
    assert status == 0
    assert yaml.safe_load(out)["extends"] == "default"
    assert "Knots" not in out


def test_from_world_names_what_it_cannot_say(command: Command, stub: Stub) -> None:
    """On standard error and in the comments."""
    world = stub.world("lessons")
    world.faults.add("latency", seconds=0)
    world.be_strict()
    world.clock.advance(hours=1)
    status, out, err = command("fixture", "from-world", "--world", "lessons")
    lines = [
        "the clock is 3600 seconds ahead",
        "the world is strict: start the server with --strict",
        "faults: 1",
    ]
    assert (status, err) == (0, "".join(f"stubserver: a fixture cannot say this: {line}\n" for line in lines))
    assert out.splitlines()[2:6] == ["# What a fixture cannot say is missing:", *(f"# - {line}" for line in lines)]
    world.clock.freeze()
    assert "the clock stands at 2" in command("fixture", "from-world", "--world", "lessons")[2]


def test_from_world_extends_a_fixture_of_ones_own() -> None:
    """Its file has to be in the same folder."""
    Path("mine.yaml").write_text(OWN)
    Path("other").mkdir()
    with Background(lambda: create_app("mine.yaml")) as url:
        Stub(url).world("w").client("creator").patch("/course/1/", json={"name": "Bends"}).raise_for_status()
        ask = ("fixture", "from-world", "--world", "w", "--url", url)
        says = "stubserver: the server was started with a fixture of its own, 'mine': give its file with --fixture\n"
        assert invoke(*ask) == (2, "", says)
        assert invoke(*ask, "--fixture", "mine.yaml", "--output", "made.yaml") == (0, "wrote made.yaml\n", "")
        assert load("made.yaml", load_contract()).tables["courses"].rows[1]["name"] == "Bends"
        assert yaml.safe_load(Path("made.yaml").read_text())["courses"][0]["created_at"] == "-2d"
        says = "stubserver: a fixture extends only those in its own folder: write the output to .\n"
        assert invoke(*ask, "--fixture", "mine.yaml", "--output", "other/made.yaml") == (2, "", says)
        Path("changed.yaml").write_text(OWN.replace("Knots", "Hitches"))
        says = (
            "stubserver: the world started from a fixture called 'mine', and changed.yaml is another; "
            "give the file with --fixture\n"
        )
        assert invoke(*ask, "--fixture", "changed.yaml") == (2, "", says)
        Path("broken.yaml").write_text("users: [")
        status, out, err = invoke(*ask, "--fixture", "broken.yaml")
        assert (status, out, err.startswith("stubserver: broken.yaml:")) == (2, "", True)
        Path("default.yaml").write_text(OWN)
        says = (
            "stubserver: no fixture can extend default.yaml: its name is that of another one, "
            "or cannot be that of a fixture\n"
        )
        assert invoke(*ask, "--fixture", "default.yaml") == (2, "", says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["extra"], "Error: Got unexpected extra argument (extra)"),
        (["--wrold", "w"], "Error: No such option '--wrold'. ..."),
        (["--world", "lesons"], "stubserver: GET /worlds/lesons: There is no world lesons."),
        (["--world", ""], f"stubserver: '' is not a valid world name: {NAMING}"),
        (["--world", "a b"], f"stubserver: 'a b' is not a valid world name: {NAMING}"),
        (["--fixture", "none.yaml"], "Error: Invalid value for '--fixture': File 'none.yaml' does not exist."),
        (["--fixture", ""], "Error: Invalid value for '--fixture': it is empty; ..."),
        (["--fixture", "."], "Error: Invalid value for '--fixture': File '.' is a directory."),
        (["--output", ""], "Error: Invalid value for '--output': it is empty; ..."),
        (["--output", "no/x.yaml"], "stubserver: cannot write no/x.yaml: No such file or directory"),
        (["--control-token", "another"], "stubserver: ..."),
        (["--url", "http://127.0.0.1:1"], "stubserver: ..."),
        (["--url", "no URL at all"], "stubserver: ..."),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_from_world_tells_a_mistake_in_one_line(command: Command, stub: Stub, arguments: list[str], says: str) -> None:
    """No world is made, and no snapshot or file is left behind."""
    worlds, before = stub.control("GET", "/worlds")["count"], stub.control("GET", "/snapshots")
    status, out, err = command("fixture", "from-world", *arguments)
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert [*Path().iterdir()] == []
    assert (stub.control("GET", "/worlds")["count"], stub.control("GET", "/snapshots")) == (worlds, before)


def test_from_world_leaves_no_snapshot_if_the_server_fails(
    command: Command, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stub.control("GET", "/snapshots")
    monkeypatch.setattr("stubserver.cli.authoring.TIMEOUT", 0)
    status, _, err = command("fixture", "from-world")
    assert (status, err.count("\n")) == (2, 1)
    assert stub.control("GET", "/snapshots") == before


def test_the_commands_are_listed() -> None:
    out = invoke("fixture", "--help")[1]
    names = [line.split()[0] for line in out.split("Commands:\n")[1].splitlines() if line.startswith("  ")]
    assert {"generate", "from-world"} <= {*names}
