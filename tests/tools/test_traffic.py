"""Tools that send requests, or pass them on: they find the server as its documents say."""

import json
import re
from pathlib import Path

import pytest

from tests.support.commands import COMMAND, Served
from tests.tools.toolbox import HERE, NEEDS_NODE, document, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_NODE]
CLIENT = HERE.parent / "node"
"""The suite that drives the vendor's npm client."""


@pytest.mark.parametrize(("name", "base", "least"), [("api", "", 64), ("control", "/__stub", 30)])
def test_dredd_sends_every_example(plain: Served, tmp_path: Path, name: str, base: str, least: int) -> None:
    """Those of JSON bodies, as a persona, each in a fresh world; dredd_hooks.cjs says what dredd cannot do."""
    document(name, tmp_path)
    command = ["dredd", "api.json", f"{plain.url}{base}", "--loglevel", "error"]
    output = run([*command, "--hookfiles", str(HERE / "dredd_hooks.cjs")], tmp_path, {"BASE": plain.url})
    (passed, failed) = re.findall(r"complete: (\d+) passing, (\d+) failing", output)[-1]
    assert failed == "0"
    assert int(passed) >= least


@pytest.mark.skipif(
    not (CLIENT / "node_modules" / "stamp").exists(),
    reason="the vendor's npm client is not installed; `make tools` installs it",
)
def test_the_vendors_client_works_through_a_validating_proxy(tmp_path: Path) -> None:
    """Prism checks every answer; it would refuse requests without a token, and the document itself, on its own."""
    file = document("api", tmp_path)
    content = json.loads(file.read_text(encoding="utf-8"))
    for operations in content["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    del content["security"]
    answer = {"200": {"description": "The document.", "content": {"application/json": {"schema": {}}}}}
    content["paths"]["/openapi.json"] = {"get": {"operationId": "get_document", "responses": answer}}
    file.write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "stubserver").write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    (tmp_path / "stubserver").chmod(0o755)
    environment = {
        "STUBSERVER": str(HERE / "proxied.mjs"),
        "DOCUMENT": str(file),
        "SERVER": str(tmp_path / "stubserver"),
    }
    output = run(["node", "--test", "suite.mjs"], CLIENT, environment)
    assert re.search(r"^\W*fail 0$", output, re.MULTILINE)
