"""Faults that are switched on for one page: by `?__fault=NAME`, or by the cookie `stub-fault=NAME`."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from stubserver.app import StubServer
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.faults import FAULTS, create, listed
from tests.support.journal import newest
from tests.support.rows import snapshot
from tests.support.wire import ask

COURSE = "/course/1/"
pytestmark = pytest.mark.in_process("faults are acted out in this process")


@pytest.fixture(autouse=True)
def switched_faults(api: Api, naps: list[float]) -> None:
    """Faults of each kind of use: two with switches of their own, one more of the same name, and one for everybody."""
    create(api, "error", status=501, switch="broken")
    create(api, "latency", seconds=2, switch="slow")
    create(api, "drip", seconds=3, switch="slow")
    create(api, "latency", seconds=1)


def get(api: Api, query: str = "", cookie: str | None = None, method: str = "GET") -> httpx.Response:
    headers = {} if cookie is None else {"Cookie": cookie}
    return api.request(method, f"{COURSE}?{query}" if query else COURSE, headers=headers)


def fired(api: Api) -> list[int]:
    return [fault["id"] for fault in newest(api)["faults"]]


SENT = {
    "nothing": ("", None, [4]),
    "query": ("__fault=broken", None, [4, 1]),
    "cookie": ("", "stub-fault=broken", [4, 1]),
    "both the same": ("__fault=broken", "stub-fault=broken", [4, 1]),
    "one by each": ("__fault=broken", "stub-fault=slow", [2, 4, 1, 3]),
    "several in the query": ("__fault=slow.broken", None, [2, 4, 1, 3]),
    "several in the cookie": ("", "stub-fault=broken.slow", [2, 4, 1, 3]),
    "twice in the query": ("__fault=slow&__fault=broken", None, [2, 4, 1, 3]),
    "twice in the cookies": ("", "stub-fault=slow; stub-fault=broken", [2, 4, 1, 3]),
    "the same twice": ("__fault=broken.broken", None, [4, 1]),
    "among parameters": ("a=1&__fault=slow&b=2", None, [2, 4, 3]),
    "among cookies": ("", "theme=dark; stub-fault=slow; id=7", [2, 4, 3]),
    "without blanks": ("", "theme=dark;stub-fault=slow;id=7", [2, 4, 3]),
    "quoted": ("", 'stub-fault="slow"', [2, 4, 3]),
    "other cookies": ("", "theme=dark; xstub-fault=broken; stub-faults=slow; Stub-Fault=slow", [4]),
    "other parameters": ("fault=broken&stub-fault=slow", None, [4]),
}
"""Query, cookie, and the faults that fire."""


@pytest.mark.parametrize("how", SENT)
def test_a_fault_with_a_switch_fires_only_for_requests_that_carry_it(api: Api, how: str) -> None:
    query, cookie, expected = SENT[how]
    response = get(api, query, cookie)
    assert response.status_code == (501 if 1 in expected else 200)
    assert fired(api) == expected
    assert [fault["fired"] for fault in listed(api)] == [int(number in expected) for number in (1, 2, 3, 4)]


def test_cookies_may_stand_in_several_headers(api: Api, app: StubServer, runner: asyncio.Runner) -> None:
    async def asked() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stub.test") as client:
            headers = [("Cookie", "stub-fault=broken"), ("Cookie", "theme=dark")]
            return (await client.get("/api/v2/course/1/", headers=headers)).status_code

    assert runner.run(asked()) == 501


def test_pages_and_other_methods_can_be_switched_too(api: Api) -> None:
    assert api.get("//docs/?__fault=broken").status_code == 501
    assert get(api, cookie="stub-fault=broken", method="HEAD").status_code == 501
    assert get(api.as_("creator"), "__fault=broken", method="DELETE").status_code == 501
    assert ok(api.get(COURSE))["id"] == 1


def test_requests_without_the_switch_neither_count_nor_draw(api: Api) -> None:
    found = []
    for others in (False, True):
        api.app.worlds.reset("w")
        create(api, world="w", status=599, probability=0.5, times=12, switch="moody")
        statuses = []
        for number in range(40):
            if others and number % 2:
                ok(api.get("/~w/api/v2/category/"))
            statuses.append(api.get("/~w/api/v2/category/?__fault=moody").status_code)
        found.append(statuses)
    assert found[0] == found[1]
    assert found[0].count(599) == 12


def test_filters_and_switch_must_both_match(api: Api) -> None:
    create(api, status=599, operation="list_categories", switch="lists")
    assert api.get("/category/?__fault=lists").status_code == 599
    assert get(api, "__fault=lists").status_code == 200
    assert api.get("/category/").status_code == 200


def test_the_journal_shows_what_was_switched_on(api: Api) -> None:
    """It is no violation of the contract, and cookies stay secret."""
    get(api.as_("member"), "__fault=slow&view=edit", "stub-fault=broken")
    entry = newest(api)
    assert entry["violations"] == []
    assert entry["request"]["query"] == {"__fault": "slow", "view": "edit"}
    assert entry["request"]["headers"]["cookie"] == "stub-fault=broken; [redacted]"
    assert [fault["kind"] for fault in entry["faults"]] == ["latency", "latency", "error", "drip"]
    assert entry["operation"] == "get_course"


@pytest.mark.parametrize(
    ("preferred", "status", "slept"),
    [("code=404", 404, 2 + 1 + 3), ("wait=4", 200, 4 + 2 + 1 + 3), ("code=404, wait=4", 404, 4 + 2 + 1 + 3)],
)
@pytest.mark.parametrize("by_query", [True, False])
def test_switches_beside_preferences(
    api: Api, naps: list[float], preferred: str, status: int, slept: int, by_query: bool
) -> None:
    if by_query:
        wish = "&".join(f"__{part}" for part in preferred.split(", "))
        response = get(api, f"{wish}&__fault=slow")
    else:
        response = api.get(COURSE, headers={"Prefer": preferred, "Cookie": "stub-fault=slow"})
    assert response.status_code == status
    assert sum(naps) == pytest.approx(slept)


# Mistakes

UNKNOWN = {
    "brokn": "There is no switch 'brokn'. Did you mean broken?",
    "Slow": "There is no switch 'Slow'. Did you mean slow?",
    "zzz": "There is no switch 'zzz'. Use one of: broken, slow.",
    "": "There is no switch ''. Use one of: broken, slow.",
    "slow.brokn": "There is no switch 'brokn'. Did you mean broken?",
    "slow.": "There is no switch ''. Use one of: broken, slow.",
    "slow..broken": "There is no switch ''. Use one of: broken, slow.",
    "slow,broken": "There is no switch 'slow,broken'. Did you mean broken? Dots separate several names.",
    "slow%20broken": "There is no switch 'slow%20broken'. Did you mean broken? Dots separate several names.",
    "true": "There is no switch 'true'. Use one of: broken, slow.",
    "1": "There is no switch '1'. Use one of: broken, slow.",
    "x" * 500: f"There is no switch {'x' * 60!r}. Use one of: broken, slow.",
}


@pytest.mark.parametrize("text", UNKNOWN)
@pytest.mark.parametrize("place", ["__fault", "stub-fault"])
def test_a_switch_that_no_fault_has_is_refused(api: Api, naps: list[float], place: str, text: str) -> None:
    """Before anything is done, and before any fault fires."""
    before = snapshot(api.world)
    creator = api.as_("creator")
    if place == "__fault":
        response = get(creator, f"__fault={quote(text)}", method="DELETE")
    else:
        response = get(creator, cookie=f"stub-fault={text}", method="DELETE")
    assert refused(response, 400) == {place: "does_not_exist"}
    assert response.json()["errors"][0]["messages"][0]["message"] == UNKNOWN[text]
    entry = newest(api)
    assert (entry["faults"], entry["violations"], entry["operation"]) == ([], [], "delete_course")
    assert [problem["field"] for problem in entry["problems"]] == [place]
    assert ([fault["fired"] for fault in listed(api)], naps) == ([0] * 4, [])
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("query", "cookie", "place", "right"),
    [
        ("__fault=slow", None, "__fault", "leave __fault out"),
        ("", "stub-fault=slow", "stub-fault", "delete the cookie"),
    ],
)
def test_where_no_fault_has_a_switch_none_is_listed(
    api: Api, query: str, cookie: str | None, place: str, right: str
) -> None:
    """Even if the world has no faults at all."""
    expected = f"No fault of world default has a switch, so 'slow' names none. Create one, or {right}."
    ok(get(api, query, cookie))
    for number in (1, 2, 3, 4):
        assert api.delete(f"{FAULTS}/{number}").status_code == 204
        response = get(api, query, cookie)
        if number > 2:
            assert refused(response, 400) == {place: "does_not_exist"}
            assert response.json()["errors"][0]["messages"][0]["message"] == expected


@pytest.mark.parametrize("path", ["/nowhere/", "//docs/", "/course/search/?limit=nonsense"])
def test_an_unknown_switch_is_refused_wherever_faults_act(api: Api, path: str) -> None:
    response = api.get(path, headers={"Cookie": "stub-fault=brokn"})
    assert refused(response, 400) == {"stub-fault": "does_not_exist"}


def test_a_page_of_an_allowed_origin_can_read_the_refusal(api: Api) -> None:
    response = api.get(f"{COURSE}?__fault=brokn", headers={"Origin": "https://app.example"})
    assert response.status_code == 400
    assert response.headers["access-control-allow-origin"] == "https://app.example"


def test_a_preflight_needs_no_switch(api: Api) -> None:
    """Browsers send it without cookies, but with the query."""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "PATCH"}
    assert api.request("OPTIONS", f"{COURSE}?__fault=broken", headers=headers).status_code == 200


def test_a_query_that_cannot_be_read_is_refused(api: Api, app: StubServer, runner: asyncio.Runner) -> None:
    status, _, body = ask(app, runner, "GET", "/api/v2/course/1/?__fault=%FF", {"Host": "stub.test"})
    assert (status, b"The query string is not UTF-8." in body) == (400, True)


def test_a_switch_of_a_fault_that_has_ended_is_still_known(api: Api) -> None:
    create(api, status=599, times=1, switch="once")
    assert [get(api, "__fault=once").status_code for _ in range(3)] == [599, 200, 200]


def test_the_control_plane_has_no_switches(api: Api) -> None:
    """The cookie is ignored there, so that a page can mend what it has switched on; the parameter does not exist."""
    assert len(ok(api.get(FAULTS, headers={"Cookie": "stub-fault=brokn"}))["results"]) == 4
    assert refused(api.get(f"{FAULTS}?__fault=broken"), 400) == {"__fault": "invalid"}


# Worlds


@pytest.mark.parametrize("way", ["other", "fork", "restore", "reset", "clear"])
def test_a_switch_is_known_only_in_the_world_of_its_fault(api: Api, way: str) -> None:
    """Faults belong neither to forks nor to snapshots, so their switches do not either."""
    world = {"X-Stub-World": "w"}
    create(api, world="w", status=599, switch="mine")
    assert api.get(COURSE, headers={**world, "Cookie": "stub-fault=mine"}).status_code == 599
    name = "w"
    match way:
        case "other":
            name = "default"
        case "fork":
            name = "forked"
            ok(api.post("/__stub/worlds", json={"name": name, "world": "w"}), 201)
        case "restore":
            ok(api.post("/__stub/snapshots", json={"name": "kept"}, headers=world), 201)
            ok(api.post("/__stub/snapshots/kept/restore", headers=world))
        case "reset":
            ok(api.post("/__stub/worlds/w/reset"))
        case "clear":
            assert api.delete(FAULTS, headers=world).status_code == 204
    for options in ({"params": {"__fault": "mine"}}, {"headers": {"Cookie": "stub-fault=mine"}}):
        wanted: dict[str, Any] = {**options, "headers": {"X-Stub-World": name, **options.get("headers", {})}}
        assert api.get(COURSE, **wanted).status_code == 400
