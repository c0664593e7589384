"""Checks of our own server in its other forms: nobody can tell them apart."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from stubserver.checking.check import Effort, check
from stubserver.checking.findings import AGREES
from stubserver.contract.contract import Contract
from tests.checking.bugs import TOKENS
from tests.support.commands import Served
from tests.support.engines import Redis

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

RULES = ("R014", "R021", "R104", "R116", "R121", "R203", "R404", "R504")
"""Some of several kinds; `stubserver check` by hand has all of them."""


@pytest.fixture(params=["no fast path", "sqlite", "redis"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        match request.param:
            case "sqlite":
                options = ["--store", f"sqlite:{tmp_path / 'worlds.db'}"]
            case "redis":
                options = ["--store", stack.enter_context(Redis()).url]
            case _:
                options = ["--no-fast-path"]
        server = Served(tmp_path, "--fixture", "empty", *options)
        stack.callback(server.end)
        yield server.url


def test_each_form_of_our_server_agrees(contract: Contract, target: str) -> None:
    report = check(contract, target, TOKENS, 0, Effort(rules=RULES, seconds=300), lambda _: None)
    assert (report.findings, report.notes, report.lacking) == ([], [], "")
    assert {rule.rule: rule.result for rule in report.rules.values()} == dict.fromkeys(RULES, AGREES)
    assert httpx.get(f"{target}/api/v2/course/search/").json()["count"] == 0
