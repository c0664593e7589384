"""Admission: whether the caller may use the operation, and whether the rows that the path names exist."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver.api.guards import GUARDS
from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.operation import Operation
from stubserver.errors import unauthenticated


class Admission:
    """ASGI middleware between Connexion's security and its validation, which ensures the order of R005:
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
    """Ask the guards that the contract names, and load the rows that the path names. Raises 401, 403, 404 refusals."""
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
