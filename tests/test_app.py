"""The application: built from options, with a fixture file and the fixtures that ship."""

import asyncio
from pathlib import Path

import pytest
import yaml

from stubserver.app import StubServer, create_app
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import FixtureError
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.worlds import named


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file with a fixture named "mine"."""
    user = {"id": 1, "username": "ada", "real_name": "Ada", "date_joined": "-1d"}
    file = tmp_path / "a file.yaml"
    file.write_text(yaml.safe_dump({"name": "mine", "users": [user]}))
    return file


def test_worlds_of_a_file_and_of_the_fixtures_that_ship(mine: Path, runner: asyncio.Runner) -> None:
    """Requests use the name that the file gives itself, never its path."""
    api = Api(create_app(str(mine)), runner)
    for world, fixture, users in ((None, "mine", 1), ("m", "mine", 1), ("d", "default", 14)):
        headers = {} if world is None else {**named(world), "X-Stub-Fixture": fixture}
        assert ok(api.get("/user/search/?limit=100", headers=headers))["count"] == users
    for name in (str(mine), "a file", "other"):
        answer = api.get("/user/1/", headers={**named(f"w{len(name)}"), "X-Stub-Fixture": name})
        assert refused(answer, 400) == {"fixture": "does_not_exist"}
        assert "use one of default, empty" in answer.text


def test_a_snapshot_of_a_file_is_restored_as_of_its_own_moment(mine: Path, runner: asyncio.Runner) -> None:
    """So a server that starts later can read it, too."""
    first, later = (Api(create_app(str(mine)), runner) for _ in range(2))
    ok(first.post("/__stub/snapshots", json={"name": "s"}, headers=named("w")), 201)
    content = ok(first.get("/__stub/snapshots/s"))
    assert first.app.fixture.moment < later.app.fixture.moment
    ok(later.put("/__stub/snapshots/s", json=content))
    assert later.app.worlds.snapshot("s").fixture.moment == first.app.fixture.moment


def test_options_are_settings() -> None:
    server = create_app("empty", seed=7, max_worlds=3, fast_path=False)
    assert (server.fixture.name, server.settings.seed, server.settings.max_worlds) == ("empty", 7, 3)
    assert server.lane is None
    with pytest.raises(TypeError):
        create_app(colour="red")
    with pytest.raises(FixtureError):
        create_app("nope")


def test_two_servers_share_nothing(contract: Contract, default_fixture: Fixture, runner: asyncio.Runner) -> None:
    """No worlds, journals or coverage, though they share contract and fixture."""
    one, other = (Api(StubServer(contract, default_fixture), runner) for _ in range(2))
    ok(one.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    ok(one.post("/__stub/faults", json={"kind": "error"}), 201)
    assert ok(other.get("/course/1/"))["name"] != "Knots"
    assert [len(list(api.app.worlds)) for api in (one, other)] == [1, 1]
    assert ok(other.get("/__stub/requests"))["count"] == 1
    assert one.app.coverage.report() != other.app.coverage.report()
