"""What `stubserver serve` says before it serves, to people and to machines."""

import json

import pytest

from stubserver import __version__
from tests.support.commands import invoke
from tests.support.engines import free_port


def started(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[str, str]:
    """What `serve` prints before it serves."""
    monkeypatch.setattr("stubserver.serving.server.serve", lambda _, listener, *__, **___: listener.close())
    status, out, err = invoke("serve", "--port", str(free_port()), *arguments)
    assert status == 0
    return out, err


def test_a_start_is_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the stream of the log, and without the tokens, which others know already."""
    arguments = ["--log-format", "json", "--control-token", "s3cret", "--metrics-token", "t0ken"]
    out, err = started(monkeypatch, *arguments)
    (line,) = map(json.loads, err.splitlines())
    assert out == ""
    assert line.pop("message") == f"course-stubserver {__version__} listens at {line.pop('url')}"
    assert line.pop("time").endswith("Z")
    told = {"level": "info", "version": __version__, "fixture": "default", "store": "memory", "workers": 1}
    assert line == told


def test_a_token_that_was_made_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else could know it."""
    out, err = started(monkeypatch, "--log-format", "json", "--host", "0.0.0.0")
    first, second = map(json.loads, err.splitlines())
    assert out == ""
    assert len(first["control_token"]) > 15
    assert (second["level"], second["message"][:26]) == ("warning", "0.0.0.0 lets other machine")


@pytest.mark.parametrize("form", ["text", "json"])
def test_quiet_prints_nothing(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    arguments = ["--quiet", "--log-format", form, "--host", "0.0.0.0", "--control-token", "s3cret"]
    assert started(monkeypatch, *arguments) == ("", "")


def test_a_banner_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = started(monkeypatch)
    assert out.startswith(f"course-stubserver {__version__}   fixture default")
    assert err == ""
