"""Comparing contracts: whole documents, what is read, and how it is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from stubserver.contract.load import load_contract, load_control_contract
from stubserver.contract.versions import as_openapi_31
from stubserver.reports.compare import FORMATS, breaks, compare, read
from stubserver.reports.compare_changes import Change, Unusable

pytestmark = pytest.mark.table

EMPTY: Any = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}}


def test_the_shipped_contract_is_the_same_as_itself() -> None:
    for contract in (load_contract(), load_control_contract()):
        assert compare(contract.document, json.loads(json.dumps(contract.document))) == []


def test_nothing_changes_with_the_version_of_openapi() -> None:
    document = dict(load_contract().document)
    assert compare(document, as_openapi_31(document)) == []
    assert compare(as_openapi_31(document), document) == []


def test_every_operation_that_goes_is_noticed() -> None:
    old = load_contract().document
    for path, item in old["paths"].items():
        for method in item:
            left = {name: part for name, part in item.items() if name != method}
            paths = {**old["paths"], path: left}
            (change,) = compare(old, {**old, "paths": paths})
            assert change.operation == f"{method.upper()} {path}"
            assert (change.level == "error") is not bool(item[method].get("deprecated"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no document of OpenAPI 3: it needs a key `openapi`, such as 3.0.3"),
        (b"[]", "no document of OpenAPI 3: ..."),
        (b'{"swagger": "2.0", "paths": {}}', "no document of OpenAPI 3: ..."),
        (b'{"openapi": "3.0.3"}', "no document of an API: `paths` is not an object"),
        (b'{"openapi": "3.0.3", "paths": []}', "no document of an API: ..."),
        (b"{", "neither JSON nor YAML: ..."),
        (b"a: b: c", "neither JSON nor YAML: ..."),
        (b"\xff\xfe", "neither JSON nor YAML: ..."),
        (b"[" * 100_000, "neither JSON nor YAML: ..."),
    ],
)
@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path, content: bytes, ending: str, message: str) -> None:
    file = tmp_path / f"api.{ending}"
    file.write_bytes(content)
    with pytest.raises(Unusable) as caught:
        read(str(file))
    told = str(caught.value)
    assert "\n" not in told
    if not (ending == "json" and content == b""):
        assert told.startswith(f"{file}: {message.removesuffix('...')}")


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unusable, match="No such file"):
        read(str(tmp_path / "none"))
    with pytest.raises(Unusable, match="Is a directory"):
        read(str(tmp_path))
    large = tmp_path / "large"
    large.write_text("{}")
    monkeypatch.setattr("stubserver.reports.compare._LARGEST", 1)
    with pytest.raises(Unusable, match="larger than 1 bytes"):
        read(str(large))


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "a.json", tmp_path / "b.yaml"
    one.write_text(json.dumps({**EMPTY, "paths": {"/a": {"get": {"responses": {"200": {}}}}}}))
    other.write_text("openapi: 3.0.3\npaths:\n  /a:\n    get:\n      responses:\n        200: {}\n")
    assert compare(read(str(one)), read(str(other))) == []
    assert read(".") == load_contract().document


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ({"/a": 1}, "O or N is no valid OpenAPI document ..."),
        ({"/a": {"get": 1}}, "O or N is no valid OpenAPI document ..."),
        ({"/a": {"get": {"parameters": [{}]}}}, "O or N is no valid OpenAPI document ..."),
        (
            {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/X"}}}}},
            "O: '#/components/responses/X' leads to nothing",
        ),
        (
            {"/a": {"get": {"responses": {"200": {"$ref": "other.yaml"}}}}},
            "O: refers to 'other.yaml' outside of it; bundle the documents first",
        ),
        ({"/a": {"$ref": "#/paths/~1a"}}, "O: a reference leads to itself"),
    ],
)
def test_malformed_documents_are_told_in_one_line(paths: Any, message: str) -> None:
    with pytest.raises(Unusable) as caught:
        compare({**EMPTY, "paths": paths}, {**EMPTY, "paths": paths}, ("O", "N"))
    assert str(caught.value).startswith(message.removesuffix("..."))


CHANGES = [
    Change("a-b", "error", "GET /a", "removed \x1b[31m it"),
    *(Change("c-d", "warning", f"GET /{number}", "changed") for number in range(7)),
]


def test_the_text_names_a_change_once() -> None:
    text = FORMATS["text"](CHANGES)
    assert text.splitlines() == [
        "error: a-b",
        "  removed \N{REPLACEMENT CHARACTER}[31m it",
        "  in GET /a",
        "",
        "warning: c-d",
        "  changed",
        "  in GET /0, GET /1, GET /2, GET /3, GET /4 and 2 more",
        "",
        "1 error, 7 warnings",
    ]
    assert FORMATS["text"]([]) == "no change that a client could notice\n"


def test_json_has_all_of_them() -> None:
    found = json.loads(FORMATS["json"](CHANGES))
    assert (found["error"], found["warning"], found["info"], len(found["changes"])) == (1, 7, 0, 8)
    assert found["changes"][1] == {"id": "c-d", "level": "warning", "operation": "GET /0", "text": "changed"}


@pytest.mark.parametrize(
    ("levels", "least", "broken"),
    [
        ("", "warning", False),
        ("info", "warning", False),
        ("warning", "error", False),
        ("warning", "warning", True),
        ("error", "error", True),
    ],
)
def test_what_counts_as_broken(levels: str, least: str, broken: bool) -> None:
    assert breaks([Change("a", level, "", "") for level in levels.split()], least) is broken
