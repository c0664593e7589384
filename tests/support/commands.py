"""The command `stubserver`, run in a process of its own."""

import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from click.testing import CliRunner

from stubserver.cli import main
from tests.sources import ROOT

COMMAND = [sys.executable, "-m", "stubserver"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("STUBSERVER_")}
"""The environment of a user who has set no option of the command."""
PATIENCE = 60
"""The seconds that a process may take."""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def invoke(*arguments: str, **environment: str | None) -> tuple[int, str, str]:
    """Run the command to its end, in this process; return its exit status and what it printed."""
    unset = dict.fromkeys(os.environ.keys() - CLEAN.keys())
    done = CliRunner(env={**unset, **environment}).invoke(main, arguments)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def told(err: str, expected: str) -> bool:
    """Whether a mistake was told in one line, after click's usage if it was click's: exactly as expected, or beginning
    so if `expected` ends in dots."""
    *usage, line = err.splitlines()
    exactly = line.startswith(expected.removesuffix("...")) if expected.endswith("...") else line == expected
    return exactly and (not usage or usage[0].startswith("Usage: "))


def until(
    condition: Callable[[], object], shown: Callable[[], object] = lambda: "", patience: float = PATIENCE
) -> None:
    """Wait until a condition holds; if it never does, fail with what is shown."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.01)


class Served:
    """A running server in its own process."""

    def __init__(
        self, folder: Path, *arguments: str, command: Sequence[str] = (*COMMAND, "serve"), **environment: str
    ) -> None:
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [*command, "--port", "0", *arguments], cwd=ROOT, env={**CLEAN, **environment}, stdout=out, stderr=err
            )
        try:
            self.wait_for(lambda: bool(self._urls))
        except BaseException:
            self.end()
            raise
        (self.url,) = self._urls

    @property
    def _urls(self) -> list[str]:
        """Where it listens, as its banner says, or the first line of its log if that is JSON."""
        if not self.banner:
            return re.findall(r'"message":"[^"]* listens at ([^"]+)".*\n', self.err.read_text())
        return re.findall(r"(http://127\.0\.0\.1:[0-9]+)/api/v2/\n(?s:.*)\n\Z", self.banner)

    @property
    def banner(self) -> str:
        return self.out.read_text()

    @property
    def log(self) -> list[str]:
        return self.err.read_text().split("\n")[:-1]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, self.err.read_text()
            time.sleep(0.02)

    def ask(self, method: str, target: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send the target unchanged by a client library; wait for the line in the log, too."""
        before = len(self.log)
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=20)
        with contextlib.closing(connection):
            connection.request(method, target, headers=headers)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            body = response.read()
        self.wait_for(lambda: len(self.log) > before)
        return response.status, found, body

    def asked(self, method: str, target: str, **headers: str) -> str:
        """The log line of a request, which must be exactly one."""
        before = len(self.log)
        self.ask(method, target, **headers)
        lines = self.log[before:]
        assert len(lines) == 1, lines
        return lines[0]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
