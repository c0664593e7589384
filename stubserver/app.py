"""Builds the server: the contract drives Connexion, Connexion drives the pipeline. Nothing here is global."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import connexion
import orjson
from connexion.exceptions import InvalidSpecification, ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware import ConnexionMiddleware, MiddlewarePosition
from connexion.options import SwaggerUIOptions
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver import images, operations
from stubserver.access_log import AccessLog
from stubserver.auth import Bearer, check_secret
from stubserver.authorize import authorize
from stubserver.call import KINDS, SCOPE_KEY
from stubserver.cors import Cors
from stubserver.errors import Refusal, refusal
from stubserver.fixture import load as load_fixture
from stubserver.guards import GUARDS
from stubserver.pipeline import VALIDATORS, Admission, Dispatch
from stubserver.resources import folder
from stubserver.spec import Contract, Operation, SpecError, merge
from stubserver.wire import Wire
from stubserver.world import Seed, Worlds

_log = logging.getLogger("stubserver")


class StubServer:
    """The server as an ASGI application."""

    def __init__(
        self, contract: Contract, seed: Seed, number: int, jwt_secret: str | None, cors_origins: Sequence[str]
    ) -> None:
        """Raises SpecError where the contract names what is not there, ValueError for an unfit secret."""
        check_secret(jwt_secret)
        self.contract = contract
        self.seed = seed
        self.worlds = Worlds(seed, number, jwt_secret)
        self._app: ASGIApp = AccessLog(Cors(Wire(_connexion(contract), self.worlds), cors_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, send)


def create_app(
    fixture: str = "default",
    *,
    seed: int = 0,
    jwt_secret: str | None = None,
    cors_origins: Sequence[str] = (),
) -> StubServer:
    """A server of its own, with the worlds of `fixture` (a name or a file).

    `seed` seeds whatever looks random, `jwt_secret` admits HS256 JWTs signed with it, `cors_origins` are
    origins besides localhost whose pages may call. Raises SpecError and FixtureError.
    """
    contract = load_contract()
    return StubServer(contract, load_fixture(fixture, contract), seed, jwt_secret, cors_origins)


def load_contract() -> Contract:
    """The contract that ships with the package. Raises SpecError."""
    return Contract(merge(folder("openapi")))


def _connexion(contract: Contract) -> ConnexionMiddleware:
    for operation in contract.operations.values():
        _check_names(operation)
    logging.getLogger("connexion.operations.openapi3").setLevel(logging.ERROR)  # three media types are meant
    app = ConnexionMiddleware(
        Dispatch(contract, operations.FUNCTIONS, _elsewhere(contract)),
        import_name="stubserver",
        resolver=connexion.Resolver(operations.FUNCTIONS.__getitem__),
        security_map={"bearer": Bearer},
        validator_map=VALIDATORS,
        swagger_ui_options=SwaggerUIOptions(serve_spec=False, swagger_ui_path="/docs"),
    )
    app.add_middleware(Admission, position=MiddlewarePosition.BEFORE_VALIDATION, contract=contract)
    try:
        # Connexion resolves references in place, so it gets a copy of the document.
        app.add_api(orjson.loads(orjson.dumps(contract.document)))
    except InvalidSpecification as error:
        raise SpecError(f"the merged document is no OpenAPI 3.0: {' '.join(str(error).split())[:300]}") from None
    handler = _error_handler(contract)
    for kind in (Refusal, ProblemException, HTTPException, Exception):
        app.add_error_handler(kind, handler)
    return app


def _check_names(operation: Operation) -> None:
    """Whatever the contract names is there. Raises SpecError."""
    guards = [operation.access]
    for parameter in operation.parameters:
        access = parameter.access or {}
        guards += [access] if isinstance(access, str) else access.values()
    for key, names, known in (
        ("operationId", [operation.id], operations.FUNCTIONS),
        ("x-access", guards, GUARDS),
        ("x-loads", operation.loads.values(), KINDS),
    ):
        for name in names:
            if name not in known:
                raise SpecError(f"{operation.id}: {key} names {name!r}; there are {', '.join(known)}")


def _error_handler(contract: Contract) -> Any:
    async def answer(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        refused = _refused(contract, request.scope["path"], error)
        call = request.scope.get(SCOPE_KEY)
        schemas: Mapping[int, str] = {}
        if call is not None:
            call.refusal = refused
            schemas = call.routed.refusals if call.routed else {}
        body = refused.body(schemas.get(refused.status, "ErrorResponse"))
        return ConnexionResponse(refused.status, content_type="application/json", body=body, headers=refused.headers)

    return answer


def _refused(contract: Contract, path: str, error: Exception) -> Refusal:
    """Whatever went wrong, in whichever layer, as a refusal."""
    if isinstance(error, Refusal):
        return error
    status = getattr(error, "status_code", None) or 500
    match status:
        case 401:
            return refusal(401, "Authentication credentials were not provided.")
        case 404:
            return refusal(404, f"No such path: {path}")
        case 405:
            allowed = ", ".join(contract.allowed_methods(path)) or "GET, HEAD"
            return refusal(405, f"This method is not allowed here. Allowed: {allowed}.", Allow=allowed)
        case 415:
            return refusal(415, str(getattr(error, "detail", "Unsupported media type.")))
        case 400:
            return refusal(400, str(getattr(error, "detail", "Bad request.")))
    _log.error("unhandled %s on %s", type(error).__name__, path, exc_info=error)
    return refusal(500, "The stub server failed; its log says why. Please report it.")


def _elsewhere(contract: Contract) -> Router:
    """What is served beside the API: the contract, placeholders for files, the page for consent, the way to /docs/."""
    contract_text = orjson.dumps(contract.document)

    async def openapi(_: Request) -> Response:
        return Response(contract_text, media_type="application/json")

    async def picture(request: Request) -> Response:
        size = images.SIZES.get(f"image_{request.path_params['size']}")
        if size is None:
            raise HTTPException(404)
        return Response(images.png(size, request.path_params["name"]), media_type="image/png")

    async def home(_: Request) -> Response:
        return RedirectResponse("/docs/")

    async def document(_: Request) -> Response:
        return Response(images.PDF, media_type="application/pdf")

    return Router(
        [
            Route("/", home),
            Route("/openapi.json", openapi),
            Route("/upfiles/{folder}/{size}/{name}.png", picture),
            Route("/upfiles/{folder}/{name}.pdf", document),
            Route("/oauth/authorize/", authorize),
            Route("/oauth/authorize", authorize),
        ],
        redirect_slashes=False,
    )
