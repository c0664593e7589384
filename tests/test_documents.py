"""The documentation is true: its examples run, its links work, its tables match the command.

The words after a block's three backticks say how it runs; CONTRIBUTING.md lists them under "Documentation".
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stubserver.cli import main, serve
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import load
from tests.sources import ROOT
from tests.support.default import PERSONAS
from tests.support.pages import BLOCK, BLOCKS, GUIDES, PAGES, blocks, named, read, scripts, serving, shell

# Examples


def test_every_block_says_how_it_runs() -> None:
    """Each has an info string that CONTRIBUTING.md explains, and almost every block runs."""
    table = read(ROOT / "CONTRIBUTING.md").split("## Documentation")[1].split("\n## ")[0]
    explained = set(re.findall(r"^\| `([a-z ]+)` \|", table, re.MULTILINE))
    assert {block.info for block in BLOCKS} == explained
    assert len(blocks("text")) <= 2


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("page", sorted(set(blocks("bash").values())))
def test_the_commands_of_a_page_work(page: str, tmp_path: Path) -> None:
    """Each command of its bash blocks, next to a server: it succeeds and prints something, and curl gets a 2xx."""
    found = [block.text.replace("\\\n", "") for block in BLOCKS if (block.page, block.info) == (page, "bash")]
    lines = "".join(found).splitlines()
    with serving(sys.executable, "-m", "stubserver") as url:
        for line in lines:
            command = line.replace("http://127.0.0.1:8765", url).replace("curl ", "curl -sS --fail-with-body ")
            done = shell(command, tmp_path, STUBSERVER_URL=url)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            assert done.stdout or "--output" in line, line


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("script", scripts("sh"))
def test_the_script_works_in_an_empty_folder(script: str, tmp_path: Path) -> None:
    done = shell(script, tmp_path)
    assert done.returncode == 0, (done.stdout, done.stderr)
    if "node --test" in script:
        assert "pass 1" in done.stdout


@pytest.mark.slow
@pytest.mark.untraced
def test_the_tests_of_the_pages_pass(tmp_path: Path) -> None:
    """With the plugin, pasted as they are."""
    tests = blocks("python")
    for number, text in enumerate(tests):
        (tmp_path / f"test_example_{number}.py").write_text(text)
    command = f"{sys.executable} -m pytest -q -p no:cacheprovider {tmp_path}"
    done = shell(command, tmp_path)
    expected = sum(len(re.findall(r"^def test_", text, re.MULTILINE)) for text in tests)
    assert f"{expected} passed" in done.stdout, done.stdout


@pytest.mark.parametrize("text", scripts("yaml"))
def test_the_fixture_loads(text: str, tmp_path: Path, contract: Contract) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(text)
    assert load(str(file), contract, datetime.now(UTC)).tables["courses"].rows


# Links


def anchors(page: Path) -> set[str]:
    """The anchors that links to the page may use, by GitHub's rules."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", BLOCK.sub("", read(page)), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        numbered = (f"{slug}-{number}" if number else slug for number in range(100))
        found.add(next(anchor for anchor in numbered if anchor not in found))
    return found


def links(page: Path) -> list[str]:
    """The targets of its links and pictures within this repository."""
    text = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", read(page)))
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"https?:", target)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_of_docs_is_in_both_lists() -> None:
    """In the README and in docs/README.md."""
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= {target.removeprefix("docs/") for target in links(ROOT / "README.md")}
    assert pages <= set(links(ROOT / "docs" / "README.md"))


# The README and the commands


def test_the_readme_is_short_and_begins_with_installing() -> None:
    lines = read(ROOT / "README.md").splitlines()
    assert len(lines) <= 180
    first_screen = "\n".join(lines[:40])
    assert all(command in first_screen for command in ("make serve", "pip install", "pipx install", "uvx"))


@pytest.mark.parametrize("page", [*GUIDES, ROOT / "CONTRIBUTING.md"], ids=named)
def test_the_make_commands_of_a_page_exist(page: Path) -> None:
    for target in sorted(set(re.findall(r"\bmake ([a-z-]+)", " ".join(re.findall(r"`[^`]+`", read(page)))))):
        done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_readme_names_the_two_make_commands() -> None:
    assert {"make serve", "make test"} <= set(re.findall(r"make [a-z-]+", read(ROOT / "README.md")))


def test_the_readme_names_every_persona() -> None:
    assert [name for name in PERSONAS if f"`stub-{name}`" not in read(ROOT / "README.md")] == []


def test_the_options_of_serve_are_all_listed() -> None:
    """With the command's own defaults."""
    table = dict(re.findall(r"^\| `(--[a-z-]+)` \| ([^|]+) \|", read(ROOT / "docs" / "commands.md"), re.MULTILINE))
    options = {option.opts[0]: option for option in serve.params}
    assert set(table) == set(options)
    for name in set(options) - {
        "--fixture-dir",
        "--import",
        "--export-on-exit",
        "--freeze-at",
        "--jwt-secret",
        "--cors-origin",
        "--control-token",
        "--control-origin",
        "--metrics-token",
        "--allowed-host",
        "--public-url",
        "--forwarded-allow-ips",
    }:
        assert table[name] == str(options[name].default)


def test_the_commands_are_all_listed() -> None:
    listed = re.findall(r"^\| `stubserver ([a-z]+)", read(ROOT / "docs" / "commands.md"), re.MULTILINE)
    assert set(listed) == set(main.commands)
