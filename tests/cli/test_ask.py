"""`stubserver explain` and `stubserver coverage`: what a running server reports about one request, and about all."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from stubserver.app import StubServer, create_app
from stubserver.cli import main
from stubserver.serving.background import Background
from tests.reports.stories import REFUSAL
from tests.support.commands import CLEAN, PATIENCE
from tests.support.default import CONTROL_TOKEN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server whose control plane needs a token, and whose world `default` has had two requests."""

    def build() -> StubServer:
        return create_app("default", control_token=CONTROL_TOKEN)

    with Background(build) as url:
        with httpx.Client(base_url=url, headers={"Authorization": "Bearer stub-stranger"}) as client:
            client.post("/api/v2/course/1/join/").raise_for_status()
            assert client.patch("/api/v2/course/1/", json={"name": "Mine"}).status_code == 403
        yield url


@pytest.fixture
def command(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a `stubserver` command against the server; return its exit status and what it printed."""
    monkeypatch.setenv("STUBSERVER_URL", url)
    monkeypatch.setenv("STUBSERVER_CONTROL_TOKEN", CONTROL_TOKEN)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


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
def test_the_control_token_is_needed(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    assert command(*arguments, "--control-token", CONTROL_TOKEN)[0] == 0
    status, out, err = command(*arguments, "--control-token", "another")
    assert (status, out, err.count("\n")) == (2, "", 1)
    monkeypatch.delenv("STUBSERVER_CONTROL_TOKEN")
    assert command(*arguments)[0] == 2


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


def test_coverage_of_a_server_in_each_format(command: Callable[..., Any]) -> None:
    status, text, err = command("coverage")
    assert (status, err) == (0, "")
    assert text.startswith("Contract coverage: ")
    found = {form: command("coverage", "--format", form)[1] for form in ("text", "json", "junit", "html")}
    assert found["text"] == text
    called = {one["operation"] for one in json.loads(found["json"])["operations"] if one["requests"]}
    assert called == {"join_course", "patch_course"}
    assert ElementTree.fromstring(found["junit"]).tag == "testsuites"  # noqa: S314 (our own report)
    assert found["html"].startswith("<!doctype html>")


def test_coverage_of_files_adds_up(command: Callable[..., Any], tmp_path: Path) -> None:
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file in files:
        file.write_text(command("coverage", "--format", "json")[1])
    status, out, err = command("coverage", "--format", "json", *map(str, files))
    assert (status, err) == (0, "")
    one, both = json.loads(files[0].read_text()), json.loads(out)
    assert both["percent"] == one["percent"]
    asked = {name: [op["requests"] for op in report["operations"]] for name, report in (("one", one), ("both", both))}
    assert asked["both"] == [2 * requests for requests in asked["one"]]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\xfe"], ids=["empty", "object", "list", "no text"])
def test_a_file_that_is_no_report_is_one_line(command: Callable[..., Any], tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "c.json"
    file.write_bytes(content)
    status, out, err = command("coverage", str(file))
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_too_little_coverage_fails_after_it_is_shown(command: Callable[..., Any]) -> None:
    percent = json.loads(command("coverage", "--format", "json")[1])["percent"]
    assert command("coverage", "--fail-under", str(percent))[0] == 0
    status, out, err = command("coverage", "--fail-under", "99.5")
    assert status == 1
    assert out.startswith("Contract coverage: ")
    assert err == f"stubserver: {percent} % of the contract is covered, less than 99.5 %\n"
    assert command("coverage", "--fail-under", "101")[0] == 2
