"""`stubserver exec`: a server for as long as a command runs, what the command is told about it, and what it leaves
behind."""

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stubserver import __version__
from tests.support.commands import CLEAN, COMMAND, PATIENCE
from tests.support.default import PERSONAS

pytestmark = pytest.mark.slow

ASK = """
import json, os, urllib.error, urllib.request

def ask(method, path, persona=None, body=None, world="default"):
    request = urllib.request.Request(os.environ["STUBSERVER_URL"] + "/~" + world + path, method=method)
    if persona:
        request.add_header("Authorization", "Bearer " + os.environ["STUBSERVER_TOKEN_" + persona.upper()])
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
"""
"""How the commands of these tests begin."""
SIGNALS = """
import os, select, signal, sys
read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write)  # gets the number of each signal as it comes
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
print("ready", flush=True)
seen = os.read(read, 1)
while select.select([read], [], [], 0.5)[0]:
    seen += os.read(read, 100)
print([signal.Signals(number).name for number in seen], flush=True)
sys.exit(9)
"""
"""Print the signals received, once none has arrived for half a second."""


def script(text: str) -> list[str]:
    """A command that runs a text as Python."""
    return [sys.executable, "-c", ASK + text]


def execute(
    *options: str, command: list[str], folder: Path, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "exec", *options, "--", *command],
        cwd=folder,
        env={**CLEAN, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def journal(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


# How it ends


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


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    done = execute(command=["no-such-command", "--at-all"], folder=tmp_path)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "stubserver: cannot run no-such-command: No such file or directory\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fixture", "nonesuch"], "unknown fixture 'nonesuch': use one of default, empty, or a file"),
        (["--coverage", "c.csv"], "unknown report type 'c.csv': end it in .txt, .json, .xml, .html"),
        (["--coverage", "nowhere/c.json"], "cannot write nowhere/c.json: No such file or directory"),
        (["--journal", "nowhere/j.ndjson"], "cannot write nowhere/j.ndjson: No such file or directory"),
    ],
    ids=["fixture", "coverage ending", "coverage folder", "journal folder"],
)
def test_with_a_mistake_the_command_is_not_run(tmp_path: Path, options: list[str], message: str) -> None:
    """The command may take an hour, so an output that cannot be written is reported before it starts."""
    done = execute(*options, command=script("open('ran', 'w'); ask('GET', '/api/v2/feature/')"), folder=tmp_path)
    assert not (tmp_path / "ran").exists()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 or done.stderr.startswith("Usage: "), done.stderr
    assert message.rpartition(": ")[2] in done.stderr
    assert message.partition(":")[0].rpartition(" ")[2].strip("'") in done.stderr


# What the command gets


def test_the_environment(tmp_path: Path) -> None:
    """The server ends with the command, too."""
    done = execute(command=script("print(json.dumps(dict(os.environ)))"), folder=tmp_path, MINE="yes")
    found = json.loads(done.stdout)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", found["STUBSERVER_URL"])
    tokens = {name: value for name, value in found.items() if name.startswith("STUBSERVER_TOKEN_")}
    assert tokens == {f"STUBSERVER_TOKEN_{persona.upper()}": f"stub-{persona}" for persona in PERSONAS}
    assert found["MINE"] == "yes"
    assert found["PATH"] == CLEAN["PATH"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(found["STUBSERVER_URL"])


def test_standard_streams_pass_through(tmp_path: Path) -> None:
    text = "import sys; print(sys.stdin.read().upper(), end=''); print('oops', file=sys.stderr)"
    done = execute(command=script(text), folder=tmp_path, stdin="from a pipe\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "FROM A PIPE\n", "oops\n")


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


# Signals


def test_a_signal_reaches_the_command(tmp_path: Path) -> None:
    """The command then decides how it ends."""
    command = [*COMMAND, "exec", "--", *script(SIGNALS)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=CLEAN, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "['SIGTERM']\n"
        assert process.wait(PATIENCE) == 9


def test_ctrl_c_reaches_the_command_once(tmp_path: Path) -> None:
    """The terminal sends it to both; many commands read a second Ctrl-C as an order to drop everything."""
    terminal, end = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [*COMMAND, "exec", "--", *script(SIGNALS)],
        cwd=tmp_path,
        env=CLEAN,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(end)
    said = b""
    try:
        while b"ready" not in said:
            said += os.read(terminal, 1000)
        time.sleep(0.2)
        for _ in range(10):  # two signals in quick succession may merge into one
            os.write(terminal, b"\x03")
            time.sleep(0.05)
        assert process.wait(PATIENCE) == 9, said
        with contextlib.suppress(OSError):  # reading a closed terminal raises an error
            while more := os.read(terminal, 1000):
                said += more
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert said.count(b"'SIGINT'") == 10, said


# What it leaves behind

USE = """
ask("POST", "/api/v2/course/1/join/", "stranger", world="one")
ask("PATCH", "/api/v2/course/1/", "creator", {"name": "Knots"}, world="one")
ask("GET", "/api/v2/course/99/", world="two")
ask("DELETE", "/__stub/worlds/one")
ask("GET", "/api/v2/course/1/", "creator", world="one")
"""


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


def test_the_journal_is_new_in_each_run(tmp_path: Path) -> None:
    """If nothing was requested, it is empty; it never keeps the journal of the previous run."""
    (tmp_path / "j.ndjson").write_text("of the last run\n")
    assert execute("--journal", "j.ndjson", command=script(""), folder=tmp_path).returncode == 0
    assert (tmp_path / "j.ndjson").read_text() == ""


@pytest.mark.parametrize("ending", ["json", "html"])
def test_the_coverage_is_written_as_its_ending_says(tmp_path: Path, ending: str) -> None:
    """This holds if the command fails, too: a failed run is the most interesting."""
    file = tmp_path / f"c.{ending}"
    done = execute("--coverage", file.name, command=script(USE + "raise SystemExit(4)"), folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")
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
    "stubserver: not in the contract: 1 x field colour of patch_course",
    "stubserver: not in the contract: 1 x parameter colour of search_courses",
    "stubserver: not in the contract: 2 x operation GET /api/v2/kourse/",
]


@pytest.mark.parametrize(
    ("options", "text", "status"),
    [
        ([], BREAK, 0),
        (["--fail-on-violation"], BREAK, 1),
        (["--fail-on-violation"], BREAK + "raise SystemExit(5)", 5),
    ],
    ids=["told", "failed", "failed anyhow"],
)
def test_violations_are_told_and_fail_if_asked_to(tmp_path: Path, options: list[str], text: str, status: int) -> None:
    done = execute(*options, command=script(text), folder=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert sorted(done.stderr.splitlines()) == BROKEN
