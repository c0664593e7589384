"""The file of a fixture: what its text means, keys that are there twice, aliases, and the digest of its meaning."""

import json
import os
import random
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
import yaml

from stubserver.contract.contract import Contract
from stubserver.contract.merging import load_yaml
from stubserver.contract.resources import folder
from stubserver.fixture import FixtureError, load
from stubserver.fixture_file import WrongText, digest_of, line_of, parsed, text_of


@pytest.mark.parametrize(
    ("name", "text", "data"),
    [
        ("a.yaml", "", None),
        ("a.yaml", "a: {b: 1}\nc: {b: 2}\n", {"a": {"b": 1}, "c": {"b": 2}}),
        ("a.yaml", "- {a: 1}\n- {a: 2}\n", [{"a": 1}, {"a": 2}]),
        (
            "a.yaml",
            "a: 2025-01-25T10:00:00Z\nb: '2025-01-25'\nc: 2025-13-01\n",
            {"a": "2025-01-25T10:00:00Z", "b": "2025-01-25", "c": "2025-13-01"},
        ),
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
    with pytest.raises(WrongText) as caught:
        parsed(text, Path(name))
    assert caught.value.line == line
    assert says in str(caught.value)


@pytest.mark.parametrize("seed", range(8))
def test_a_key_that_is_there_twice_is_found_however_the_file_is_written(seed: int) -> None:
    """A file as large ones are written is compared with what it means, which takes less time."""
    draws = random.Random(seed)  # noqa: S311 (not a secret)
    text = orjson.dumps({"a": {"b": [draws.random(), {"c": "é\u2028", "d": None}]}, "e": {"f": {}, "g": -1}}).decode()
    assert parsed(text, Path("a.json")) == json.loads(text)
    keys = ["a", "b", "c", "d", "e", "f", "g"]
    again = draws.choice(keys)
    twice = text.replace(f'"{again}":', f'"{again}":{draws.randrange(10)},"{again}":')
    with pytest.raises(WrongText, match=f"duplicate key '{again}', first on line 1"):
        parsed(twice, Path("a.json"))


def test_a_json_text_may_be_nested_more_deeply_than_it_can_be_written() -> None:
    assert parsed(f"{'[' * 300}{']' * 300}", Path("a.json"))


# Aliases

LAUGHS = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30))
MERGES = "".join(f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 30))
LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a0: &a0 [1, 2]\n{LAUGHS}", None),
        (f"a0: &a0 {{b: 1}}\n{MERGES}", None),
        ("name: a\nusers: &a [*a]\n", 2),
        ("name: a\nusers: &a {b: *a}\n", 2),
        ("name: a\nusers: &a [[{b: [*a]}]]\n", 2),
        (f"a: &a {LONG}\nb: [{', '.join(['*a'] * 200)}]\n", 1),
        (f"a: &a\n- {LONG}\nb: [{', '.join(['*a'] * 200)}]\n", 1),
    ],
    ids=["lists", "merges", "itself", "its own value", "around itself", "long text", "list with a long text"],
)
def test_aliases_that_stand_for_too_much_are_refused(text: str, line: int | None) -> None:
    """Whatever they stand for would be checked and served as often as it is named."""
    with pytest.raises(WrongText, match="repeat what begins here until it has more than 16777216 bytes") as caught:
        parsed(text, Path("a.yaml"))
    assert line is None or caught.value.line == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a: &a [1, *b]\nb: {LONG}".replace("*b", "2"), {"a": [1, 2], "b": LONG}),
        (f"a: &a {LONG}\nb: [{', '.join(['*a'] * 100)}]\n", {"a": LONG, "b": [LONG] * 100}),
        ("a: &a [1, {b: c}]\nb: [" + ", ".join(["*a"] * 50_000) + "]\n", {"a": [1, {"b": "c"}]}),
        ("a: &a short\nb: [" + ", ".join(["*a"] * 50_000) + "]\n", {"a": "short", "b": ["short"] * 50_000}),
    ],
    ids=["unused", "long text", "many", "short text"],
)
def test_aliases_that_spare_some_writing_are_fine(text: str, expected: dict[str, Any]) -> None:
    found = parsed(text, Path("a.yaml"))
    assert {name: found[name] for name in expected} == expected


# The digest

SAID = {"name": "a", "users": [{"id": 1, "username": "ann", "bio": "1", "joined": "-3d"}], "x": {"b": 1.5, "c": None}}
YAML = """
# A comment
name: a
users:
- {id: 1, username: "ann", bio: '1', joined: -3d}  # another
x: {b: 1.5, c: ~}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", YAML),
        ("a.yaml", YAML.replace("\n", "\r\n")),
        ("a.yaml", yaml.safe_dump(SAID)),
        ("a.yaml", yaml.safe_dump(SAID, sort_keys=True, default_flow_style=True)),
        ("a.yaml", "c: &c {b: 1.5, c: null}\n" + YAML.replace("{b: 1.5, c: ~}", "*c")),
        ("a.json", json.dumps(SAID)),
        ("a.json", json.dumps(SAID, indent=4)),
        ("a.json", json.dumps({name: SAID[name] for name in reversed(SAID)}, separators=(",", ":"))),
    ],
    ids=["yaml", "line ends", "dumped", "sorted", "alias", "json", "indented", "reversed"],
)
def test_the_digest_is_that_of_what_the_file_says(name: str, text: str) -> None:
    data = parsed(text, Path(name))
    data.pop("c", None)
    assert digest_of(data) == digest_of(SAID)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ann", "bob"),
        ("'1'", "1"),
        ("id: 1", "id: '1'"),
        ("1.5", "1.25"),
        ("-3d", "-4d"),
        ("-3d", "'2026-01-01T00:00:00Z'"),
        ("~", "false"),
        ("~", "''"),
        ("c: ~", "d: ~"),
        (", c: ~", ""),
        ("username", "user"),
        ("x: {b: 1.5, c: ~}", "x: [{b: 1.5, c: ~}]"),
        ("- {id: 1,", "- {id: 2, username: cleo}\n- {id: 1,"),
    ],
)
def test_the_digest_is_another_if_the_file_says_something_else(old: str, new: str) -> None:
    assert old in YAML
    assert digest_of(parsed(YAML.replace(old, new), Path("a.yaml"))) != digest_of(SAID)


def test_the_digest_depends_on_the_order_of_rows() -> None:
    """Which is that of sections, lessons and questions."""
    assert digest_of({"users": [{"id": 1}, {"id": 2}]}) != digest_of({"users": [{"id": 2}, {"id": 1}]})


def test_what_ships_has_the_same_digest_as_json(tmp_path: Path, contract: Contract) -> None:
    """And with other comments; the digest of the text, which old snapshots have, is another."""
    text = (folder("fixtures") / "default.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(f"# mine\n{text}", encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps(load_yaml(text)), encoding="utf-8")
    shipped, *others = (
        load(name, contract) for name in ("default", str(tmp_path / "a.yaml"), str(tmp_path / "a.json"))
    )
    assert {other.digest for other in others} == {shipped.digest}
    assert len({shipped.text_digest, *(other.text_digest for other in others)}) == 3


def test_what_is_nested_too_deeply_has_no_digest() -> None:
    data: list[Any] = []
    for _ in range(300):
        data = [data]
    with pytest.raises(WrongText, match=r"this cannot be written as JSON: .*[Rr]ecursion"):
        digest_of(data)


@pytest.mark.parametrize(("name", "text"), [("a.yaml", "name: a\nname: b\n"), ("a.json", '{"name": 1,\n"name": 2}')])
def test_the_refusal_has_the_file_and_both_lines(tmp_path: Path, contract: Contract, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(FixtureError) as caught:
        load(str(file), contract)
    assert str(caught.value) == f"{file}:2: duplicate key 'name', first on line 1"


@pytest.mark.parametrize(
    ("name", "text", "path", "line"),
    [
        ("a.yaml", "a:\n- b: 1\n  c:\n    d: 2\n", ("a", 0, "c", "d"), 4),
        ("a.json", '{"a": [1, {"b": 2,\n "c": {"d":\n 3}}],\n "b": 4}', ("a", 1, "c"), 2),
        ("a.yaml", "x: &y\n  b: 1\nz: *y\n", ("z", "b"), 2),
        ("a.yaml", "a:\n- b: 1\n- c: 1\n", ("a", 1), 3),
        ("a.yaml", "a:\n- b: 1\n- c: 1\n", ("a", 1, "d"), 3),
        ("a.yaml", "a:\n- b: 1\n- c: 1\n", ("a", 7), 1),
        ("a.yaml", "# x\na: 1\n", (), 2),
        ("a.yaml", "", ("a",), None),
        ("a.yaml", "a: [", ("a",), None),
        ("a.json", '\n{"a": [1, {"b": 2}],\n "b": 4}', ("b",), 3),
        ("a.json", '\n{"a": [1, {"b": 2}],\n "b": 4}', (), 2),
        ("a.json", '{"a": [],\n "{": {},\n "b": "]}",\n "c": {"a":\n[\n[2,\n3]]}}', ("c", "a", 0, 1), 7),
        ("a.json", '{"a": [],\n "b": [1]}', ("b", 1), 2),
        ("a.json", '{"a": [],\n "b": [1]}', ("c",), 1),
        ("a.json", '{"a": ', ("a", 0), None),
    ],
)
def test_a_place_has_a_line(name: str, text: str, path: tuple[str | int, ...], line: int | None) -> None:
    """That of the key, or of what is around a place that is not there."""
    assert line_of(path, text, Path(name)) == line


def test_a_pipe_is_read_once(tmp_path: Path, contract: Contract) -> None:
    """So the refusal of what came through it has no line, and nobody waits for more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_text, args=("name: a\nusers: 1\n",))
    writer.start()
    with pytest.raises(FixtureError) as caught:
        load(str(pipe), contract)
    writer.join()
    assert str(caught.value) == f"{pipe}: users: 1 is not valid; it must be a list"


def test_a_file_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a\n\n\xe4")
    with pytest.raises(WrongText, match="the byte 0xe4 is not UTF-8") as caught:
        text_of(tmp_path / "a")
    assert caught.value.line == 3
