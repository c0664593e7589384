"""The contracts as they are served: their addresses lead to the world of the request, and they name its personas.

Swagger UI reads them: what it sends from `/~NAME/docs/` lands in that world, and "Authorize" tells which tokens there
are. Personas come from a fixture, which may hold anything, and Swagger UI shows them as Markdown, so they are escaped.
"""

import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.worlds.world import World

TOKEN_SCHEME = "bearerAuth"  # noqa: S105 (a name in the contract)
"""The security scheme of the personas' tokens."""
_MOST = 50
"""Personas that a document names at most."""
_MARKS = re.compile(r"([!-,./:-@\[-`{-~])")
"""What may mean something in Markdown or HTML: punctuation, except for dashes, which do so only where a line begins."""


def served(contract: Contract) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """What answers requests for the document of `contract`."""

    async def serve(request: Request) -> Response:
        call: Call = request.scope[SCOPE_KEY]
        return Response(orjson.dumps(_document(contract, call)), media_type="application/json")

    return serve


def _document(contract: Contract, call: Call) -> dict[str, Any]:
    """The document of `contract`, for callers in the world of `call`."""
    document = {**contract.document, "servers": [{"url": f"{call.root}{contract.base}" or "/"}]}
    schemes = document["components"].get("securitySchemes", {})
    if TOKEN_SCHEME in schemes and call.world.fixture.personas:
        scheme = schemes[TOKEN_SCHEME]
        text = "\n".join([scheme["description"], "", "Tokens of this world:", "", *_personas(call.world)])
        schemes = {**schemes, TOKEN_SCHEME: {**scheme, "description": text}}
        document["components"] = {**document["components"], "securitySchemes": schemes}
    return document


def _personas(world: World) -> Iterator[str]:
    """The items of a list in Markdown: the token of each persona, and the user whom it stands for."""
    personas = world.fixture.personas
    for persona in personas[:_MOST]:
        user = world.users[persona["user"]]["username"]
        yield f"- **{_plain(persona['token'])}**: {_plain(user)} ({_plain(persona['role'])})"
    if len(personas) > _MOST:
        yield f"- and {len(personas) - _MOST} more"


def _plain(text: str) -> str:
    """Text from a fixture, in one line, with everything escaped that Markdown or HTML would not show as it is."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
