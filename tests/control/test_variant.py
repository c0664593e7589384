"""The control plane's operations on variants: create, list, delete, and what is offered."""

from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.places import Places
from stubserver.control.variant import MAX_VARIANTS
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.control import CONTROL

VARIANTS = "/__stub/variants"
NULL = {"kind": "null", "operation": "get_course", "place": "/created_by/avatar"}
pytestmark = pytest.mark.in_process("it counts variants and worlds of the server")


def add(api: Api, **wanted: Any) -> Any:
    return ok(api.post(VARIANTS, json=wanted), 201)


def listed(api: Api) -> list[Any]:
    return list(ok(api.get(f"{VARIANTS}?limit=100"))["results"])


def test_list_variants_is_empty_at_first_and_touches_no_world(api: Api, app: StubServer) -> None:
    assert ok(api.get(VARIANTS, headers={"X-Stub-World": "nobody"}))["results"] == []
    assert "nobody" not in app.worlds


def test_create_variant_answers_it(api: Api) -> None:
    assert add(api, **NULL) == {**NULL, "id": 1, "sent": 0}
    assert add(api, kind="time", choice="past") == {"kind": "time", "choice": "past", "id": 2, "sent": 0}
    assert [variant["id"] for variant in listed(api)] == [1, 2]
    assert ok(api.get("/__stub/worlds"))["results"][0]["variants"] == 2


@pytest.mark.parametrize(
    ("wanted", "field", "says"),
    [
        ({}, "kind", "required"),
        ({"kind": None}, "kind", "null"),
        ({"kind": "nul"}, "kind", "not a valid choice"),
        ({**NULL, "operation": "get_corse"}, "operation", "Did you mean get_course,"),
        ({**NULL, "operation": "delete_course"}, "operation", "has no JSON in its answer"),
        ({**NULL, "place": "/created_by/avatr"}, "place", "Did you mean /created_by/avatar"),
        ({**NULL, "place": "/results/*/created_by/avatar"}, "place", "in an answer of get_course."),
        ({**NULL, "place": "/id"}, "place", "does not allow null at /id; it allows big-id."),
        ({**NULL, "place": "x" * 201}, "place", "200"),
        ({**NULL, "choice": "x"}, "choice", "null has no choices"),
        ({"kind": "enum", "choice": "drft"}, "choice", "Did you mean draft?"),
        ({"kind": "last-page", "operation": "get_course"}, "kind", "offers last-page"),
        ({**NULL, "plce": "/a"}, "plce", "Did you mean place?"),
        ({**NULL, "place": 7}, "place", "must be a string"),
    ],
)
def test_create_variant_refuses_what_would_never_be_sent(api: Api, wanted: Any, field: str, says: str) -> None:
    response = api.post(VARIANTS, json=wanted)
    assert [*refused(response, 400)] == [field]
    assert says in response.text
    assert listed(api) == []


def test_create_variant_stops_at_a_bound(api: Api) -> None:
    for _ in range(MAX_VARIANTS):
        add(api, **NULL)
    response = api.post(VARIANTS, json=NULL)
    assert refused(response, 400) == {"non_field_errors": "max_length"}
    assert len(listed(api)) == MAX_VARIANTS


def test_create_variant_leaves_no_trace_in_a_world_that_is_full(api: Api, app: StubServer) -> None:
    world = app.worlds.get()
    world.settings = type(world.settings)(max_world=0)
    world.variant_log = [{}]
    assert refused(api.post(VARIANTS, json=NULL), 400) == {"non_field_errors": "max_length"}
    assert (world.variants, world.varied) == ({}, 0)


def test_delete_variant_removes_just_one(api: Api) -> None:
    for _ in range(3):
        add(api, **NULL)
    assert api.delete(f"{VARIANTS}/2").status_code == 204
    assert [variant["id"] for variant in listed(api)] == [1, 3]
    assert api.delete(f"{VARIANTS}/2").status_code == 404
    assert add(api, **NULL)["id"] == 4


def test_clear_variants_removes_all(api: Api) -> None:
    add(api, **NULL)
    assert api.delete(VARIANTS).status_code == 204
    assert listed(api) == []


def test_the_case_tells_what_was_done(api: Api) -> None:
    add(api, **NULL)
    api.get("/course/1/")
    api.delete(f"{VARIANTS}/1")
    api.delete(VARIANTS)
    assert ok(api.get("/__stub/case"))["variants"] == [
        {"after": 0, "operation": "create_variant", "id": 1, "variant": NULL},
        {"after": 1, "operation": "delete_variant", "id": 1, "variant": None},
        {"after": 1, "operation": "clear_variants", "id": None, "variant": None},
    ]


def test_list_offered_variants_lists_all_that_can_be_created(api: Api, contract: Contract) -> None:
    first = ok(api.get(f"{VARIANTS}/offered?limit=100"))
    places = Places(contract)
    assert first["count"] == sum(
        len(place.offers) for found in places.picked(None).values() for place in found.values()
    )
    for offer in first["results"][::9]:
        choice = {"choice": offer["choices"][0]} if offer["choices"] else {}
        add(api, **{name: offer[name] for name in ("operation", "place", "kind")}, **choice)


def test_list_offered_variants_filters(api: Api) -> None:
    found = ok(api.get(f"{VARIANTS}/offered?operation=get_course_status&kind=enum"))["results"]
    choices = ["creator", "manager", "joined", "invited", "requested"]
    assert found == [{"operation": "get_course_status", "place": "/status", "kind": "enum", "choices": choices}]
    assert refused(api.get(f"{VARIANTS}/offered?operation=get_corse"), 400) == {"operation": "does_not_exist"}
    assert refused(api.get(f"{VARIANTS}/offered?kind=nul"), 400) == {"kind": "invalid_choice"}
    assert ok(api.get(f"{VARIANTS}/offered?operation=delete_course"))["results"] == []


def test_the_contract_explains_every_kind() -> None:
    schema = CONTROL.schema("VariantKind")
    for kind in schema["enum"]:
        assert f"`{kind}`" in schema["description"]
