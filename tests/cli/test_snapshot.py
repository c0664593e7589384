"""`stubserver snapshot get|put`: a snapshot goes from a running server to a file and back, and mistakes are told."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import stubserver
from stubserver.addressing import PRODUCT
from stubserver.app import create_app
from stubserver.cli import snapshot
from stubserver.client.channel import TIMEOUT
from stubserver.serving.background import Background
from stubserver.testing import Stub
from tests.support.commands import CLEAN, COMMAND, invoke, run, told
from tests.support.default import CONTROL_TOKEN
from tests.support.peer import END, RESET, SILENCE, Peer

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stub(url: str) -> Stub:
    """The server, with no snapshots and with a world `lessons`, in which a course is called Knots."""
    stub = Stub(url, CONTROL_TOKEN)
    for found in stub.control("GET", "/snapshots")["results"]:
        stub.control("DELETE", f"/snapshots/{found['name']}")
    world = stub.world("lessons")
    world.client("creator").patch("/course/1/", json={"name": "Knots"}).raise_for_status()
    return stub


def names(stub: Stub) -> list[str]:
    """Names of the stored snapshots."""
    return [found["name"] for found in stub.control("GET", "/snapshots")["results"]]


def course(stub: Stub, snapshot: str) -> str:
    """What the course is called in a snapshot."""
    stub.world("restored").restore(snapshot)
    name: str = stub.world("restored").client("creator").get("/course/1/").json()["name"]
    return name


# There and back


def test_a_snapshot_goes_to_a_file_and_back(command: Command, stub: Stub) -> None:
    """By its name, which the file has as well."""
    stub.world("lessons").snapshot("knots")
    assert command("snapshot", "get", "knots", "--output", "knots.json") == (0, "wrote knots.json\n", "")
    stub.control("DELETE", "/snapshots/knots")
    says = "loaded snapshot knots: fixture default, 1 changed rows\n"
    assert command("snapshot", "put", "knots.json") == (0, says, "")
    assert names(stub) == ["knots"]
    assert course(stub, "knots") == "Knots"


def test_a_file_is_what_the_server_answers(command: Command, stub: Stub) -> None:
    """In a file and on standard output, which other commands can read."""
    stub.world("lessons").snapshot("knots")
    status, out, err = command("snapshot", "get", "knots")
    assert (status, err) == (0, "")
    assert json.loads(out) == stub.control("GET", "/snapshots/knots")
    command("snapshot", "get", "knots", "--output", "knots.json")
    assert Path("knots.json").read_text() == out
    assert [*Path().iterdir()] == [Path("knots.json")]


def test_it_is_loaded_under_another_name(command: Command, stub: Stub) -> None:
    stub.world("lessons").snapshot("knots")
    command("snapshot", "get", "knots", "--output", "of the 1st.json")
    assert command("snapshot", "put", "of the 1st.json", "again")[0] == 0
    assert names(stub) == ["again", "knots"]


def test_one_of_the_same_name_is_replaced(command: Command, stub: Stub) -> None:
    for name in ("Bends", "Knots"):
        stub.world("lessons").client("creator").patch("/course/1/", json={"name": name}).raise_for_status()
        command("snapshot", "get", "s", "--world", "lessons", "--output", f"{name}.json")
    assert course(stub, "s") == "Knots"
    command("snapshot", "put", "Bends.json", "s")
    assert course(stub, "s") == "Bends"
    assert names(stub) == ["s"]


def test_the_snapshot_of_a_world_is_taken_first(command: Command, stub: Stub) -> None:
    assert command("snapshot", "get", "now", "--world", "lessons", "--output", "now.json")[0] == 0
    assert course(stub, "now") == "Knots"
    assert command("snapshot", "get", "now", "--world", "default", "--output", "now.json")[0] == 0
    assert course(stub, "now") != "Knots"


def test_the_default_world_is_always_there(url: str) -> None:
    """On a server that nobody has asked yet, too."""
    with Background(lambda: create_app()) as new:
        assert invoke("snapshot", "get", "s", "--world", "default", "--output", "s.json", "--url", new)[0] == 0


def test_a_file_is_replaced_as_a_whole(command: Command, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or not at all."""
    stub.world("lessons").snapshot("knots")
    Path("s.json").write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        status, out, err = command("snapshot", "get", "knots", "--output", "s.json")
    assert (status, out, err) == (2, "", "stubserver: cannot write s.json: No space left on device\n")
    assert (Path("s.json").read_text(), [*Path().iterdir()]) == ("old", [Path("s.json")])
    assert command("snapshot", "get", "knots", "--output", "s.json")[0] == 0
    assert json.loads(Path("s.json").read_text())["fixture"] == "default"


def test_the_process_writes_utf8_whatever_the_locale(url: str, stub: Stub, folder: Path) -> None:
    stub.world("lessons").client("creator").patch("/course/1/", json={"name": "Knoten – 日本"}).raise_for_status()
    stub.world("lessons").snapshot("s")
    environment = {**CLEAN, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    environment |= {"STUBSERVER_CONTROL_TOKEN": CONTROL_TOKEN}
    with Path("s.json").open("wb") as out:
        subprocess.run([*COMMAND, "snapshot", "get", "s", "--url", url], env=environment, stdout=out, check=True)
    assert "Knoten – 日本" in Path("s.json").read_text(encoding="utf-8")
    assert invoke("snapshot", "put", "s.json", "--url", url, STUBSERVER_CONTROL_TOKEN=CONTROL_TOKEN)[0] == 0


# Mistakes

NAMING = "use 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot or a dash"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        # options
        (["get"], "Error: Missing argument 'NAME'."),
        (["put"], "Error: Missing argument 'FILE'."),
        (["gte", "s"], "Error: No such command 'gte'. ..."),
        (["get", "s", "extra"], "Error: Got unexpected extra argument (extra)"),
        (["put", "s.json", "s", "extra"], "Error: Got unexpected extra argument (extra)"),
        (["get", "s", "--outptu", "s.json"], "Error: No such option '--outptu'. Did you mean '--output'?"),
        (["get", "s", "--wrold", "w"], "Error: No such option '--wrold'. (Did you mean one of: '--url', ..."),
        (["get", "--output"], "Error: Option '--output' requires an argument."),
        (["get", "s", "--output", ""], "Error: Invalid value for '--output': it is empty; ..."),
        (["get", "s", "--output", "."], "Error: Invalid value for '--output': File '.' is a directory."),
        (["put", "none.json"], "Error: Invalid value for 'FILE': File 'none.json' does not exist."),
        (["put", "."], "Error: Invalid value for 'FILE': File '.' is a directory."),
        (["put", "s.json", "--world", "w"], "Error: No such option '--world'..."),
        # names
        (["get", "a b"], f"stubserver: 'a b' is not a valid snapshot name: {NAMING}"),
        (["get", ""], f"stubserver: '' is not a valid snapshot name: {NAMING}"),
        (["get", "../worlds"], f"stubserver: '../worlds' is not a valid snapshot name: {NAMING}"),
        (["get", "s?x=1"], f"stubserver: 's?x=1' is not a valid snapshot name: {NAMING}"),
        (["get", "s\n"], f"stubserver: 's\\n' is not a valid snapshot name: {NAMING}"),
        (["get", "s", "--world", "a b"], f"stubserver: 'a b' is not a valid world name: {NAMING}"),
        (["get", "s", "--world", ""], f"stubserver: '' is not a valid world name: {NAMING}"),
        (["put", "with blank.json"], f"stubserver: 'with blank' is not a valid snapshot name: {NAMING}"),
        (["put", "s.json", ""], f"stubserver: '' is not a valid snapshot name: {NAMING}"),
        # what is not there
        (["get", "none"], "stubserver: GET /snapshots/none: There is no snapshot none."),
        (["get", "s", "--world", "lesons"], "stubserver: GET /worlds/lesons: There is no world lesons."),
        # files
        (["put", "empty.json"], "stubserver: empty.json: this is no JSON: ..."),
        (["put", "binary.json"], "stubserver: binary.json: this is no JSON: ..."),
        (["put", "list.json"], "stubserver: list.json: this is not the snapshot of one world"),
        (
            ["put", "worlds.json"],
            "stubserver: worlds.json: this is the file of all worlds of a server: start one with --import FILE",
        ),
        (["put", "case.json"], "stubserver: case.json: this is a case: send its requests again with ..."),
        (["put", "edited.json"], "stubserver: PUT /snapshots/edited: The snapshot is damaged or has been edited."),
        (["put", "part.json"], "stubserver: part.json: the file has no stubserver"),
        (
            ["put", "newer.json"],
            "stubserver: newer.json: The file has format 99, but this is version "
            f"{stubserver.__version__}, which knows formats up to 1: use version 9.0.0, which wrote it, or later",
        ),
        # what cannot be written
        (
            ["get", "there", "--output", "none/s.json"],
            "stubserver: cannot write none/s.json: No such file or directory",
        ),
        (["get", "there", "--output", "s.json/x"], "stubserver: cannot write s.json/x: Not a directory"),
        (["get", "there", "--output", "/dev/null"], "stubserver: cannot write /dev/null: it is not a regular file"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_mistake_is_told_in_one_line(command: Command, stub: Stub, arguments: list[str], says: str) -> None:
    """And nothing is stored, no world is made, no file is written."""
    stub.world("lessons").snapshot("there")
    content = stub.control("GET", "/snapshots/there")
    files = {
        "s": content,
        "with blank": content,
        "list": [],
        "worlds": {"worlds": []},
        "case": {"requests": []},
        "edited": {**content, "tables": {}},
        "part": {"tables": {}},
        "newer": {**content, "format": 99, "stubserver": "9.0.0"},
    }
    for name, data in files.items():
        Path(f"{name}.json").write_text(json.dumps(data))
    Path("empty.json").touch()
    Path("binary.json").write_bytes(b"\xff\x00")
    worlds, before = stub.control("GET", "/worlds")["count"], sorted(Path().iterdir())
    status, out, err = command("snapshot", *arguments)
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert names(stub) == ["there"]
    assert (stub.control("GET", "/worlds")["count"], sorted(Path().iterdir())) == (worlds, before)


@pytest.fixture
def file(stub: Stub) -> Path:
    """A snapshot in a file."""
    stub.world("lessons").snapshot("s")
    Path("s.json").write_text(json.dumps(stub.control("GET", "/snapshots/s")))
    return Path("s.json")


GET, PUT = ["snapshot", "get", "s"], ["snapshot", "put", "s.json"]


@pytest.mark.parametrize("arguments", [GET, [*GET, "--world", "lessons"], PUT], ids=["get", "get world", "put"])
@pytest.mark.parametrize("nowhere", ["http://127.0.0.1:1", "http://nonesuch.invalid", "no URL at all"])
def test_without_a_server_there_is_one_line(command: Command, file: Path, arguments: list[str], nowhere: str) -> None:
    status, out, err = command(*arguments, "--url", nowhere)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert nowhere in err


@pytest.mark.parametrize("arguments", [GET, [*GET, "--world", "lessons"], PUT], ids=["get", "get world", "put"])
def test_the_control_token_is_needed(command: Command, file: Path, arguments: list[str]) -> None:
    status, out, err = command(*arguments, "--control-token", "another")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert command(*arguments, STUBSERVER_CONTROL_TOKEN=None)[0] == 2
    assert command(*arguments, "--control-token", CONTROL_TOKEN)[0] == 0


def answer(content: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n{content}".encode()


VERSION = answer(json.dumps({"name": PRODUCT}))


@pytest.mark.parametrize(
    ("arguments", "answers", "says"),
    [
        (GET, [answer("<html>")], " is not a stub server: "),
        (GET, [VERSION, END], "the server closed the connection without an answer"),
        (PUT, [VERSION, RESET], ""),
        (GET, [VERSION, SILENCE], ""),
        (PUT, [VERSION, SILENCE], ""),
        (GET, [VERSION, answer('{"tables": {"cou')], "the answer is not JSON"),
        (GET, [VERSION, answer("", "500 Internal Server Error")], "status 500"),
        (PUT, [VERSION, answer("", "502 Bad Gateway")], "status 502"),
    ],
    ids=range(8),
)
def test_a_server_that_fails_is_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], answers: list[bytes], says: str
) -> None:
    """Whatever it does instead of answering; nobody waits for ever."""
    if SILENCE in answers:
        monkeypatch.setattr(snapshot, "TIMEOUT", 0.1)
    options = ["--output", "new.json"] if arguments is GET else []
    with Peer(*answers) as peer:
        status, out, err = invoke(*arguments, *options, "--url", peer.url)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("stubserver: ")
    assert says in err
    assert not Path("new.json").exists()


@pytest.mark.parametrize("arguments", [GET, PUT], ids=["get", "put"])
def test_a_large_snapshot_has_its_time(
    command: Command, file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """More than other requests have."""
    assert snapshot.TIMEOUT > TIMEOUT
    monkeypatch.setattr(snapshot, "TIMEOUT", 0)
    status, out, err = command(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "a timeout of 0 s leaves no time to answer" in err


def test_a_file_that_is_too_large_is_one_line(file: Path) -> None:
    content: dict[str, Any] = json.loads(file.read_text())
    content["tables"]["courses"]["rows"][0]["row"]["description"] = "x" * 3_000_000
    file.write_text(json.dumps(content))
    with Background(lambda: create_app("default", max_world=1000, max_memory=8000, max_body=1000)) as url:
        status, out, err = invoke(*PUT, "--url", url)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert httpx.get(f"{url}/__stub/snapshots").json()["count"] == 0
    assert "larger than 2000 bytes" in err, err


def test_the_commands_are_listed() -> None:
    done = run("snapshot", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.split("Commands:\n")[1].splitlines()] == ["get", "put"]
