"""Dispatch: the ASGI application inside Connexion runs the operation and shapes what it returns."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver.api.views import Listing
from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.pipeline import paging
from stubserver.pipeline.answer import send_encoded, success_headers
from stubserver.pipeline.projection import Projection, Shaper

Function = Callable[[Call], Any]
"""What an operation does: it reads the call, changes the world, and returns rows or views."""


class ContractBroken(Exception):
    """An answer of ours does not fit the contract: a bug of the server, never the client's fault."""


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
        await send_encoded(send, call.method, operation.status, success_headers(operation), body)

    def run(self, call: Call, operation: Operation) -> bytes:
        """The JSON answer of the operation, b"" where it has none. Never suspends, so nothing comes between."""
        world, shape = call.world, self._shape.get(operation.id)
        with world.transaction() as transaction:
            result = self._functions[operation.id](call)
            body = b""
            if shape is not None:
                answer = shape(paging.envelope(call, result) if isinstance(result, Listing) else result)
                _check(operation, answer)
                body = b"%b" % orjson.dumps(answer)  # a copy, for orjson takes several times the memory, and keeps it
        call.changes = transaction.changes()
        return body


def _check(operation: Operation, answer: Any) -> None:
    """Nothing leaves that the contract does not promise. Raises ContractBroken, which takes the change back."""
    validator = operation.answers[operation.status]
    if not validator.fits(answer):
        problem = next(validator.problems(answer))
        raise ContractBroken(f"{operation.id} answers {operation.status}: {problem.field}: {problem.message}")
