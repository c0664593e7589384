"""`stubserver variants`, as somebody uses it."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stubserver.cli.exec import built
from tests.support.commands import CLEAN, COMMAND, PATIENCE, invoke, until

pytestmark = pytest.mark.slow

CLIENT = """
import json, os, sys, urllib.request
request = urllib.request.Request(os.environ["STUBSERVER_URL"] + "/api/v2/course/1/")
request.add_header("Authorization", "Bearer " + os.environ["STUBSERVER_TOKEN_MEMBER"])
course = json.load(urllib.request.urlopen(request))
print("looking at", course["name"])
"""
WEAK = f"{CLIENT}\nassert course['created_by']['avatar'].startswith('http')"
KEY = "null get_course /created_by/avatar"
NULL = ("--kinds", "null")


def python(script: str) -> list[str]:
    return ["--", sys.executable, "-c", script]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a search on the weak client; with it, nothing needs to run again."""
    file = tmp_path_factory.mktemp("state") / "state"
    status, out, err = invoke("variants", *NULL, "--state", str(file), *python(WEAK))
    assert status == 1, err
    assert out.startswith(f"broken: {KEY}\n  the command ended with status 1, after 1 requests\n")
    assert "AttributeError: 'NoneType' object has no attribute 'startswith'" in out
    assert 'request:  GET /api/v2/course/1/ as stub-member Prefer: variant="null:/created_by/avatar"' in out
    assert "looking at" not in err  # what the command writes is only in the report
    assert "stubserver: running once without variants" in err.splitlines()
    return file


def test_a_client_that_survives() -> None:
    status, out, err = invoke("variants", *NULL, *python(CLIENT))
    assert (status, out.splitlines()[0]) == (0, "null        6 survived"), err
    assert ": nothing broken; 6 variants at " in out.splitlines()[-1]


@pytest.mark.parametrize("form", ["text", "json", "junit", "html"])
def test_a_search_goes_on_and_reports_go_to_files(state: Path, form: str, tmp_path: Path) -> None:
    file, before = tmp_path / "report", state.read_bytes()
    given = [*NULL, "--state", str(state), "--format", form, "--output", str(file)]
    status, out, err = invoke("variants", *given, *python(WEAK))
    assert (status, out) == (1, "")
    assert f"1 broken; the report is in {file}" in err
    begin = {"text": "broken: ", "json": "{", "junit": "<?xml", "html": "<!doctype html>"}[form]
    assert file.read_text().startswith(begin)
    assert state.read_bytes() == before


def test_what_is_known_passes_with_a_reason(state: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.yaml"
    given = [*NULL, "--state", str(state)]
    assert invoke("variants", *given, "--write-accept", str(known), *python(WEAK))[0] == 1
    status, _, err = invoke("variants", *given, "--accept", str(known), *python(WEAK))
    assert (status, err) == (2, f"stubserver: {known}: {KEY}: there is no reason; say why it is accepted\n")
    known.write_text(known.read_text().replace("TODO: say why this is accepted", "nobody is without a picture"))
    status, out, _ = invoke("variants", *given, "--accept", str(known), *python(WEAK))
    assert (status, ": nothing broken, 1 accepted; " in out) == (0, True)
    known.write_text(f"{known.read_text()}null get_course /og_image: old\nlong get_me /bio: old\n")
    status, _, err = invoke("variants", *given, "--accept", str(known), *python(WEAK))
    assert status == 0  # only a whole search can tell that something no longer occurs
    known.write_text(f"{KEY}: old\nnull get_course /og_image: old\n")
    status, _, err = invoke("variants", *given, "--accept", str(known), *python(WEAK))
    assert (status, f"{known}: null get_course /og_image no longer occurs; remove it" in err) == (1, True)


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        ([], 2, "Missing argument 'COMMAND...'"),
        (["--kinds", "nul", *python(CLIENT)], 2, "There is no kind 'nul'. Did you mean null?"),
        (["--kinds", " , ", *python(CLIENT)], 2, "name at least one kind, as in null,absent."),
        (
            ["--operations", "get_corse", *python(CLIENT)],
            2,
            "There is no operation 'get_corse'. Did you mean get_course,",
        ),
        (["--time", "0", *python(CLIENT)], 2, "0"),
        (["--port", "99999", *python(CLIENT)], 2, "99999"),
        (["--format", "pdf", *python(CLIENT)], 2, "'pdf' is not one of"),
        (["--fixture", "nope", *python(CLIENT)], 2, "nope"),
        (["--accept", "nope.yaml", *python(CLIENT)], 2, "nope.yaml: No such file or directory"),
        (["--output", "no/report", *python(CLIENT)], 2, "cannot write no/report: No such file or directory"),
        (["--write-accept", "no/known", *python(CLIENT)], 2, "cannot write no/known: No such file or directory"),
        (["--state", "no/state", *python(CLIENT)], 2, "--state: cannot write no/state: No such file or directory"),
        (["--state", __file__, *python(CLIENT)], 2, "is no state of this command"),
        (["--", "no-such-program"], 127, "cannot run no-such-program: there is no such program on the PATH"),
        (python("raise SystemExit(3)"), 2, "fails with status 3 without any variant; it has to pass first"),
        (python("import os; os.kill(os.getpid(), 9)"), 2, "fails with status 137 without any variant"),
        (python("pass"), 2, "sent no request to the server; its URL is in STUBSERVER_URL"),
        (
            ["--kinds", "last-page", *python(CLIENT)],
            2,
            "was sent can vary in the kinds and operations asked for",
        ),
        (["--operations", "get_me", *python(CLIENT)], 2, "was sent can vary in the kinds and operations asked for"),
    ],
)
def test_wrong_uses(given: list[str], status: int, says: str) -> None:
    """Nobody should believe that a client has survived what it was never sent."""
    found, out, err = invoke("variants", *given)
    assert (found, out) == (status, "")
    assert says in err
    assert "Traceback" not in err


def test_what_a_failing_command_wrote_is_shown() -> None:
    _, _, err = invoke("variants", *NULL, *python("print('no database'); raise SystemExit(1)"))
    assert "no database\n" in err


def test_the_state_of_another_command_is_refused(state: Path) -> None:
    status, _, err = invoke("variants", *NULL, "--state", str(state), *python(CLIENT))
    assert (status, "is of a search with another command: use another file, or delete it" in err) == (2, True)


def test_a_search_without_time_does_not_pass() -> None:
    """Unless it has found something, nothing is known."""
    status, out, _ = invoke("variants", "--time", "1", *python(f"{CLIENT}\nimport time; time.sleep(1)"))
    assert (status, out.splitlines()[-1].endswith("; ended early: time.")) == (2, True)


def test_ctrl_c_ends_the_command_and_blames_nobody(tmp_path: Path) -> None:
    """It goes on later; the command, which a signal ended, has not failed."""
    marker, state = tmp_path / "marker", tmp_path / "state"
    script = f"{CLIENT}\nimport pathlib, time\nfile = pathlib.Path({str(marker)!r})\n"
    script += "file.write_text(file.read_text() + 'x' if file.exists() else 'x')\n"
    script += "len(file.read_text()) == 2 and time.sleep(600)"
    command = [*COMMAND, "variants", *NULL, "--state", str(state), *python(script)]
    running = subprocess.Popen(command, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: marker.exists() and marker.read_text() == "xx")
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 2, err
    assert "broken:" not in out
    assert out.splitlines()[-1].endswith("; ended early: interrupted.")
    assert len(json.loads(state.read_text())["runs"]) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_two_runs_ends_the_search_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals
) -> None:
    """It comes while the server of the second run is being built; the command does not run again."""
    marker, before = tmp_path / "marker", signal.getsignal(number)

    def interrupted(*given: Any, **options: Any) -> Any:
        if marker.exists():
            signal.raise_signal(number)
        return built(*given, **options)

    monkeypatch.setattr("stubserver.cli.variants.built", interrupted)
    script = f"{CLIENT}\nimport pathlib\nassert not pathlib.Path({str(marker)!r}).exists()\n"
    script += f"pathlib.Path({str(marker)!r}).write_text('x')"
    status, out, err = invoke("variants", *NULL, *python(script))
    assert (status, "broken:" in out) == (2, False), err
    assert out.splitlines()[-1].endswith("; ended early: interrupted.")
    assert signal.getsignal(number) == before


def test_what_was_found_before_a_signal_counts(monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path) -> None:
    """All but the last run is known, and the signal comes before that one."""
    kept = json.loads(state.read_bytes())
    kept["runs"].pop("1")  # the last run is that without variants
    known = tmp_path / "state"
    known.write_text(json.dumps(kept))

    def interrupted(*given: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return built(*given, **options)

    monkeypatch.setattr("stubserver.cli.variants.built", interrupted)
    status, out, _ = invoke("variants", *NULL, "--state", str(known), *python(WEAK))
    assert (status, out.startswith(f"broken: {KEY}\n")) == (1, True)
    assert out.splitlines()[-1].endswith("; ended early: interrupted.")
