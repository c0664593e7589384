"""Tools that send requests, or pass them on: they find the server as its documents say."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.sources import ROOT
from tests.support.commands import COMMAND, Served
from tests.tools.toolbox import HERE, NEEDS_NODE, document, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_NODE]
CLIENT = HERE.parent / "node"
"""The suite that drives the vendor's npm client."""

CANNOT = "file|an_upload_in_pieces|^every_"
"""What Prism cannot do: it damages files. Without them, the last tests of the suite find that not all was called."""


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
    node = run(["node", "--print", "process.execPath"], tmp_path).strip()  # the one that gets the signals
    commands = {"server": " ".join(COMMAND), "proxied": f"{node} {HERE / 'proxied.mjs'}"}
    for name, command in commands.items():
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (tmp_path / name).chmod(0o755)
    environment = {"STUBSERVER": str(tmp_path / "proxied"), "SERVER": str(tmp_path / "server"), "DOCUMENT": str(file)}
    output = run(["node", "--test", "--test-skip-pattern", f"/{CANNOT}/", "suite.mjs"], CLIENT, environment)
    assert "fail 0" in output
    (passed,) = re.findall(r"^. pass (\d+)$", output, re.MULTILINE)
    assert int(passed) >= 90


@pytest.mark.skipif(
    not (CLIENT / "node_modules" / "stamp").exists(),
    reason="the vendor's npm client is not installed; `make tools` installs it",
)
def test_the_vendors_client_works_through_our_own_proxy(tmp_path: Path) -> None:
    """It notices no difference, and the server is never at fault."""
    server, seen = tmp_path / "server", tmp_path / "seen"
    server.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.support.proxied_server {seen} "$@"\n')
    server.chmod(0o755)
    seen.mkdir()
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    output = run(["node", "--test", "suite.mjs"], CLIENT, {"STUBSERVER": str(server), "PYTHONPATH": path})
    assert re.search("fail 0$", output, re.MULTILINE)
    reports = [json.loads(file.read_text(encoding="utf-8")) for file in seen.glob("*.json")]
    assert sum(report["documented"] for report in reports) > 400
    found = [one for report in reports for one in report["differences"]]
    assert [one for one in found if one["source"] != "request"] == []
    assert "create_course request: type request" in {one["key"] for one in found}
    sizes = [len(json.loads(file.read_text(encoding="utf-8"))["log"]["entries"]) for file in seen.glob("*.har")]
    assert sorted(sizes) == sorted(report["documented"] for report in reports)
