"""What a request asks for itself: `Prefer: code=404, wait=2` (RFC 7240), or `?__code=404&__wait=2` in an address
bar."""

import asyncio
import re
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.pipeline import exchange
from tests.support.answers import codes, ok, refused
from tests.support.client import Api
from tests.support.journal import newest
from tests.support.rows import snapshot
from tests.support.wire import ask

COURSE = "/course/1/"
pytestmark = pytest.mark.in_process("waits are noted in this process")


def declared(contract: Contract) -> Iterator[tuple[Operation, str, int]]:
    """Every operation with a path to it and each status that it declares."""
    for operation in contract.operations.values():
        path = re.sub(r"\{\w+\}", "1", operation.path)
        for status in sorted({operation.status, *operation.answers}):
            yield operation, path, status


def headers_of(contract: Contract, operation: Operation, status: int) -> dict[str, Any]:
    """The headers that an answer must have, by lower-case name."""
    raw = contract.document["paths"][operation.path.removeprefix(contract.base)][operation.method]
    headers = contract.resolve(raw["responses"][str(status)]).get("headers", {})
    return {name.lower(): contract.resolve(header) for name, header in headers.items()}


def prefer(api: Api, preference: str, method: str = "GET", path: str = COURSE) -> httpx.Response:
    return api.request(method, path, headers={"Prefer": preference})


# A status


def test_code_brings_every_declared_status_with_its_body(api: Api, contract: Contract) -> None:
    """Without a login, a body or a row, because nothing is executed."""
    before = snapshot(api.world)
    for operation, path, status in declared(contract):
        response = prefer(api, f"code={status}", operation.method.upper(), path)
        what = f"{operation.id} {status}"
        assert response.status_code == status, what
        assert response.headers["preference-applied"] == f"code={status}", what
        length = None if status == 204 else str(len(response.content))
        assert response.headers.get("content-length") == length, what
        if status in operation.answers:
            assert response.headers["content-type"] == "application/json", what
            assert list(operation.answers[status].problems(response.json())) == [], what
        else:
            assert (response.content, response.headers.get("content-type")) == (b"", None), what
    assert snapshot(api.world) == before


def test_code_brings_the_headers_of_the_contract(api: Api, contract: Contract) -> None:
    seen = set()
    for operation, path, status in declared(contract):
        response = prefer(api, f"code={status}", operation.method.upper(), path)
        for name, header in headers_of(contract, operation, status).items():
            assert response.headers[name] in header["schema"].get("enum", [response.headers[name]])
            seen.add(name)
    assert seen == {"www-authenticate", "cache-control"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/course/", "Bearer"),
        ("/jwt/verify_token/", "Bearer"),
        ("/oauth/token/", "Basic"),
        ("/oauth/revoke_token/", "Basic"),
    ],
)
def test_a_401_names_the_scheme_of_its_operation(api: Api, path: str, expected: str) -> None:
    """Apps authenticate with Basic, users with Bearer; a 401 that was not forced says the same."""
    method = "GET" if path == "/course/" else "POST"
    fields = {"grant_type": "password", "client_id": "nobody", "token": "x"}
    for response in (prefer(api, "code=401", method, path), api.request(method, path, data=fields)):
        assert response.status_code == 401
        assert response.headers["www-authenticate"].split()[0] == expected


def test_a_refusal_has_the_shape_of_its_operation(api: Api) -> None:
    assert set(prefer(api, "code=400", "POST", "/oauth/token/").json()) == {"error", "error_description", "errors"}
    assert codes(prefer(api, "code=404")) == {"": "not_found"}


def test_head_equals_get_without_a_body(app: StubServer, runner: asyncio.Runner, contract: Contract) -> None:
    for operation, path, status in declared(contract):
        if operation.method == "get":
            wanted = {"Host": "stub.test", "Prefer": f"code={status}"}
            get, head = (ask(app, runner, method, path, wanted) for method in ("GET", "HEAD"))
            for _, headers, _ in (get, head):
                del headers["x-stub-request"]  # each request has its own id
            assert head == (*get[:2], b""), operation.id


@pytest.mark.parametrize(("method", "status"), [("PATCH", 200), ("DELETE", 204), ("PATCH", 403)])
def test_code_comes_instead_of_the_change(api: Api, method: str, status: int) -> None:
    before = snapshot(api.world)
    wanted = {"Prefer": f"code={status}"}
    response = api.as_("creator").request(method, COURSE, json={"name": "Knots"}, headers=wanted)
    assert response.status_code == status
    assert snapshot(api.world) == before


def test_pages_of_allowed_origins_may_read_what_was_applied(api: Api) -> None:
    origin = "https://app.example"
    response = api.get(COURSE, headers={"Origin": origin, "Prefer": "code=404"})
    assert response.headers["access-control-allow-origin"] == origin
    assert "Preference-Applied" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere/", 404), ("GET", "//nowhere", 404), ("GET", "/course/1", 404), ("PUT", "/course/", 405)],
)
def test_what_is_no_operation_has_no_other_status(api: Api, method: str, path: str, status: int) -> None:
    response = prefer(api, "code=403", method, path)
    assert response.status_code == status
    assert "preference-applied" not in response.headers


def test_the_control_plane_takes_no_wishes(api: Api, naps: list[float]) -> None:
    assert prefer(api, "code=401, wait=3", path="/__stub/health").status_code == 200
    assert api.get("/__stub/health?__code=401&__wait=3").status_code == 400  # parameters that it does not have
    assert naps == []


# A wait


def test_wait_really_waits(api: Api) -> None:
    started = time.monotonic()
    response = prefer(api, "wait=0.05")
    assert time.monotonic() - started > 0.045
    assert ok(response) == ok(api.get(COURSE))
    assert "preference-applied" not in response.headers


@pytest.mark.parametrize("text", ["0", "0.05", "2", "60", "60.0"])
def test_wait_takes_seconds(api: Api, naps: list[float], text: str) -> None:
    ok(prefer(api, f"wait={text}"))
    ok(api.get(f"{COURSE}?__wait={text}"))
    assert naps == [float(text)] * 2


def test_a_wait_does_not_keep_others_waiting(
    app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[str] = []

    async def both() -> None:
        other_is_done = asyncio.Event()

        async def nap(_: float) -> None:
            await other_is_done.wait()

        async def get(headers: dict[str, str]) -> None:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stub.test") as client:
                ok(await client.get("/api/v2/course/1/", headers=headers))
            answered.append(headers.get("Prefer", ""))
            other_is_done.set()

        monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
        await asyncio.wait_for(asyncio.gather(get({"Prefer": "wait=9"}), get({})), 30)

    runner.run(both())
    assert answered == ["", "wait=9"]


# Spellings

WAITED = {"id": None, "kind": "wait=0.05"}
BOTH = ([0.05], 404)
HEADERS = {
    "code=404": ([], 404),
    "wait=0.05": ([0.05], 200),
    "code=404, wait=0.05": BOTH,
    "wait=0.05,code=404": BOTH,
    'code="404"': ([], 404),
    'wait="0.05", code="404"': BOTH,
    "CODE=404, Wait=0.05": BOTH,
    "code = 404 , wait = 0.05": BOTH,
    ",, code=404,": ([], 404),
    "respond-async, wait=0.05": ([0.05], 200),
    "return=representation, code=404": ([], 404),
    "return=minimal": ([], 200),
    'handling=lenient; foo="some parameter", code=404': ([], 404),
    "wait=0.05; code=404": ([0.05], 200),  # a parameter of wait, not a preference
    "code=404; wait=5; foo": ([], 404),
    "codes=404, xcode=404, waiting=1": ([], 200),
    "": ([], 200),
}


@pytest.mark.parametrize("preferences", HEADERS)
def test_prefer_is_read_as_rfc_7240_says(api: Api, naps: list[float], preferences: str) -> None:
    """Names are case-insensitive, values may be quoted, and parameters and unknown preferences are ignored."""
    response = prefer(api, preferences)
    assert (naps, response.status_code) == HEADERS[preferences]
    assert response.headers.get("preference-applied") == ("code=404" if response.status_code == 404 else None)


@pytest.mark.parametrize("preferences", ["code=404, code=403", "code=404, CODE=403, code=401"])
def test_the_first_of_two_equal_preferences_counts(api: Api, preferences: str) -> None:
    """RFC 7240, section 2."""
    assert prefer(api, preferences).status_code == 404


def test_a_quoted_value_may_hold_what_looks_like_a_preference(api: Api, naps: list[float]) -> None:
    assert prefer(api, 'note="a, code=404", wait=0.05').status_code == 200
    assert naps == [0.05]


def test_preferences_may_stand_in_several_headers(app: StubServer, runner: asyncio.Runner, naps: list[float]) -> None:
    """As in RFC 7240, and in HTTP for every list header."""

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stub.test") as client:
            return await client.get("/api/v2/course/1/", headers=[("Prefer", "code=404"), ("Prefer", "wait=0.05")])

    assert (runner.run(get()).status_code, naps) == (404, [0.05])


QUERIES = {
    "__code=404": ([], 404),
    "__wait=0.05": ([0.05], 200),
    "__code=404&__wait=0.05": BOTH,
    "view=edit&__wait=0.05&__code=404&user=3": BOTH,
    "__code=403&__code=404": ([], 404),
    "code=404&wait=0.05": ([], 200),
    "__other=404": ([], 200),
}


@pytest.mark.parametrize("query", QUERIES)
def test_an_address_bar_can_wish_too(api: Api, naps: list[float], query: str) -> None:
    response = api.get(f"{COURSE}?{query}")
    assert (naps, response.status_code) == QUERIES[query]


def test_wishes_in_the_query_leave_the_other_parameters_alone(api: Api, naps: list[float]) -> None:
    plain = ok(api.get("/course/search/?limit=3&search=a"))
    wished = ok(api.get("/course/search/?__wait=0&limit=3&search=a"))
    assert (wished["count"], wished["results"]) == (plain["count"], plain["results"])
    assert newest(api)["violations"] == []


@pytest.mark.parametrize("name", ["__cod", "__Wait", "__faults", "__"])
def test_the_journal_shows_a_misspelt_wish(api: Api, name: str) -> None:
    ok(api.get(f"{COURSE}?{name}=404"))
    assert newest(api)["violations"] == [{"kind": "parameter", "name": name}]


# Mistakes

DECLARED = "get_course does not declare {}; it declares 200, 400, 401, 403, 404, 406, 413."


@pytest.mark.parametrize("text", ["418", "500", "204", "0404", "404.0", "abc", "-404", "4xx", ""])
def test_an_undeclared_code_is_refused(api: Api, text: str) -> None:
    for response in (prefer(api, f"code={text}"), api.get(COURSE, params={"__code": text})):
        assert refused(response, 400) == {"Prefer": "invalid_choice"}
        assert DECLARED.format(text) in response.text
        assert "preference-applied" not in response.headers


@pytest.mark.parametrize("text", ["abc", "-1", "-0.001", "nan", "inf", "-inf", "60.001", "61", "1e9", "0x1", ""])
def test_an_impossible_wait_is_refused(api: Api, naps: list[float], text: str) -> None:
    for response in (prefer(api, f"wait={text}"), api.get(COURSE, params={"__wait": text})):
        assert refused(response, 400) == {"Prefer": "invalid"}
        assert "wait must be a number of seconds from 0 to 60." in response.text
    assert naps == []


@pytest.mark.parametrize("preferences", ["code=418", "wait=abc", "wait=61, code=204", "code=418, wait=0"])
def test_with_an_impossible_wish_nothing_is_done(api: Api, naps: list[float], preferences: str) -> None:
    before = snapshot(api.world)
    refused(prefer(api.as_("creator"), preferences, "DELETE", COURSE), 400)
    assert snapshot(api.world) == before
    assert newest(api)["changes"] == []


# Journal


@pytest.mark.parametrize("by_query", [False, True])
def test_the_journal_shows_that_a_status_was_asked_for(api: Api, by_query: bool) -> None:
    if by_query:
        response = api.as_("creator").get(f"{COURSE}?__code=404&view=edit")
    else:
        response = prefer(api.as_("creator"), "code=404")
    entry = newest(api)
    assert entry["id"] == response.headers["x-stub-request"]
    assert (entry["operation"], entry["status"]) == ("get_course", 404)
    assert entry["faults"] == [{"id": None, "kind": "code=404"}]
    assert entry["response"]["headers"]["preference-applied"] == "code=404"
    assert (entry["problems"], entry["rules"], entry["changes"], entry["violations"]) == ([], [], [], [])
    if by_query:
        assert entry["request"]["query"] == {"__code": "404", "view": "edit"}
    else:
        assert entry["request"]["headers"]["prefer"] == "code=404"


def test_the_journal_knows_whose_wish_it_was(api: Api) -> None:
    prefer(api.as_("creator"), "code=404")
    assert newest(api)["persona"] == "stub-creator"


def test_the_journal_shows_that_a_wait_was_asked_for(api: Api, naps: list[float]) -> None:
    prefer(api.as_("creator"), "wait=0.05")
    entry = newest(api)
    assert (entry["request"]["headers"]["prefer"], entry["faults"]) == ("wait=0.05", [WAITED])
    assert (entry["status"], entry["persona"]) == (200, "stub-creator")


@pytest.mark.parametrize("preferences", ["code=418", "wait=abc"])
def test_the_journal_shows_an_impossible_wish(api: Api, preferences: str) -> None:
    """The contract knows the path and its parameters, so there is no violation."""
    response = prefer(api, preferences)
    entry = newest(api)
    (problem,) = response.json()["errors"]
    assert entry["problems"] == [{"field": "Prefer", **problem["messages"][0]}]
    assert (entry["status"], entry["faults"], entry["violations"]) == (400, [], [])


def test_a_wish_comes_before_the_faults_of_the_world(api: Api) -> None:
    ok(api.post("/__stub/faults", json={"kind": "error", "status": 500, "times": 1}), 201)
    assert [prefer(api, "code=404").status_code, *(api.get(COURSE).status_code for _ in range(2))] == [404, 500, 200]


def test_a_wish_in_one_world_is_none_in_another(api: Api) -> None:
    assert api.get("/~elsewhere/api/v2/course/1/?__code=404").status_code == 404
    assert ok(api.get("/__stub/requests", headers={"X-Stub-World": "elsewhere"}))["count"] == 1
    assert ok(api.get("/__stub/requests"))["count"] == 0
