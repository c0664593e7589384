"""A name that only the contract or only the code has ends the start, in one line that says which and where."""

from collections.abc import Callable, MutableMapping
from copy import deepcopy
from typing import Any

import pytest

from stubserver import agreement, control
from stubserver.api import operations
from stubserver.api.guards import GUARDS
from stubserver.app import create_app
from stubserver.call import ROW_KINDS
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract
from stubserver.contract.merging import Document, SpecError
from stubserver.pipeline.faults import FAULT_KINDS
from stubserver.pipeline.reading import READERS


def check(contract: Contract | None = None, commands: Contract | None = None) -> None:
    agreement.check(
        contract or load_contract(), commands or load_control_contract(), operations.FUNCTIONS, control.FUNCTIONS
    )


def changed(contract: Contract, change: Callable[[dict[str, Any]], None]) -> Contract:
    """The contract with a change to its document, which keeps its files."""
    document = deepcopy(dict(contract.document))
    change(document)
    return Contract(Document(document, getattr(contract.document, "files", {})))


def test_contract_and_code_agree() -> None:
    check()


def operation(document: dict[str, Any]) -> Any:
    return document["paths"]["/api/v2/course/{id}/"]["put"]


def rename(document: dict[str, Any]) -> None:
    operation(document)["operationId"] = "update_curse"


def misspell_guard(document: dict[str, Any]) -> None:
    operation(document)["x-access"] = "manger"


def misspell_guard_of_value(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v2/course/{id}/"]["get"]["parameters"]
    next(p for p in parameters if p.get("name") == "view")["x-access"] = {"edit": "manger"}


def misspell_row(document: dict[str, Any]) -> None:
    document["components"]["parameters"]["CourseId"]["x-loads"] = "curse"


def add_media_type(document: dict[str, Any]) -> None:
    content = operation(document)["requestBody"]["content"]
    content["application/yaml"] = content["application/json"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (rename, ["openapi/course.yaml: update_curse", "operationId 'update_curse'", "did you mean 'update_course'?"]),
        (misspell_guard, ["openapi/course.yaml: update_course", "x-access 'manger'", "did you mean 'manager'?"]),
        (misspell_guard_of_value, ["openapi/course.yaml: get_course", "x-access 'manger'", "did you mean 'manager'?"]),
        (misspell_row, ["openapi/", "x-loads 'curse'", "did you mean 'course'?", "stubserver/call.py: ROW_KINDS"]),
        (add_media_type, ["openapi/course.yaml: update_course", "media type 'application/yaml'", "READERS"]),
    ],
)
def test_a_name_that_only_the_contract_has(
    contract: Contract, change: Callable[[dict[str, Any]], None], says: list[str]
) -> None:
    refused(says, lambda: check(changed(contract, change)))


def test_a_fault_kind_that_only_the_contract_has() -> None:
    def add(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["FaultCreate"]["properties"]["kind"]["enum"].append("latenzy")

    found = changed(load_control_contract(), add)
    says = ["control/fault.yaml: FaultCreate", "kind 'latenzy'", "did you mean 'latency'?", "FAULT_KINDS"]
    refused(says, lambda: check(commands=found))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (GUARDS, ["stubserver/api/guards.py: GUARDS has 'extra'", "x-access"]),
        (ROW_KINDS, ["stubserver/call.py: ROW_KINDS has 'extra'", "x-loads"]),
        (FAULT_KINDS, ["stubserver/pipeline/faults.py: FAULT_KINDS has 'extra'", "kind"]),
        (READERS, ["stubserver/pipeline/reading.py: READERS has 'extra'", "media type"]),
        (operations.FUNCTIONS, ["stubserver/api/operations/ has 'extra'", "operationId"]),
        (control.FUNCTIONS, ["stubserver/control/ has 'extra'", "operationId"]),
    ],
)
def test_a_name_that_only_the_code_has(
    monkeypatch: pytest.MonkeyPatch, table: MutableMapping[str, Any], says: list[str]
) -> None:
    monkeypatch.setitem(table, "extra", len)
    refused(says, check)
    refused(says, create_app)  # every start asks


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("FILTERS", ["stubserver/control/verify.py: FILTERS has 'extra'", "Expectation"]),
        ("DIMENSIONS", ["stubserver/records/coverage.py: DIMENSIONS has 'extra'", "OperationCoverage"]),
        ("OAUTH_SHAPE", ["stubserver/errors.py: OAUTH_SHAPE has 'extra'", "schema"]),
        ("SHAPES", ["stubserver/api/views/course.py: SHAPES has 'extra'", "schema"]),
    ],
)
def test_a_field_that_only_the_code_has(monkeypatch: pytest.MonkeyPatch, name: str, says: list[str]) -> None:
    known = getattr(agreement, name)
    monkeypatch.setattr(agreement, name, "extra" if isinstance(known, str) else (*known, "extra"))
    refused(says, check)


def refused(says: list[str], start: Callable[[], Any]) -> None:
    with pytest.raises(SpecError) as caught:
        start()
    assert [part for part in says if part not in str(caught.value)] == []
    assert "\n" not in str(caught.value)
