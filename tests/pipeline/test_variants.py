"""Variants in answers: of a world and of one request, always legal, and without a trace in the rows."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.places import KINDS, Places
from stubserver.pipeline.variants import check, objection, variations
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import QUIZ
from tests.support.journal import newest
from tests.support.rows import snapshot
from tests.support.twins import Twins

VARIANTS = "/__stub/variants"
COURSE = "/course/1/"
LESSON = "/course/1/section/1/lesson/1/"
READ = [
    ("member", path)
    for path in (
        "/user/me/",
        "/course/",
        COURSE,
        LESSON,
        f"{LESSON}comment/",
        QUIZ,
        "/category/",
        "/course/search/?limit=2",
    )
] + [
    ("creator", path)
    for path in (
        "/course/1/users/",
        "/course/1/quiz/",
        "/course/1/comment/",
        f"{QUIZ}question/",
        "/course/1/?view=edit",
    )
]
pytestmark = pytest.mark.in_process("it looks into the worlds of the server")


def add(api: Api, kind: str, **wanted: Any) -> Any:
    return ok(api.post(VARIANTS, json={"kind": kind, **wanted}), 201)


def sent(api: Api) -> list[int]:
    return [variant["sent"] for variant in ok(api.get(f"{VARIANTS}?limit=100"))["results"]]


def prefer(api: Api, text: str, path: str = COURSE, method: str = "GET") -> httpx.Response:
    return api.as_("member").request(method, path, headers={"Prefer": f'variant="{text}"'})


# In a world


def test_a_variant_is_sent_counted_and_gone_again(api: Api) -> None:
    before = ok(api.as_("member").get(COURSE))
    add(api, "null", operation="get_course", place="/created_by/avatar")
    assert ok(api.as_("member").get(COURSE)) == {**before, "created_by": {**before["created_by"], "avatar": None}}
    assert ok(api.as_("member").get("/course/?limit=1"))["results"][0]["created_by"]["avatar"] is not None
    assert sent(api) == [1]
    assert api.delete(VARIANTS).status_code == 204
    assert ok(api.as_("member").get(COURSE)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_varies_the_answer_keeps_the_contract_and_no_row_changes(
    api: Api, contract: Contract, kind: str
) -> None:
    add(api, kind)
    before, told = snapshot(api.world), 0
    for persona, path in READ:
        answer = ok(api.as_(persona).get(path))
        operation = contract.operations[newest(api)["operation"]]
        assert [*operation.answers[200].problems(answer)] == []
        told += len(newest(api)["variants"])
    assert snapshot(api.world) == before
    assert sent(api) == [told]
    assert told


def test_what_a_write_stores_is_what_it_would_store_without(api: Api) -> None:
    plain = api.as_("creator").patch(COURSE, json={"name": "Knots"})
    add(api, "markup", operation="patch_course", place="/name")
    varied = ok(api.as_("creator").patch(COURSE, json={"name": "Bends"}))
    assert (ok(plain)["name"], varied["name"]) == ("Knots", "<b>&amp;</b> <i>x < y")
    assert api.world.courses[1]["name"] == "Bends"
    assert all("<b>" not in str(change) for change in newest(api)["changes"])


def test_refusals_are_sent_as_they_are(api: Api) -> None:
    plain = api.get("/course/999/").content
    for kind in KINDS:
        add(api, kind)
    assert api.get("/course/999/").content == plain
    assert newest(api)["variants"] == []
    assert sent(api) == [0] * len(KINDS)


def test_the_control_plane_never_varies(api: Api) -> None:
    add(api, "empty")
    add(api, "unknown")
    assert ok(api.get(VARIANTS))["count"] == 2
    assert "stub_unknown_field" not in api.get("/__stub/worlds").text


def test_answers_of_the_past_are_sent_as_they_were(api: Api) -> None:
    add(api, "null", operation="get_course", place="/created_by/avatar")
    ok(api.post("/__stub/faults", json={"kind": "stale"}), 201)
    assert ok(api.as_("member").get(COURSE))["created_by"]["avatar"] is not None
    assert sent(api) == [0]


def test_a_head_has_the_length_of_the_varied_answer(api: Api) -> None:
    add(api, "long", operation="get_course", place="/name")
    member = api.as_("member")
    assert member.request("HEAD", COURSE).headers["content-length"] == str(len(member.get(COURSE).content))


def test_another_world_has_none(api: Api) -> None:
    add(api, "empty")
    assert ok(api.as_("member").get("/course/", headers={"X-Stub-World": "w"}))["results"]
    assert ok(api.as_("member").get("/course/"))["results"] == []


def test_a_reset_removes_them(api: Api) -> None:
    add(api, "empty")
    ok(api.post("/__stub/worlds/default/reset"))
    assert ok(api.as_("member").get("/course/"))["results"]


def test_the_journal_tells_what_varied_and_where(api: Api) -> None:
    add(api, "null", operation="get_course", place="/created_by/avatar")
    add(api, "time", choice="past")
    prefer(api, "enum=private:/privacy")
    by_id = {told["id"]: told for told in newest(api)["variants"]}
    assert by_id.pop(None) == {"id": None, "kind": "enum", "choice": "private", "places": ["/privacy"]}
    assert by_id.pop(1) == {"id": 1, "kind": "null", "choice": None, "places": ["/created_by/avatar"]}
    assert by_id.keys() == {2}
    assert (by_id[2]["kind"], by_id[2]["choice"]) == ("time", "past")
    assert "/created_at" in by_id[2]["places"]


# For one request


def test_a_request_gets_what_it_prefers_and_nobody_else(api: Api) -> None:
    response = prefer(api, "null:/created_by/avatar unknown:")
    assert ok(response)["created_by"]["avatar"] is None
    assert response.headers["preference-applied"] == 'variant="unknown: null:/created_by/avatar"'
    assert ok(api.as_("member").get(COURSE))["created_by"]["avatar"] is not None


def test_a_preference_that_makes_no_difference_is_not_called_applied(api: Api) -> None:
    response = prefer(api, "null:/results/*/created_by/avatar", "/course/?offset=99")
    assert (response.status_code, response.headers.get("preference-applied")) == (200, None)


def test_without_an_operation_the_preference_is_ignored(api: Api) -> None:
    assert prefer(api, "null:/nope", "/nope/").status_code == 404


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nul:/created_by/avatar", "There is no kind 'nul'. Did you mean null?"),
        ("null:/created_by/avatr", "Did you mean /created_by/avatar"),
        ("null:created_by/avatar", "Did you mean /created_by/avatar"),
        ("big:/created_by/avatar", "The contract does not allow big at /created_by/avatar; it allows null."),
        ("big:", "The contract does not allow big at the whole answer; it allows unknown, order."),
        ("enum=opn:/privacy", "There is no choice 'opn'. Did you mean open?"),
        ("null=x:/created_by/avatar", "null has no choices; leave choice out."),
        ("null", "'null' is no variant: write its kind, a colon and a place."),
        ("", "variant needs a kind and a place"),
        ("null:/created_by/avatar nul:/x", "There is no kind 'nul'"),
    ],
)
def test_a_preference_that_cannot_be_is_refused(api: Api, text: str, says: str) -> None:
    """Nobody should believe that a client has survived what it was never sent."""
    response = prefer(api, text)
    assert [*refused(response, 400)] == ["Prefer"]
    assert says in response.json()["errors"][0]["messages"][0]["message"]


def test_an_operation_without_a_body_has_nothing_to_vary(api: Api) -> None:
    response = prefer(api, "null:/a", f"{LESSON}complete/", "POST")
    assert [*refused(response, 400)] == ["Prefer"]
    assert "complete_course_lesson has no JSON in its answer" in response.text


def test_an_example_does_not_vary(api: Api) -> None:
    response = api.get(COURSE, headers={"Prefer": 'code=404, variant="null:/created_by/avatar"'})
    assert [*refused(response, 400)] == ["Prefer"]


# Many processes


def test_worlds_in_a_store_answer_the_same(twins: Callable[..., Twins]) -> None:
    """Byte for byte, counts included, from two processes in turn, as from memory."""
    api = twins()
    add(api, "time", choice="zone")
    for kind in ("unknown", "long", "one"):
        add(api, kind)
    for persona, path in READ:
        api.as_(persona).get(path)
    prefer(api, "null:/created_by/avatar")
    counts = sent(api)
    assert all(counts)
    assert ok(api.get("/__stub/requests"))["results"][0]["variants"]
    assert api.delete(f"{VARIANTS}/2").status_code == 204
    add(api, "null")
    assert [variant["id"] for variant in ok(api.get(VARIANTS))["results"]] == [1, 3, 4, 5]
    assert sent(api) == [counts[0], *counts[2:], 0]
    api.as_("member").get(COURSE)
    assert len(ok(api.get("/__stub/case"))["variants"]) == 6


# By name


def test_a_variant_without_a_place_is_meant_everywhere(contract: Contract) -> None:
    places = Places(contract).of("get_course_status")
    assert [*variations({"kind": "enum"}, "get_course_status", places)] == [("enum", "/status", None)]
    assert [*variations({"kind": "enum", "operation": "get_course"}, "get_course_status", places)] == []
    assert [*variations({"kind": "enum", "choice": "nope"}, "get_course_status", places)] == []
    assert [*variations({"kind": "big"}, "get_course_status", places)] == []


def test_check_accepts_what_some_operation_offers(contract: Contract) -> None:
    places = Places(contract)
    check({"kind": "null", "place": "/results/*/created_by/avatar"}, places)
    check({"kind": "enum", "choice": "draft"}, places)
    check({"kind": "order"}, places)


def test_objections_name_the_field(contract: Contract) -> None:
    places = Places(contract)
    for wanted, field in (
        ({"kind": "nul"}, "kind"),
        ({"kind": "null", "place": "/nope"}, "place"),
        ({"kind": "null", "place": ""}, "place"),
        ({"kind": "null", "choice": "x"}, "choice"),
    ):
        found = objection(wanted, places.picked(None))
        assert found is not None
        assert found[0] == field
    found = objection({"kind": "last-page"}, places.picked("get_course_status"))
    assert found == ("kind", "invalid", "No place in an answer of get_course_status offers last-page.")


def test_a_server_counts_only_what_was_committed(app: StubServer, api: Api) -> None:
    """A world that is full refuses the write, so nothing varied was sent."""
    add(api, "markup", operation="create_course", place="/name")
    full = app.worlds.get()
    full.settings = type(full.settings)(max_rows=0)
    assert api.as_("creator").post("/course/", json={"name": "Knots", "type": "self-paced"}).status_code == 503
    assert sent(api) == [0]
    assert newest(api)["variants"] == []
