"""The links of the contract work: each is followed once, from a new course down to attempts and replies."""

import re
from typing import Any

import httpx
import pytest

from stubserver.contract.contract import Contract
from tests.permissions import example
from tests.support.client import Api
from tests.support.forms import FORM

DESCENT = (
    "create_course",
    "create_course_section",
    "create_course_lesson",
    "create_course_question",
    "make_course_attempt",
    "create_course_comment",
)
"""Each is reached from an earlier one that links to it; all other links are tried on the way."""


class Walk:
    """Follows links as OpenAPI describes them."""

    def __init__(self, api: Api, contract: Contract) -> None:
        self.api = api.as_("creator")
        self.contract = contract

    def send(self, name: str, path: dict[str, Any], query: dict[str, Any], body: Any) -> httpx.Response:
        operation = self.contract.operations[name]
        url = operation.path.format(**path)
        form = {"content": body, "headers": FORM}
        options = form if isinstance(body, str) else {"json": body} if operation.bodies else {}
        return self.api.request(operation.method.upper(), url, params=query or None, **options)

    def links(self, name: str) -> dict[str, Any]:
        operation = self.contract.operations[name]
        raw = self.contract.document["paths"][operation.path][operation.method]
        answer = self.contract.resolve(raw["responses"][str(operation.status)])
        return {label: self.contract.resolve(link) for label, link in answer.get("links", {}).items()}

    def follow(self, link: dict[str, Any], path: dict[str, Any], body: Any) -> tuple[httpx.Response, dict[str, Any]]:
        """The answer to a link's request, and the path parameters of that request."""
        operation = self.contract.operations[link["operationId"]]
        values = {name: evaluated(value, path, body) for name, value in link["parameters"].items()}
        inside = {name: value for name, value in values.items() if f"{{{name}}}" in operation.path}
        query = {name: value for name, value in values.items() if name not in inside}
        sent = example(self.contract, operation) if operation.bodies else None
        if sent and sent.get("type") == "lesson":
            sent = {**sent, "type": "quiz"}  # only quizzes have questions
        if operation.id == "create_course_comment":
            sent = {"text": "<p>Hello.</p>"}
        if operation.id == "make_course_attempt":
            right = [answer["id"] for answer in body["answers"] if answer["correct"]]
            sent = {"responses": [{"question_id": body["id"], "selected_options": right}]}
        if "requestBody" in link:
            sent = embedded(link["requestBody"], path, body)
        return self.send(operation.id, inside, query, sent), inside


def evaluated(value: Any, path: dict[str, Any], body: Any) -> Any:
    """What a runtime expression of a link stands for."""
    if value.startswith("$request.path."):
        return path[value.removeprefix("$request.path.")]
    for step in value.removeprefix("$response.body#/").split("/"):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


def embedded(text: str, path: dict[str, Any], body: Any) -> str:
    """A text with its runtime expressions in braces replaced."""
    return re.sub(r"\{(\$.+?)\}", lambda found: str(evaluated(found[1], path, body)), text)


@pytest.fixture
def walk(api: Api, contract: Contract) -> Walk:
    return Walk(api, contract)


def test_every_link_of_the_creations_leads_to_a_success(walk: Walk) -> None:
    """From create_course down to the attempt; deletions come last, from the bottom up."""
    body: Any = {"name": "Linked", "type": "self-paced", "privacy": "open"}
    path: dict[str, Any] = {}
    answer = walk.send("create_course", {}, {}, body)
    deletions, followed = [], set()
    for name, below in zip(DESCENT, [*DESCENT[1:4], *DESCENT[4:], None], strict=True):
        body = answer.json()
        step = None
        for label, link in walk.links(name).items():
            if link["operationId"].startswith("delete_"):
                deletions.append((link, path, body))
                continue
            reply, inside = walk.follow(link, path, body)
            assert reply.is_success, (name, label, reply.text)
            followed.add((name, link["operationId"]))
            if link["operationId"] == below:
                step = reply, inside
        if name == "create_course_lesson":
            lesson = (path, body)
        if name == "make_course_attempt":  # comments belong to the lesson
            links = walk.links("create_course_lesson").values()
            step = walk.follow(next(link for link in links if link["operationId"] == below), *lesson)
        if step:
            answer, path = step
    for link, path, body in reversed(deletions):
        assert walk.follow(link, path, body)[0].status_code == 204, link["operationId"]
    assert {
        ("create_course_question", "make_course_attempt"),
        ("make_course_attempt", "get_course_attempt"),
        ("create_course_comment", "create_course_comment"),
    } <= followed
