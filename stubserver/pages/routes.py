"""Everything served besides the operations: contracts, placeholder files, the consent page, a redirect to /docs/."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router

from stubserver.api import images
from stubserver.pages.consent import authorize


def page_routes(documents: Mapping[str, Mapping[str, Any]]) -> Router:
    """The ASGI application for requests that are not for an operation; `documents` has the contracts by path."""
    return Router(
        [
            Route("/", _home),
            *(Route(path, _served(document)) for path, document in documents.items()),
            Route("/favicon.ico", _nothing),
            Route("/upfiles/{folder}/{size}/{name}.png", _picture),
            Route("/upfiles/{folder}/{name}.pdf", _document),
            Route("/oauth/authorize/", authorize),
            Route("/oauth/authorize", authorize),
        ],
        redirect_slashes=False,
    )


def _served(document: Mapping[str, Any]) -> Any:
    text = orjson.dumps(document)

    async def serve(_: Request) -> Response:
        return Response(text, media_type="application/json")

    return serve


async def _home(_: Request) -> Response:
    return RedirectResponse("/docs/")


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


async def _picture(request: Request) -> Response:
    size = images.SIZES.get(f"image_{request.path_params['size']}")
    if size is None:
        raise HTTPException(404)
    return Response(images.png(size, request.path_params["name"]), media_type="image/png")


async def _document(_: Request) -> Response:
    return Response(images.PDF, media_type="application/pdf")
