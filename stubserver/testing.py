"""Handles for tests and tools: a running server, and its worlds with their clients, clock, faults, variants and
journal.

The pytest plugin provides them as the fixtures `course_stub` and `course_world`; they also work without pytest.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

import httpx

from stubserver.addressing import TOKEN_PREFIX, base_path
from stubserver.client.channel import PAGE, TIMEOUT, Channel, StubError, bearer, rows
from stubserver.client.clients import AsyncClient, Client, SharedTransport
from stubserver.client.transport import InThread, SocketTransport
from stubserver.suggestions import unknown

__all__ = ["Clock", "CourseWorld", "Faults", "Journal", "Stub", "StubError", "Variants"]


__tracebackhide__ = True  # pytest ends the traceback of a failure at the line of the test


class Stub:
    """A running server, addressed by its URL."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
        listen: Callable[[], str] | None = None,
    ) -> None:
        """`token` is for the control plane of a server that does not listen on loopback. `transport` reaches a server
        that has no socket, and `listen` gives it one and returns its URL. Raises StubError if `url` is not that of a
        server."""
        self.app: Any = None
        """The application, if it is served in this process without a socket."""
        self._transport = SharedTransport(transport or SocketTransport())
        self._channel = Channel(url, token, self._transport)
        self._listen = listen

    @cached_property
    def url(self) -> str:
        """The base URL, for clients of your own. A server without a socket opens one when this is first read. Raises
        StubError if it cannot."""
        try:
            return self._listen() if self._listen else self._channel.url
        except Exception as error:  # the system refuses, or a library that keeps tests off the network
            raise StubError(f"no socket for other clients: {error} client() and async_client() need none.") from None

    def client(self, path: str = "", headers: Mapping[str, str] | None = None) -> httpx.Client:
        """An HTTP client for URLs below `path`."""
        url = f"{self._channel.url}{path}"
        return Client(transport=self._transport, base_url=url, headers=headers, timeout=TIMEOUT)

    def async_client(self, path: str = "", headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """The same for asynchronous code, under asyncio or trio."""
        url = f"{self._channel.url}{path}"
        return AsyncClient(transport=InThread(self._transport), base_url=url, headers=headers, timeout=TIMEOUT)

    def control(self, method: str, path: str, world: str | None = None, **options: Any) -> Any:
        """Call the control plane, for `world` if it is given. Returns the parsed JSON answer, or None if it is empty.
        Raises StubError."""
        return self._channel.call(method, path, world, **options)

    def world(self, name: str) -> "CourseWorld":
        """A handle for the world of that name; the first request to a world creates it."""
        return CourseWorld(self, name)

    def coverage(self) -> dict[str, Any]:
        """How much of the contract has been exercised: a Coverage of the control plane's contract."""
        report: dict[str, Any] = self.control("GET", "/coverage")
        return report

    def close(self) -> None:
        """Close the connections of all clients, which then raise ConnectError."""
        self._transport.shut()


class CourseWorld:
    """One isolated world of a server."""

    def __init__(self, stub: Stub, name: str) -> None:
        self.stub = stub
        self.name = name
        self.clock = Clock(self)
        self.faults = Faults(self)
        self.variants = Variants(self)
        self.journal = Journal(self)

    @property
    def base_url(self) -> str:
        """The base URL for a frontend, which then works in this world."""
        return f"{self.stub.url}{base_path(self.name)}"

    @property
    def api_url(self) -> str:
        """The URL of the API in this world."""
        return f"{self.base_url}/api/v2"

    def control(self, method: str, path: str, **options: Any) -> Any:
        """Call the control plane for this world. Raises StubError."""
        return self.stub.control(method, path, world=self.name, **options)

    @cached_property
    def tokens(self) -> Mapping[str, str]:
        """Persona, such as "member" -> its token."""
        found = self.control("GET", "/personas")["results"]
        return {persona["token"].removeprefix(TOKEN_PREFIX): persona["token"] for persona in found}

    def client(self, persona: str | None = None, token: str | None = None) -> httpx.Client:
        """A client whose URLs are relative to the API (`client.get("/user/me/")`): as a persona, by its name or its
        token, or with any other `token`; as an anonymous caller without either. Raises StubError for a persona that
        the world does not have."""
        return self.stub.client(f"{base_path(self.name)}/api/v2", self._caller(persona, token))

    def async_client(self, persona: str | None = None, token: str | None = None) -> httpx.AsyncClient:
        """The same for asynchronous code, under asyncio or trio; for use in `async with`."""
        return self.stub.async_client(f"{base_path(self.name)}/api/v2", self._caller(persona, token))

    def _caller(self, persona: str | None, token: str | None) -> Mapping[str, str]:
        """The headers that say who calls. Raises StubError."""
        if token is not None and (persona is not None or not token):
            raise StubError("A client is a persona or has a token, which is not empty; leave out both for neither.")
        if persona is not None:
            token = self.tokens.get(persona, persona)
            if token not in self.tokens.values():
                raise StubError(f"{unknown('persona', str(persona), self.tokens)} Pass other tokens as token=.")
        return bearer(token)

    def assert_called(self, operation: str | None = None, **expected: Any) -> None:
        """Raise AssertionError, quoting the closest request, unless the world received the expected requests.

        `expected` takes the fields of Expectation in the control plane's contract: `times`, `at_least`, `at_most`,
        `body`, `contains`, `query`, `persona`, `status`, `method`, `path`.
        """
        named = {"operation": operation} if operation else {}
        verdict = self.control("POST", "/verify", json={**named, **expected})
        if not verdict["verified"]:
            raise AssertionError(verdict["message"])

    def case(self) -> dict[str, Any]:
        """All that it takes to repeat what happened in the world, for `stubserver replay`: a Case of the control
        plane's contract."""
        found: dict[str, Any] = self.control("GET", "/case")
        return found

    def reset(self, fixture: str | None = None) -> None:
        """Reset the world to its fixture, or to another one."""
        params = {"fixture": fixture} if fixture else {}
        self.stub.control("POST", f"/worlds/{self.name}/reset", params=params)

    def be_strict(self, strict: bool = True) -> None:
        """Refuse from now on what the contract's types do not allow, though Django REST Framework, which serves the
        real API, accepts it; with False, accept it again."""
        self._create()
        self.stub.control("PATCH", f"/worlds/{self.name}", json={"strict": strict})

    def fork(self, name: str) -> "CourseWorld":
        """A new world that starts as a copy of this one."""
        self._create()
        self.stub.control("POST", "/worlds", json={"name": name, "world": self.name})
        return self.stub.world(name)

    def _create(self) -> None:
        """Create the world, if it does not exist yet."""
        try:
            self.stub.control("GET", f"/worlds/{self.name}")
        except StubError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            self.stub.control("POST", "/worlds", json={"name": self.name})

    def snapshot(self, name: str) -> None:
        """Take a named snapshot of the world, which any world can `restore`."""
        self.control("POST", "/snapshots", json={"name": name})

    def restore(self, name: str) -> None:
        """Restore a snapshot into this world."""
        self.control("POST", f"/snapshots/{name}/restore")

    def delete(self) -> None:
        """Delete the world, with its journal, faults and clock."""
        self.stub.control("DELETE", f"/worlds/{self.name}")


class Clock:
    """The clock of a world."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        """The world's current time."""
        return datetime.fromisoformat(self._world.control("GET", "/clock")["now"])

    def freeze(self, at: datetime | None = None) -> None:
        """Stop the clock, at `at` or at the current time."""
        params = {"at": at.isoformat()} if at else {}
        self._world.control("POST", "/clock/freeze", params=params)

    def set(self, at: datetime) -> None:
        """Set the clock to `at`; it keeps running, or stays frozen there."""
        self._world.control("POST", "/clock/set", json={"at": at.isoformat()})

    def advance(self, **by: float) -> None:
        """Move the clock forward by `weeks`, `days`, `hours`, `minutes` and `seconds`."""
        self._world.control("POST", "/clock/advance", json=by)

    def release(self) -> None:
        """Follow real time again."""
        self._world.control("POST", "/clock/release")


class Faults:
    """The faults of a world."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    def add(self, kind: str, **wanted: Any) -> int:
        """Add a fault; `wanted` takes the fields of FaultCreate in the control plane's contract. Returns its id.

        With `switch="NAME"`, it fires only for requests with `?__fault=NAME` or the cookie `stub-fault=NAME`."""
        number: int = self._world.control("POST", "/faults", json={"kind": kind, **wanted})["id"]
        return number

    def list(self) -> Any:
        """All faults, each with the number of times it has fired."""
        return self._world.control("GET", "/faults", params={"limit": PAGE})["results"]

    def remove(self, number: int) -> None:
        """Remove a fault, by its id. Raises StubError if there is no such fault."""
        self._world.control("DELETE", f"/faults/{number}")

    def clear(self) -> None:
        """Remove all faults."""
        self._world.control("DELETE", "/faults")


class Variants:
    """The variants of a world: what is different in its answers, though the contract allows it as well."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    def add(self, kind: str, place: str | None = None, **wanted: Any) -> int:
        """Add a variant at a `place`, such as `/results/*/avatar`, or everywhere; `wanted` takes the other fields of
        VariantCreate in the control plane's contract: `operation` and `choice`. Returns its id. Raises StubError for
        what the contract does not offer."""
        at = {} if place is None else {"place": place}
        number: int = self._world.control("POST", "/variants", json={"kind": kind, **at, **wanted})["id"]
        return number

    def list(self) -> Any:
        """All variants, each with the number of answers in which it made a difference."""
        return self._world.control("GET", "/variants", params={"limit": PAGE})["results"]

    def offered(self, **filters: Any) -> Any:
        """What the contract offers, of an `operation`, a `kind` or all. Raises StubError if there is no such thing."""
        return rows(lambda query: self._world.control("GET", "/variants/offered", params=query), filters)

    def remove(self, number: int) -> None:
        """Remove a variant, by its id. Raises StubError if there is no such variant."""
        self._world.control("DELETE", f"/variants/{number}")

    def clear(self) -> None:
        """Remove all variants."""
        self._world.control("DELETE", "/variants")


class Journal:
    """The journal of a world: the requests that it received."""

    def __init__(self, world: CourseWorld) -> None:
        self._world = world

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The requests, the newest first; filters as in the control plane's contract. With a `limit`, at most so many
        (and at most 100), from an `offset` on; otherwise all that the journal has."""
        return rows(lambda query: self._world.control("GET", "/requests", params=query), filters)

    def count(self, **filters: Any) -> int:
        """The number of requests that match the filters."""
        number: int = self._world.control("GET", "/requests", params={"limit": 1, **filters})["count"]
        return number

    def clear(self) -> None:
        """Delete all entries of the world."""
        self._world.control("DELETE", "/requests")
