"""The servers that are compared: how each is configured and started, and what it does."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from benchmarks import limit, peer_files
from benchmarks.process import free_port
from benchmarks.recording import Recording
from benchmarks.workloads import WORKLOADS, Request, Workload
from stubserver import __version__

MODULES = Path(__file__).parent / "peers" / "node_modules"
OURS = "stubserver"
PRISM = "prism"
LIMIT = "uvicorn-limit"
_ALL = tuple(WORKLOADS)
_ABOUT = "validates requests and answers, checks tokens and roles, keeps state, a journal and a log"
_FILE_STORE = "sqlite:worlds.db"
# Java resolves names only from this file, so that nothing is ever sent to other hosts.
_NAMES = "names.txt"

Command = Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Server:
    """A server that is compared: a row of the tables."""

    name: str
    about: str
    command: Command
    """Takes its folder and port; returns the command that starts it."""
    version: str = ""
    prepare: Callable[[Path, Recording], None] = lambda folder, recording: None
    """Writes its files into its folder."""
    workloads: tuple[str, ...] = _ALL
    put: str = "PUT"
    """The method with which it changes some fields of a row."""
    pinned: bool = True
    """Whether it stays on the core for servers."""

    def requests(self, workload: Workload) -> tuple[Request, ...]:
        """The workload's requests as this server understands them."""
        return tuple(request.by(self.put) if request.method == "PUT" else request for request in workload.requests)


def servers() -> list[Server]:
    """Our own server and its peers."""
    return [
        ours(),
        ours("stubserver-slow", "--no-fast-path"),
        *_with_stores(),
        _limit(),
        *_node_peers(),
        *_java_peers(),
    ]


def _with_stores() -> list[Server]:
    """Ours, with worlds outside of the process. Two workers share the one core, so that the costs of a request are
    comparable; `make bench-stores` measures how they scale."""
    return [
        ours("stubserver-sqlite", "--store", _FILE_STORE),
        ours("stubserver-workers", "--store", _FILE_STORE, "--workers", "2"),
        replace(
            ours("stubserver-redis"),
            about=f"{_ABOUT}, --store redis://..., the time of Redis included",
            command=_with_redis,
        ),
    ]


def ours(name: str = OURS, *options: str, pinned: bool = True) -> Server:
    """Our own server as users start it, with further options if given."""
    about = ", ".join([_ABOUT, " ".join(options)] if options else [_ABOUT])

    def command(_: Path, port: int) -> list[str]:
        return _stubserver("--port", str(port), *options)

    return Server(name, about, command, __version__, pinned=pinned)


def _limit() -> Server:
    def command(_: Path, port: int) -> list[str]:
        return [sys.executable, limit.__file__, "answers.json", str(port)]

    about = "uvicorn's protocol parses the request and writes a constant: the limit of any server built on it"
    return Server(LIMIT, about, command, uvicorn.__version__, peer_files.limit)


def _with_redis(folder: Path, port: int) -> list[str]:
    """The command for a server and a Redis of its own, which is a child of it, and so measured and stopped with it."""
    engine, engine_port = shutil.which("redis-server"), free_port()
    if engine is None:
        raise FileNotFoundError("redis-server is not installed; `make engines` installs it")
    redis = [
        engine,
        "--port",
        str(engine_port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--maxmemory-policy",
        "noeviction",
    ]
    server = _stubserver("--port", str(port), "--store", f"redis://127.0.0.1:{engine_port}/0")
    ready = f"until (exec 3<>/dev/tcp/127.0.0.1/{engine_port}) 2>&-; do sleep 0.01; done"
    return ["bash", "-c", f"{shlex.join(redis)} & {ready}; exec {shlex.join(server)}"]


def _node_peers() -> list[Server]:
    prism = "validates requests and answers against our contract, answers its example"
    return [
        Server(
            PRISM,
            f"{prism}; default log, discarded",
            lambda folder, port: _prism(port),
            _version("@stoplight/prism-cli"),
            peer_files.contract,
        ),
        Server(
            "prism-quiet",
            f"{prism}; logs errors only",
            lambda folder, port: _prism(port, "-v", "error"),
            _version("@stoplight/prism-cli"),
            peer_files.contract,
        ),
        Server(
            "mockoon",
            "static routes and bodies, templating off; default log, discarded",
            lambda folder, port: _mockoon(port),
            _version("@mockoon/cli"),
            peer_files.mockoon,
        ),
        Server(
            "json-server",
            "rows without a contract, written to a file; changed by PATCH, because its PUT drops what is left out;"
            " answers are indented; quiet",
            lambda folder, port: _json_server(port),
            _version("json-server"),
            peer_files.json_server,
            workloads=("get", "page", "put"),
            put="PATCH",
        ),
    ]


def _java_peers() -> list[Server]:
    return [
        Server(
            "specmatic",
            "validates requests against our contract, answers its examples, indented; no log on the console",
            _specmatic,
            _version("specmatic"),
            _named(peer_files.specmatic),
        ),
        Server(
            "wiremock",
            "static mappings and bodies; no journal, no log",
            _wiremock,
            _version("wiremock"),
            _named(peer_files.wiremock),
        ),
        Server(
            "wiremock-stateful",
            "a scenario whose state is the body that was sent last; no journal, no log",
            _wiremock,
            _version("wiremock"),
            _named(peer_files.wiremock_stateful),
        ),
        Server(
            "mockserver",
            "static expectations and bodies; keeps a log of requests; logs errors only",
            _mockserver,
            _version("mockserver-node"),
            _named(peer_files.mockserver),
        ),
        Server(
            "mockserver-stateful",
            "a scenario whose state is the body that was sent last; keeps a log of requests; logs errors only",
            _mockserver,
            _version("mockserver-node"),
            _named(peer_files.mockserver_stateful),
        ),
    ]


def _prism(port: int, *options: str) -> list[str]:
    return _node("@stoplight/prism-cli/dist/index.js", "mock", "-p", str(port), *options, "openapi.json")


def _mockoon(port: int) -> list[str]:
    options = ["--port", str(port), "--hostname", "127.0.0.1", "--disable-log-to-file"]
    return _node("@mockoon/cli/bin/run.js", "start", "--data", "environment.json", *options)


def _json_server(port: int) -> list[str]:
    options = ["--routes", "routes.json", "--host", "127.0.0.1", "--port", str(port), "--quiet"]
    return _node("json-server/lib/cli/bin.js", "db.json", *options)


def _specmatic(folder: Path, port: int) -> list[str]:
    options = ["--data", "examples", "--host", "127.0.0.1", "--port", str(port), "--noConsoleLog"]
    return [*_java(folder), "-jar", str(MODULES / "specmatic/specmatic.jar"), "stub", "openapi.json", *options]


def _wiremock(folder: Path, port: int) -> list[str]:
    options = ["--bind-address", "127.0.0.1", "--port", str(port), "--root-dir", "."]
    options += ["--no-request-journal", "--disable-request-logging"]
    return [*_java(folder), "-jar", _jar("wiremock/build"), *options]


def _mockserver(folder: Path, port: int) -> list[str]:
    options = ["-Dmockserver.initializationJsonPath=expectations.json", "-Dmockserver.localBoundIP=127.0.0.1"]
    return [*_java(folder), *options, "-jar", _jar("mockserver-node"), "--port", str(port), "--log-level", "ERROR"]


def _node(script: str, *arguments: str) -> list[str]:
    """The command for a script; it runs Node itself, not the small Python program that a wheel puts in front of it."""
    wheel = Path(shutil.which("node") or "node")
    node = subprocess.run([wheel, "-p", "process.execPath"], capture_output=True, text=True, check=True)  # noqa: S603
    return [node.stdout.strip(), str(MODULES / script), *arguments]


def _java(folder: Path) -> list[str]:
    return [os.environ.get("JAVA", "java"), f"-Djdk.net.hosts.file={folder / _NAMES}"]


def _jar(folder: str) -> str:
    """The package's only jar, whose name contains its version."""
    return str(next((MODULES / folder).glob("*.jar")))


def _named(prepare: Callable[[Path, Recording], None]) -> Callable[[Path, Recording], None]:
    def prepared(folder: Path, recording: Recording) -> None:
        prepare(folder, recording)
        (folder / _NAMES).write_text("127.0.0.1 localhost\n", encoding="utf-8")

    return prepared


def _version(package: str) -> str:
    file = MODULES / package / "package.json"
    return str(json.loads(file.read_text(encoding="utf-8"))["version"]) if file.exists() else "not installed"


def _stubserver(*options: str) -> list[str]:
    return [str(Path(sys.executable).with_name("stubserver")), "serve", *options]
