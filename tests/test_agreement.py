"""A name that only the contract or only the code has stops the start, with one line that says what and where."""

import ast
import re
from collections.abc import Callable, MutableMapping
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from stubserver import agreement, control
from stubserver.api import operations
from stubserver.api.guards import GUARDS
from stubserver.app import create_app
from stubserver.call import ROW_KINDS
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.contract.merging import Document, SpecError
from stubserver.pipeline.faults import FAULT_KINDS
from stubserver.pipeline.reading import READERS
from tests.sources import SOURCES, tree
from tests.support.control import CONTROL
from tests.support.documents import nodes

API = cache(load_contract)


def check(contract: Contract | None = None, commands: Contract | None = None) -> None:
    agreement.check(contract or API(), commands or CONTROL, operations.FUNCTIONS, control.FUNCTIONS)


def changed(contract: Contract, change: Callable[[dict[str, Any]], None]) -> Contract:
    """The contract with its document changed; it still knows its files."""
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

    found = changed(CONTROL, add)
    says = ["control/fault.yaml: FaultCreate", "kind 'latenzy'", "did you mean 'latency'?", "FAULT_KINDS"]
    refused(says, lambda: check(commands=found))


def test_a_bound_that_only_the_contract_has() -> None:
    def misspell(document: dict[str, Any]) -> None:
        document["paths"]["/snapshots/{snapshot}"]["put"]["x-max-body"] = "max_fil"

    found = changed(CONTROL, misspell)
    says = ["control/snapshot.yaml: load_snapshot", "x-max-body 'max_fil'", "did you mean 'max_file'?", "BODY_BOUNDS"]
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
    refused(says, create_app)  # checked at every start


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("FILTERS", ["stubserver/control/verify.py: FILTERS has 'extra'", "Expectation"]),
        ("DIMENSIONS", ["stubserver/records/coverage.py: DIMENSIONS has 'extra'", "OperationCoverage"]),
        ("OAUTH_SHAPE", ["stubserver/errors.py: OAUTH_SHAPE has 'extra'", "schema"]),
        ("SHAPES", ["stubserver/api/views/course.py: SHAPES has 'extra'", "schema"]),
        ("TOKEN_SCHEME", ["stubserver/pages/documents.py: TOKEN_SCHEME has 'extra'", "securitySchemes"]),
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


# Literals in the code

BEHAVIOUR = [name for name in SOURCES if name.startswith(("api.operations.", "api.views."))]


def literals(tree: ast.AST) -> set[str]:
    """The lower-case words among a module's strings, except docstrings and parts of f-strings."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = {
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in skipped
    }
    return {text for text in found if re.fullmatch(r"[a-z][a-z-]*", text)}


def test_literals_of_the_enums_are_spelt_as_in_the_contract(document: dict[str, Any]) -> None:
    """In code that makes decisions, every lower-case word is the value of an enum, a field, a table or a code."""
    enums = {value for node in nodes(document) if isinstance(node.get("enum"), list) for value in node["enum"]}
    fields = {
        name for node in nodes(document) for name in node.get("properties", {}) if isinstance(node["properties"], dict)
    }
    parameters = {node["name"] for node in nodes(document) if "in" in node and "name" in node}
    known = enums | fields | parameters
    known |= {rule["code"] for rule in document["x-rules"].values() if "code" in rule}
    known |= {"admin", "moderator", "editor"}  # roles of platform staff, which only fixtures name
    known |= {"courses", "categories", "-id", "course", "users", "user"}  # tables, folders of pictures, a slug
    known |= {"category", "media", "question", "attempt", "comment"}  # names of rows in refusals, and kinds of rows
    known |= {
        "documents",
        "document",
        "medias",
        "picture",
        "images",
        "logo",
        "covers",
    }  # the same for media and preferences
    known |= {
        "size",
        "kind",
        "start",
        "challenge",
        "plain",
        "folder",
        "number",
        "content",
        "format",
    }  # fields of rows that no answer shows; a kind of challenge
    known |= {"authorization", "basic"}  # a header and its scheme
    known |= {"ascii", "ignore"}  # how slugs drop the accents of a name
    for name in ("api.rules", *BEHAVIOUR):
        assert literals(tree(name)) - known == set(), name


@pytest.mark.parametrize("constant", ["MANAGING", "MEMBERS", "STUDENTS"])
def test_groups_of_statuses_are_statuses(document: dict[str, Any], constant: str) -> None:
    from stubserver.api import rules

    assert set(getattr(rules, constant)) <= set(document["components"]["schemas"]["JoinStatus"]["enum"])


def test_compared_enum_values_exist(document: dict[str, Any]) -> None:
    """Whatever the code compares with a status, privacy or type is a possible value of that field."""
    schemas = document["components"]["schemas"]
    families = {
        "privacy": set(schemas["CoursePrivacy"]["enum"]),
        "course_type": set(schemas["CourseType"]["enum"]),
        "join_status": set(schemas["JoinStatus"]["enum"]),
        "completion_status": set(schemas["CompletionStatus"]["enum"]),
        "status": {
            *schemas["JoinStatus"]["enum"],
            *schemas["LessonStatus"]["enum"],
            *schemas["CompletionStatus"]["enum"],
        },
    }
    compared = 0
    for name in ("api.rules", "api.guards", *BEHAVIOUR):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Compare):
                subject, values = node.left, [c for part in node.comparators for c in ast.walk(part)]
            elif isinstance(node, ast.Match):
                subject = node.subject
                values = [c for case in node.cases for c in ast.walk(case.pattern)]
            else:
                continue
            text = ast.unparse(subject)
            family = next((known for known in families if re.search(rf"\b{known}\b|_{known}\(|{known}_in", text)), None)
            for value in values if family else []:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    assert value.value in families[str(family)], f"{name}: {text} {value.value!r}"
                    compared += 1
    assert compared >= 10


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_no_module_repeats_a_path(name: str) -> None:
    """Paths belong to the contract."""
    segments = {
        f"/{part}/" for part in ("course", "search", "status", "join", "invite", "request_join", "role", "suggestion")
    }
    texts = [n.value for n in ast.walk(tree(name)) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [text for text in texts if any(segment in text for segment in segments)] == []
