"""The options of a server: each can be given on the command line, and the seed changes only what it should."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from stubserver.app import StubServer, create_app
from stubserver.cli import serve
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok
from tests.support.client import Api

WORDED = {
    "cors_origins": "cors_origin",
    "control_origins": "control_origin",
    "fast_path": "no_fast_path",
    "allowed_hosts": "allowed_host",
}
"""Settings that have another name on the command line."""


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_an_option_of_the_command(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    option = WORDED.get(name, name)
    monkeypatch.delenv(f"STUBSERVER_{option.upper()}", raising=False)
    given = serve.make_context("serve", []).params[option]
    assert (not given if option.startswith("no_") else given) == getattr(Settings(), name)


@pytest.mark.parametrize(
    "bounds", [{"max_memory": 511 << 20}, {"max_world": (64 << 20) + 1}, {"max_world": 100, "max_memory": 799}]
)
def test_bounds_that_do_not_fit_together_are_refused(bounds: dict[str, Any]) -> None:
    least = 8 * Settings.max_world if "max_world" not in bounds else 8 * bounds["max_world"]
    with pytest.raises(ValueError, match=f"^--max-memory [0-9]+ is too small .*: use at least {least}, 8 times that.$"):
        create_app(**bounds)
    create_app("empty", **{**bounds, "max_memory": least})


THEN = datetime(2031, 5, 1, 9, tzinfo=UTC)


def test_a_frozen_server_freezes_every_world(runner: Any) -> None:
    """The one that is there from the start, and any made, reset, or seen before it is made; until it is released."""
    api = Api(create_app("default", freeze_at=THEN), runner, "creator")
    shown = {"now": "2031-05-01T09:00:00+00:00", "frozen": True, "ahead_seconds": 0.0}
    for world in ("default", "made", "other"):
        assert ok(api.get(f"/~{world}/__stub/clock")) == shown
        assert ok(api.post(f"/~{world}/__stub/clock/advance", json={"days": 1}))["now"].startswith("2031-05-02")
        ok(api.post(f"/__stub/worlds/{world}/reset"))
        assert ok(api.get(f"/~{world}/__stub/clock")) == shown
    assert not ok(api.post("/__stub/clock/release"))["frozen"]
    course = ok(api.post("/~empty/api/v2/course/", json={"name": "Knots", "type": "self-paced"}), 201)
    assert course["created_at"] == shown["now"]


def test_the_times_of_the_fixture_are_relative_to_the_frozen_clock() -> None:
    """So that lessons of a schedule are as far away as ever."""
    app = create_app("default", freeze_at=THEN)
    assert app.fixture.moment == app.worlds.load_fixture("empty").moment == THEN


@pytest.mark.parametrize("moment", [THEN.replace(tzinfo=None), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_time_that_no_clock_shows_is_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match=r"1970 to 2199|no offset"):
        create_app("default", freeze_at=moment)


def test_the_seed_changes_picture_addresses_and_nothing_else(
    contract: Contract, default_fixture: Fixture, runner: Any
) -> None:
    apps = [
        Api(StubServer(contract, default_fixture, Settings(seed=number)), runner, "creator") for number in (0, 7, 7)
    ]
    differ = set()
    for operation in contract.operations.values():
        if operation.method != "get":
            continue
        zero, seven, again = (api.get(operation.path.replace("{id}", "1")).text for api in apps)
        assert seven == again
        differ |= {operation.id} if zero != seven else set()
        pictures = re.compile(r"(/upfiles/[a-z]+/[a-z]+/[^\"]*)_[0-9]{4}\.png")
        assert pictures.sub(r"\1", zero) == pictures.sub(r"\1", seven)
    assert "get_course" in differ
