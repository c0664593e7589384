"""Merging: partial documents become one; a key in two of them is an error."""

from pathlib import Path

import pytest
import yaml

from stubserver.contract.merging import SpecError, merge
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
