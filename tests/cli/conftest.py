"""A server for the commands that ask one."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer, create_app
from stubserver.serving.background import Background
from tests.support.commands import invoke
from tests.support.default import CONTROL_TOKEN


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
def command(url: str) -> Callable[..., Any]:
    """Run a `stubserver` command against the server; return its exit status and what it printed."""
    known = {"STUBSERVER_URL": url, "STUBSERVER_CONTROL_TOKEN": CONTROL_TOKEN}
    return lambda *arguments, **environment: invoke(*arguments, **{**known, **environment})
