"""Admission: the order in which a request is refused."""

from typing import Any

import pytest

from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.pipeline.admission import admit
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.client import Api
from tests.support.forms import sent
from tests.support.tokens import bearer


@pytest.mark.parametrize(
    ("persona", "path", "options", "status"),
    [
        (None, "/course/99/", bearer("stub-nobody"), 401),
        (None, "/course/10/", bearer("stub-nobody"), 401),
        (None, "/course/99/", sent(b"<a/>", "application/xml"), 401),
        ("stranger", "/course/99/", sent(b"<a/>", "application/xml"), 404),
        ("stranger", "/course/10/", sent(b"{"), 404),
        ("stranger", "/course/1/", sent(b"<a/>", "application/xml"), 403),
        ("stranger", "/course/1/", sent(b"{"), 403),
        ("creator", "/course/1/", sent(b"{", "application/xml"), 415),
        ("creator", "/course/1/", sent(b"{"), 400),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_checks_come_in_order(
    api: Api, method: str, persona: str | None, path: str, options: dict[str, Any], status: int
) -> None:
    """Token, course and role; only then media type and body."""
    assert api.as_(persona).request(method, path, **options).status_code == status


@pytest.mark.parametrize(
    ("user", "query", "status"),
    [
        (3, "", None),
        (3, "view=user", None),
        (3, "view=edit", 403),
        (3, "view=edit&view=user", None),
        (3, "user=8", 403),
        (3, "user=", None),
        (2, "view=edit&user=8", None),
        (None, "view=dashboard", 401),
    ],
)
def test_a_parameter_may_have_a_guard_of_its_own(
    world: World, contract: Contract, user: int | None, query: str, status: int | None
) -> None:
    """R108-R110: it applies only if the parameter is given, and to the value that counts, which is the last."""
    call = called(world, contract.operations["get_course"], user, ids={"id": 1}, raw_query=query)
    assert refused_with(call) == status


def test_bad_credentials_go_before_everything(world: World, contract: Contract) -> None:
    """R002, R005: even where no token is needed, and where nothing exists."""
    call = called(world, contract.operations["get_course"], ids={"id": 99}, bad_credentials="No.")
    assert refused_with(call) == 401


def test_everything_that_the_path_names_is_loaded(world: World, contract: Contract) -> None:
    """R004: after the guard, which may have loaded fewer rows."""
    operation = contract.operations["update_course_lesson"]
    for lesson, user, status in ((1, 1, None), (99, 1, 404), (99, 3, 403)):
        call = called(world, operation, user, ids=dict(zip(operation.loads, (1, 1, lesson), strict=True)))
        assert refused_with(call) == status


def refused_with(call: Call) -> int | None:
    try:
        admit(call, call.operation)
    except Refusal as refused:
        return refused.status
    return None
