"""`stubserver compare`: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest

from tests.support.commands import invoke, told


def api(folder: Path, name: str, paths: object) -> str:
    file = folder / name
    file.write_text(json.dumps({"openapi": "3.0.3", "paths": paths}), encoding="utf-8")
    return str(file)


def test_the_same_contract_breaks_nothing() -> None:
    assert invoke("compare", ".", ".") == (0, "no change that a client could notice\n", "")


@pytest.mark.parametrize(("least", "status"), [("error", 0), ("warning", 1)])
def test_what_breaks_is_the_exit_status(tmp_path: Path, least: str, status: int) -> None:
    old = api(tmp_path, "old.json", {"/a": {"get": {"parameters": [{"in": "query", "name": "q"}]}}})
    new = api(tmp_path, "new.json", {"/a": {"get": {}}})
    text = "warning: request-parameter-removed\n  removed the query parameter q\n  in GET /a\n\n1 warning\n"
    assert invoke("compare", old, new, "--fail-on", least) == (status, text, "")


def test_an_error_breaks(tmp_path: Path) -> None:
    status, out, err = invoke("compare", ".", api(tmp_path, "new.json", {}), "--format", "json")
    assert (status, err, json.loads(out)["error"] > 50) == (1, "", True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Error: Missing argument 'OLD'."),
        ((".",), "Error: Missing argument 'NEW'."),
        ((".", "none"), "stubserver: cannot read none: No such file or directory"),
        (("tests", "."), "stubserver: cannot read tests: Is a directory"),
        (("README.md", "."), "stubserver: README.md: ..."),
        ((".", ".", "--fail-on", "info"), "Error: Invalid value for '--fail-on': ..."),
        ((".", ".", "--format", "html"), "Error: Invalid value for '--format': ..."),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    status, out, err = invoke("compare", *arguments)
    assert (status, out) == (2, "")
    assert told("\n".join(line for line in err.splitlines() if line and not line.startswith("Try ")), message), err
