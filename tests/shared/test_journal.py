"""The journal of worlds in a store: read by any process, it is the same as in memory."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.answers import ok
from tests.support.client import Api
from tests.support.journal import REQUESTS, requests
from tests.support.stored import store_of, turns_of
from tests.support.twins import Twins
from tests.support.worlds import busy, make, named

CASE, VERIFY = "/__stub/case", "/__stub/verify"
JSON = {"Content-Type": "application/json"}
ODD: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/course/search/?search=a&search=b&view=nothing&__code=404", {}),
    ("GET", "/course/search/?limit=%FF", {}),
    ("GET", "/course/1/?colour=red", {}),
    ("GET", "/course/99/", {}),
    ("GET", "/course/1", {}),
    ("PUT", "/course/", {"json": {}}),
    ("GET", "//nowhere/%C3%A9", {}),
    ("PATCH", "/course/1/", {"json": {"name": 7, "colour": ["ü", {"a": None}]}}),
    ("PATCH", "/course/1/", {"json": {"enforce_lessons_order": "yes", "price": "12"}}),
    ("PATCH", "/course/1/", {"content": b"{broken", "headers": JSON}),
    ("PATCH", "/course/1/", {"content": b"\xff\x00", "headers": JSON}),
    ("PATCH", "/course/1/", {"content": b"{}", "headers": JSON}),
    ("PATCH", "/course/1/", {"content": b"name=\xff", "headers": {"Content-Type": "text/plain"}}),
    ("PATCH", "/course/1/", {"data": {"name": "Ünicode", "description": ""}}),
    ("GET", "/course/1/", {"headers": {"Cookie": b"a=\xe4", "X-Odd": b"\xff"}}),
    ("GET", "/course/1/", {"headers": {"Prefer": "code=404, wait=0"}}),
]
"""Requests that are refused, accepted though they are not as documented, or hard to write down."""


@pytest.fixture
def api(twins: Callable[..., Twins]) -> Twins:
    """Servers that are asked the same."""
    return twins()


def courses(api: Api, count: int, world: str = "w") -> None:
    """Make so many courses in a world."""
    for number in range(count):
        make(api, f"Knots {number}", world)


def test_every_field_of_every_request_is_the_same(api: Twins) -> None:
    """Of those that change something, and of odd ones."""
    busy(api, "w")
    for method, path, options in ODD:
        headers = {**options.get("headers", {}), **named("w")}
        api.as_("creator").request(method, path, **{**options, "headers": headers})
    entries = requests(api, world="w")
    assert len(entries) > 30
    assert {entry["status"] for entry in entries} >= {200, 201, 204, 400, 404, 405, 415}
    for entry in entries:
        assert ok(api.get(f"{REQUESTS}/{entry['id']}")) == entry
    assert ok(api.get(CASE, headers=named("w")))["requests"] == entries[::-1]


def test_requests_are_told_apart_by_world(api: Twins) -> None:
    for world, count in (("w", 2), ("default", 1)):
        courses(api, count, world)
    assert [len(requests(api, world=world)) for world in ("w", "default", "v")] == [2, 1, 0]
    assert api.get(f"{REQUESTS}/v-1").status_code == 404


@pytest.mark.parametrize("name", ["*", "%23", "journal:w", "snapshot:s", "", "w-1", "%00"])
def test_what_is_no_name_of_a_world_has_no_requests(api: Twins, name: str) -> None:
    courses(api, 1)
    for path in (f"{REQUESTS}/{name}-1", f"/__stub/worlds/{name}"):
        assert api.get(path).status_code == 404
    assert api._stored[0].get("/__stub/health").status_code == 200


def test_an_entry_is_there_as_soon_as_the_answer(api: Twins) -> None:
    """For any process, and with the number that the answer names."""
    for number in range(1, 6):
        answer = api.get("/course/1/", headers=named("w"))
        assert answer.headers["x-stub-request"] == f"w-{number}"
        assert ok(api.get(f"{REQUESTS}/w-{number}"))["status"] == 200


def test_an_entry_is_committed_with_what_it_records(stored: Callable[..., Api]) -> None:
    api = stored()
    courses(api, 1)
    assert [[commit.entries.count for commit in commits] for commits in store_of(api.app).committed] == [[0], [0], [1]]


def test_verification_counts_the_requests_of_all_processes(api: Twins) -> None:
    courses(api, 4)
    for count in (3, 4):
        body = {"operation": "create_course", "times": count}
        assert ok(api.post(VERIFY, json=body, headers=named("w")))["verified"] == (count == 4)


def test_a_journal_that_was_cleared_begins_anew(api: Twins) -> None:
    """With the state of then."""
    courses(api, 3)
    assert api.delete(REQUESTS, headers=named("w")).status_code == 204
    assert requests(api, world="w") == []
    make(api, "Bends", "w")
    assert [entry["id"] for entry in requests(api, world="w")] == ["w-4"]
    assert "Knots" in str(ok(api.get(CASE, headers=named("w")))["start"]["tables"])


def test_a_journal_is_empty_as_soon_as_it_was_cleared(stored: Callable[..., Api], runner: asyncio.Runner) -> None:
    """Before that is stored, for whatever else is done in the turn."""
    api = stored()
    courses(api, 2)

    def count() -> int:
        return len(api.app.journal.entries(api.app.worlds.get("w")))

    def clear() -> int:
        before = count()
        api.app.journal.clear(api.app.worlds.get("w"))
        return before - count()

    assert runner.run(turns_of(api.app).run(clear, "w")) == 2
    assert requests(api, world="w") == []


def test_a_journal_goes_with_its_world(api: Twins) -> None:
    courses(api, 1)
    ok(api.post("/__stub/worlds/w/reset"))
    assert requests(api, world="w") == []
    courses(api, 1)
    assert api.delete("/__stub/worlds/w").status_code == 204
    assert requests(api, world="w") == []


def test_the_oldest_entries_go_first(twins: Callable[..., Twins]) -> None:
    """What was forgotten is told in every place, and counts again from zero once the journal was cleared."""
    api = twins(max_requests=3)
    for _ in range(5):
        ok(api.get("/course/1/", headers=named("w")))
    page = ok(api.get(REQUESTS, headers=named("w")))
    assert (page["count"], page["forgotten"], page["results"][-1]["id"]) == (3, 2, "w-3")
    assert ok(api.get("/__stub/worlds/w"))["forgotten"] == 2
    uncertain = api.post(VERIFY, json={"operation": "get_course", "at_most": 3}, headers=named("w"))
    assert uncertain.status_code == 409
    assert "Raise --max-requests (now 3)" in uncertain.text
    assert api.delete(REQUESTS, headers=named("w")).status_code == 204
    assert ok(api.get(REQUESTS, headers=named("w")))["forgotten"] == 0
    kept = ok(api._stored[0].get("/__stub/health"))["requests"]
    assert (kept["kept"], kept["forgotten"]) == (0, 2)


def test_health_counts_all_entries(api: Twins) -> None:
    for world in "abc":
        courses(api, 2, world)
    for one in api._stored:
        kept = ok(one.get("/__stub/health"))["requests"]
        assert (kept["kept"], kept["bytes"] > 6 * 500, kept["forgotten"]) == (6, True, 0)


@pytest.mark.parametrize("size", [10, 100_000])
def test_what_is_too_large_for_the_journal_is_described(api: Twins, size: int) -> None:
    asked = api.as_("creator")
    ok(asked.patch("/course/1/", json={"description": "x" * size}))
    asked.patch("/course/1/", content=b"y" * size, headers={"Content-Type": "text/plain"})
    refused, changed = requests(api)
    assert len(str(changed["response"]["body"])) < 70_000
    assert refused["request"]["body"] == ("y" * size if size == 10 else f"({size} bytes)")


def test_the_store_has_requests_as_they_were_sent(api: Twins) -> None:
    """SECURITY.md says so: what is shown is redacted, what is stored is not."""
    secret = {"name": "x", "password": "hunter2"}
    assert api.as_("creator").patch("/course/1/", json=secret, headers=named("w")).status_code == 200
    entries = store_of(api._stored[0].app).committed[-1][0].entries
    assert b"hunter2" in entries.packed
    assert b"Bearer stub-creator" in entries.packed
