"""Fixtures for tests against the stub server: each test gets a server of its own, with a fresh world."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest


class Stub:
    """A running stub server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, path: str, persona: str | None = None, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of the answer to a request by a persona, such as "member"; None is an anonymous visitor."""
        request = Request(f"{self.url}/api/v2{path}", method=method)
        if persona is not None:
            request.add_header("Authorization", f"Bearer stub-{persona}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urlopen(request, timeout=10) as answer:
                status, text = answer.status, answer.read()
        except HTTPError as refusal:
            with refusal:
                status, text = refusal.code, refusal.read()
        return status, json.loads(text) if text else None


@pytest.fixture
def stub() -> Iterator[Stub]:
    command = ["stubserver", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            api = next(line.split()[1] for line in server.stdout if line.lstrip().startswith("API"))
            yield Stub(api.removesuffix("/api/v2/"))
        finally:
            server.terminate()
