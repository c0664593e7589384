"""Why a request was answered as it was: in a line of the journal, or in full."""

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.forms import JSON

JOURNAL = "/__stub/journal"
pytestmark = pytest.mark.in_process("it is about the journal of the world default")


def asked(api: Api) -> Api:
    """The server after a change, a refusal, a request that reaches nothing, and one that breaks the contract."""
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    refused(api.as_("member").patch("/course/1/", json={"name": "Bends"}), 403)
    refused(api.get("/nowhere/"), 404)
    ok(api.as_("member").get("/course/1/?nonsense=1"))
    return api


def test_list_journal_has_a_line_for_each_request(api: Api) -> None:
    page = ok(asked(api).get(JOURNAL))
    found, nowhere, denied, change = page["results"]
    assert (page["count"], page["forgotten"]) == (4, 0)
    assert change | {"time": ""} == {
        "id": "default-1",
        "time": "",
        "operation": "patch_course",
        "persona": "stub-creator",
        "method": "PATCH",
        "path": "/api/v2/course/1/",
        "status": 200,
        "milliseconds": change["milliseconds"],
        "problem": None,
        "changes": 1,
        "faults": 0,
        "variants": 0,
        "violations": 0,
    }
    assert (denied["status"], denied["problem"], denied["changes"]) == (
        403,
        "Only the creator or a manager of the course may do this.",
        0,
    )
    assert (nowhere["operation"], nowhere["status"], nowhere["persona"]) == (None, 404, "anonymous")
    assert found["violations"] == 1


def test_list_journal_counts_the_variants_that_made_a_difference(api: Api) -> None:
    """Not the places where one did, nor those that found nothing to change."""
    ok(api.post("/__stub/variants", json={"kind": "null", "place": "/created_by/avatar"}), 201)
    member = api.as_("member")
    ok(member.get("/course/1/", headers={"Prefer": 'variant="enum=private:/privacy"'}))
    ok(member.get("/course/1/"))
    ok(member.get("/category/"))
    assert [line["variants"] for line in ok(api.get(JOURNAL))["results"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=1", ["default-4"]),
        ("limit=2&offset=1", ["default-3", "default-2"]),
        ("operation=patch_course", ["default-2", "default-1"]),
        ("persona=member", ["default-4", "default-2"]),
        ("persona=stub-member&status=403", ["default-2"]),
        ("persona=anonymous", ["default-3"]),
        ("status=200", ["default-4", "default-1"]),
    ],
)
def test_list_journal_filters(api: Api, query: str, expected: list[str]) -> None:
    assert [line["id"] for line in ok(asked(api).get(f"{JOURNAL}?{query}"))["results"]] == expected


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("operation=update_cource", {"operation": "does_not_exist"}),
        ("persona=nobody", {"persona": "does_not_exist"}),
        ("status=99", {"status": "min_value"}),
        ("status=299", {"status": "invalid_choice"}),
        ("method=GET", {"method": "unknown"}),
    ],
)
def test_list_journal_refuses_what_no_request_can_have(api: Api, query: str, codes: dict[str, str]) -> None:
    assert set(refused(api.get(f"{JOURNAL}?{query}"), 400)) == set(codes)


def test_explain_request_tells_before_and_after(api: Api) -> None:
    story = ok(asked(api).get("/__stub/requests/default-1/explanation"))
    (row,) = story["rows"]
    assert (row["table"], row["key"], row["after"]["name"]) == ("courses", "1", "Knots")
    assert row["before"]["name"] == "Watercolour for Absolute Beginners"
    assert {**row["before"], "name": ""} == {**row["after"], "name": ""}
    assert story["operation"]["id"] == "patch_course"
    assert not any(rule["calls"] for rule in story["rules"])


def test_explain_request_puts_the_rules_first_that_call_for_the_refusal(api: Api) -> None:
    story = ok(asked(api).get("/__stub/requests/default-2/explanation"))
    assert story["operation"]["access"].startswith("The course's creator or one of its managers")
    calling = [rule for rule in story["rules"] if rule["calls"]]
    assert calling == story["rules"][: len(calling)] != []
    assert "R003" in [rule["code"] for rule in calling]
    assert {rule["status"] for rule in calling} == {403}
    assert all(rule["source"] and rule["sure"] for rule in story["rules"])
    assert story["rows"] == []


def test_explain_request_of_what_reached_nothing_has_no_rules(api: Api) -> None:
    story = ok(asked(api).get("/__stub/requests/default-3/explanation"))
    assert story == {"id": "default-3", "operation": None, "rules": [], "rows": []}


@pytest.mark.parametrize("number", ["default-9", "other-1", "x"])
def test_explain_request_of_an_unknown_id_is_refused(api: Api, number: str) -> None:
    assert refused(api.get(f"/__stub/requests/{number}/explanation"), 404) == {"": "not_found"}


def test_explain_request_hides_credentials(api: Api) -> None:
    from tests.support.tokens import APP, WREN

    signed_in = ok(api.post("/oauth/token/", data={**APP, **WREN, "grant_type": "password"}))
    text = api.get("/__stub/requests/default-1/explanation", headers=JSON).text
    assert '"grants"' in text
    assert signed_in["access_token"] not in text
