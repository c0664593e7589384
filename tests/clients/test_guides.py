"""What the documentation and `stubserver init` give to JavaScript teams works in fresh projects."""

import json
import os
import shutil
from pathlib import Path

import pytest

from stubserver.cli import starter
from tests.clients.projects import CHROMIUM, NEEDS_PACKAGE, PACKAGE, PROJECT, run, tool
from tests.sources import ROOT
from tests.support.pages import blocks, scripts, shell

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_PACKAGE]

CONFIGURATION = f"""
export default {{
  reporter: 'line',
  use: {{ launchOptions: {{ executablePath: '{CHROMIUM}', args: ['--no-sandbox', '--disable-gpu'] }} }},
}};
"""
"""For Playwright: the browser of the system."""
NPM = """#!/bin/sh
# npm, where the package of this checkout is course-stubserver.
for word; do
  shift
  test "$word" = course-stubserver && word={tarball}
  set -- "$@" "$word"
done
exec {npm} "$@"
"""


@pytest.fixture
def empty(project: Path, tmp_path: Path) -> Path:
    """A project with everything installed, and no files of its own but the settings of Playwright."""
    (tmp_path / "node_modules").symlink_to(project / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "playwright.config.mjs").write_text(CONFIGURATION)
    return tmp_path


def typed(folder: Path) -> Path:
    """The folder, as a strict project in TypeScript."""
    for name in ("tsconfig.json", "tsconfig.node.json"):
        shutil.copy(PROJECT / name, folder)
    text = (folder / "tsconfig.json").read_text().replace('"*.ts"', '"**/*.ts"')
    (folder / "tsconfig.json").write_text(text)
    return folder


@pytest.mark.parametrize("script", scripts("sh npm"))
def test_the_script_works_in_an_empty_folder(script: str, tarball: Path, tmp_path: Path) -> None:
    npm = shutil.which("npm")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "npm").write_text(NPM.format(tarball=tarball, npm=npm))
    (tmp_path / "bin" / "npm").chmod(0o755)
    (folder := tmp_path / "empty").mkdir()
    done = shell(f'PATH="{tmp_path}/bin:$PATH"\n{script}', folder)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert ("pass 1" if "node --test" in script else "stubserver, version") in done.stdout


def test_the_examples_of_the_pages_compile_and_pass(empty: Path) -> None:
    texts = [*blocks("ts"), *scripts_of(PACKAGE / "README.md")]
    for number, text in enumerate(texts):
        (empty / f"example{number}.spec.ts").write_text(text)
    run(tool("tsc", "--noEmit", "--project", "."), typed(empty))
    said = run(tool("playwright", "test"), empty)
    assert f"{sum(text.count('test(') for text in texts)} passed" in said


def scripts_of(page: Path) -> list[str]:
    """The TypeScript of a page that is not among the guides."""
    return [part.split("```")[0] for part in page.read_text(encoding="utf-8").split("```ts\n")[1:]]


@pytest.mark.parametrize("language", ["javascript", "typescript"])
@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("playwright", tool("playwright", "test", "stub")),
        ("react", tool("playwright", "test", "stub")),
        ("vitest", tool("vitest", "run", "stub")),
    ],
)
def test_a_starter_passes(empty: Path, kind: str, command: list[str], language: str) -> None:
    """As its next step runs it; in TypeScript, it compiles under strict."""
    if language == "typescript":
        typed(empty)
    starter.write(kind, empty)
    if language == "typescript" and kind != "react":  # whose types examples/react has
        run(tool("tsc", "--noEmit", "--project", "."), empty)
    assert "1 passed" in run(command, empty, NO_COLOR="1")


def test_the_node_starter_in_typescript_passes(empty: Path) -> None:
    """The one in JavaScript needs the vendor's client, and is in the documentation."""
    starter.write("node", typed(empty))
    run(tool("tsc", "--project", "."), empty)
    assert "pass 1" in run(["node", "--test", "made/stub.test.js"], empty, NO_COLOR="1")


@pytest.mark.skipif(not (ROOT / "examples/react/node_modules/stamp").exists(), reason="needs what `make npm` installs")
def test_the_react_starter_in_typescript_compiles_with_the_vendors_types(tmp_path: Path) -> None:
    options = {
        "strict": True,
        "noEmit": True,
        "target": "ES2022",
        "lib": ["ES2022", "DOM"],
        "types": [],
        "jsx": "react-jsx",
    }
    options |= {"module": "ESNext", "moduleResolution": "bundler", "skipLibCheck": True}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["src"]}))
    starter.write("react", tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "examples" / "react" / "node_modules")
    (tmp_path / "src" / "use.tsx").write_text(
        """import { SCContextProvider } from '@selfcommunity/react-core';
        import { makeConf } from './stub/conf';
        export const app = <SCContextProvider conf={makeConf('http://127.0.0.1:8765')}>.</SCContextProvider>;"""
    )
    run([PACKAGE / "node_modules" / ".bin" / "tsc", "--project", os.curdir], tmp_path)
