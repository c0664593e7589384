"""A contract: what it refuses to be read, and what it tells of its document."""

from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.merging import SpecError

# Merging


def minimal(**changes: Any) -> dict[str, Any]:
    answer = {"description": "Yes.", "content": {"application/json": {"schema": {"type": "object"}}}}
    operation = {"operationId": "x", "x-access": "everyone", "responses": {"200": answer}, **changes}
    return {"openapi": "3.0.3", "paths": {"/x/": {"get": operation}}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"x-nonsense": 1}, "x-nonsense"),
        ({"parameters": [{"name": "a", "in": "query", "schema": {"type": "string", "x-odd": 1}}]}, "x-odd"),
        ({"parameters": [{"$ref": "#/components/parameters/Gone"}]}, "Gone"),
        ({"responses": {"200": {"$ref": "#/components/responses/Gone"}}}, "Gone"),
        (
            {
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {"schema": {"properties": {"a": {"$ref": "#/components/schemas/Gone"}}}}
                        },
                    }
                }
            },
            "Gone",
        ),
    ],
    ids=["operation key", "nested key", "parameter", "response", "property"],
)
def test_a_contract_that_cannot_be_served(changes: dict[str, Any], says: str) -> None:
    Contract(minimal())
    with pytest.raises(SpecError, match=says):
        Contract(minimal(**changes))
