"""The file of a fixture: what its text means, and keys that are there twice."""

from pathlib import Path
from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.fixture import FixtureError, load
from stubserver.fixture_file import DuplicateKey, parsed


@pytest.mark.parametrize(
    ("name", "text", "data"),
    [
        ("a.yaml", "", None),
        ("a.yaml", "a: {b: 1}\nc: {b: 2}\n", {"a": {"b": 1}, "c": {"b": 2}}),
        ("a.yaml", "- {a: 1}\n- {a: 2}\n", [{"a": 1}, {"a": 2}]),
        ("a.yaml", "1: a\n'1': b\n", {1: "a", "1": "b"}),
        ("a.yaml", "a: &x {b: 1}\nc: {<<: *x, b: 2}\nd: *x\n", {"a": {"b": 1}, "c": {"b": 2}, "d": {"b": 1}}),
        ("a.yaml", "a: &x {b: 1}\nc: &y {<<: *x, b: 2}\nd: {<<: *y}\n", {"a": {"b": 1}, "c": {"b": 2}, "d": {"b": 2}}),
        ("a.json", '{"a": {"b": 1}, "c": [{"b": 2}, {"b": "{"}]}', {"a": {"b": 1}, "c": [{"b": 2}, {"b": "{"}]}),
        ("a.json", '{"a": "b", "b": "a: \\"a\\": }", "\\\\": 1}', {"a": "b", "b": 'a: "a": }', "\\": 1}),
        ("a.json", '{"a": ["a", "a"], "A": "a"}', {"a": ["a", "a"], "A": "a"}),
    ],
)
def test_keys_that_are_there_once(name: str, text: str, data: Any) -> None:
    assert parsed(text, Path(name)) == data


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("a.yaml", "name: a\nusers: []\nname: b\n", 3, "duplicate key 'name', first on line 1"),
        ("a.yaml", "users:\n- {id: 1, username: ann,\n   username: bob}\n", 3, "'username', first on line 2"),
        ("a.yaml", "users:\n- {id: 1, id: 1}\n", 2, "'id', first on line 2"),
        ("a.yaml", 'a: 1\n"a": 2\n', 2, "'a', first on line 1"),
        ("a.yaml", "x: [[{a: {b: 1, c: 2,\n b: 3}}]]\n", 2, "'b', first on line 1"),
        ("a.yaml", "x: &y {b: 1}\nz: {<<: *y, b: 2,\n b: 3}\n", 3, "'b', first on line 2"),
        ("a.yaml", "x: &y {b: 1, b: 2}\nz: *y\n", 1, "'b', first on line 1"),
        ("a.json", '{"name": "a",\n "users": [],\n "name": "b"}', 3, "'name', first on line 1"),
        ("a.json", '{"users": [{"id": 1,\n\n "id" : 2}]}', 3, "'id', first on line 1"),
        ("a.json", '{"a": {"b": {}},\n "c": {"d": 1, "b": [],\n "d": 2}}', 3, "'d', first on line 2"),
        ("a.json", '{"ab": 1,\n "\\u0061b": 2}', 2, "'ab', first on line 1"),
    ],
)
def test_a_key_that_is_there_twice(name: str, text: str, line: int, says: str) -> None:
    with pytest.raises(DuplicateKey) as caught:
        parsed(text, Path(name))
    assert caught.value.line == line
    assert says in str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("a.yaml", "name: a\nname: b\n"), ("a.json", '{"name": 1,\n"name": 2}')])
def test_the_refusal_has_the_file_and_both_lines(tmp_path: Path, contract: Contract, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(FixtureError) as caught:
        load(str(file), contract)
    assert str(caught.value) == f"{file}:2: duplicate key 'name', first on line 1"
