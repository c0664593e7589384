"""The contract of the control plane is complete."""

import re

import pytest
from openapi_spec_validator import validate

from tests.support.answers import ok
from tests.support.attacks import OPEN, path_of
from tests.support.client import Api
from tests.support.control import CONTROL, RAW
from tests.support.documents import declared
from tests.support.worlds import named


def test_the_document_is_valid_openapi() -> None:
    validate(CONTROL.document)


@pytest.mark.parametrize("name", RAW)
def test_every_operation_declares_its_refusals(name: str) -> None:
    _, method, raw = RAW[name]
    parameters = [CONTROL.resolve(parameter) for parameter in raw.get("parameters", [])]
    expected = {"403", "406"} if name in OPEN else {"401", "403", "406"}
    if method != "get":
        expected.add("415")
    if "requestBody" in raw:
        expected |= {"400", "413"}
    if any(parameter["in"] != "path" for parameter in parameters):
        expected.add("400")
    if name in ("get_ready", "follow_world"):
        expected.add("503")
    answers = set(raw["responses"])
    assert expected <= answers
    assert answers - expected - {"400", "404", "409"} == {min(answers)}
    operation = CONTROL.operations[name]
    assert set(operation.refusals.values()) == {"ErrorResponse"}
    assert {int(status) for status in answers if status >= "400"} == set(operation.refusals)


def test_the_token_is_for_every_operation_but_the_open_ones() -> None:
    assert [name for name, operation in CONTROL.operations.items() if not operation.secured] == OPEN
    assert [name for name, (_, _, raw) in RAW.items() if "security" in raw] == OPEN
    assert CONTROL.document["security"] == [{"controlToken": []}, {}]


@pytest.mark.parametrize("name", RAW)
def test_every_operation_says_what_it_is(name: str) -> None:
    path, _, raw = RAW[name]
    tags = {tag["name"] for tag in CONTROL.document["tags"]}
    assert raw["summary"]
    assert raw["description"]
    assert set(raw["tags"]) <= tags
    assert raw["x-access"] == "everyone"
    parameters = [CONTROL.resolve(parameter) for parameter in raw.get("parameters", [])]
    assert {f"{{{parameter['name']}}}" for parameter in parameters if parameter["in"] == "path"} == set(
        re.findall(r"\{\w+\}", path)
    )
    assert all(parameter["description"] for parameter in parameters)
    assert raw.get("requestBody", {"required": True})["required"] is (name != "freeze_clock")


@pytest.mark.no_world
@pytest.mark.parametrize("name", [name for name, (_, _, raw) in RAW.items() if "requestBody" in raw])
def test_every_body_is_json_and_its_example_works(api: Api, name: str) -> None:
    _, method, raw = RAW[name]
    (media,) = raw["requestBody"]["content"]
    assert media == "application/json"
    example = raw["requestBody"]["content"][media].get("example")
    assert (example is None) == (name == "load_snapshot")
    if example is not None:
        path = path_of(CONTROL.operations[name]).partition("?")[0]
        if name == "patch_world":
            ok(api.post("/__stub/worlds", json={"name": "w"}), 201)
        assert api.request(method.upper(), path, json=example, headers=named("v")).is_success


def test_every_example_of_an_answer_fits_its_schema() -> None:
    for name, operation in CONTROL.operations.items():
        for status, answer in operation.answers.items():
            assert list(answer.problems(operation.examples[status])) == [], (name, status)


def test_links_lead_somewhere() -> None:
    for _, _, raw in declared(CONTROL.document):
        for answer in raw["responses"].values():
            for link in CONTROL.resolve(answer).get("links", {}).values():
                path, _, target = RAW[link["operationId"]]
                parameters = [CONTROL.resolve(parameter)["name"] for parameter in target["parameters"]]
                assert set(link["parameters"]) <= set(parameters)
                assert {f"{{{name}}}" for name in link["parameters"]} == set(re.findall(r"\{\w+\}", path))
