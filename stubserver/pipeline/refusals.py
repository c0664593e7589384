"""Turns every error, in whichever layer it was raised, into a refusal in the vendor's shape."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connexion.lifecycle import ConnexionRequest, ConnexionResponse

from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal, refusal
from stubserver.pipeline import hints

_log = logging.getLogger("stubserver")


def error_handler(contracts: Sequence[Contract]) -> Callable[..., Any]:
    """Connexion's error handler: answers with the refusal, and notes it on the call for the recorder."""

    async def answer(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        call: Call = request.scope[SCOPE_KEY]
        call.refusal = refused = _refused(contracts, call.method, call.path, error)
        schemas: Mapping[int, str] = call.routed.refusals if call.routed else {}
        body = refused.body(schemas.get(refused.status, "ErrorResponse"))
        return ConnexionResponse(refused.status, content_type="application/json", body=body, headers=refused.headers)

    return answer


def _refused(contracts: Sequence[Contract], method: str, path: str, error: Exception) -> Refusal:
    """The refusal for an error; unexpected errors are logged and become a 500."""
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
