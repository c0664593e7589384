"""The server of a run: started on first use, by the hook of the project."""

from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stubserver.app import create_app
from stubserver.plugin.running import Running
from stubserver.serving.background import Background


def config(in_process: bool) -> pytest.Config:
    """What `Running` reads of a configuration."""
    hook = SimpleNamespace(pytest_course_stub=lambda config: create_app("empty"))
    return cast(pytest.Config, SimpleNamespace(option=SimpleNamespace(stub_in_process=in_process), hook=hook))


@pytest.mark.parametrize("in_process", [True, False])
def test_a_server_is_built_by_the_hook(in_process: bool) -> None:
    """On the first request, if it has a socket."""
    running = Running(config(in_process))
    assert (running.app is not None) == in_process
    with closing(running.stub()) as stub:
        assert stub.world("w").client("creator").get("/course/search/").json()["count"] == 0
        assert (stub.app is not None) == in_process
    assert running.app is not None
    assert running.error is None
    running.stop()


def test_a_socket_that_is_refused_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Any) -> str:
        raise OSError("not today.")

    monkeypatch.setattr(Background, "start", refused)
    with pytest.raises(
        RuntimeError, match=r"^no socket for the stub server: not today\. --stub-in-process needs none\.$"
    ):
        Running(config(in_process=False))
