"""Whoever sends a request, and however: the answers and what they leave behind are the same."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.serving.background import Background
from stubserver.worlds.snapshot import Fixture
from tests.edges.clients import CLIENTS, why_missing
from tests.edges.exchanges import MOST, Answer, exchanges
from tests.support.commands import PATIENCE
from tests.support.default import NOW, SETTINGS

pytestmark = pytest.mark.slow

ALL = [*exchanges()]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", params=["lane", "stack", "lane without uvloop"])
def url(request: pytest.FixtureRequest, contract: Contract, default_fixture: Fixture) -> Iterator[str]:
    settings = replace(SETTINGS, fast_path=request.param != "stack", max_body=MOST)
    background = Background(lambda: StubServer(contract, default_fixture, settings))
    with background as url:
        with pytest.MonkeyPatch.context() as patch:
            if request.param == "lane without uvloop":
                patch.setitem(sys.modules, "uvloop", None)  # so that it cannot be loaded
            httpx.get(f"{url}/__stub/health", timeout=PATIENCE)
        assert background._server is not None
        loop = background._server.servers[0].get_loop()
        assert isinstance(loop, asyncio.SelectorEventLoop) == (request.param == "lane without uvloop")
        yield url


def outcome(url: str, name: str) -> tuple[list[Answer], Any]:
    """What a client gets in a world of its own, and what the journal says it has changed."""
    world = f"edges-{next(_NUMBERS)}"
    headers = {"X-Stub-World": world, "Authorization": "Bearer stub-creator"}
    with httpx.Client(base_url=f"{url}/__stub/", headers={"X-Stub-World": world}) as control:
        control.post("clock/freeze", params={"at": NOW.isoformat()}).raise_for_status()
        own = urlsplit(url).netloc.encode()
        answers = [(status, body.replace(own, b"stub.test")) for status, body in CLIENTS[name](url, ALL, headers)]
        entries = control.get("requests", params={"limit": 100}).json()["results"]
    return answers, [(entry["request"]["method"], entry["status"], entry["changes"]) for entry in entries]


@pytest.fixture(scope="module")
def expected(url: str) -> tuple[list[Answer], Any]:
    return outcome(url, "whole")


def test_plain_client_gets_what_it_asks_for(expected: tuple[list[Answer], Any]) -> None:
    answers, _ = expected
    refused = [413, 413, 405, 404, 415, 404, 405]
    statuses = [201, 200, 200] * 3 + [204, 204, 204, 200, *refused, 200, 200, 200]
    assert [status for status, _ in answers] == statuses
    course = json.loads(answers[-2][1])
    assert course["description"].startswith("<p>_multipart</p>xxx")
    assert [section["name"] for section in course["sections"]] == ["First washes", "50 % & _multipart"]


@pytest.mark.parametrize("name", [name for name in CLIENTS if name != "whole"])
def test_every_client_gets_the_same(url: str, name: str, expected: tuple[list[Answer], Any]) -> None:
    if reason := why_missing(name):
        assert "ALL_CLIENTS" not in os.environ, reason  # CI sets it: there, nothing may be left out
        pytest.skip(reason)
    answers, changes = outcome(url, name)
    assert [status for status, _ in answers] == [status for status, _ in expected[0]]
    assert answers == expected[0]
    assert changes == expected[1]
