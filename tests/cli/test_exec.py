"""`stubserver exec`: a server for as long as a command runs, what the command is told about it, and what it leaves
behind."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from stubserver import __version__
from stubserver.cli.exec import NOT_FOUND
from tests.support.commands import CLEAN, COMMAND, invoke, told
from tests.support.executing import execute, script


def journal(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("arguments", [["--workers", "2"], ["--workers=1"], ["--workers", "many"]])
def test_it_has_one_process(arguments: list[str]) -> None:
    """A variable that is meant for `serve` does not count here."""
    status, out, err = invoke("exec", *arguments, "--", "true", STUBSERVER_WORKERS="2")
    assert (status, out, err) == (
        2,
        "",
        "stubserver: exec serves with one process: for more, use stubserver serve --workers\n",
    )
    assert invoke("exec", "--", "no-such-program", STUBSERVER_WORKERS="2")[0] == NOT_FOUND


# How it ends


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("raise SystemExit(3)", 3),
        ("import signal; os.kill(os.getpid(), signal.SIGKILL)", 128 + 9),
    ],
    ids=["failure", "signal"],
)
def test_the_exit_status_is_that_of_the_command(tmp_path: Path, text: str, status: int) -> None:
    done = execute(command=script(text), folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


@pytest.mark.slow
def test_a_mistake_is_told_before_the_command_is_run(tmp_path: Path) -> None:
    """It may take an hour."""
    done = execute("--coverage", "nowhere/c.json", command=script("open('ran', 'w')"), folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "stubserver: cannot write nowhere/c.json: No such file or directory\n"
    assert list(tmp_path.iterdir()) == []


# Case files


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 3])
def test_a_failure_leaves_a_case_file_of_each_world(tmp_path: Path, status: int) -> None:
    text = f"""
ask("PATCH", "/api/v2/course/1/", "member", {{"name": "Mine"}})
ask("GET", "/api/v2/course/1/", world="other")
ask("GET", "/__stub/clock", world="untouched")
raise SystemExit({status})
"""
    done = execute("--artifacts", "new/cases", command=script(text), folder=tmp_path)
    assert done.returncode == status
    files = sorted((tmp_path / "new" / "cases").glob("*")) if status else []
    assert [file.name.rpartition("-")[0] for file in files] == (["default", "other"] if status else [])
    lines = [f"stubserver: repeat world {world} with: stubserver replay new/cases/" for world in ("default", "other")]
    assert [line.startswith(begin) for begin in lines for line in done.stderr.splitlines()].count(True) == len(files)
    for file in files:
        again = subprocess.run([*COMMAND, "replay", file], env=CLEAN, capture_output=True, text=True, check=False)
        assert (again.returncode, again.stderr) == (0, "")
        assert again.stdout.splitlines()[-1] == "1 of 1 requests sent again: all answered the same"


# What the server is like


@pytest.mark.slow
def test_the_port_the_clock_the_origins_and_the_hosts(tmp_path: Path) -> None:
    """The clock of a new world, too."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--freeze-at", "2031-05-01T11:00:00+02:00", "--cors-origin", "https://a.example"]
    options += ["--allowed-host", "dev.example"]
    text = """
print(os.environ["STUBSERVER_URL"])
print(*(ask("GET", "/__stub/clock", world=world)["now"] for world in ("default", "new")))
url = os.environ["STUBSERVER_URL"] + "/api/v2/feature/"
page = {"Origin": "https://a.example", "Host": "dev.example"}
answer = urllib.request.urlopen(urllib.request.Request(url, headers=page))
print(answer.headers["Access-Control-Allow-Origin"])
"""
    done = execute(*options, command=script(text), folder=tmp_path)
    now = "2031-05-01T09:00:00+00:00"
    assert done.stdout.splitlines() == [f"http://127.0.0.1:{port}", f"{now} {now}", "https://a.example"], done.stderr


@pytest.mark.slow
def test_what_follows_the_command_is_its_own(tmp_path: Path) -> None:
    """As with env, nice or time, and without a -- too: `stubserver exec npm test --coverage`."""
    command = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "--seed", "5", "--journal", "x", "--help"]
    for separator in ([], ["--"]):
        done = subprocess.run(
            [*COMMAND, "exec", *separator, *command],
            cwd=tmp_path,
            env=CLEAN,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.returncode) == ("['--seed', '5', '--journal', 'x', '--help']\n", 0), separator
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_the_fixture_and_the_seed(tmp_path: Path) -> None:
    """A new course is the first in an empty world, and its picture depends on the seed."""
    text = "print(json.dumps(ask('POST', '/api/v2/course/', 'creator', {'name': 'Knots', 'type': 'self-paced'})))"
    found = []
    for seed in (0, 7):
        done = execute("--fixture", "empty", "--seed", str(seed), command=script(text), folder=tmp_path)
        found.append(json.loads(done.stdout))
    assert [course["id"] for course in found] == [1, 1]
    first, second = [course["image_big"].rpartition("_")[2] for course in found]
    assert first != second


@pytest.mark.slow
def test_fixtures_of_a_folder_that_are_edited(tmp_path: Path) -> None:
    """A world that the command makes has what the file says by then, and the terminal hears of the change."""
    mine = tmp_path / "own" / "mine.yaml"
    mine.parent.mkdir()
    mine.write_text("users: [{id: 1, username: ada, real_name: Ada, date_joined: -3d}]\n")
    text = f"""
import pathlib
file = pathlib.Path({str(mine)!r})
file.write_text(file.read_text().replace("ada", "eve"))
print(json.dumps(ask('POST', '/__stub/worlds', None, {{'name': 'w', 'fixture': 'mine'}})))
print(json.dumps(ask('GET', '/api/v2/user/1/', world='w')))
file.write_text("users: [")
ask('POST', '/__stub/worlds/w/reset', None)
print(json.dumps(ask('GET', '/api/v2/user/1/', world='w')))
"""
    done = execute("--fixture-dir", "own", "--watch", command=script(text), folder=tmp_path)
    made, *users = [json.loads(line) for line in done.stdout.splitlines()]
    assert made["fixture"] == "mine", done.stderr
    assert [user["username"] for user in users] == ["eve", "eve"]
    assert "Fixture mine stays as it was, because of this: own/mine.yaml:2:1: this is no YAML" in done.stderr


# What it leaves behind

USE = """
ask("POST", "/api/v2/course/1/join/", "stranger", world="one")
ask("PATCH", "/api/v2/course/1/", "creator", {"name": "Knots"}, world="one")
ask("GET", "/api/v2/course/99/", world="two")
ask("DELETE", "/__stub/worlds/one")
ask("GET", "/api/v2/course/1/", "creator", world="one")
"""


@pytest.mark.slow
def test_the_journal_has_every_request_of_every_world(tmp_path: Path) -> None:
    """Includes the world that was deleted and made again; leaves out requests to the control plane."""
    done = execute("--journal", "j.ndjson", "--fail-on-violation", command=script(USE), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = journal(tmp_path / "j.ndjson")
    assert [(one["id"].rpartition("-")[0], one["operation"], one["status"]) for one in found] == [
        ("one", "join_course", 200),
        ("one", "patch_course", 200),
        ("two", "get_course", 404),
        ("one", "get_course", 200),
    ]
    assert found[0]["persona"] == "stub-stranger"
    assert found[0]["changes"][0]["op"] == "add"
    assert found[1]["request"]["body"] == {"name": "Knots"}
    assert found[2]["problems"][0]["code"] == "not_found"
    assert found[3]["response"]["body"]["name"] == "Watercolour for Absolute Beginners"
    assert "stub-stranger" not in json.dumps(found[0]["request"]["headers"])


@pytest.mark.slow
def test_the_journal_is_new_in_each_run(tmp_path: Path) -> None:
    """If nothing was requested, it is empty; it never keeps the journal of the previous run."""
    (tmp_path / "j.ndjson").write_text("of the last run\n")
    assert execute("--journal", "j.ndjson", command=script(""), folder=tmp_path).returncode == 0
    assert (tmp_path / "j.ndjson").read_text() == ""


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["json", "html"])
def test_the_coverage_is_written_as_its_ending_says(tmp_path: Path, ending: str) -> None:
    """This holds if the command fails, too: a failed run is the most interesting."""
    file = tmp_path / f"c.{ending}"
    done = execute("--coverage", file.name, command=script(USE + "raise SystemExit(4)"), folder=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    message = "Course 99 does not exist or is not visible to you."
    assert done.stderr == f"stubserver: refused: 1 x 404 of get_course (first: request two-1: {message})\n"
    text = file.read_text()
    match ending:
        case "txt":
            assert re.match(r"Contract coverage: \d+\.\d %", text)
            assert re.search(r"^patch_course +1 ", text, re.MULTILINE)
        case "json":
            report = json.loads(text)
            called = {one["operation"]: one["requests"] for one in report["operations"] if one["requests"]}
            assert called == {"join_course": 1, "patch_course": 1, "get_course": 2}
            assert report["stubserver"] == __version__
        case "xml":
            assert ElementTree.fromstring(text).get("name") == "contract coverage"  # noqa: S314 (our own file)
        case "html":
            assert "<!doctype html>" in text[:50].lower()
            assert "patch_course" in text.replace("<wbr>", "")


BREAK = """
for _ in range(2):
    ask("GET", "/api/v2/kourse/")
ask("GET", "/api/v2/course/search/?colour=red", "member")
ask("PATCH", "/api/v2/course/1/", "creator", {"colour": "red"}, world="other")
"""
BROKEN = [
    "2 x operation GET /api/v2/kourse/ (first: GET /api/v2/kourse/, request default-1)",
    "1 x parameter colour of search_courses (first: GET /api/v2/course/search/, request default-3)",
    "1 x field colour of patch_course (first: PATCH /api/v2/course/1/, request other-1)",
]
REFUSED = "refused: 2 x 404 (first: request default-1: No such path: /api/v2/kourse/ "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "text", "status", "refused"),
    [
        ([], BREAK, 0, []),
        (["--fail-on-violation"], BREAK, 1, []),
        (["--fail-on-violation"], BREAK + "raise SystemExit(5)", 5, [REFUSED]),
    ],
    ids=["told", "failed", "failed anyhow"],
)
def test_violations_are_told_and_fail_if_asked_to(
    tmp_path: Path, options: list[str], text: str, status: int, refused: list[str]
) -> None:
    """Refusals only if the command itself failed: many tests are about them."""
    done = execute(*options, command=script(text), folder=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    lines = [line.removeprefix("stubserver: ") for line in done.stderr.splitlines()]
    assert lines[:3] == [f"not in the contract: {line}" for line in BROKEN]
    assert [line[: len(REFUSED)] for line in lines[3:]] == refused


@pytest.mark.slow
@pytest.mark.parametrize(("text", "status"), [("", 2), ("raise SystemExit(5)", 5)])
def test_a_file_that_cannot_be_written_any_more_is_told(tmp_path: Path, text: str, status: int) -> None:
    """The disk may be full by then; the command and the server go on."""
    (tmp_path / "c.json").symlink_to("/dev/full")
    asking = f"print(ask('GET', '/api/v2/feature/'))\n{text}"
    for options in (["--journal", "/dev/full"], ["--coverage", "c.json"]):
        done = execute(*options, command=script(asking), folder=tmp_path)
        assert done.stdout.startswith("{'count': 1, ")
        assert done.stderr == f"stubserver: cannot write {options[1]}: No space left on device\n"
        assert done.returncode == status


# Mistakes

FREEZE_AT = "Error: Invalid value for '--freeze-at' (env var: 'STUBSERVER_FREEZE_AT'):"
RANGE = "is not in the range 0<=x<=65535."
NO_PROGRAM = "there is no such program on the PATH, or it is not executable"
NO_MOMENT = "is not a date and time such as 2031-05-01T09:00:00Z."
EMPTY = "it is empty; the current folder is written as ."
NO_ORIGIN = "is not an origin: write it as https://app.example, without a path, or *"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what an earlier run has left, and with files and folders to give by mistake."""
    monkeypatch.chdir(tmp_path)
    for name in ("kept.json", "kept.ndjson", "plain.txt"):
        Path(name).write_text("of the last run\n")
    for name in ("folder", "folder.json"):
        Path(name).mkdir()
    Path("broken.yaml").write_text("users: 3\n")
    Path("no-program").write_bytes(b"\x00")
    Path("no-program").chmod(0o755)
    return tmp_path


def refuses(arguments: str, says: str, status: int, folder: Path) -> None:
    """The command tells the mistake, and nothing has become of the files."""
    before = {file: file.is_file() and file.read_bytes() for file in folder.iterdir()}
    done, out, err = invoke("exec", "--journal", "kept.ndjson", "--coverage", "kept.json", *arguments.split())
    assert (done, out) == (status, "")
    assert told(err, says), err
    assert {file: file.is_file() and file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        # options
        ("", "Error: Missing argument 'COMMAND...'."),
        ("--", "Error: Missing argument 'COMMAND...'."),
        ("--fail-on-violation", "Error: Missing argument 'COMMAND...'."),
        ("--prt 0 true", "Error: No such option '--prt'. (Did you mean one of: '--import', '--pact', '--port'?)"),
        (
            "--fixtur empty true",
            "Error: No such option '--fixtur'. (Did you mean one of: '--fixture', '--fixture-dir'?)",
        ),
        ("--wach true", "Error: No such option '--wach'. (Did you mean one of: '--pact', '--watch'?)"),
        ("--cors-orign * -- true", "Error: No such option '--cors-orign'. Did you mean '--cors-origin'?"),
        ("--allowd-host a -- true", "Error: No such option '--allowd-host'. Did you mean '--allowed-host'?"),
        ("--freeze 2031-05-01T09:00:00Z true", "Error: No such option '--freeze'. Did you mean '--freeze-at'?"),
        ("--artefacts a true", "Error: No such option '--artefacts'. Did you mean '--artifacts'?"),
        ("--artifacts", "Error: Option '--artifacts' requires an argument."),
        ("--artifacts= true", f"Error: Invalid value for '--artifacts': {EMPTY}"),
        ("--journal= true", f"Error: Invalid value for '--journal': {EMPTY}"),
        ("--coverage= true", f"Error: Invalid value for '--coverage': {EMPTY}"),
        (
            "--artifacts plain.txt true",
            "Error: Invalid value for '--artifacts': Directory 'plain.txt' is a file.",
        ),
        ("--artifacts plain.txt/a true", "stubserver: --artifacts: cannot write to plain.txt/a: Not a directory"),
        ("--journl j true", "Error: No such option '--journl'. Did you mean '--journal'?"),
        (
            "--coverge c.json true",
            "Error: No such option '--coverge'. (Did you mean one of: '--consumer', '--coverage', '--provider'?)",
        ),
        (
            "--fail-on-violations true",
            "Error: No such option '--fail-on-violations'. Did you mean '--fail-on-violation'?",
        ),
        ("--journal", "Error: Option '--journal' requires an argument."),
        ("--coverage", "Error: Option '--coverage' requires an argument."),
        ("--freeze-at", "Error: Option '--freeze-at' requires an argument."),
        ("--fail-on-violation=yes true", "Error: Option '--fail-on-violation' does not take a value."),
        # values
        ("--port abc true", "Error: Invalid value for '--port': 'abc' is not a valid integer range."),
        ("--port 1.5 true", "Error: Invalid value for '--port': '1.5' is not a valid integer range."),
        ("--port -1 true", f"Error: Invalid value for '--port': -1 {RANGE}"),
        ("--port 65536 true", f"Error: Invalid value for '--port': 65536 {RANGE}"),
        (
            "--seed -1 true",
            "Error: Invalid value for '--seed' (env var: 'STUBSERVER_SEED'): -1 is not in the range x>=0.",
        ),
        (
            "--seed x true",
            "Error: Invalid value for '--seed' (env var: 'STUBSERVER_SEED'): 'x' is not a valid integer range.",
        ),
        ("--freeze-at now true", f"{FREEZE_AT} 'now' {NO_MOMENT}"),
        ("--freeze-at 2031-13-01 true", f"{FREEZE_AT} '2031-13-01' {NO_MOMENT}"),
        (
            "--freeze-at 2031-05-01T09:00 true",
            f"{FREEZE_AT} 2031-05-01T09:00:00 has no offset from UTC: write 2031-05-01T09:00:00Z, for example.",
        ),
        (
            "--freeze-at 1969-12-31T23:59:59Z true",
            f"{FREEZE_AT} The clock covers the years 1970 to 2199.",
        ),
        # files
        ("--coverage c.csv true", "stubserver: unknown report type 'c.csv': end it in .txt, .json, .xml, .html"),
        ("--coverage coverage true", "stubserver: unknown report type 'coverage': end it in .txt, .json, .xml, .html"),
        ("--coverage folder true", "stubserver: unknown report type 'folder': end it in .txt, .json, .xml, .html"),
        ("--journal kept.json true", "stubserver: --journal and --coverage cannot share the file kept.json"),
        ("--journal ./kept.json true", "stubserver: --journal and --coverage cannot share the file kept.json"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(folder: Path, arguments: str, says: str) -> None:
    refuses(arguments, says, 2, folder)


@pytest.mark.parametrize("command", ["no-such-command", "./none", "./plain.txt", "./folder", "--port"])
def test_a_command_that_is_not_there_is_told(folder: Path, command: str) -> None:
    """With the exit status of shells."""
    refuses(f"-- {command} --at-all", f"stubserver: cannot run {command}: {NO_PROGRAM}", 127, folder)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--fixture nonesuch true", "stubserver: unknown fixture 'nonesuch': use one of default, empty, or a file"),
        ("--fixture-dir nowhere true", "stubserver: cannot read the folder nowhere: No such file or directory"),
        (
            "--watch true",
            "stubserver: --watch has nothing to watch: name a file with --fixture, or a folder with --fixture-dir",
        ),
        ("--fixture folder true", "stubserver: unknown fixture 'folder': use one of default, empty, or a file"),
        ("--fixture broken.yaml true", "stubserver: broken.yaml:1:1: users: 3 is not valid; it must be a list"),
        ("--cors-origin app.example true", f"stubserver: --cors-origin: 'app.example' {NO_ORIGIN}"),
        (
            "--cors-origin https://a.example/x true",
            f"stubserver: --cors-origin: 'https://a.example/x' {NO_ORIGIN.replace('app', 'a')}",
        ),
        (
            "--allowed-host stub:80 true",
            "stubserver: --allowed-host: 'stub:80' is not the name of a host: "
            "write it as stub, without scheme, port and path, or * for all",
        ),
        ("--port {taken} true", "stubserver: cannot listen on 127.0.0.1 port {taken}: Address already in use"),
        ("--journal nowhere/j true", "stubserver: cannot write nowhere/j: No such file or directory"),
        ("--journal folder true", "stubserver: cannot write folder: Is a directory"),
        ("--journal plain.txt/j true", "stubserver: cannot write plain.txt/j: Not a directory"),
        ("--coverage nowhere/c.json true", "stubserver: cannot write nowhere/c.json: No such file or directory"),
        ("--coverage folder.json true", "stubserver: cannot write folder.json: Is a directory"),
        ("--journal new.ndjson --coverage folder.json true", "stubserver: cannot write folder.json: Is a directory"),
    ],
)
def test_a_mistake_that_only_the_server_sees_changes_nothing(folder: Path, arguments: str, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refuses(arguments.replace("{taken}", port), says.replace("{taken}", port), 2, folder)


@pytest.mark.slow
def test_a_program_that_the_system_cannot_run(folder: Path) -> None:
    """It is executable, but nothing that the system knows."""
    options = ["--journal", "kept.ndjson", "--coverage", "new.json"]
    done = execute(*options, command=["./no-program"], folder=folder)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "stubserver: cannot run ./no-program: Exec format error\n"
    assert Path("kept.ndjson").read_text() == "of the last run\n"
    assert not Path("new.json").exists()
