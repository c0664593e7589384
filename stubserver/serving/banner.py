"""What a server says when it starts: for people, and for machines."""

from collections.abc import Mapping
from typing import Any

from stubserver import __version__
from stubserver.addressing import CONTROL, PRODUCT
from stubserver.app import StubServer


def facts(app: StubServer, url: str, workers: int, token: str | None) -> Mapping[str, Any]:
    """What a log says; `url` is where the server listens, and `token` is the one of its control plane if nobody else
    knows it."""
    return {
        "message": f"{PRODUCT} {__version__} listens at {url}",
        "version": __version__,
        "url": url,
        "fixture": app.fixture.name,
        "store": app.kept_in or "memory",
        "workers": workers,
        **({"control_token": token} if token else {}),
    }


def banner(app: StubServer, url: str) -> str:
    """What a newcomer needs, as text: the URLs, who the tokens stand for, how to sign in, and a command to paste.

    `url` is where the server listens.
    """
    shown = (app.settings.public_url or url).rstrip("/")
    lines = [
        f"{PRODUCT} {__version__}   fixture {app.fixture.name}, {len(app.contract.operations)} operations",
        "",
        f"  API    {shown}/api/v2/",
        f"  Look   {shown}/   (the inspector: requests, rows, clock, faults)",
        f"  Docs   {shown}/docs/",
        f"  Spec   {shown}/openapi.json",
        f"  Stub   {shown}{CONTROL}docs/   (worlds, clock, faults, journal, coverage)",
        *([f"  Worlds {store}"] if (store := app.kept_in) else []),
        *([f"  Local  {url}   (where the proxy finds the server)"] if shown != url else []),
        *(_token(token) if (token := app.settings.control_token) else []),
        "",
        "  Tokens",
        *(_persona(app, persona) for persona in app.fixture.personas),
    ]
    if app.fixture.personas:
        token = app.fixture.personas[0]["token"]
        path = app.contract.operations["search_courses"].path
        user = app.fixture.tables["users"].rows[app.fixture.personas[0]["user"]]
        apps = ", ".join(app.fixture.tables["apps"].rows)
        lines += [
            "",
            "  Sign in",
            f"    {url}/oauth/token/ as {user['username']} with {user['password']}, client_id: {apps}",
        ]
        lines += ["", "  Try", f"    curl -H 'Authorization: Bearer {token}' '{url}{path}?limit=3'"]
    return "\n".join(lines)


def _token(token: str) -> list[str]:
    """How to send the token of the control plane."""
    return [f"         Authorization: Bearer {token}", "         (in a browser: any name, the token as the password)"]


def _persona(app: StubServer, persona: Mapping[str, Any]) -> str:
    name = app.fixture.tables["users"].rows[persona["user"]]["username"]
    return f"    {persona['token']:16} {name:15} {persona['role']:10} {persona['about']}".rstrip()
