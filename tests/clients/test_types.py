"""The npm package fits the contracts and this version: its types are not stale, its names are those of the server."""

import hashlib
import json
import re

import pytest

from stubserver import __version__
from stubserver.worlds.snapshot import Fixture
from tests.sources import ROOT
from tests.support.commands import invoke

PACKAGE = ROOT / "clients" / "js"


@pytest.mark.parametrize(("name", "options"), [("api", []), ("control", ["--control"])])
def test_the_types_are_those_of_the_contract(name: str, options: list[str]) -> None:
    """Each file of types names the document that it was made from. If this fails: `npm run generate` in clients/js."""
    status, document, _ = invoke("spec", *options)
    assert status == 0
    digest = hashlib.sha256(document.encode()).hexdigest()
    first, *_ = (PACKAGE / "src" / "generated" / f"{name}.ts").read_text(encoding="utf-8").splitlines()
    assert first == f"// Types of a document with the SHA-256 {digest}."


def test_the_package_has_the_version_of_the_server() -> None:
    for file in ("package.json", "package-lock.json"):
        assert json.loads((PACKAGE / file).read_text(encoding="utf-8"))["version"] == __version__, file


def test_the_package_needs_nothing_and_runs_nothing_when_installed() -> None:
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package
    assert all(peer["optional"] for peer in package["peerDependenciesMeta"].values())
    assert package["peerDependencies"].keys() == package["peerDependenciesMeta"].keys()
    assert not {"preinstall", "install", "postinstall", "prepare"} & package["scripts"].keys()
    assert package["engines"] == {"node": ">=20"}
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_types_know_the_personas(default_fixture: Fixture) -> None:
    text = (PACKAGE / "src" / "contract.ts").read_text(encoding="utf-8")
    union = text.split("export type Persona =")[1].split(";")[0]
    assert [f"stub-{name}" for name in re.findall(r"'(\w+)'", union)] == [
        persona["token"] for persona in default_fixture.personas
    ]
