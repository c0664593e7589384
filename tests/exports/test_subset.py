"""The part of the document that was used: valid, and no more than that."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from stubserver.contract.contract import Contract
from stubserver.contract.versions import as_openapi_31
from stubserver.exports.recording import Recording
from stubserver.exports.subset import subset
from tests.support.client import Api
from tests.support.traffic import LESSON, oddities, reading, recorded, writing


def made(api: Api, contract: Contract) -> Any:
    """The document, which is valid in both versions."""
    document = subset([recorded(api)], contract)
    assert document is not None
    validate(document)
    validate(as_openapi_31(document))
    return document


def only(document: Any) -> Any:
    """Its only operation."""
    (operation,) = (operation for item in document["paths"].values() for operation in item.values())
    return operation


def test_everything_is_valid(api: Api, contract: Contract) -> None:
    reading(api)
    writing(api)
    oddities(api)
    document = made(api, contract)
    called = {request["operation"] for request in recorded(api).requests} - {None}
    assert {one["operationId"] for item in document["paths"].values() for one in item.values()} == called


def test_an_operation_has_what_was_used(api: Api, contract: Contract) -> None:
    api.as_("creator").get("/course/?limit=1")
    document = made(api, contract)
    operation = only(document)
    assert operation["operationId"] == "list_joined_courses"
    assert [contract.resolve(one)["name"] for one in operation["parameters"]] == ["limit"]
    assert [*operation["responses"]] == ["200"]
    assert [tag["name"] for tag in document["tags"]] == ["course"]
    assert [*document["components"]["parameters"]] == ["Limit"]
    assert "CoursePage" in document["components"]["schemas"]
    assert "CourseComment" not in document["components"]["schemas"]
    assert "responses" not in document["components"]
    assert set(document["x-rules"]) == set(operation["x-rules"])


@pytest.mark.parametrize("body", [{"name": "A", "type": "self-paced", "og_title": "B"}, {"name": "A"}, {}])
def test_a_body_has_the_fields_that_were_sent_or_must_be(api: Api, contract: Contract, body: Any) -> None:
    """Under the media type that was used, with examples that fit."""
    api.as_("creator").post("/course/", json=body)
    content = only(made(api, contract))["requestBody"]["content"]
    assert len(content) == 1
    schema = content["application/json"]["schema"]
    assert set(schema["properties"]) == {"name", "type", *body}
    assert set(content["application/json"]["example"]) == {"name", "type"}


def test_a_parameter_that_must_be_sent_stays(api: Api, contract: Contract) -> None:
    """Even if it was not."""
    api.as_("creator").post("/media/upload/chunk/", data={"upload_id": "x"})
    assert [one["name"] for one in only(made(api, contract))["parameters"]] == ["Content-Range"]


def test_statuses_add_up(api: Api, contract: Contract) -> None:
    for course in (1, 999):
        api.as_("creator").get(f"/course/{course}/")
    assert [*only(made(api, contract))["responses"]] == ["200", "404"]


def test_forms_and_bracketed_names_count(api: Api, contract: Contract) -> None:
    api.get("/course/search/?categories[]=1")
    api.as_("creator").post(f"{LESSON}question/", data={"answers[0]text": "x"})
    document = made(api, contract)
    search = document["paths"]["/api/v2/course/search/"]["get"]
    assert [contract.resolve(one)["name"] for one in search["parameters"]] == ["categories"]
    question = next(item["post"] for path, item in document["paths"].items() if path.endswith("/question/"))
    (content,) = question["requestBody"]["content"].values()
    assert "answers" in content["schema"]["properties"]


def test_links_lead_to_operations_that_are_there(api: Api, contract: Contract) -> None:
    api.as_("creator").post("/course/", json={"name": "A", "type": "self-paced"})
    assert "links" not in only(made(api, contract))["responses"]["201"]
    api.as_("creator").get("/course/1/")
    document = made(api, contract)
    (links,) = (
        answer["links"]
        for item in document["paths"].values()
        for operation in item.values()
        for answer in operation["responses"].values()
        if "links" in answer
    )
    assert [*links] == ["GetCourse"]
    assert [*document["components"]["links"]] == ["GetCourse"]


def test_a_request_without_an_answer_leaves_a_response(api: Api, contract: Contract) -> None:
    """A document needs one."""
    api.get("/course/1/")
    request = {**recorded(api).requests[0], "status": None, "response": None}
    document = subset([Recording("w", "default", True, [request])], contract) or {}
    assert [*only(document)["responses"]] == ["200"]
    validate(document)


def test_nothing_is_none(api: Api, contract: Contract) -> None:
    api.get("/nope/")
    assert subset([recorded(api)], contract) is None
    assert subset([], contract) is None
