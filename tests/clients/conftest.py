"""What tests of the npm package are given: its tarball, and a project with it."""

import json
import shutil
from pathlib import Path

import pytest

from tests.clients.projects import DEVELOPMENT, PACKAGE, PROJECT, run, tool


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, packed from what is built afresh."""
    folder = tmp_path_factory.mktemp("packed")
    run(["npm", "pack", "--silent", "--pack-destination", folder], PACKAGE)
    (packed,) = folder.iterdir()
    return packed


@pytest.fixture(scope="session")
def project(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the package and what it is used with, compiled."""
    folder = tmp_path_factory.mktemp("project") / "here"
    shutil.copytree(PROJECT, folder)
    (folder / "package.json").write_text(json.dumps({"name": "here", "private": True, "type": "module"}))
    run(["npm", "install", "--no-audit", "--no-fund", "--save-dev", tarball, *DEVELOPMENT], folder)
    run(tool("tsc", "--project", "tsconfig.node.json"), folder)
    run(tool("tsc"), folder)
    return folder
