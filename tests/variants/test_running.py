"""One run: what a command was sent, what could be different, and what it asked last."""

from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.places import Places
from stubserver.variants.running import (
    LAST,
    Ended,
    Interrupted,
    Learning,
    Run,
    Watching,
    as_json,
    from_json,
    refused_since,
    run,
)
from stubserver.variants.site import Site
from stubserver.worlds.snapshot import Fixture
from tests.support.default import SETTINGS

NULL = Site("get_course", "/created_by/avatar", "null")


def ran(server: StubServer, *paths: str, wanted: Any = (), learning: Learning | None = None, **ended: Any) -> Run:
    """A run of a command that sends GET requests."""

    def command(url: str, _: float | None) -> Ended:
        for path in paths:
            httpx.get(f"{url}{path}", headers={"Authorization": "Bearer stub-manager"}, timeout=30)
        return Ended(**{"status": 0, "output": "", **ended})

    return run(lambda: server, command, wanted, Watching(learning.note if learning else None), None)


@pytest.fixture
def server(contract: Contract, default_fixture: Fixture) -> StubServer:
    return StubServer(contract, default_fixture, SETTINGS)


def test_every_world_has_the_variants(server: StubServer) -> None:
    done = ran(server, "/api/v2/course/1/", "/~w/api/v2/course/1/", "/api/v2/category/", wanted=[NULL])
    assert (done.passed, done.total, [*done.varied]) == (True, 3, [NULL.key])
    assert [(asked.operation, asked.status, asked.varied) for asked in done.asked] == [
        ("get_course", 200, [NULL.key]),
        ("get_course", 200, [NULL.key]),
        ("list_categories", 200, []),
    ]


@pytest.mark.parametrize("ended", [{"status": 3}, {"overdue": True}])
def test_what_fails(server: StubServer, ended: Any) -> None:
    assert not ran(server, **ended).passed


def test_a_signal_says_nothing_about_the_command(server: StubServer) -> None:
    with pytest.raises(Interrupted):
        ran(server, status=130, interrupted=2)


def test_only_the_last_requests_are_kept(server: StubServer) -> None:
    done = ran(server, *["/api/v2/category/"] * (LAST + 3))
    assert (done.total, len(done.asked)) == (LAST + 3, LAST)


def test_what_would_make_a_difference_is_learnt(server: StubServer, contract: Contract) -> None:
    learning = Learning(Places(contract), ("null", "last-page", "time"), ())
    ran(server, "/api/v2/course/1/", "/api/v2/course/999/", "/api/v2/category/", learning=learning)
    sent = learning.sent
    assert {*sent.places} == {"get_course", "list_categories"}
    assert NULL in sent.sites
    assert "/og_image" in sent.places["get_course"]
    assert Site("get_course", "/og_image", "null") not in sent.sites  # it is null anyway
    assert Site("list_categories", "/results", "last-page") not in sent.sites  # it is the last page anyway
    assert Site("get_course", "/created_at", "time", "past") in sent.sites


def test_only_the_operations_that_are_wanted(server: StubServer, contract: Contract) -> None:
    learning = Learning(Places(contract), ("null",), ("list_categories",))
    ran(server, "/api/v2/course/1/", "/api/v2/category/", learning=learning)
    assert {*learning.sent.places} == {site.operation for site in learning.sent.sites} == {"list_categories"}


def test_of_an_answer_that_is_not_kept_everything_counts(server: StubServer, contract: Contract) -> None:
    learning = Learning(Places(contract), ("zero",), ())
    server.worlds.variants = [{"kind": "long"}]
    for course in server.worlds.get().courses:
        server.worlds.get().courses.put({**course, "description": "x" * 70_000})
    ran(server, "/api/v2/course/search/", learning=learning)
    assert Site("search_courses", "/results/*/user_completion_rate", "zero") in learning.sent.sites


def test_refused_since() -> None:
    plain = ran_of(("GET", "/a", 404), ("GET", "/b", 200))
    failed = ran_of(("GET", "/a", 404), ("GET", "/b", 403), ("GET", "/c", 404))
    assert [asked.path for asked in refused_since(failed, plain)] == ["/b", "/c"]


def ran_of(*asked: tuple[str, str, int]) -> Run:
    written = [
        {"operation": "", "method": method, "path": path, "persona": "", "status": s} for method, path, s in asked
    ]
    return from_json(
        {"passed": True, "asked": written, "refused": [one for one in written if int(str(one["status"])) >= 400]}
    )


def test_a_run_is_read_as_it_was_written() -> None:
    done = ran_of(("GET", "/a", 404))
    assert from_json(as_json(done)) == done
