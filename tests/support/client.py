"""A client that calls the server as a persona: in process, or over HTTP to a server that all processes share."""

import asyncio
from typing import Any

import httpx

from stubserver.app import StubServer
from stubserver.testing import CourseWorld
from stubserver.worlds import snapshot_file
from stubserver.worlds.registry import DEFAULT
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.default import HOST


class Api:
    """The API as a persona sees it, or an anonymous caller if there is no persona."""

    def __init__(
        self, app: StubServer, runner: asyncio.Runner, persona: str | None = None, name: str = DEFAULT
    ) -> None:
        """`name` is the name of the world."""
        self._app = app
        self._runner = runner
        self._name = name
        self._headers = {"Authorization": f"Bearer stub-{persona}"} if persona else {}

    def as_(self, persona: str | None) -> "Api":
        """The same server with another caller."""
        return Api(self._app, self._runner, persona, self._name)

    @property
    def app(self) -> StubServer:
        return self._app

    def strict(self) -> "Api":
        """The same, in a world that from now on refuses what the framework behind the real API would accept."""
        assert self.patch(f"/__stub/worlds/{self._name}", json={"strict": True}).status_code == 200
        return self

    @property
    def world(self) -> World:
        return self._app.worlds.get(self._name)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request. A `path` goes below /api/v2, unless it begins with /api/, /oauth/, /__stub/, /~world/ or two
        slashes."""
        headers = {**self._headers, **options.pop("headers", {})}
        if self._name != DEFAULT and not path.startswith("/~"):
            headers = {"X-Stub-World": self._name, **headers}
        below = "" if path.startswith(("/api/", "/oauth/", "/__stub/", "/~", "//")) else "/api/v2"
        return self._send(method, below + path.removeprefix("/" * path.startswith("//")), headers, options)

    def _send(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        return self._runner.run(self._run(method, url, headers, options))

    async def _run(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        base = "http://localhost" if "/__stub/" in url else f"http://{HOST}"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, url, headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)


class SharedApi(Api):
    """The API of the server that all test processes share, in its own world."""

    def __init__(self, served: CourseWorld, mirror: "Mirror", persona: str | None = None) -> None:
        self._served = served
        self._mirror = mirror
        self._name = served.name
        self._client = served.stub.client(headers={"Host": HOST})
        self._headers = {"Authorization": f"Bearer stub-{persona}"} if persona else {}

    def as_(self, persona: str | None) -> "SharedApi":
        return SharedApi(self._served, self._mirror, persona)

    @property
    def app(self) -> StubServer:
        raise AssertionError("the shared server runs in another process; ask for the fixture `app` to have one here")

    @property
    def world(self) -> World:
        return self._mirror  # type: ignore[return-value]

    def _send(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        self._mirror.push()
        if "/__stub/" in url:
            headers = {"Host": "localhost", **headers}
        return self._client.request(method, url, headers=headers, **options)


class Mirror:
    """A world in another process, to read and to change: fetched when first read, sent back if changed."""

    def __init__(self, served: CourseWorld, default_fixture: Fixture) -> None:
        self._served = served
        self._seed = default_fixture
        self._world: World | None = None
        self._fetched: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if self._world is None:
            self._served.snapshot(self._served.name)
            self._fetched = self._served.stub.control("GET", f"/snapshots/{self._served.name}")
            self._forget()
            snapshot = snapshot_file.read(self._fetched, lambda *_: self._seed)
            self._world = World.of(self._served.name, snapshot)
        return getattr(self._world, name)

    def push(self) -> None:
        """Send back what the test changed, and drop the copy, which may soon be outdated."""
        if self._world is None:
            return
        changed = snapshot_file.written(self._world.snapshot())
        if changed != self._fetched:
            self._served.stub.control("PUT", f"/snapshots/{self._served.name}", json=changed)
            self._served.restore(self._served.name)
            self._forget()
        self._world = None

    def _forget(self) -> None:
        self._served.stub.control("DELETE", f"/snapshots/{self._served.name}")
