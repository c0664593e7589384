"""Handles for tests and tools: a running server, and a world of it with its clients, clock, faults and journal.

The pytest plugin gives them out as the fixtures `course_stub` and `course_world`; they work as well without pytest.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from stubserver.addressing import CONTROL, WORLD_HEADER, base_path

TIMEOUT = 30.0
"""Seconds that a request may take."""


class StubError(Exception):
    """The server cannot be reached, or its control plane refuses; the message says why, in one line."""


class Stub:
    """A server, by its URL."""

    def __init__(self, url: str, token: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        """`token` is what the control plane of a server beyond loopback asks for; `transport` speaks to a server that
        has no socket."""
        self.url = url.rstrip("/")
        self.app: Any = None
        """The application, where it is served in this process without a socket."""
        self._transport = _Shared(transport or httpx.HTTPTransport())
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._control = self.client(headers=headers)

    def client(self, path: str = "", headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client of the server, for URLs below `path`."""
        url = f"{self.url}{path}"
        return httpx.Client(transport=self._transport, base_url=url, headers=headers, timeout=TIMEOUT)

    def control(self, method: str, path: str, world: str | None = None, **options: Any) -> Any:
        """Ask the control plane, about a world if one is named; returns the JSON of the answer. Raises StubError."""
        headers = {WORLD_HEADER: world} if world else {}
        try:
            answer = self._control.request(method, f"{CONTROL}{path.removeprefix('/')}", headers=headers, **options)
        except httpx.HTTPError as error:
            raise StubError(f"no stub server answers at {self.url}: {error}") from None
        if answer.is_error:
            raise StubError(f"{method} {path}: {_reason(answer)}")
        return answer.json() if answer.content else None

    def world(self, name: str) -> "CourseWorld":
        """The world of that name; it is made when it is first touched."""
        return CourseWorld(self, name)

    def coverage(self) -> dict[str, Any]:
        """What of the contract has been exercised."""
        report: dict[str, Any] = self.control("GET", "/coverage")
        return report

    def close(self) -> None:
        """Close all connections."""
        self._transport.inner.close()


class CourseWorld:
    """One isolated world of a server."""

    def __init__(self, stub: Stub, name: str) -> None:
        self.stub = stub
        self.name = name
        self.base_url = f"{stub.url}{base_path(name)}"
        """What a frontend that takes one base URL is given."""
        self.api_url = f"{self.base_url}/api/v2"
        self.clock = Clock(self)
        self.faults = Faults(self)
        self.journal = Journal(self)

    def control(self, method: str, path: str, **options: Any) -> Any:
        """Ask the control plane about this world. Raises StubError."""
        return self.stub.control(method, path, world=self.name, **options)

    @cached_property
    def tokens(self) -> Mapping[str, str]:
        """Persona, such as "member", -> its token."""
        found = self.control("GET", "/personas")["results"]
        return {persona["token"].removeprefix("stub-"): persona["token"] for persona in found}

    def client(self, persona: str | None = None) -> httpx.Client:
        """A client whose URLs are relative to the API (`client.get("/user/me/")`), as a persona or anonymous."""
        headers = {"Authorization": f"Bearer {self.tokens.get(persona, persona)}"} if persona else {}
        return self.stub.client(f"{base_path(self.name)}/api/v2", headers)

    def assert_called(self, operation: str | None = None, **expected: Any) -> None:
        """Raise AssertionError, naming the nearest request, unless the world was asked what is expected.

        `expected` are the fields of Expectation in the control plane's contract: `times`, `at_least`, `at_most`,
        `body`, `contains`, `query`, `persona`, `status`, `method`, `path`.
        """
        named = {"operation": operation} if operation else {}
        verdict = self.control("POST", "/verify", json={**named, **expected})
        if not verdict["verified"]:
            raise AssertionError(verdict["message"])

    def reset(self, fixture: str | None = None) -> None:
        """Begin anew, from its own fixture or another."""
        params = {"fixture": fixture} if fixture else {}
        self.stub.control("POST", f"/worlds/{self.name}/reset", params=params)

    def fork(self, name: str) -> "CourseWorld":
        """A new world that begins as this one is now."""
        self.snapshot(name)  # which also makes this one, if nobody has touched it
        self.stub.control("POST", "/worlds", json={"name": name, "snapshot": name})
        self.stub.control("DELETE", f"/snapshots/{name}")
        return self.stub.world(name)

    def snapshot(self, name: str) -> None:
        """Keep the world as it is now under a name, for `restore` of any world."""
        self.control("POST", "/snapshots", json={"name": name})

    def restore(self, name: str) -> None:
        """Make the world what a snapshot has."""
        self.control("POST", f"/snapshots/{name}/restore")

    def delete(self) -> None:
        """Forget the world."""
        self.stub.control("DELETE", f"/worlds/{self.name}")


class Clock:
    """The time of a world."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        """The moment."""
        return datetime.fromisoformat(self._world.control("GET", "/clock")["now"])

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still, at a moment or now."""
        params = {"at": at.isoformat()} if at else {}
        self._world.control("POST", "/clock/freeze", params=params)

    def set(self, at: datetime) -> None:
        """Go to a moment."""
        self._world.control("POST", "/clock/set", json={"at": at.isoformat()})

    def advance(self, **by: float) -> None:
        """Move on by `days`, `hours`, `minutes` and `seconds`."""
        self._world.control("POST", "/clock/advance", json=by)

    def release(self) -> None:
        """Run with the real time."""
        self._world.control("POST", "/clock/release")


class Faults:
    """What goes wrong in a world."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    def add(self, kind: str, **wanted: Any) -> int:
        """Let something go wrong; `wanted` are the fields of FaultCreate in the control plane's contract. Returns its
        number."""
        number: int = self._world.control("POST", "/faults", json={"kind": kind, **wanted})["id"]
        return number

    def list(self) -> Any:
        """All faults, with how often each has fired."""
        return self._world.control("GET", "/faults", params={"limit": 100})["results"]

    def clear(self) -> None:
        """End all."""
        self._world.control("DELETE", "/faults")


class Journal:
    """What a world was asked."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    def requests(self, **filters: Any) -> Any:
        """The newest requests first, at most 100; filters as in the control plane's contract."""
        return self._world.control("GET", "/requests", params={"limit": 100, **filters})["results"]

    def count(self, **filters: Any) -> int:
        """How many requests fit."""
        number: int = self._world.control("GET", "/requests", params={"limit": 1, **filters})["count"]
        return number

    def clear(self) -> None:
        """Forget them."""
        self._world.control("DELETE", "/requests")


class _Shared(httpx.BaseTransport):
    """One pool of connections for many clients, which may be closed without closing it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.inner.handle_request(request)


def _reason(answer: httpx.Response) -> str:
    """What a refusal says, in one line."""
    try:
        errors = answer.json()["errors"]
        messages = [message["message"] for entry in errors for message in entry.get("messages", [entry])]
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"
    return " ".join(messages)
