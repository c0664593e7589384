"""A client that speaks to the server in process, as a persona of the fixture."""

import asyncio
from typing import Any

import httpx

from stubserver.app import StubServer
from stubserver.world import TABLES, World

PERSONAS = ("creator", "manager", "member", "invited", "requested", "stranger", "staff")


class Api:
    """The API as one persona sees it; without a persona, as an anonymous caller does."""

    def __init__(self, app: StubServer, runner: asyncio.Runner, persona: str | None = None) -> None:
        self._app = app
        self._runner = runner
        self._headers = {"Authorization": f"Bearer stub-{persona}"} if persona else {}

    def as_(self, persona: str | None) -> "Api":
        """The same server, another caller."""
        return Api(self._app, self._runner, persona)

    @property
    def app(self) -> StubServer:
        """The server."""
        return self._app

    @property
    def world(self) -> World:
        """The world that answers."""
        return self._app.worlds.get()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; a `path` that begins with none of /api/, /oauth/, /__stub/ and /~world/ is below /api/v2,
        unless it begins with two slashes."""
        return self._runner.run(self._send(method, path, options))

    async def _send(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        headers = {**self._headers, **options.pop("headers", {})}
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        below = "" if path.startswith(("/api/", "/oauth/", "/__stub/", "/~", "//")) else "/api/v2"
        url = below + path.removeprefix("/" * path.startswith("//"))
        base = "http://localhost" if "/__stub/" in url else "http://stub.test"
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


def codes(response: httpx.Response) -> dict[str, str]:
    """Field (or "" for a general entry) -> the last code that a refusal gives for it; also checks its shape."""
    body = response.json()
    assert list(body) == ["errors"]
    assert body["errors"]
    found = {}
    for entry in body["errors"]:
        if "field" in entry:
            assert set(entry) == {"field", "messages"}
            assert entry["messages"]
            for message in entry["messages"]:
                assert set(message) == {"message", "code"}
                assert message["message"]
                found[entry["field"]] = message["code"]
        else:
            assert set(entry) == {"message", "code"}
            assert entry["message"]
            found[""] = entry["code"]
    return found


def ok(response: httpx.Response, status: int = 200) -> Any:
    """The JSON body of an answer that must have the status."""
    assert response.status_code == status, response.text
    return response.json()


def refused(response: httpx.Response, status: int) -> dict[str, str]:
    """The codes of a refusal that must have the status."""
    assert response.status_code == status, response.text
    return codes(response)


def snapshot(world: World) -> dict[str, list[Any]]:
    """All rows of a world, to compare before and after."""
    return {name: list(getattr(world, name)) for name in TABLES}
