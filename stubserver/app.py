"""Builds the server: the contracts drive Connexion, Connexion drives the pipeline. Nothing here is global."""

import logging
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import connexion
import jsonschema_rs
import orjson
from connexion.exceptions import InvalidSpecification, ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware import ConnexionMiddleware, MiddlewarePosition
from connexion.middleware.main import API
from connexion.options import SwaggerUIOptions
from connexion.spec import OpenAPISpecification
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from stubserver import control
from stubserver.api import operations
from stubserver.api.guards import GUARDS
from stubserver.call import KINDS, SCOPE_KEY
from stubserver.contract.contract import Contract, Operation
from stubserver.contract.merging import SpecError, merge
from stubserver.contract.resources import folder
from stubserver.control.stub import Stub
from stubserver.errors import Refusal, invalid, refusal
from stubserver.fixture import load as load_fixture
from stubserver.fixture import names as fixture_names
from stubserver.lane.head import Heads
from stubserver.lane.lane import Lane
from stubserver.pages.routes import elsewhere
from stubserver.pipeline import hints
from stubserver.pipeline.authentication import Bearer, check_secret
from stubserver.pipeline.cors import Cors
from stubserver.pipeline.dispatch import VALIDATORS, Admission, Dispatch, Function
from stubserver.pipeline.faults import Faults
from stubserver.pipeline.recorder import Recorder
from stubserver.pipeline.wire import Wire
from stubserver.records.coverage import Coverage
from stubserver.settings import Settings
from stubserver.worlds.registry import Load, Worlds
from stubserver.worlds.world import Seed

_log = logging.getLogger("stubserver")


class StubServer:
    """The server as an ASGI application."""

    def __init__(
        self, contract: Contract, seed: Seed, settings: Settings | None = None, load: Load | None = None
    ) -> None:
        """Worlds start as `seed`; `load` knows other fixtures. Raises SpecError where a contract names what is not
        there, ValueError for an unfit secret."""
        self.contract = contract
        self.seed = seed
        self.settings = settings or Settings()
        check_secret(self.settings.jwt_secret)
        self.control = load_control_contract()
        self.worlds = Worlds(seed, self.settings, load or (lambda name, now: _fixture(name, contract, now)))
        self.journal = self.worlds.journal
        self.coverage = Coverage(contract, seed.tokens)
        stub = Stub(contract, self.worlds, self.journal, self.coverage)
        functions: Mapping[str, Function] = ChainMap(operations.FUNCTIONS, control.functions(stub))
        documents = {f"{part.base}/openapi.json": part.document for part in (contract, self.control)}
        dispatch = Dispatch([contract, self.control], functions, elsewhere(documents))
        connexion_app = _connexion([contract, self.control], functions, dispatch)
        wire = Wire(Faults(connexion_app, contract), self.worlds)
        cors = Cors(wire, self.settings.cors_origins)
        self.recorder = Recorder(cors, contract, self.journal, self.coverage)
        heads = Heads(_stack(connexion_app), contract.operations, wire, cors, self.settings.max_body)
        self.lane = Lane(heads, dispatch, self.worlds, self.recorder) if self.settings.fast_path else None
        """Answers most of what it is asked over HTTP."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.recorder(scope, receive, send)


def create_app(fixture: str = "default", **options: Any) -> StubServer:
    """A server of its own, with the worlds of `fixture` (a name or a file); `options` are Settings.

    Raises SpecError and FixtureError.
    """
    contract = load_contract()
    seed = load_fixture(fixture, contract)

    def load(name: str, now: datetime) -> Seed:
        return load_fixture(fixture, contract, now) if name == seed.name else _fixture(name, contract, now)

    return StubServer(contract, seed, Settings(**options), load)


def load_contract() -> Contract:
    """The contract that ships with the package. Raises SpecError."""
    return Contract(merge(folder("openapi")))


def load_control_contract() -> Contract:
    """The contract of the control plane. Raises SpecError."""
    return Contract(merge(folder("openapi") / "control", folder("openapi") / "shared.yaml"))


def _fixture(name: str, contract: Contract, now: datetime) -> Seed:
    """A fixture that ships with the package; requests never name files."""
    if name not in fixture_names():
        raise invalid("fixture", "does_not_exist", f"No fixture {name!r}; there are {', '.join(fixture_names())}.")
    return load_fixture(name, contract, now)


def _connexion(
    contracts: Sequence[Contract], functions: Mapping[str, Function], dispatch: Dispatch
) -> ConnexionMiddleware:
    found = {operation.id: operation for contract in contracts for operation in contract.operations.values()}
    for operation in found.values():
        _check_names(operation, functions)
    logging.getLogger("connexion.operations.openapi3").setLevel(logging.ERROR)  # three media types are meant
    app = ConnexionMiddleware(
        dispatch,
        import_name="stubserver",
        resolver=connexion.Resolver(functions.__getitem__),
        security_map={"bearer": Bearer},
        validator_map=VALIDATORS,
        swagger_ui_options=SwaggerUIOptions(serve_spec=False, swagger_ui_path="/docs"),
    )
    app.add_middleware(Admission, position=MiddlewarePosition.BEFORE_VALIDATION, operations=found)
    for contract in contracts:
        _add(app, contract)
    handler = _error_handler(contracts)
    for kind in (Refusal, ProblemException, HTTPException, Exception):
        app.add_error_handler(kind, handler)
    return app


def _stack(app: ConnexionMiddleware) -> Iterable[Any]:
    """Connexion's middlewares, built now and not with the first request."""
    stack: Iterable[Any]
    app.app, stack = app._build_middleware_stack()
    app.middleware_stack = stack
    return stack


def _add(app: ConnexionMiddleware, contract: Contract) -> None:
    try:
        # Connexion resolves references in place, so it gets a copy of the document.
        specification = _Specification(orjson.loads(orjson.dumps(contract.document)))
    except InvalidSpecification as error:
        raise SpecError(f"the merged document is no OpenAPI 3.0: {' '.join(str(error).split())[:300]}") from None
    app.apis.append(API(specification, base_path=None, name=contract.base, **app.options.__dict__))


class _Specification(OpenAPISpecification):
    """A document as Connexion knows it, checked in a hundredth of the time; what is wrong Connexion says itself."""

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        if not jsonschema_rs.Draft4Validator(cls.openapi_schema).is_valid(spec):
            super()._validate_spec(spec)


def _check_names(operation: Operation, functions: Mapping[str, Function]) -> None:
    """Whatever the contract names is there. Raises SpecError."""
    guards = [operation.access]
    for parameter in operation.parameters:
        access = parameter.access or {}
        guards += [access] if isinstance(access, str) else access.values()
    known: Iterable[tuple[str, Iterable[str], Mapping[str, Any]]] = (
        ("operationId", [operation.id], functions),
        ("x-access", guards, GUARDS),
        ("x-loads", operation.loads.values(), KINDS),
    )
    for key, names, there in known:
        for name in names:
            if name not in there:
                raise SpecError(f"{operation.id}: {key} names {name!r}; there are {', '.join(there)}")


def _error_handler(contracts: Sequence[Contract]) -> Callable[..., Any]:
    async def answer(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        refused = _refused(contracts, request.scope["method"], request.scope["path"], error)
        call = request.scope.get(SCOPE_KEY)
        schemas: Mapping[int, str] = {}
        if call is not None:
            call.refusal = refused
            schemas = call.routed.refusals if call.routed else {}
        body = refused.body(schemas.get(refused.status, "ErrorResponse"))
        return ConnexionResponse(refused.status, content_type="application/json", body=body, headers=refused.headers)

    return answer


def _refused(contracts: Sequence[Contract], method: str, path: str, error: Exception) -> Refusal:
    """Whatever went wrong, in whichever layer, as a refusal."""
    if isinstance(error, Refusal):
        return error
    status = getattr(error, "status_code", None) or 500
    match status:
        case 401:
            return refusal(401, "Authentication credentials were not provided.")
        case 404:
            return refusal(404, hints.no_such_path(contracts, method, path))
        case 405:
            allowed, message = hints.not_allowed(contracts, path)
            return refusal(405, message, Allow=allowed)
        case 415:
            return refusal(415, str(getattr(error, "detail", "Unsupported media type.")))
        case 400:
            return refusal(400, str(getattr(error, "detail", "Bad request.")))
    _log.error("unhandled %s on %s", type(error).__name__, path, exc_info=error)
    return refusal(500, "The stub server failed; its log says why. Please report it.")
