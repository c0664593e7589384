"""Meeting a target, and the model that is made like it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from stubserver.app import create_app
from stubserver.checking.meeting import CannotCheck, Community, clock_of, meet, model
from stubserver.checking.sides import Side
from stubserver.contract.contract import Contract
from stubserver.serving.in_process import InProcess
from tests.checking.bugs import TOKENS, URL, Bug, Buggy, Exchange


@pytest.fixture(scope="module")
def server() -> Iterator[InProcess]:
    transport = InProcess(create_app("default"))
    yield transport
    transport.close()


def side(transport: httpx.BaseTransport) -> Side:
    return Side(httpx.Client(transport=transport, base_url=URL))


@pytest.fixture(scope="module")
def community(contract: Contract, server: InProcess) -> Community:
    return meet(contract, side(server), TOKENS)


def test_everybody_is_met(community: Community) -> None:
    assert {name: persona.id for name, persona in community.personas.items()} == {
        **{"creator": 1, "manager": 2, "member": 3, "invited": 4},
        **{"requested": 5, "stranger": 6, "staff": 7},
    }
    assert [name for name, persona in community.personas.items() if persona.is_staff] == ["staff"]
    assert len(community.users) > 7
    assert community.category is not None
    assert community.preferences["configurations.content_availability"] is True


def test_the_model_has_the_same_people_and_no_course(contract: Contract, community: Community) -> None:
    with model(contract, community, "http://example.test:9/stub") as client:
        ours = client.get("/api/v2/user/me/", headers={"Authorization": "Bearer model-member"}).json()
        assert ours["id"] == community.personas["member"].id
        assert client.get("/api/v2/course/search/").json()["count"] == 0
        made = client.post(
            "/api/v2/course/",
            json={"name": "A", "type": "self-paced"},
            headers={"Authorization": "Bearer model-creator"},
        ).json()
        assert made["id"] >= 10**12
        assert made["image_big"].startswith("http://example.test:9/")


def test_no_credential_is_in_the_model(contract: Contract, community: Community) -> None:
    with model(contract, community, URL) as client:
        assert client.get("/api/v2/user/me/", headers={"Authorization": "Bearer stub-member"}).status_code == 401


def test_a_clock_that_is_ahead_is_noticed_and_the_model_follows(
    contract: Contract, server: InProcess, community: Community
) -> None:
    def ahead(one: Exchange) -> None:
        if isinstance(one.answer, dict) and "created_at" in one.answer:
            moment = datetime.fromisoformat(one.answer["created_at"]) + timedelta(days=3)
            one.answer["created_at"] = moment.isoformat()

    found = clock_of(contract, side(Buggy(server, Bug(after=ahead))), "stub-creator", "r1")
    assert abs(found - timedelta(days=3)) < timedelta(seconds=30)
    assert clock_of(contract, side(server), "stub-creator", "r1") == timedelta()
    later = Community(community.personas, community.users, community.categories, {}, ahead=found)
    with model(contract, later, URL) as client:
        body = {"name": "A", "type": "self-paced"}
        made = client.post("/api/v2/course/", json=body, headers={"Authorization": "Bearer model-creator"}).json()
    assert datetime.fromisoformat(made["created_at"]) - datetime.now(UTC) > timedelta(days=2)


def answers(*found: tuple[int, Any]) -> Callable[[httpx.Request], httpx.Response]:
    waiting = iter(found)
    return lambda _: httpx.Response(*(one := next(waiting))[:1], json=one[1])


@pytest.mark.parametrize(
    ("tokens", "handler", "problem"),
    [
        ({"creator": "x"}, answers((401, {})), "answered /api/v2/user/me/ with 401 for the token of creator"),
        ({"creator": "x"}, answers((200, {"name": "who?"})), "answered /api/v2/user/me/ with 200"),
        ({"creator": "x"}, answers((200, [])), "answered /api/v2/user/me/ with 200"),
        (
            {"creator": "x"},
            answers((200, {"id": 1, "permission": {"create_course": False}})),
            "none of the personas may create courses",
        ),
        (
            {"creator": "x", "member": "y"},
            answers((200, {"id": 1}), (200, {"id": 1})),
            "creator and member are the same user, 1, as",
        ),
    ],
)
def test_who_cannot_be_checked(contract: Contract, tokens: dict[str, str], handler: Any, problem: str) -> None:
    with pytest.raises(CannotCheck, match=problem):
        meet(contract, side(httpx.MockTransport(handler)), tokens)


def test_a_creator_who_may_not(contract: Contract) -> None:
    with pytest.raises(CannotCheck, match=r"no course can be made at the target \(status 403\)"):
        clock_of(contract, side(httpx.MockTransport(answers((403, {})))), "x", "r1")
