"""Connexion around the pipeline: the contracts drive its routing, security and validation."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import connexion
import jsonschema_rs
import orjson
from connexion.exceptions import InvalidSpecification, ProblemException
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.context import ContextMiddleware
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.main import API
from connexion.middleware.request_validation import RequestValidationMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.middleware.server_error import ServerErrorMiddleware
from connexion.middleware.swagger_ui import SwaggerUIMiddleware
from connexion.options import SwaggerUIOptions
from connexion.spec import OpenAPISpecification
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

from stubserver.contract.contract import Contract
from stubserver.contract.merging import SpecError
from stubserver.errors import Refusal
from stubserver.pipeline.admission import Admission
from stubserver.pipeline.authentication import Bearer
from stubserver.pipeline.dispatch import Dispatch, Function
from stubserver.pipeline.hops import HOPS
from stubserver.pipeline.refusals import error_handler
from stubserver.pipeline.validation import VALIDATORS

Middlewares = Mapping[str, Sequence[Any]]
"""Hop -> the factories of its layers, outermost first; each takes the layer inside it."""


def build_stack(
    contracts: Sequence[Contract], functions: Mapping[str, Function], dispatch: Dispatch, outer: Middlewares
) -> tuple[ASGIApp, Mapping[str, Any]]:
    """All hops as one application, and the outermost layer of each hop by the hop's name.

    `outer` has the factories of the hops in front of Connexion. Raises SpecError.
    """
    operations = {operation.id: operation for contract in contracts for operation in contract.operations.values()}
    middlewares: Middlewares = {
        **outer,
        "refusals": [ServerErrorMiddleware, ExceptionMiddleware],
        "docs": [SwaggerUIMiddleware],
        "routing": [RoutingMiddleware],
        "authentication": [SecurityMiddleware],
        "admission": [partial(Admission, operations=operations)],
        "validation": [RequestValidationMiddleware, LifespanMiddleware, ContextMiddleware],
    }
    layers = [(hop, middleware) for hop in HOPS[:-1] for middleware in middlewares[hop]]
    # Connexion warns about operations with several media types; ours have three on purpose.
    logging.getLogger("connexion.operations.openapi3").setLevel(logging.ERROR)
    # The parser of forms warns about each broken one; its refusal says the same, and whose it is.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    app = ConnexionMiddleware(
        dispatch,
        import_name="stubserver",
        middlewares=[middleware for _, middleware in layers],
        resolver=connexion.Resolver(functions.__getitem__),
        security_map={"bearer": Bearer},
        validator_map=VALIDATORS,
        swagger_ui_options=SwaggerUIOptions(serve_spec=False, swagger_ui_path="/docs"),
    )
    for contract in contracts:
        _add(app, contract)
    handler = error_handler(contracts)
    for kind in (Refusal, ProblemException, HTTPException, Exception):
        app.add_error_handler(kind, handler)
    # Connexion would build its layers on the first request; the fast lane needs them before that.
    app.app, app.middleware_stack = app._build_middleware_stack()
    for layer in app.middleware_stack:
        if isinstance(layer, SwaggerUIMiddleware | RoutingMiddleware):
            _stop_redirects(layer.router)
    hops = [*(hop for hop, _ in layers), HOPS[-1]]
    built = zip(hops, app.middleware_stack, strict=True)
    return app, dict(reversed(list(built)))  # reversed, so that the outermost layer of each hop wins


def _stop_redirects(router: Router) -> None:
    """Paths are taken as they are; the router would look for another one where a mount ends at a line break."""
    router.redirect_slashes = False
    for route in router.routes:
        if isinstance(route, Mount) and isinstance(route.app, Router):
            _stop_redirects(route.app)


def _add(app: ConnexionMiddleware, contract: Contract) -> None:
    try:
        specification = _Specification(_Document(contract.document))
    except InvalidSpecification as error:
        raise SpecError(f"the merged document is not OpenAPI 3.0: {' '.join(str(error).split())[:300]}") from None
    app.apis.append(API(specification, base_path=None, name=contract.base, **app.options.__dict__))


class _Document(dict[str, Any]):
    """A document of JSON, which Connexion copies before it changes anything. This takes a third of the time."""

    def __deepcopy__(self, _: Any) -> Any:
        return orjson.loads(orjson.dumps(self))


class _Specification(OpenAPISpecification):
    """Connexion's specification, checked a hundred times faster; Connexion's own check runs only to word an error."""

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        if not jsonschema_rs.Draft4Validator(cls.openapi_schema).is_valid(spec):
            super()._validate_spec(spec)
