"""Clients that are programs of their own: curl, Node.js and Java."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.edges.exchanges import Answer, Client, Exchange
from tests.support.commands import PATIENCE


def by_curl(*options: str) -> Client:
    """curl, with a connection for each request."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        return [
            _ask_curl(url, exchange, {"Host": "stub.test", **headers, **exchange.headers}) for exchange in exchanges
        ]

    def _ask_curl(url: str, exchange: Exchange, headers: Mapping[str, str]) -> Answer:
        command = ["curl", "-sS", "-w", r"\n%{http_code}", *options]
        command += ["--head"] if exchange.method == "HEAD" else ["-X", exchange.method]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        if exchange.body and "-T" not in options:
            command += ["--data-binary", "@-"]
        elif not exchange.body and "-T" in options:
            command[command.index("-T") : command.index("-T") + 2] = []
        done = subprocess.run(
            [*command, f"{url}/api/v2{exchange.path}"],
            input=exchange.body,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        body, _, status = done.stdout.rpartition(b"\n")
        return int(status), b"" if exchange.method == "HEAD" else body

    return ask


NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


def by_node(how: str, framing: str) -> Client:
    """Node's http, or its fetch, which is undici."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        told = [
            {
                "method": exchange.method,
                "url": f"{url}/api/v2{exchange.path}",
                "headers": {**headers, **exchange.headers},
                "body": b64encode(exchange.body).decode(),
            }
            for exchange in exchanges
        ]
        done = subprocess.run(
            [str(NODE), str(Path(__file__).parent / "client.mjs"), how, framing],
            input=json.dumps(told).encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        return [(status, text.encode()) for status, text in json.loads(done.stdout)]

    return ask


JAVA = shutil.which(os.environ.get("JAVA") or "java")


def by_java(version: str, framing: str) -> Client:
    """The HttpClient of the JDK, with a pool of connections."""

    def ask(url: str, exchanges: Sequence[Exchange], headers: Mapping[str, str]) -> list[Answer]:
        lines = [
            "\t".join(
                [
                    exchange.method,
                    f"{url}/api/v2{exchange.path}",
                    b64encode(exchange.body).decode(),
                    *(f"{name}: {value}" for name, value in {**headers, **exchange.headers}.items()),
                ]
            )
            for exchange in exchanges
        ]
        done = subprocess.run(
            [str(JAVA), str(Path(__file__).parent / "Client.java"), version, framing],
            input="\n".join(lines).encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        answers = (line.split(b"\t") for line in done.stdout.splitlines())
        return [(int(status), b64decode(body)) for status, body in answers]

    return ask


def missing(program: str) -> str:
    """Why one of the programs cannot be used here; empty if it can."""
    if program == "java" and JAVA and b"jdk.compiler" not in _modules(JAVA):
        return "java has no compiler, so it cannot run Client.java"
    found = {"curl": shutil.which("curl"), "node": NODE, "java": JAVA}
    return "" if found[program] else f"{program} is not installed"


@cache
def _modules(java: str) -> bytes:
    return subprocess.run([java, "--list-modules"], capture_output=True, timeout=PATIENCE, check=False).stdout
