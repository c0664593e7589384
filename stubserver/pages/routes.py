"""Everything served besides the operations: contracts, placeholder files, the consent page, the inspector."""

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from stubserver.api import images, pictures
from stubserver.call import SCOPE_KEY
from stubserver.contract.contract import Contract
from stubserver.pages.consent import authorize
from stubserver.pages.documents import served
from stubserver.pages.home import home, part


def page_routes(contracts: Iterable[Contract]) -> Router:
    """The ASGI application for requests that are not for an operation; the `contracts` are served as documents."""
    return Router(
        [
            Route("/", home),
            Route("/inspector/{name}", part),
            *(Route(f"{contract.base}/openapi.json", served(contract)) for contract in contracts),
            Route("/favicon.ico", _nothing),
            Route("/upfiles/svg/{name}.svg", _drawing),
            Route("/upfiles/avatars/{user:int}/resized/{width:int}/{height:int}/{name}.png", _avatar),
            Route("/upfiles/{folder}/{size}/{name}", _picture),
            Route("/upfiles/{folder}/{name}.pdf", _document),
            Route("/oauth/authorize/", authorize),
            Route("/oauth/authorize", authorize),
        ],
        redirect_slashes=False,
    )


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


async def _picture(request: Request) -> Response:
    """A picture that was uploaded in the world of the request, or else the placeholder of that name (R123)."""
    folder, name = request.path_params["folder"], request.path_params["name"]
    size = images.SIZES.get(f"image_{request.path_params['size']}")
    if size is None:
        raise HTTPException(404)
    if uploaded := pictures.found(request.scope[SCOPE_KEY].world, folder, name):
        return _file(*uploaded)
    if not name.endswith(".png"):
        raise HTTPException(404)
    return _file(images.png(size, name.removesuffix(".png")), "image/png")


async def _avatar(request: Request) -> Response:
    """The picture of a person in the fixture (R612)."""
    if {request.path_params["width"], request.path_params["height"]} != {images.AVATAR}:
        raise HTTPException(404)
    return _file(images.png(images.AVATAR, request.path_params["name"]), "image/png")


async def _drawing(request: Request) -> Response:
    """The drawing for a person without a picture, in which no browser runs anything (R612)."""
    drawing = images.drawing(request.path_params["name"])
    if drawing is None:
        raise HTTPException(404)
    return _file(drawing.encode(), "image/svg+xml", **{"Content-Security-Policy": "default-src 'none'; sandbox"})


async def _document(_: Request) -> Response:
    return _file(images.PDF, "application/pdf")


def _file(content: bytes, media_type: str, **headers: str) -> Response:
    """A file that browsers take for nothing else."""
    return Response(content, media_type=media_type, headers={"X-Content-Type-Options": "nosniff", **headers})
