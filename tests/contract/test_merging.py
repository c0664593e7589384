"""Merging: partial documents become one; a key in two of them is an error."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stubserver.contract.merging import SpecError, load_own, load_yaml, merge
from stubserver.contract.resources import folder


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a.yaml": "openapi: 3.0.3", "b.yaml": "openapi: 3.0.3"}, ["openapi", "a.yaml", "b.yaml"]),
        ({"a.yaml": "paths: {/x/: {get: {}}}", "b.yaml": "paths: {/x/: {get: {}}}"}, ["/x/ get", "a.yaml", "b.yaml"]),
        ({"a.yaml": "x-rules: {R1: {}}", "b.yaml": "x-rules: {R1: {}}"}, ["R1", "a.yaml", "b.yaml"]),
        (
            {"a.yaml": "components: {schemas: {X: {}}}", "b.yaml": "components: {schemas: {X: {}}}"},
            ["schemas X", "a.yaml", "b.yaml"],
        ),
        ({"a.yaml": "openapi: 3.0.3", "b.yaml": "paths: [1"}, ["b.yaml"]),
        ({"a.yaml": "- 1"}, ["a.yaml", "mapping"]),
        ({"a.yaml": ""}, ["a.yaml", "mapping"]),
        ({"a.yaml": "openapi: '\xff'".encode("latin-1")}, ["a.yaml"]),
        ({"a.yaml": "paths:"}, ["a.yaml", "paths"]),
        ({"a.yaml": "components: {schemas: [1]}"}, ["a.yaml", "components"]),
        ({}, ["no *.yaml"]),
        ({"a.json": "{}"}, ["no *.yaml"]),
    ],
)
def test_a_folder_that_cannot_be_merged(tmp_path: Path, files: dict[str, str | bytes], says: list[str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError) as caught:
        merge(tmp_path)
    assert all(part in str(caught.value) for part in says)
    assert "\n" not in str(caught.value)


def test_parts_of_different_files_are_united(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("paths: {/a/: {get: {}}}\ncomponents: {schemas: {A: {type: object}}}\n")
    (tmp_path / "b.yaml").write_text(
        "paths: {/a/: {put: {}}, /b/: {get: {}}}\ncomponents: {schemas: {B: {}}, examples: {A: {}}}\n"
    )
    assert merge(tmp_path) == {
        "paths": {"/a/": {"get": {}, "put": {}}, "/b/": {"get": {}}},
        "components": {"schemas": {"A": {"type": "object"}, "B": {}}, "examples": {"A": {}}},
    }


def test_no_file_repeats_a_key() -> None:
    """YAML would silently take the last one."""

    def check(node: yaml.Node | None, where: str) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
            assert len(keys) == len(set(keys)), where
            for key, value in node.value:
                check(value, f"{where}/{key.value}")
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                check(value, where)

    for file in [*folder("openapi").glob("*.yaml"), *folder("fixtures").glob("*.yaml")]:
        check(yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), file.name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "text",
        "[1, 1.5, yes, ~, 'no', [], {}, 2026-01-18, 2026-01-18 10:00:00, 0x10, 010]",
        "{1: one, yes: no, ~: nothing, 'two': 2, 2026-01-18: day}",
        "base: &b {a: 1, b: [x]}\nboth: {<<: *b, b: 2, <<: {c: 3}}\nsame: *b",
        "a: !!str 1\nb: !!int '1'\nc: !!set {x}\nd: !!omap [{x: 1}]\ne: !!binary aGk=\nf: !!seq [1]\ng: !!map {a: 1}",
        "a: 1\na: 2",
        "? |\n  long\n: >\n  folded\n  text\n",
    ],
)
def test_our_own_documents_say_what_pyyaml_reads(text: str) -> None:
    assert load_own(text) == load_yaml(text)


@pytest.mark.parametrize("file", [*folder("openapi").rglob("*.yaml")], ids=lambda file: file.name)
def test_so_do_those_that_there_are(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert load_own(text) == load_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "{[1]: 2}",
        "{{a: 1}: 2}",
        "!!int x",
        "[<<]",
        "!!str [a]",
        "{!!str [a]: 1}",
        "!unheard-of x",
        "!!seq {a: 1}",
        "*a",
        "[",
        "a: 1\n---\n",
        "!!map [1]",
    ],
)
def test_what_pyyaml_refuses_is_refused(text: str) -> None:
    def outcome(read: Callable[[str], object]) -> type[BaseException] | None:
        try:
            read(text)
        except (yaml.YAMLError, ValueError) as error:
            return type(error)
        return None

    assert outcome(load_own) is outcome(load_yaml) is not None
