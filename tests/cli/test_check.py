"""`stubserver check`, as somebody uses it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.commands import CLEAN, COMMAND, PATIENCE, Served, invoke, told, until

pytestmark = pytest.mark.slow

PERSONAS = [part for name in ("creator", "member", "stranger") for part in ("--persona", f"{name}=stub-{name}")]
SHORT = [*PERSONAS, "--rules", "R101"]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of our own."""
    server = Served(tmp_path_factory.mktemp("target"))
    yield server.url
    server.end()


def test_our_own_server_agrees(target: str) -> None:
    status, out, err = invoke("check", f"{target}/api/v2/", *SHORT)
    assert (status, out.splitlines()[1]) == (0, "Rules: 1 agrees")
    assert out.splitlines()[-1].startswith(f"{target}: no difference; ")
    assert "stubserver: stories" in err.splitlines()


@pytest.mark.parametrize("form", ["text", "json", "junit", "html"])
def test_reports_go_to_files(target: str, form: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    status, out, _ = invoke("check", target, *SHORT, "--format", form, "--output", str(file))
    assert (status, out) == (0, f"wrote {file}\n")
    begin = {"text": "Played: 2 of 2 stories", "json": "{", "junit": "<?xml", "html": "<!doctype html>"}[form]
    assert file.read_text().startswith(begin)


def test_personas_come_from_the_environment(target: str) -> None:
    tokens = "creator=stub-creator member=stub-member stranger=stub-stranger"
    status, out, _ = invoke("check", target, "--rules", "R101", "--format", "json", STUBSERVER_CHECK_PERSONAS=tokens)
    assert (status, json.loads(out)["personas"]) == (0, ["creator", "member", "stranger"])


def test_personas_come_from_a_file(target: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens.yaml"
    file.write_text("creator: wrong\nmember: stub-member\nstranger: stub-stranger\n")
    given = ["--personas", str(file), "--persona", "creator=stub-creator", "--rules", "R101", "--format", "json"]
    status, out, _ = invoke("check", target, *given)
    assert (status, {*json.loads(out)["personas"]}) == (0, {"creator", "member", "stranger"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- creator\n", "FILE: it has to have lines such as creator: TOKEN."),
        ("", "FILE: it has to have lines such as creator: TOKEN."),
        ("creatr: x\n", "There is no persona 'creatr'. Did you mean creator?"),
        ("creator: 5\n", "creator needs a token, as in creator=TOKEN."),
        ("creator: a b\n", "creator needs a token, as in creator=TOKEN."),
        ("1: x\n", "There is no persona '1'. Use one of: ..."),
        ("creator: [\n", "FILE: while parsing..."),
    ],
)
def test_files_of_personas_that_cannot_be(target: str, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "tokens.yaml"
    file.write_text(text)
    status, out, err = invoke("check", target, "--personas", str(file))
    assert (status, out) == (2, "")
    assert told(err, f"Error: Invalid value for '--personas': {message.replace('FILE', str(file))}"), err


def test_known_differences_that_are_gone_fail(target: str, tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text("get_course /name value: it was so in May\n")
    status, _, err = invoke("check", target, "--read-only", "--accept", str(file))
    assert status == 1
    assert err.splitlines()[-1] == f"stubserver: {file}: get_course /name value no longer occurs; remove it"
    assert invoke("check", target, *SHORT, "--accept", str(file))[0] == 0


def test_a_list_of_differences_is_written(target: str, tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    assert invoke("check", target, "--read-only", "--write-accept", str(file))[0] == 0
    assert file.read_text().startswith(f"# What is known to differ from the contract at {target}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["ftp://x", *PERSONAS],
            "Error: Invalid value for 'URL': 'ftp://x' is no URL such as https://staging.example.com",
        ),
        (
            ["staging", *PERSONAS],
            "Error: Invalid value for 'URL': 'staging' is no URL such as https://staging.example.com",
        ),
        (["http://[x", *PERSONAS], "Error: Invalid value for 'URL': 'http://[x' is no URL..."),
        (["http://x:0", *PERSONAS], "Error: Invalid value for 'URL': 'http://x:0' is no URL..."),
        (
            ["URL"],
            "stubserver: a check needs somebody who may create courses: --persona creator=TOKEN (or --read-only)",
        ),
        (
            ["URL", "--persona", "creatr=x"],
            "PERSONA There is no persona 'creatr'. Did...",
        ),
        (
            ["URL", "--persona", "creator"],
            "PERSONA creator needs a token, as in creator=TOKEN.",
        ),
        (
            ["URL", "--persona", "creator="],
            "PERSONA creator needs a token, as in...",
        ),
        (
            ["URL", "--persona", "creator=a b"],
            "PERSONA creator needs a token, as in...",
        ),
        (
            ["URL", *PERSONAS, *PERSONAS[:2]],
            "PERSONA creator is given twice.",
        ),
        (["URL", *PERSONAS, "--rules", "R999"], "Error: Invalid value for '--rules': There is no rule 'R999'..."),
        (["URL", *PERSONAS, "--rules", "R007"], "Error: Invalid value for '--rules': R007 has no story: ..."),
        (
            ["URL", *PERSONAS, "--rules", ""],
            "Error: Invalid value for '--rules': name at least one rule, as in R101,R113.",
        ),
        (["URL", *PERSONAS, "--rules", ","], "Error: Invalid value for '--rules': name at least one rule, as in..."),
        (["URL", "--read-only", "--quick"], "stubserver: --read-only plays no stories: leave out --rules and --quick"),
        (["URL", "--read-only", "--rules", "R101"], "stubserver: --read-only plays no stories: leave out --rules..."),
        (
            ["URL", "--read-only", "--persona", "member=bad"],
            "stubserver: the target answered /api/v2/user/me/ with 401...",
        ),
        (["URL", *PERSONAS, "--time", "1"], "Error: Invalid value for '--time': 1.0 is not in the range x>=5."),
        (["URL", *PERSONAS, "--rate", "0"], "Error: Invalid value for '--rate': 0.0 is not in the range x>0."),
        (["URL", *PERSONAS, "--accept", "/none"], "Error: Invalid value for '--accept': File '/none' does not exist."),
        (
            ["URL", "--persona", "creator=bad"],
            "stubserver: the target answered /api/v2/user/me/ with 401 for the token...",
        ),
        (["URL/elsewhere", *PERSONAS], "stubserver: the target answered /api/v2/user/me/ with 404, and no user: is..."),
        (
            ["URL", *PERSONAS, "--output", "/no/such/folder"],
            "stubserver: cannot write /no/such/folder: No such...",
        ),
        (
            ["URL", *PERSONAS, "--write-accept", "/dev/null"],
            "stubserver: cannot write /dev/null: it is not...",
        ),
        (
            ["URL", *PERSONAS, "--output", "both", "--write-accept", "./both"],
            "stubserver: --output, --write-accept and --verified need files of their own",
        ),
        (["URL", *PERSONAS, "--output", ""], "Error: Invalid value for '--output': it is empty; the current folder..."),
        (["http://127.0.0.1:1", *PERSONAS], "stubserver: the target does not answer: ..."),
        (["http://127.0.0.1:1", "--read-only"], "stubserver: the target does not answer: ..."),
    ],
)
def test_what_cannot_run(target: str, arguments: list[str], message: str) -> None:
    status, out, err = invoke("check", *(part.replace("URL", target) for part in arguments))
    lines = [line for line in err.splitlines() if line != "stubserver: meeting the target"]
    assert (status, out) == (2, "")
    expected = message.replace(
        "PERSONA", "Error: Invalid value for '--persona' (env var: 'STUBSERVER_CHECK_PERSONAS'):"
    )
    assert told("\n".join(lines), expected), err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_it_cleans_up_and_reports(tmp_path: Path, number: signal.Signals) -> None:
    server = Served(tmp_path, "--fixture", "empty")
    try:
        command = [*COMMAND, "check", server.url, *PERSONAS, "--format", "json"]
        running = subprocess.Popen(command, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: sum("POST" in line for line in server.log) > 9)
        running.send_signal(number)
        out, _ = running.communicate(timeout=PATIENCE)
        found = json.loads(out)
        assert found["lacking"].startswith("it was interrupted, and ")
        assert not found["agrees"]
        assert (found["differences"], running.returncode) == ([], 2)
        assert httpx.get(f"{server.url}/api/v2/course/search/").json()["count"] == 0
    finally:
        server.end()


def test_what_was_confirmed_is_kept_and_told_beside_the_source(target: str, tmp_path: Path) -> None:
    file = tmp_path / "verified.yaml"
    status, out, err = invoke("check", target, *SHORT, "--verified", str(file), "--format", "json")
    assert (status, json.loads(out)["agrees"]) == (0, True)
    assert err.splitlines()[-1] == f"stubserver: wrote {file}"
    for name in ("R101", "get_course"):
        told_of = invoke("why", name, STUBSERVER_VERIFIED=str(file))[1].splitlines()
        (line,) = [line for line in told_of if line.startswith("  verified: ")]
        assert line.startswith(f"  verified: R101 agrees at {target}, 20")
    file.write_text("[]")
    assert invoke("why", "R101", "--verified", str(file))[0] == 2
    status, out, err = invoke("check", target, *SHORT, "--verified", str(file))
    assert (status, out) == (2, "")
    assert err.startswith(f"stubserver: {file}: it has to be what `stubserver check --verified` writes")
    assert file.read_text() == "[]"


def test_what_the_time_does_not_suffice_for_is_no_agreement(target: str) -> None:
    """At two requests a second, next to nothing is played within five seconds."""
    status, out, _ = invoke("check", target, *PERSONAS, "--time", "5", "--rate", "2")
    assert status == 2
    assert f"{target}: no difference, but that is not all: the time was over, and " in out.splitlines()[-1]


def test_a_check_without_anybody_who_could_play_is_no_agreement(target: str) -> None:
    status, out, _ = invoke("check", target, *PERSONAS[:2], "--rules", "R101")
    assert (status, out.splitlines()[-1].split("; ")[0]) == (
        2,
        f"{target}: no difference, but that is not all: no rule was reached",
    )


def test_a_target_that_dies_ends_the_check(tmp_path: Path) -> None:
    server = Served(tmp_path, "--fixture", "empty")
    try:
        command = [*COMMAND, "check", server.url, *PERSONAS, "--format", "json"]
        running = subprocess.Popen(command, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: sum("POST" in line for line in server.log) > 20)
        server.end()
        out, err = running.communicate(timeout=PATIENCE)
    finally:
        server.end()
    found = json.loads(out)
    assert (running.returncode, "Traceback" in err) == (1, False)
    assert {one["kind"] for one in found["differences"]} == {"transport"}
    assert found["lacking"].startswith("the target no longer answers, and ")
    assert [note for note in found["notes"] if note.startswith("left behind: ")]


def test_a_target_that_hangs_ends_the_check(tmp_path: Path) -> None:
    server = Served(tmp_path, "--fixture", "empty")
    try:
        command = [*COMMAND, "check", server.url, *PERSONAS, "--format", "json"]
        running = subprocess.Popen(command, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: sum("POST" in line for line in server.log) > 20)
        server.process.send_signal(signal.SIGSTOP)
        out, err = running.communicate(timeout=3 * PATIENCE)
    finally:
        server.end()
    found = json.loads(out)
    assert (running.returncode, "Traceback" in err) == (1, False)
    assert {one["found"] for one in found["differences"]} == {"timed out"}
    assert found["lacking"].startswith("the target no longer answers, and ")
    assert [note for note in found["notes"] if note.startswith("left behind: ")]


def test_a_target_that_asks_for_patience_is_given_it(target: str) -> None:
    """Every fifth request is refused, and comes again after a second."""
    fault = {"kind": "error", "status": 429, "retry_after": 1, "probability": 0.2, "seed": 1, "times": 4}
    made = httpx.post(f"{target}/__stub/faults", json=fault)
    assert made.status_code == 201, made.text
    status, out, _ = invoke("check", target, *SHORT, "--format", "json")
    fired = httpx.get(f"{target}/__stub/faults").json()
    httpx.delete(f"{target}/__stub/faults")
    assert (status, json.loads(out)["agrees"]) == (0, True)
    assert json.dumps(fired) == "[]" or '"fired": 4' in json.dumps(fired), fired
