"""Who may scrape the metrics: whoever may use the control plane, or has a token that opens nothing else."""

import asyncio
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.pipeline.protection import Protection
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import refused
from tests.support.attacks import ATTACKS, OPEN, READS, WRITES, call, prepared
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.default import CONTROL_TOKEN

SCRAPE = "for-prometheus"
PATHS = ["//metrics", "/__stub/metrics", "/~w/metrics"]
pytestmark = pytest.mark.no_world


def bearer(token: str, host: str = "10.0.0.7:8765") -> dict[str, str]:
    return {"Host": host, "Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def servers(contract: Contract, default_fixture: Fixture) -> dict[str, StubServer]:
    """Which tokens a server has -> the server."""
    tokens: dict[str, dict[str, Any]] = {
        "none": {},
        "control": {"control_token": CONTROL_TOKEN},
        "metrics": {"metrics_token": SCRAPE},
        "both": {"control_token": CONTROL_TOKEN, "metrics_token": SCRAPE},
    }
    return {name: StubServer(contract, default_fixture, Settings(**given)) for name, given in tokens.items()}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("server", "headers", "status"),
    [
        ("none", {"Host": "localhost"}, 200),
        ("none", {"Host": "10.0.0.7:8765"}, 403),
        ("none", bearer(SCRAPE), 403),
        ("control", {"Host": "localhost"}, 401),
        ("control", bearer(SCRAPE), 401),
        ("control", bearer(CONTROL_TOKEN), 200),
        ("metrics", {"Host": "localhost"}, 401),
        ("metrics", bearer(SCRAPE), 200),
        ("metrics", bearer(SCRAPE, "localhost"), 200),
        ("metrics", bearer(CONTROL_TOKEN), 401),
        ("both", {"Host": "localhost"}, 401),
        ("both", bearer(SCRAPE), 200),
        ("both", bearer(CONTROL_TOKEN), 200),
        ("both", bearer(f"{SCRAPE}x"), 401),
        ("both", bearer(SCRAPE[:-1]), 401),
        ("both", bearer(""), 401),
        ("both", {"Host": "localhost", "Authorization": f"Basic {SCRAPE}"}, 401),
    ],
)
def test_a_scraper_needs_a_token_where_there_is_one(
    servers: dict[str, StubServer],
    runner: asyncio.Runner,
    path: str,
    server: str,
    headers: dict[str, str],
    status: int,
) -> None:
    response = Api(servers[server], runner).get(path, headers=headers)
    assert response.status_code == status, response.text
    assert ("stubserver_worlds " in response.text) == (status == 200)
    assert not any(token in response.text for token in (SCRAPE, CONTROL_TOKEN))


def test_a_refusal_names_the_options(servers: dict[str, StubServer], runner: asyncio.Runner) -> None:
    response = Api(servers["both"], runner).get("//metrics", headers={"Host": "localhost"})
    assert refused(response, 401) == {"": "not_authenticated"}
    assert "--metrics-token or --control-token" in response.text


@pytest.mark.parametrize("name", sorted({*READS, *WRITES} - {*OPEN, "get_metrics", "load_snapshot"}))
def test_the_token_of_the_metrics_opens_nothing_else(
    servers: dict[str, StubServer], runner: asyncio.Runner, name: str
) -> None:
    response = call(Api(servers["both"], runner), name, **bearer(SCRAPE))
    assert refused(response, 401) == {"": "not_authenticated"}


def test_the_token_of_the_metrics_is_needed_for_nothing_else(
    servers: dict[str, StubServer], runner: asyncio.Runner
) -> None:
    api = prepared(Api(servers["metrics"], runner))
    assert api.get("/__stub/worlds", headers={"Host": "localhost"}).status_code == 200
    assert api.get("/__stub/worlds", headers={"Host": "10.0.0.7"}).status_code == 403


@pytest.mark.parametrize("attack", [name for name, sent in ATTACKS.items() if "Host" not in sent])
def test_a_foreign_page_reads_no_metrics(servers: dict[str, StubServer], runner: asyncio.Runner, attack: str) -> None:
    """Even if it had a token."""
    for server, token in (("none", "x"), ("both", SCRAPE)):
        headers = {**bearer(token, "localhost"), **ATTACKS[attack]}
        assert refused(Api(servers[server], runner).get("//metrics", headers=headers), 403)


@pytest.mark.parametrize("token", ["", "a b", "\u00fc", "a\n"])
def test_a_token_that_cannot_be_sent_is_a_mistake(token: str) -> None:
    with pytest.raises(ValueError, match="the metrics token must not be empty, and may have only printable ASCII"):
        Protection(CONTROL, Settings(metrics_token=token))
