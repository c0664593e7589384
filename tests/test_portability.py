"""A Python without what only POSIX has, and without uvloop, as on Windows: every module loads, and what is not about
terminals works.

This is not Windows, where no test runs. It shows that nothing needs the names that are missing there.
"""

import os
import pkgutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

import stubserver
from tests.support.commands import CLEAN, PATIENCE, Served
from tests.support.executing import execute, script

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

WITHOUT = {
    "os": "fork getpgrp killpg O_CLOEXEC O_NOCTTY setpgid setsid tcgetpgrp tcsetpgrp WUNTRACED",
    "select": "epoll poll",
    "signal": "pthread_sigmask SIGCONT SIGHUP SIGKILL SIGTSTP SIGTTIN SIGTTOU",
    "socket": "MSG_DONTWAIT SO_REUSEPORT",
}
"""Names that some modules lack."""
MISSING = "fcntl grp pty pwd readline resource termios tty uvloop".split()
"""Modules that are missing."""

# It runs when Python starts. The modules that it loads first look for some of the names when they are loaded.
CUSTOMIZE = f"""
import asyncio, importlib, selectors, subprocess, sys, tempfile
for module, names in {WITHOUT!r}.items():
    for name in names.split():
        delattr(importlib.import_module(module), name)
sys.modules.update(dict.fromkeys({MISSING!r}))
"""


@pytest.fixture
def narrow(tmp_path: Path) -> dict[str, str]:
    """The environment of such a Python."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CUSTOMIZE)
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), CLEAN.get("PYTHONPATH")]))}


def run(environment: dict[str, str], *arguments: str, folder: Path | None = None) -> str:
    """What Python prints; it must end with status 0."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**CLEAN, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_module_can_be_loaded(narrow: dict[str, str]) -> None:
    names = [found.name for found in pkgutil.walk_packages(stubserver.__path__, "stubserver.")]
    names = [name for name in names if name != "stubserver.__main__" and ".starters" not in name]
    assert "stubserver.cli.process_group" in names
    load = f"import importlib, select; [*map(importlib.import_module, {names!r})]; print(hasattr(select, 'poll'))"
    assert run(narrow, "-W", "ignore", "-c", load) == "False\n"


def test_the_server_serves(narrow: dict[str, str], tmp_path: Path) -> None:
    with ExitStack() as stack:
        served = Served(tmp_path, **narrow)
        stack.callback(served.end)
        headers = {"Authorization": "Bearer stub-stranger"}
        client = stack.enter_context(httpx.Client(base_url=served.url, headers=headers, timeout=PATIENCE))
        asked = [("POST", "/api/v2/course/1/join/"), ("GET", "/api/v2/course/1/"), ("GET", "/docs/")]
        assert [client.request(*request).status_code for request in asked] == [200, 200, 200]


TEST = """
import sys

def test_it(course_world):
    assert course_world.client("stranger").post("/course/1/join/").status_code == 200
    course_world.clock.advance(days=1)
    assert course_world.async_client("member")
    course_world.assert_called("join_course", times=1)
    assert "uvloop" in sys.modules and sys.modules["uvloop"] is None
"""


@pytest.mark.parametrize("options", [[], ["--stub-in-process"]])
def test_the_plugin_works(narrow: dict[str, str], tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    out = run(narrow, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder=tmp_path)
    assert "1 passed" in out


def test_commands_run_with_a_server(narrow: dict[str, str], tmp_path: Path) -> None:
    text = "print(ask('POST', '/api/v2/course/1/join/', 'stranger')['id']); sys.exit(3)"
    done = execute(command=script(f"import sys; {text}"), folder=tmp_path, **narrow)
    assert (done.returncode, done.stdout, done.stderr) == (3, "1\n", "")
