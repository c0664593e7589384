"""`stubserver export`: what a running server has recorded goes to a file, and mistakes are told; the same at the end of
`stubserver exec`."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stubserver.cli import export, snapshot
from stubserver.client.channel import TIMEOUT
from stubserver.exports import recording
from stubserver.testing import Stub
from tests.support.commands import invoke, run, told
from tests.support.default import CONTROL_TOKEN
from tests.support.executing import execute, script

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]
FORMATS = {"har": (), "pact": ("--consumer", "web"), "openapi": ()}
"""Format -> the options that it needs."""
NAMING = "use 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot or a dash"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stub(url: str) -> Stub:
    """The server, with a world `lessons` that has had two requests, and one that has had none."""
    stub = Stub(url, CONTROL_TOKEN)
    for name in ("lessons", "quiet"):
        stub.world(name).reset()
    client = stub.world("lessons").client("creator")
    client.patch("/course/1/", json={"name": "Knots"}).raise_for_status()
    client.get("/course/1/").raise_for_status()
    return stub


def steps(form: str, content: Any) -> list[str]:
    """The operations in a file."""
    if form == "har":
        return [entry["_operation"] for entry in content["log"]["entries"]]
    if form == "pact":
        return [one["description"].split(" ")[0].rstrip(",") for one in content["interactions"]]
    return [operation["operationId"] for item in content["paths"].values() for operation in item.values()]


@pytest.mark.parametrize("form", FORMATS)
def test_a_world_is_exported(command: Command, stub: Stub, form: str) -> None:
    """To standard output, which other commands can read, and to a file, the same."""
    arguments = ("export", form, *FORMATS[form], "--world", "lessons")
    status, out, err = command(*arguments)
    assert (status, err) == (0, "")
    assert sorted(steps(form, json.loads(out))) == ["get_course", "patch_course"]
    assert command(*arguments, "--output", "out.json") == (0, "wrote out.json\n", "")
    assert Path("out.json").read_text() == out


def test_the_default_world_is_exported(command: Command) -> None:
    assert steps("har", json.loads(command("export", "har")[1])) == ["join_course", "patch_course"]


def test_a_pact_has_the_names_that_are_given(command: Command, stub: Stub) -> None:
    arguments = ["export", "pact", "--world", "lessons", "--consumer", "my app", "--provider", "theirs"]
    content = json.loads(command(*arguments)[1])
    assert (content["consumer"]["name"], content["provider"]["name"]) == ("my app", "theirs")


def test_what_is_not_in_the_pact_is_said(command: Command, stub: Stub) -> None:
    client = stub.world("lessons").client("creator")
    client.get("/nope/")
    client.get("/course/1/", params={"nope": 1})
    status, out, err = command("export", "pact", "--world", "lessons", "--consumer", "web")
    assert (status, len(json.loads(out)["interactions"])) == (0, 2)
    assert err.splitlines() == [
        "stubserver: left out of the pact: the contract has no such operation: 1",
        "stubserver: left out of the pact: it used what the contract does not define: 1",
    ]


def test_what_the_journal_forgot_is_said(command: Command, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    real = recording.of_case
    monkeypatch.setattr(recording, "of_case", lambda case: real({**case, "forgotten": 7}))
    for form, options in FORMATS.items():
        status, _, err = command("export", form, *options, "--world", "lessons")
        says = "stubserver: earlier requests of world lessons that the journal no longer has: 7\n"
        assert (status, err) == (0, says)


def test_a_world_without_requests_has_an_empty_har_only(command: Command, stub: Stub) -> None:
    """An empty pact would be fulfilled by every provider."""
    assert steps("har", json.loads(command("export", "har", "--world", "quiet")[1])) == []
    for form, what in (("pact", "a pact"), ("openapi", "an OpenAPI document")):
        done = command("export", form, *FORMATS[form], "--world", "quiet", "--output", "out.json")
        assert done == (2, "", f"stubserver: world quiet has no request for {what} to be made of\n")
    assert [*Path().iterdir()] == []


def test_no_request_that_counts_is_explained(command: Command, stub: Stub) -> None:
    stub.world("quiet").client("creator").get("/nope/")
    assert command("export", "pact", "--world", "quiet", "--consumer", "web") == (
        2,
        "",
        "stubserver: world quiet has no request for a pact to be made of (left out of the pact: the contract has no "
        "such operation: 1)\n",
    )


def test_a_file_is_replaced_as_a_whole(command: Command, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("x.har").write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        done = command("export", "har", "--output", "x.har")
    assert done == (2, "", "stubserver: cannot write x.har: No space left on device\n")
    assert (Path("x.har").read_text(), [*Path().iterdir()]) == ("old", [Path("x.har")])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hra"], "Error: No such command 'hra'. ..."),
        (["har", "extra"], "Error: Got unexpected extra argument (extra)"),
        (["har", "--outptu", "x"], "Error: No such option '--outptu'. Did you mean '--output'?"),
        (["har", "--consumer", "x"], "Error: No such option '--consumer'."),
        (["har", "--output", ""], "Error: Invalid value for '--output': it is empty; ..."),
        (["har", "--output", "."], "Error: Invalid value for '--output': File '.' is a directory."),
        (["har", "--output", "no/x"], "stubserver: cannot write no/x: No such file or directory"),
        (["har", "--output", "/dev/null"], "stubserver: cannot write /dev/null: it is not a regular file"),
        (["har", "--world", "lesons"], "stubserver: GET /worlds/lesons: There is no world lesons."),
        (["har", "--world", "a b"], f"stubserver: 'a b' is not a valid world name: {NAMING}"),
        (["har", "--world", ""], f"stubserver: '' is not a valid world name: {NAMING}"),
        (["pact"], "stubserver: a pact needs the name of the consumer: give --consumer NAME"),
        (["pact", "--consumer", " "], "Error: Invalid value for '--consumer': it is empty"),
        (["pact", "--consumer", "a", "--provider", ""], "Error: Invalid value for '--provider': it is empty"),
        (["openapi", "--format", "yaml"], "Error: No such option '--format'."),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_mistake_is_told_in_one_line(command: Command, stub: Stub, arguments: list[str], says: str) -> None:
    """And no world is made, no file is written."""
    worlds = stub.control("GET", "/worlds")["count"]
    status, out, err = command("export", *arguments)
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert (stub.control("GET", "/worlds")["count"], [*Path().iterdir()]) == (worlds, [])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("nowhere", ["http://127.0.0.1:1", "no URL at all"])
def test_without_a_server_there_is_one_line(command: Command, form: str, nowhere: str) -> None:
    status, out, err = command("export", form, *FORMATS[form], "--url", nowhere)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert nowhere in err


@pytest.mark.parametrize("form", FORMATS)
def test_the_control_token_is_needed(command: Command, form: str) -> None:
    status, out, err = command("export", form, *FORMATS[form], "--control-token", "another")
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_a_large_journal_has_its_time(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert snapshot.TIMEOUT > TIMEOUT
    monkeypatch.setattr(export, "TIMEOUT", 0)
    status, _, err = command("export", "har")
    assert (status, err.count("\n")) == (2, 1)
    assert "a timeout of 0 s leaves no time to answer" in err


def test_the_formats_are_listed() -> None:
    done = run("export", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.split("Commands:\n")[1].splitlines()] == ["har", "openapi", "pact"]


# At the end of `stubserver exec`

ASK = """
ask("GET", "/api/v2/course/1/", "creator", world="a")
ask("PATCH", "/api/v2/course/1/", "creator", {"name": "Knots"}, world="b")
ask("DELETE", "/__stub/worlds/b")
"""
BOTH = ("--har", "x.har", "--pact", "x.json", "--consumer", "web")


def test_exec_writes_what_all_worlds_were_asked(folder: Path) -> None:
    """Those that the command deleted, too; and it lets its command see the old files."""
    (folder / "x.har").write_text("old")
    done = execute(*BOTH, command=script(f"assert open('x.har').read() == 'old'\n{ASK}"), folder=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    content = json.loads((folder / "x.har").read_text())
    assert steps("har", content) == ["get_course", "patch_course"]
    assert [entry["_id"] for entry in content["log"]["entries"]] == ["a-1", "b-1"]
    assert content["log"]["entries"][0]["request"]["url"].endswith("/~a/api/v2/course/1/")
    pact = json.loads((folder / "x.json").read_text())
    assert steps("pact", pact) == ["get_course", "patch_course"]
    assert pact["consumer"]["name"] == "web"


def test_exec_writes_them_if_the_command_fails(folder: Path) -> None:
    done = execute(*BOTH, command=script(f"{ASK}\nraise SystemExit(3)"), folder=folder)
    assert (done.returncode, len(json.loads((folder / "x.json").read_text())["interactions"])) == (3, 2)


@pytest.mark.parametrize(("text", "status"), [("pass", 2), ("raise SystemExit(3)", 3)])
def test_exec_writes_no_empty_pact(folder: Path, text: str, status: int) -> None:
    """That is a failure: whoever wants a pact, and gets none, must know."""
    (folder / "x.json").write_text("old")
    done = execute(*BOTH, command=script(text), folder=folder)
    says = "stubserver: no pact was written: the command has no request for a pact to be made of\n"
    assert (done.returncode, done.stderr) == (status, says)
    assert (folder / "x.json").read_text() == "old"
    assert steps("har", json.loads((folder / "x.har").read_text())) == []


def test_exec_says_what_it_could_not_write(folder: Path) -> None:
    done = execute(*BOTH, command=script(f"{ASK}\nos.mkdir('x.har'); os.mkdir('x.json')"), folder=folder)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "stubserver: cannot write x.har: it is not a regular file",
        "stubserver: cannot write x.json: it is not a regular file",
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--har", "no/x"], "stubserver: cannot write no/x: No such file or directory"),
        (["--har", "."], "stubserver: cannot write .: it is not a regular file"),
        (["--har", ""], "Error: Invalid value for '--har': it is empty; the current folder is written as ."),
        (["--pact", "x"], "stubserver: --pact needs the name of the consumer: give --consumer NAME"),
        (["--consumer", "web"], "stubserver: --consumer names the consumer in a pact: give --pact FILE"),
        (["--har", "x", "--pact", "x", "--consumer", "a"], "stubserver: --har and --pact cannot share the file x"),
        (["--har", "x", "--journal", "x"], "stubserver: --journal and --har cannot share the file x"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_exec_tells_mistakes_before_the_command_runs(folder: Path, options: list[str], says: str) -> None:
    status, out, err = invoke("exec", *options, "--", "touch", "ran")
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert [*folder.iterdir()] == []
