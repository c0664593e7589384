"""Coverage over several processes: the same as that of one process which served all requests."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.records.coverage import Coverage
from stubserver.shared.coverage import PREFIX
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.stored import shared, store_of
from tests.support.twins import Twins
from tests.support.worlds import busy, make, named

COVERAGE = "/__stub/coverage"


def operation(api: Api, name: str = "create_course") -> Any:
    """The counts of an operation."""
    (found,) = (one for one in ok(api.get(COVERAGE))["operations"] if one["operation"] == name)
    return found


def test_all_counts_are_the_same(twins: Callable[..., Twins]) -> None:
    """Those of every operation that changes something, of refusals, and of what is served beside the contract."""
    api = twins()
    busy(api, "w")
    for path in ("/course/1/?view=edit", "/course/search/?statuses=joined&statuses=creator", "/course/99/", "//docs/"):
        for persona in ("creator", "stranger", None):
            api.as_(persona).get(path)
    report = ok(api.get(COVERAGE))
    assert report["covered"] > 50
    assert [ok(one.get(COVERAGE)) for one in api._stored] == [report] * 2


BODIES: tuple[dict[str, Any], ...] = (
    {"name": "A"},
    {"name": "A", "type": "structured"},
    {"name": "A", "type": "scheduled"},
    {"name": "A", "description": "scheduled"},
    {"name": "A", "colour": "red"},
    {"name": "A", "privacy": ""},
    {"name": "A", "type": "red"},
    {"name": "A", "description": "x" * 5000},
    {"name": "A", "description": "x" * 5000, "type": "structured"},
)
"""They differ in fields, in values, in what is refused, and in whether they are too long to be known again."""


@pytest.mark.parametrize("form", [False, True])
def test_bodies_that_differ_are_told_apart(fresh: Callable[..., Api], stored: Callable[..., Api], form: bool) -> None:
    """Also the second time, when it is known what they count for."""
    servers = fresh(), stored()
    for api in servers:
        for persona in ("creator", "stranger"):
            for body in (*BODIES, *BODIES):
                api.as_(persona).patch("/course/1/", **({"data": body} if form else {"json": body}))
    in_memory, in_store = (operation(api, "patch_course") for api in servers)
    assert in_store == in_memory
    assert in_store["requests"] == 4 * len(BODIES)


def test_nothing_is_counted_here(stored: Callable[..., Api]) -> None:
    """But in the store, with the commit of the request: an operation of its own would be lost if the commit fails."""
    api = stored()
    make(api, "Knots")
    coverage = api.app.coverage
    assert Coverage.report(coverage) == Coverage(api.app.contract, api.app.fixture.tokens).report()
    assert operation(api)["requests"] == 1


def test_counts_of_a_world_that_is_gone_stay(twins: Callable[..., Twins]) -> None:
    api = twins()
    make(api, "Knots", "w")
    assert api.delete("/__stub/worlds/w").status_code == 204
    assert operation(api)["requests"] == 1


def test_coverage_is_reset_for_all_processes(twins: Callable[..., Twins]) -> None:
    """And nothing else: names that were given to worlds are still not given again."""
    api = twins()
    assert ok(api.post("/__stub/worlds", json={}), 201)["name"] == "world-1"
    make(api, "Knots", "world-1")
    assert api.delete(COVERAGE).status_code == 204
    assert ok(api.get(COVERAGE))["covered"] == 0
    make(api, "Bends", "world-1")
    assert operation(api)["requests"] == 1
    assert api.delete("/__stub/worlds/world-1").status_code == 204
    assert ok(api.post("/__stub/worlds", json={}), 201)["name"] == "world-2"


def test_a_reset_counts_for_what_follows_in_its_turn(stored: Callable[..., Api], runner: asyncio.Runner) -> None:
    api = stored()
    make(api, "Knots")
    app = api.app

    def cleared() -> Any:
        app.coverage.clear()
        return app.coverage.report()["covered"]

    async def both() -> Any:
        return await asyncio.gather(app.turns.run(cleared), app.turns.run(app.coverage.report))

    zero, report = runner.run(both())
    assert (zero, report["covered"]) == (0, 0)
    assert ok(api.get(COVERAGE))["covered"] == 0


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_request_that_was_done_again_counts_once(
    stored: Callable[..., Api], runner: asyncio.Runner, is_reset: bool
) -> None:
    """What the store has counted for the first try is taken back, unless it has been reset since."""
    one, other = stored(), stored()
    for number, api in enumerate((one, other)):
        make(api, f"Knots {number}", "w")
    assert operation(one)["requests"] == 2
    runner.run(_note_in_conflict(one.app, other.app))
    if is_reset:
        assert one.delete(COVERAGE).status_code == 204
    make(one, "More", "w")
    assert operation(one)["requests"] == (1 if is_reset else 4)
    assert operation(other) == operation(one)


async def _note_in_conflict(one: StubServer, other: StubServer) -> None:
    """Count a request in a turn that changes the world, as another process does at the same time."""

    def change(app: StubServer, number: int) -> None:
        app.worlds.touch("w", None).categories.put({"id": number})

    def note() -> None:
        change(one, 101)
        for name in ("requests", "statuses/201"):
            shared(one).turn.count("w", f"{PREFIX}create_course/{name}")

    store_of(one).meanwhile = [lambda: other.turns.run(partial(change, other, 102), "w")]
    await one.turns.run(note, "w")


def test_a_report_is_that_of_its_moment(stored: Callable[..., Api]) -> None:
    one, other = stored(), stored()
    for number in range(3):
        make((one, other)[number % 2], f"Knots {number}", "w")
        assert operation(one)["requests"] == operation(other)["requests"] == number + 1
    assert ok(one.get("/__stub/requests", headers=named("w")))["count"] == 3
