"""Pacts: one interaction for each operation, status and shape of request, with the state of the provider before it."""

import base64
import json
from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.exports import pact as module
from stubserver.exports.pact import Pact, pact
from stubserver.exports.recording import Recording
from tests.support.client import Api
from tests.support.default import HOST
from tests.support.tokens import signed
from tests.support.traffic import LESSON, oddities, reading, recorded, writing


def made(api: Api, contract: Contract) -> Pact:
    return pact([recorded(api)], contract, "web", "course-api")


def interactions(api: Api, contract: Contract) -> dict[str, Any]:
    """Description -> interaction."""
    found = made(api, contract).content["interactions"]
    by_name = {one["description"]: one for one in found}
    assert len(by_name) == len(found)
    return by_name


def states(interaction: Any) -> dict[str, Any]:
    return {state["name"]: state.get("params") for state in interaction["providerStates"]}


def test_it_is_a_pact_of_version_4(api: Api, contract: Contract) -> None:
    reading(api)
    content = made(api, contract).content
    assert json.loads(json.dumps(content)) == content
    assert (content["consumer"], content["provider"]) == ({"name": "web"}, {"name": "course-api"})
    assert content["metadata"]["pactSpecification"] == {"version": "4.0"}
    assert {one["type"] for one in content["interactions"]} == {"Synchronous/HTTP"}
    assert len({one["key"] for one in content["interactions"]}) == len(content["interactions"])


def test_an_interaction_has_request_and_response(api: Api, contract: Contract) -> None:
    api.as_("creator").patch("/course/1/", json={"name": "Knots", "privacy": "open"})
    (found,) = made(api, contract).content["interactions"]
    assert found["description"] == "patch_course with the body {name: text, privacy: open}, answered with 200"
    asked, answered = found["request"], found["response"]
    assert (asked["method"], asked["path"]) == ("PATCH", "/api/v2/course/1/")
    assert asked["headers"] == {"Authorization": ["Bearer stub-creator"], "Content-Type": ["application/json"]}
    assert asked["body"] == {
        "content": {"name": "Knots", "privacy": "open"},
        "contentType": "application/json",
        "encoded": False,
    }
    rules = asked["matchingRules"]
    assert rules["path"]["matchers"] == [{"match": "regex", "regex": "^/api/v2/course/[0-9]+/$"}]
    assert rules["header"]["Authorization"]["matchers"] == [{"match": "regex", "regex": "^Bearer .+$"}]
    assert rules["body"]["$"]["matchers"] == [{"match": "type"}]
    assert rules["body"]["$.privacy"]["matchers"] == [{"match": "equality"}]
    assert (answered["status"], answered["headers"]) == (200, {"Content-Type": ["application/json"]})
    assert answered["body"]["content"]["name"] == "Knots"
    assert answered["matchingRules"]["body"]["$.type"]["matchers"] == [{"match": "equality"}]


def test_states_name_the_fixture_and_the_caller(api: Api, contract: Contract) -> None:
    api.as_("member").get("/course/1/")
    (found,) = interactions(api, contract).values()
    assert states(found) == {
        "the fixture default": {"fixture": "default"},
        "the caller is stub-member": {"persona": "stub-member"},
    }


def test_a_state_says_what_was_changed_before(api: Api, contract: Contract) -> None:
    creator = api.as_("creator")
    creator.get("/course/1/")
    creator.patch("/course/1/", json={"name": "Knots"})
    creator.post("/course/", json={"name": "X"})  # which is refused
    creator.post("/course/1/section/", data={"name": "One", "drip_delay": 2})
    creator.delete("/course/1/")
    found = interactions(api, contract)["delete_course, answered with 204"]
    before = states(found)["these requests have been made"]["requests"]
    assert before == [
        {
            "persona": "stub-creator",
            "method": "PATCH",
            "target": "/api/v2/course/1/",
            "contentType": "application/json",
            "body": '{"name":"Knots"}',
        },
        {
            "persona": "stub-creator",
            "method": "POST",
            "target": "/api/v2/course/1/section/",
            "contentType": "application/x-www-form-urlencoded",
            "body": "name=One&drip_delay=2",
        },
    ]


def test_of_requests_alike_the_one_with_the_least_before_it_is_taken(api: Api, contract: Contract) -> None:
    creator = api.as_("creator")
    creator.patch("/course/1/", json={"name": "Knots"})
    creator.get("/course/1/")
    late = recorded(api)
    fresh = Recording("other", "default", True, [{**late.requests[1], "persona": "stub-member", "changes": []}])
    unknown = Recording("third", "default", False, [{**late.requests[1], "persona": "stub-staff", "changes": []}])
    for order in ([late, fresh, unknown], [unknown, late, fresh]):
        content = pact(order, contract, "web", "course-api").content
        found = {one["description"]: one for one in content["interactions"]}["get_course, answered with 200"]
        assert states(found).keys() == {"the fixture default", "the caller is stub-member"}


def test_a_world_with_an_unknown_past_says_so(api: Api, contract: Contract) -> None:
    api.get("/course/1/")
    recording = recorded(api)
    recording.is_complete = False
    (found,) = pact([recording], contract, "web", "course-api").content["interactions"]
    assert "changes of which there is no record" in states(found)


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ("/course/1/", "/course/2/", True),
        ("/course/?limit=1", "/course/?limit=2", True),
        ("/course/?limit=1", "/course/?offset=1", False),
        ("/course/?statuses=joined", "/course/?statuses=creator", False),
        ("/course/1/", "/course/999/", False),
    ],
)
def test_requests_are_alike(api: Api, contract: Contract, one: str, other: str, are_alike: bool) -> None:
    for path in (one, other):
        api.as_("creator").get(path)
    assert len(interactions(api, contract)) == (1 if are_alike else 2)


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ({"name": "A"}, {"name": "B"}, True),
        ({"name": "A"}, {"description": "A"}, False),
        ({"privacy": "open"}, {"privacy": "private"}, False),
        ({"categories": [1]}, {"categories": [1, 2]}, True),
        ({"categories": []}, {"categories": [1]}, False),
        ({"name": "A"}, {"name": 3}, False),
    ],
)
def test_bodies_are_alike(api: Api, contract: Contract, one: Any, other: Any, are_alike: bool) -> None:
    for body in (one, other):
        api.as_("creator").patch("/course/10/", json=body)
    found = interactions(api, contract)
    assert len(found) == (1 if are_alike else 2), [*found]


def test_what_a_variant_has_changed_says_nothing(api: Api, contract: Contract) -> None:
    api.as_("creator").get("/course/1/", headers={"Prefer": 'variant="unknown:"'})
    found = made(api, contract)
    assert found.left_out == {"a variant made its answer different": 1}


def test_what_says_nothing_is_left_out_and_counted(api: Api, contract: Contract) -> None:
    oddities(api)
    found = made(api, contract)
    assert found.left_out == {
        "the contract has no such operation": 1,
        "it used what the contract does not define": 1,
        "a fault acted on it": 1,
        "it uploaded a file, which the journal does not keep": 1,
        "its body held credentials": 1,
    }
    assert [(one["request"]["method"], one["response"]["status"]) for one in found.content["interactions"]] == [
        ("PATCH", 400),
        ("GET", 401),
    ]


def test_a_malformed_body_is_repeated_as_it_was(api: Api, contract: Contract) -> None:
    """A verifier would write a text as JSON."""
    api.as_("creator").patch("/course/1/", content=b'{"name": ', headers={"Content-Type": "application/json"})
    (found,) = interactions(api, contract).values()
    body = found["request"]["body"]
    assert (base64.b64decode(body["content"]), body["encoded"]) == (b'{"name": ', "base64")


def test_a_token_that_nobody_has_is_sent(api: Api, contract: Contract) -> None:
    """An anonymous request sends none."""
    api.as_("nobody").get("/user/me/")
    api.get("/course/1/")
    found = [*interactions(api, contract).values()]
    assert found[0]["request"]["headers"] == {"Authorization": ["Bearer anonymous"]}
    assert "headers" not in found[1]["request"]


def test_too_much_before_is_left_out(api: Api, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BEFORE", 2)
    for name in ("A", "B", "C"):
        api.as_("creator").patch("/course/1/", json={"name": name})
    api.as_("creator").get("/course/1/")
    found = made(api, contract)
    assert [one["request"]["method"] for one in found.content["interactions"]] == ["PATCH"]
    assert found.left_out == {"more than 2 requests had changed the world before": 1}


def test_forms_have_one_boundary(api: Api, contract: Contract) -> None:
    """So that the same requests make the same pact."""
    api.as_("member").post(f"{LESSON}comment/", data={"text": "Hello"}, files={"parent": (None, b"")})
    (found,) = interactions(api, contract).values()
    body = found["request"]["body"]
    assert body["contentType"] == "multipart/form-data; boundary=course-stubserver"
    assert 'name="text"\r\n\r\nHello\r\n' in body["content"]


def test_it_is_the_same_every_time(api: Api, contract: Contract) -> None:
    reading(api)
    writing(api)
    one, other = made(api, contract).content, made(api, contract).content
    assert one == other
    assert HOST in json.dumps(one)


def test_nothing_is_empty(contract: Contract) -> None:
    """Every provider would fulfil that."""
    assert pact([], contract, "web", "course-api").is_empty


def test_a_sign_in_is_no_change(api: Api, contract: Contract) -> None:
    api.post("/oauth/token/", data={"grant_type": "password", "username": "wren_hollis", "password": "stub-password"})
    api.get("/course/1/")
    assert "these requests have been made" not in states(interactions(api, contract)["get_course, answered with 200"])


def test_there_are_no_credentials(api: Api, contract: Contract) -> None:
    """Only the tokens of personas, which are public."""
    api.as_("member").get(LESSON, headers={"Cookie": "session=secret-cookie"})
    api.post("/oauth/token/", data={"grant_type": "password", "username": "wren_hollis", "password": "stub-password"})
    token = signed(user_id=1)
    api.get("/course/?limit=1", headers={"Authorization": f"Bearer {token}"})
    text = json.dumps(made(api, contract).content)
    assert "list_joined_courses with limit=text, answered with 200" in text
    for secret in ("secret-cookie", "stub-password", token):
        assert secret not in text
