"""`stubserver exec` in a process of its own, running a Python script that asks the server."""

import subprocess
import sys
from pathlib import Path

from tests.support.commands import CLEAN, COMMAND, PATIENCE

ASK = """
import json, os, urllib.error, urllib.request

def ask(method, path, persona=None, body=None, world="default"):
    request = urllib.request.Request(os.environ["STUBSERVER_URL"] + "/~" + world + path, method=method)
    if persona:
        request.add_header("Authorization", "Bearer " + os.environ["STUBSERVER_TOKEN_" + persona.upper()])
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
"""
"""How the scripts begin."""


def script(text: str) -> list[str]:
    """A command that runs a text as Python."""
    return [sys.executable, "-c", ASK + text]


def execute(
    *options: str, command: list[str], folder: Path, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "exec", *options, "--", *command],
        cwd=folder,
        env={**CLEAN, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
