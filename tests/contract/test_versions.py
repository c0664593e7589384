"""The contract in OpenAPI 3.1 means the same as in 3.0."""

from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract
from stubserver.contract.schema import reached
from stubserver.contract.versions import as_openapi_31
from tests.support.documents import nodes

CONTRACTS = {"the API": load_contract(), "the control plane": load_control_contract()}
EVERY_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


@pytest.mark.parametrize(
    ("schema", "meant"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True, "enum": [None]}, {"type": "null"}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "string", "nullable": False}, {"type": "string", "nullable": False}),
        ({"type": "string", "default": None}, {"type": "string", "default": None}),
    ],
    ids=str,
)
def test_null_becomes_a_type(schema: dict[str, Any], meant: dict[str, Any]) -> None:
    document = {"openapi": "3.0.3", "components": {"schemas": {"A": {"anyOf": [schema]}}}}
    assert as_openapi_31(document) == {"openapi": "3.1.0", "components": {"schemas": {"A": {"anyOf": [meant]}}}}
    assert document["openapi"] == "3.0.3"


@EVERY_CONTRACT
def test_the_document_is_valid_openapi(contract: Contract) -> None:
    document = as_openapi_31(contract.document)
    validate(document)
    assert [node for node in nodes(document) if "nullable" in node] == []


@EVERY_CONTRACT
def test_the_same_values_are_valid(contract: Contract) -> None:
    """Every example of an answer, and the same with each field null in turn."""
    document = as_openapi_31(contract.document)
    schemas = document["components"]["schemas"]
    for operation in contract.operations.values():
        for status, answer in operation.answers.items():
            raw = document["paths"][operation.path.removeprefix(contract.base)][operation.method]["responses"]
            schema = _followed(raw[str(status)], document)["content"]["application/json"]["schema"]
            whole = {"allOf": [schema], "components": {"schemas": dict(reached(schema, schemas))}}
            validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
            for value in _variants(operation.examples[status]):
                assert validator.is_valid(value) == answer.fits(value), (operation.id, value)


def _followed(answer: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The answer, or the component that it refers to."""
    found: dict[str, Any] = answer
    if "$ref" in answer:
        found = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def _variants(example: Any) -> list[Any]:
    """The example, and with null in the place of each part of it."""
    found = [example]
    if isinstance(example, dict):
        for name, part in example.items():
            found += [{**example, name: changed} for changed in [None, *_variants(part)[1:]]]
    if isinstance(example, list):
        for number, part in enumerate(example):
            found += [[*example[:number], changed, *example[number + 1 :]] for changed in [None, *_variants(part)[1:]]]
    return found
