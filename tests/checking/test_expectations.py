"""What a story says of the answers of the model: statuses, and fields by their paths."""

from typing import Any

import pytest

from stubserver.checking.catalogue import Step
from stubserver.checking.expectations import problems
from stubserver.checking.sides import Answer, Request
from stubserver.checking.stage import Played
from stubserver.contract.load import load_contract

pytestmark = pytest.mark.table

BODY = {"name": "Pottery", "locked": False, "count": 1, "results": [{"id": 7, "parent": None}]}


def found(shows: dict[str, Any], status: int = 200, expect: int = 200) -> list[str]:
    operation = load_contract().operations["get_course"]
    model = Answer(status, body=BODY, text="the answer")
    request = Request(operation)
    played = Played(Step("creator", "get_course", expect=expect), operation, (request, request), (model, Answer()), [])
    return [*problems(played, shows)]


@pytest.mark.parametrize(
    "shows",
    [{}, {"name": "Pottery"}, {"results.0.id": 7, "results.0.parent": None}, {"results": BODY["results"], "count": 1}],
)
def test_what_is_so_is_no_problem(shows: dict[str, Any]) -> None:
    assert found(shows) == []
    assert found(shows, status=201, expect=0) == []


@pytest.mark.parametrize(
    ("shows", "problem"),
    [
        ({"name": "Weaving"}, "name is 'Pottery' instead of 'Weaving'"),
        ({"count": True}, "count is 1 instead of True"),
        ({"locked": 0}, "locked is False instead of 0"),
        ({"results.0.parent": ""}, "results.0.parent is None instead of ''"),
        ({"results.1.id": 7}, "no results.1.id in the answer"),
        ({"title": None}, "no title in the answer"),
        ({"name.text": "Pottery"}, "no name.text in the answer"),
    ],
)
def test_what_is_not_so_is_named(shows: dict[str, Any], problem: str) -> None:
    assert found(shows) == [problem]


def test_another_status_is_the_only_problem() -> None:
    assert found({"name": "Weaving"}, status=404) == ["status 404 instead of 200: the answer"]
