"""Variants with and without the lane, and with worlds in each kind of store: the same bytes, and no row changes."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.places import KINDS
from stubserver.stores.opening import store_at
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both, Line
from tests.lane.requests import control, freeze, plain
from tests.stores.servers import redis
from tests.support.default import SETTINGS

pytestmark = pytest.mark.slow

_NUMBER = re.compile(rb"(with(?:out)?-[a-z-]+-|content-length: |\"requests\":)[0-9]+")
LESSON = "/course/1/section/1/lesson/1/"
READ = [
    *(("member", path) for path in ("/user/me/", "/course/?limit=2", "/course/1/", LESSON, f"{LESSON}comment/")),
    *(("member", path) for path in ("/course/search/?limit=2", "/course/1/status/", "/dynamic_preference/")),
    *(("creator", path) for path in ("/course/1/users/", "/course/1/comment/", "/course/1/?view=edit")),
]


@pytest.fixture(scope="module", params=["memory", "sqlite", "redis"])
def engine(
    request: pytest.FixtureRequest,
    contract: Contract,
    default_fixture: Fixture,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Both]:
    """The lane beside the stack, or beside a lane whose worlds are in a store."""
    folder = tmp_path_factory.mktemp("engine")
    with ExitStack() as stack:
        url = "memory:"
        if request.param == "sqlite":
            url = f"sqlite:{folder / 'worlds.db'}"
        if request.param == "redis":
            url = stack.enter_context(redis(folder)).url
            stack.enter_context(_without_numbers())
        both = Both(contract, default_fixture, store_at(url, SETTINGS.max_requests))
        stack.callback(both.stop)
        yield both


@contextmanager
def _without_numbers() -> Iterator[None]:
    """Within, the numbers of requests, and what follows from them, are no difference: with Redis, there may be gaps
    (docs/stores.md)."""
    taken = Line._taken
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Line, "_taken", lambda line, length: _NUMBER.sub(rb"\g<1>0", taken(line, length)))
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_sent_with_the_same_bytes_and_changes_no_row(engine: Both, kind: str) -> None:
    """`Both` compares whatever comes back, the counts of variants and the journal included."""
    world, calm = f"with-{kind}", f"without-{kind}"
    for name in (world, calm):
        engine.ask(freeze(name))
    engine.ask(control("POST", "variants", world, {"kind": kind}))
    varied, plainly = ([engine.ask(plain("GET", path, who, name)) for who, path in READ] for name in (world, calm))
    assert {answer.status for answer in (*varied, *plainly)} == {200}
    assert [answer.body for answer in varied] != [answer.body for answer in plainly]
    (variant,) = engine.ask(control("GET", "variants", world)).json["results"]
    lines = engine.ask(control("GET", "journal?limit=100", world)).json["results"]
    assert variant["sent"] == sum(line["variants"] for line in lines) > 0
    assert engine.ask(control("GET", f"worlds/{world}")).json["changed_rows"] == 0
    for name in (world, calm):
        assert engine.ask(plain("POST", "/course/15/join/", "member", name)).status in (200, 204)
        engine.ask(plain("PATCH", "/course/1/", "creator", name, {"description": "Clay"}))
    engine.ask(control("DELETE", "variants", world))
    changed = _tables(engine, world)
    assert changed == _tables(engine, calm)
    assert "Clay" in str(changed)
    after = [[engine.ask(plain("GET", path, who, name)).body for who, path in READ] for name in (world, calm)]
    assert after[0] == after[1]


def _tables(engine: Both, world: str) -> list[object]:
    """All rows that differ from the fixture."""
    tables = engine.ask(control("GET", "tables", world)).json["results"]
    return [engine.ask(control("GET", f"tables/{table['name']}?differs=true", world)).json for table in tables]
