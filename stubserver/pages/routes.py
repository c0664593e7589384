"""Everything served besides the operations: contracts, placeholder files, the consent page, a redirect to /docs/."""

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router

from stubserver.api import images
from stubserver.contract.contract import Contract
from stubserver.pages.consent import authorize
from stubserver.pages.documents import served


def page_routes(contracts: Iterable[Contract]) -> Router:
    """The ASGI application for requests that are not for an operation; the `contracts` are served as documents."""
    return Router(
        [
            Route("/", _home),
            *(Route(f"{contract.base}/openapi.json", served(contract)) for contract in contracts),
            Route("/favicon.ico", _nothing),
            Route("/upfiles/{folder}/{size}/{name}.png", _picture),
            Route("/upfiles/{folder}/{name}.pdf", _document),
            Route("/oauth/authorize/", authorize),
            Route("/oauth/authorize", authorize),
        ],
        redirect_slashes=False,
    )


async def _home(request: Request) -> Response:
    return RedirectResponse(f"{request.scope['root_path']}/docs/")


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


async def _picture(request: Request) -> Response:
    size = images.SIZES.get(f"image_{request.path_params['size']}")
    if size is None:
        raise HTTPException(404)
    return Response(images.png(size, request.path_params["name"]), media_type="image/png")


async def _document(_: Request) -> Response:
    return Response(images.PDF, media_type="application/pdf")
