"""The steps that Connexion calls for each request: admission, validation, the operation, the answer's shape."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from connexion.datastructures import MediaTypeDict
from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver.api.guards import GUARDS
from stubserver.api.views import Listing
from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract, Operation
from stubserver.errors import unauthenticated
from stubserver.pipeline import paging, reading
from stubserver.pipeline.projection import Projection, Shaper
from stubserver.pipeline.wire import send_json

Function = Callable[[Call], Any]
"""What an operation does: it reads the call, changes the world, and returns rows or views."""


class ContractBroken(Exception):
    """An answer of ours does not fit the contract: a bug of the server, never the client's fault."""


class Admission:
    """ASGI middleware between Connexion's security and its validation, so that R005's order holds:
    token (401), then the course (404), then the role (403), and only then media type and body."""

    def __init__(self, app: ASGIApp, operations: Mapping[str, Operation]) -> None:
        self._app = app
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit the caller, or raise a refusal."""
        routing = scope.get("extensions", {}).get("connexion_routing", {})
        if routing.get("operation_id"):
            call: Call = scope[SCOPE_KEY]
            call.routed = self._operations[routing["operation_id"]]
            call.ids = scope["path_params"]
            admit(call, call.operation)
        await self._app(scope, receive, send)


def admit(call: Call, operation: Operation) -> None:
    """Ask the guards that the contract names, and load what the path names. Raises 401, 403 and 404 refusals."""
    if call.bad_credentials is not None:
        raise unauthenticated(call.bad_credentials, "authentication_failed")
    GUARDS[operation.access](call)
    for parameter in operation.guarded:
        given = [text for text in call.query_texts.get(parameter.name, ()) if text]
        if isinstance(parameter.access, str) and given:
            GUARDS[parameter.access](call)
        elif isinstance(parameter.access, dict) and given:
            GUARDS[parameter.access.get(given[-1], operation.access)](call)
    for kind in operation.loads.values():
        call.row(kind)


class ParameterValidator:
    """Connexion's hook for query parameters (path parameters are integers by their route)."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Everything Connexion offers here is known from the contract."""

    def validate(self, scope: Scope) -> None:
        """Read the parameters into the call. Raises a 400 refusal."""
        reading.read_parameters(scope[SCOPE_KEY])


def body_validator(media: str) -> type:
    """Connexion's hook for request bodies of one media type."""
    read = reading.READERS[media]

    class BodyValidator:
        def __init__(self, **_: Any) -> None:
            pass

        async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
            call: Call = scope[SCOPE_KEY]
            read(call, call.operation.bodies[media])
            return receive, scope

    return BodyValidator


VALIDATORS = {
    "parameter": ParameterValidator,
    "body": MediaTypeDict({media: body_validator(media) for media in reading.READERS}),
}
"""What Connexion validates requests with."""


class Dispatch:
    """The ASGI application inside Connexion: runs the operation, and shapes what it returns."""

    def __init__(self, contracts: Iterable[Contract], functions: Mapping[str, Function], elsewhere: ASGIApp) -> None:
        """`elsewhere` serves what is not an operation."""
        self._functions = functions
        self._elsewhere = elsewhere
        self._shape: dict[str, Projection] = {}
        for contract in contracts:
            shaper = Shaper(contract)
            for operation in contract.operations.values():
                if operation.answer:
                    self._shape[operation.id] = shaper.projection(operation.answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an admitted and validated call."""
        call: Call | None = scope.get(SCOPE_KEY)
        if call is None or call.routed is None:
            await self._elsewhere(scope, receive, send)
            return
        operation = call.operation
        body = self.run(call, operation)
        await send_json(send, call.method, operation.status, operation.headers[operation.status], body)

    def run(self, call: Call, operation: Operation) -> bytes:
        """The JSON answer of the operation, b"" where it has none. Never suspends, so nothing comes between."""
        world, shape = call.world, self._shape.get(operation.id)
        with world.change():
            result = self._functions[operation.id](call)
            body = b""
            if shape is not None:
                answer = shape(paging.envelope(call, result) if isinstance(result, Listing) else result)
                _check(operation, answer)
                body = b"%b" % orjson.dumps(answer)  # a copy, for orjson takes several times the memory, and keeps it
        call.changes = world.done()
        return body


def _check(operation: Operation, answer: Any) -> None:
    """Nothing leaves that the contract does not promise. Raises ContractBroken, which takes the change back."""
    validator = operation.answers[operation.status]
    if not validator.fits(answer):
        problem = next(validator.problems(answer))
        raise ContractBroken(f"{operation.id} answers {operation.status}: {problem.field}: {problem.message}")
