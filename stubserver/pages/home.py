"""What is at `/`: for browsers the inspector, which is one page with a script and a style sheet, for others an index.

The page asks for nothing but what this server answers, and runs nothing but its own script: its policy says so. It has
no secrets; what it shows comes from the control plane, which guards itself.
"""

from functools import cache
from html import escape
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stubserver import __version__
from stubserver.addressing import CONTROL, PRODUCT
from stubserver.call import SCOPE_KEY, Call

FOLDER = Path(__file__).parent / "inspector"
"""What `clients/inspector/` is built to."""
MEDIA = {"inspector.js": "text/javascript", "inspector.css": "text/css"}
"""The files that the page loads -> their media types."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_PAGE = """<!doctype html>
<html lang="en" data-prefix="{prefix}" data-world="{world}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Inspector of the Course API stub</title>
<link rel="stylesheet" href="{prefix}/inspector/inspector.css">
<link rel="icon" href="data:,">
<div id="inspector"><noscript>The inspector needs JavaScript. <a href="{prefix}/docs/">The docs</a>
need it, too; <a href="{prefix}/openapi.json">the contract</a> does not.</noscript></div>
<script type="module" src="{prefix}/inspector/inspector.js"></script>
</html>
"""


async def home(request: Request) -> Response:
    """The inspector of the world, or an index for whoever does not ask for HTML."""
    call: Call = request.scope[SCOPE_KEY]
    if "text/html" not in call.headers.get("accept", ""):
        return JSONResponse(_index(call), headers={"Vary": "Accept"})
    page = _PAGE.format(prefix=escape(call.prefix), world=escape(call.world.name))
    return Response(page, media_type="text/html", headers={**_HEADERS, "Vary": "Accept"})


async def part(request: Request) -> Response:
    """A file that the page loads."""
    name = request.path_params["name"]
    if name not in MEDIA:
        raise HTTPException(404)
    return Response(_content(name), media_type=MEDIA[name], headers=_HEADERS)


@cache
def _content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def _index(call: Call) -> dict[str, str]:
    here = call.base_url
    return {
        "name": PRODUCT,
        "version": __version__,
        "inspector": f"{here}/",
        "api": f"{here}/api/v2/",
        "docs": f"{here}/docs/",
        "openapi": f"{here}/openapi.json",
        "control": f"{here}{CONTROL}",
    }
