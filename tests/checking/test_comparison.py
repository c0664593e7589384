"""What differs between two answers, and what no answer may be."""

import copy
from typing import Any

import pytest

from stubserver.checking.comparison import Difference, of_answers, of_contract, of_page
from stubserver.checking.identities import Identities
from stubserver.checking.shapes import Shapes
from stubserver.checking.sides import Answer
from stubserver.contract.contract import Contract

pytestmark = pytest.mark.table


def course(contract: Contract) -> dict[str, Any]:
    """A course as a member sees it, from the contract's example."""
    example: dict[str, Any] = copy.deepcopy(contract.operations["get_course"].examples[200])
    return example


def found(shapes: Shapes, contract: Contract, model: Answer, target: Answer) -> list[Difference]:
    return [*of_answers(shapes.answer(contract.operations["get_course"]), model, target, Identities())]


def ok(body: Any) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, body, is_json=True)


def refused(status: int, *errors: Any, **headers: str) -> Answer:
    return Answer(status, {"Content-Type": "application/json", **headers}, {"errors": [*errors]}, is_json=True)


def test_the_same_answer_with_other_ids_agrees(contract: Contract, shapes: Shapes) -> None:
    theirs = course(contract)
    theirs["id"] += 1000
    assert found(shapes, contract, ok(course(contract)), ok(theirs)) == []


@pytest.mark.parametrize(
    ("change", "at", "kind"),
    [
        (lambda body: body.update(name="Else"), "/name", "value"),
        (lambda body: body.update(name=None), "/name", "value"),
        (lambda body: body.update(hide_member_count=0), "/hide_member_count", "value"),
        (lambda body: body.pop("slug"), "/slug", "missing"),
        (lambda body: body.update(secret=1), "/secret", "extra"),
        (lambda body: body.update(categories=body["categories"][1:]), "/categories", "length"),
        (lambda body: body.update(id=str(body["id"])), "/id", "value"),
        (lambda body: body.update(created_at=body["created_at"][:19]), "/created_at", "value"),
        (lambda body: body.update(image_big="/picture.png"), "/image_big", "value"),
        (lambda body: body["created_by"].update(id=99), "/created_by/id", "value"),
    ],
)
def test_each_change_is_seen(contract: Contract, shapes: Shapes, change: Any, at: str, kind: str) -> None:
    theirs = course(contract)
    change(theirs)
    assert (at, kind) in {(one.at, one.kind) for one in found(shapes, contract, ok(course(contract)), ok(theirs))}


def test_numbers_are_numbers(contract: Contract, shapes: Shapes) -> None:
    theirs = course(contract)
    theirs["user_completion_rate"] = float(theirs["user_completion_rate"])
    assert found(shapes, contract, ok(course(contract)), ok(theirs)) == []


@pytest.mark.parametrize(
    ("model", "target", "kinds"),
    [
        (ok({}), Answer(failure="refused"), ["transport"]),
        (ok({}), refused(404, {"message": "m", "code": "not_found"}), ["status"]),
        (refused(404, {"message": "m", "code": "a"}), refused(404, {"message": "other", "code": "a"}), []),
        (refused(404, {"message": "m", "code": "a"}), refused(404, {"message": "m", "code": "b"}), ["value"]),
        (refused(404, {"message": "m", "code": "a"}), Answer(404, {}, {"detail": "no"}), ["header", "value"]),
        (refused(404, {"message": "m", "code": "a"}), Answer(404, {}, None, "<p>"), ["header", "value"]),
        (
            refused(400, {"field": "name", "messages": [{"message": "m", "code": "a"}]}),
            refused(400, {"field": "type", "messages": [{"message": "m", "code": "a"}]}),
            ["value"],
        ),
        (
            refused(401, {"message": "m", "code": "a"}, **{"WWW-Authenticate": 'Bearer realm="x"'}),
            refused(401, {"message": "m", "code": "a"}),
            ["header"],
        ),
        (
            refused(405, {"message": "m", "code": "a"}, Allow="GET, PUT"),
            refused(405, {"message": "m", "code": "a"}, Allow="PUT,GET"),
            [],
        ),
        (Answer(204), Answer(204, {}, None, "null"), ["extra"]),
    ],
)
def test_statuses_headers_and_refusals(
    contract: Contract, shapes: Shapes, model: Answer, target: Answer, kinds: list[str]
) -> None:
    assert [one.kind for one in found(shapes, contract, model, target)] == kinds


def test_the_contract_holds_whatever_the_model_says(contract: Contract) -> None:
    operation, right = contract.operations["get_course"], course(contract)
    assert [*of_contract(operation, ok(right))] == []
    assert [one.kind for one in of_contract(operation, ok({**right, "privacy": "public"}))] == ["schema"]
    assert {one.kind for one in of_contract(operation, ok({}))} == {"schema"}
    assert [one.kind for one in of_contract(operation, Answer(500, {}, None, "<h1>"))] == ["status"]
    assert [one.kind for one in of_contract(operation, Answer(200, {}, None, "<h1>"))] == ["schema"]
    assert [*of_contract(operation, Answer(failure="refused"))] == []


def page(count: int, rows: int, following: int | None, previous: int | None) -> dict[str, Any]:
    links = [None if place is None else f"http://t/p/?limit=2&offset={place}" for place in (following, previous)]
    return {"count": count, "results": [{}] * rows, "next": links[0], "previous": links[1]}


@pytest.mark.parametrize(
    ("offset", "body", "at"),
    [
        (0, page(5, 2, 2, None), []),
        (2, page(5, 2, 4, 0), []),
        (4, page(5, 1, None, 2), []),
        (1, page(5, 2, 3, 0), []),
        (0, page(0, 0, None, None), []),
        (0, page(2, 2, None, None), []),
        (0, page(5, 3, 2, None), ["/results"]),
        (4, page(5, 0, None, 2), ["/results"]),
        (0, page(5, 2, 0, None), ["/next"]),
        (0, page(5, 2, None, None), ["/next"]),
        (4, page(5, 1, 6, 2), ["/next"]),
        (0, page(5, 2, 2, 0), ["/previous"]),
        (2, page(5, 2, 4, None), ["/previous"]),
        (0, {"results": []}, []),
    ],
)
def test_the_arithmetic_of_pages(offset: int, body: Any, at: list[str]) -> None:
    assert [one.at for one in of_page({"limit": 2, "offset": offset}, "/p/", body)] == at


@pytest.mark.parametrize(
    "query", [{}, {"limit": 0}, {"limit": 500}, {"limit": "2"}, {"limit": True}, {"limit": 2, "offset": -1}]
)
def test_pages_of_unknown_length_are_left_alone(query: Any) -> None:
    assert [*of_page(query, "/p/", page(5, 5, None, None))] == []


def test_a_link_to_another_list_is_seen() -> None:
    body = {**page(5, 2, None, None), "next": "http://t/q/?limit=2&offset=2"}
    assert [one.at for one in of_page({"limit": 2}, "/p/", body)] == ["/next"]


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("limit=2&offset=2&parent=9", []),
        ("limit=2&parent=9&offset=2", []),
        ("limit=2&offset=4&parent=9", ["/next"]),
        ("limit=2&offset=2", ["/next"]),
        ("limit=2&offset=2&parent=none", ["/next"]),
    ],
)
def test_links_may_differ_in_ids_only(contract: Contract, shapes: Shapes, query: str, seen: list[str]) -> None:
    ours = ok({**page(5, 2, None, None), "next": "http://t/p/?limit=2&offset=2&parent=7"})
    theirs = ok({**page(5, 2, None, None), "next": f"http://t/p/?{query}"})
    assert [one.at for one in found(shapes, contract, ours, theirs)] == seen
