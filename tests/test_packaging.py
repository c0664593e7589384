"""What a newcomer gets: the README's commands, and the wheel in a fresh virtual environment."""

import os
import re
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stubserver import __version__
from stubserver.cli import serve
from tests.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """The base URL of a server on a free port."""
    process = subprocess.Popen([*command, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        found = next(line.split()[1].decode() for line in process.stdout if line.lstrip().startswith(b"API"))
        yield found.removesuffix("/api/v2/")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def bash_blocks() -> str:
    return "\n".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL))


def test_the_commands_of_the_readme_work(tmp_path: Path) -> None:
    """Each line of its bash blocks runs, and each curl line gets a 2xx."""
    commands = [line for line in bash_blocks().splitlines() if line]
    assert sum(line.startswith("curl") for line in commands) > 10
    with serving(sys.executable, "-m", "stubserver") as url:
        for line in commands:
            line = line.replace("http://127.0.0.1:8765", url).replace("curl ", "curl -sS --fail-with-body ")
            line = re.sub(r"^stubserver ", f"{sys.executable} -m stubserver ", line)
            done = subprocess.run(
                ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
            )
            assert done.returncode == 0, (line, done.stdout, done.stderr)
            assert done.stdout or "--output" in line


def test_the_tests_of_the_readme_pass(tmp_path: Path) -> None:
    """With the plugin, as somebody would paste them."""
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "test_readme.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout


def test_the_node_commands_of_the_readme_work(tmp_path: Path) -> None:
    """From nothing to a first test with the vendor's client, by the commands of the README's sh block."""
    (block,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", block],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "pass 1" in done.stdout


@pytest.mark.parametrize("target", ["serve", "test", "test-browser", "help"])
def test_the_make_commands_of_the_readme_exist(target: str) -> None:
    assert f"make {target}" in README
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readme_lists_every_option() -> None:
    """The table of options is the command's own, with its defaults."""
    table = dict(re.findall(r"^\| `(--[a-z-]+)` \| ([^|]+) \|", README, re.MULTILINE))
    options = {option.opts[0]: option for option in serve.params}
    assert set(table) == set(options)
    for name in set(options) - {"--jwt-secret", "--cors-origin", "--control-token"}:
        assert table[name] == str(options[name].default)


def test_the_wheel_serves_a_course(tmp_path: Path) -> None:
    """Built, installed where nothing else is, and asked: the contract, the fixtures and the starters travel with it."""
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"course_stubserver-{__version__}-py3-none-any.whl"
    venv.create(tmp_path / "venv", with_pip=True)
    pip = [str(tmp_path / "venv/bin/python"), "-m", "pip", "install", "-q", "-c", str(ROOT / "requirements.lock")]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True, timeout=300)
    stubserver = str(tmp_path / "venv/bin/stubserver")
    for kind in ("react", "node", "pytest"):
        subprocess.run([stubserver, "init", kind, "--directory", tmp_path / kind], check=True, capture_output=True)
    assert (tmp_path / "node" / ".env.stub").is_file()
    with serving(stubserver) as url:
        request = urllib.request.Request(f"{url}/api/v2/course/1/", headers={"Authorization": "Bearer stub-member"})  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
            assert answer.status == 200
            assert b'"join_status":"joined"' in answer.read()
