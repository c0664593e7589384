"""Real engines for tests: Redis and nginx, each in a process of its own, on a free port of loopback, with files that
are gone at the end. An engine that is not installed skips a test, except with ALL_ENGINES=1, which CI sets."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from tests.support.commands import PATIENCE

PACKAGES = {"redis-server": "redis-server", "nginx": "nginx"}
"""Program -> the Debian package that has it."""
_PORTS = range(10_000, 32_768)
"""Ports that no system gives to clients: a port of an engine that has ended stays free until it starts again."""
_MOMENT = 0.5
"""Seconds after which a server that says nothing is asked again whether it is ready."""
_TRIES = 5
"""How often an engine may find that somebody else has taken its port."""


def why_missing(program: str) -> str:
    """Why an engine cannot be used here; empty if it can."""
    if _path(program):
        return ""
    return f"{program} is not installed: `make engines` installs it, from the Debian package {PACKAGES[program]}"


def need(program: str) -> None:
    """Skip the test if an engine is missing, or fail with ALL_ENGINES=1: in CI, nothing may be left out."""
    if reason := why_missing(program):
        assert "ALL_ENGINES" not in os.environ, reason
        pytest.skip(reason)


def _path(program: str) -> str | None:
    """Where a program is; Debian puts servers where only root looks for them."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


def free_port() -> int:
    """A port of loopback on which nobody listens now."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class PortTaken(Exception):
    """Somebody else listens on the port of an engine."""


class _Process:
    """An engine that runs, with what it prints in a file."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command, self._log = command, log
        with log.open("wb") as output:
            self._running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def wait_for(self, is_ready: Callable[[], bool]) -> None:
        """Wait until it is ready. Raises PortTaken, or AssertionError with what it printed if it ends or takes too
        long; it has ended then."""
        deadline = time.monotonic() + PATIENCE
        try:
            while not is_ready():
                assert self._running.poll() is None, self._story("ended")
                assert time.monotonic() < deadline, self._story("is not ready")
                time.sleep(0.01)
        except BaseException:
            self.end(signal.SIGKILL)
            raise

    def _story(self, what: str) -> str:
        printed = self._log.read_text(errors="replace")
        if "Address already in use" in printed:
            raise PortTaken(printed)
        return f"{self._command[0]} {what}: {printed}"

    def send(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def end(self, number: signal.Signals) -> None:
        """End it with a signal, and wait until it has ended."""
        self._running.send_signal(number)
        self._running.wait(PATIENCE)


def _started(start: Callable[[], None]) -> None:
    """Start what takes another port each time."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(PortTaken):
            start()
            return
    start()


class Redis:
    """A Redis server. As a context manager, it runs from beginning to end, unless the test stops it meanwhile; its data
    stay until the end. What cannot be, such as a start of a server that runs, is an AssertionError."""

    def __init__(self, appendonly: bool = True) -> None:
        """With `appendonly`, whatever it has answered survives even SIGKILL; without, its data end with the process. It
        never evicts a key."""
        self._kept = "yes" if appendonly else "no"
        self._folder = ""
        self._process: _Process | None = None
        self._is_paused = False
        self.port = 0
        """Where it listens, each time that it runs."""

    def __enter__(self) -> Self:
        need("redis-server")
        self._folder = tempfile.mkdtemp(prefix="redis-")
        try:
            _started(self._start_somewhere)
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.end(signal.SIGKILL)
        self._process = None
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        """Its first database, as clients name it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _start_somewhere(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start it on its port, with the data that it had; it answers when this returns."""
        assert self._folder, "Redis starts when its context begins"
        assert self._process is None, "Redis is running"
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--dir": self._folder,
            "--appendonly": self._kept,
            "--appendfsync": "always",
            "--save": "",
            "--maxmemory-policy": "noeviction",
        }
        command = [str(_path("redis-server")), *(part for option in options.items() for part in option)]
        process = _Process(command, Path(self._folder, "log"))
        process.wait_for(self._answers)
        self._process, self._is_paused = process, False

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self._asked("PING", _MOMENT) == "+PONG"  # another server on its port may say nothing
        return False

    def stop(self) -> None:
        """End it with SIGTERM."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Have it do nothing until `resume`: its connections stay open, and nobody answers."""
        self._running().send(signal.SIGSTOP)
        self._is_paused = True

    def resume(self) -> None:
        """Have it go on after `pause`."""
        assert self._is_paused, "Redis is not paused"
        self._running(or_paused=True).send(signal.SIGCONT)
        self._is_paused = False

    def ask(self, command: str) -> str:
        """The first line of its reply to a command in one line, such as +OK."""
        self._running()
        reply = self._asked(command)
        assert not reply.startswith("-"), f"Redis refuses {command}: {reply}"
        return reply

    def _asked(self, command: str, timeout: float = PATIENCE) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.makefile("rb").readline().decode().strip()

    def _end(self, number: signal.Signals) -> None:
        self._running(or_paused=number is signal.SIGKILL).end(number)
        self._process, self._is_paused = None, False

    def _running(self, or_paused: bool = False) -> _Process:
        assert self._process is not None, "Redis is not running"
        assert or_paused or not self._is_paused, "Redis is paused"
        return self._process


_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {around}
    server {{
        listen 127.0.0.1:{port};
        {settings}
    }}
}}
"""
_ROUND_ROBIN = """
upstream stub {
    %s
    keepalive 32;
}
"""
_PASSED_ON = """
    proxy_pass http://stub;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_next_upstream off;
"""
_TO_ALL = f"""
location / {{{_PASSED_ON}}}
# nginx itself would refuse bodies of more than a megabyte, and answer TRACE.
client_max_body_size 0;
error_page 405 = @trace;
location @trace {{{_PASSED_ON}}}
"""


def trying_the_next(ports: Sequence[int]) -> tuple[str, str]:
    """Settings for `nginx`, and what stands around them: these ports get the requests in turn, and if one has just
    closed its connection, or says that it is ending, the next one gets the request."""
    servers = "\n    ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
    passed_on = _PASSED_ON.replace("next_upstream off", "next_upstream error http_503 non_idempotent")
    return f"location / {{{passed_on}}}", _ROUND_ROBIN % servers


@contextmanager
def nginx(settings: str, around: str = "") -> Iterator[str]:
    """nginx with the settings of a server, and what must stand around them; gives its URL."""
    need("nginx")
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder, contextlib.ExitStack() as stack:
        port = 0

        def start() -> None:
            nonlocal port
            port = free_port()
            conf = Path(folder, "conf")
            conf.write_text(_NGINX.format(folder=folder, port=port, settings=settings, around=around))
            command = [str(_path("nginx")), "-p", folder, "-e", "stderr", "-c", str(conf)]
            process = _Process(command, Path(folder, "log"))
            process.wait_for(lambda: _listens(port))
            stack.callback(process.end, signal.SIGKILL)

        _started(start)
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE):
        return True
    return False


def round_robin(ports: Sequence[int]) -> contextlib.AbstractContextManager[str]:
    """nginx in front of these ports of loopback: they get the requests in turn, and none gets one that another has had.
    It keeps its connections to them, and passes on the Host header. Gives its URL."""
    assert ports, "nginx needs a port to pass requests on to"
    servers = "\n    ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
    return nginx(_TO_ALL, _ROUND_ROBIN % servers)
