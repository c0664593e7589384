"""`stubserver explain`: the story of one request; and what the commands that ask a server have in common."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.reports.stories import REFUSAL
from tests.support.commands import CLEAN, PATIENCE
from tests.support.default import CONTROL_TOKEN

pytestmark = pytest.mark.slow


def test_explain_tells_the_story(command: Callable[..., Any], url: str) -> None:
    status, out, err = command("explain", "default-2")
    assert (status, err) == (0, "")
    assert out.startswith("default-2  PATCH /api/v2/course/1/\n\n  when      ")
    story, _, again = out.rpartition("\n  again     ")
    assert story.endswith("\n".join(REFUSAL.splitlines()[3:]))
    assert again == (
        f"curl -X PATCH {url}/api/v2/course/1/ -H 'Content-Type: application/json' "
        "-H 'Authorization: Bearer stub-stranger' --data-binary '{\"name\":\"Mine\"}'\n"
    )


@pytest.mark.parametrize("name", ["default-99", "nonesuch-1", "nonsense", "../worlds", "a?b", "ä-1", ""])
def test_explain_of_an_unknown_request_is_one_line(command: Callable[..., Any], name: str) -> None:
    status, out, err = command("explain", name)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("stubserver: ")


@pytest.mark.parametrize("arguments", [["explain", "default-1"], ["coverage"]], ids=["explain", "coverage"])
def test_without_a_server_there_is_one_line(command: Callable[..., Any], arguments: list[str]) -> None:
    for nowhere in ("http://127.0.0.1:1", "http://nonesuch.invalid", "no URL at all"):
        status, out, err = command(*arguments, "--url", nowhere)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert nowhere in err


@pytest.mark.parametrize("arguments", [["explain", "default-1"], ["coverage"]], ids=["explain", "coverage"])
def test_the_control_token_is_needed(command: Callable[..., Any], arguments: list[str]) -> None:
    assert command(*arguments, "--control-token", CONTROL_TOKEN)[0] == 0
    status, out, err = command(*arguments, "--control-token", "another")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert command(*arguments, STUBSERVER_CONTROL_TOKEN=None)[0] == 2


def test_both_run_in_a_command_of_exec(tmp_path: Path) -> None:
    """They find the server through STUBSERVER_URL."""
    text = """
import os, subprocess, sys, urllib.request
urllib.request.urlopen(os.environ["STUBSERVER_URL"] + "/api/v2/feature/").close()
for arguments in (["explain", "default-1"], ["coverage"]):
    subprocess.run([sys.executable, "-m", "stubserver", *arguments], check=True)
"""
    done = subprocess.run(
        [sys.executable, "-m", "stubserver", "exec", "--", sys.executable, "-c", text],
        cwd=tmp_path,
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("default-1  GET /api/v2/feature/\n")
    assert "\nContract coverage: " in done.stdout
