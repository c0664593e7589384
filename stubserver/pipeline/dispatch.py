"""Dispatch: runs the operation in a transaction and shapes its result."""

from collections.abc import Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from stubserver.api.views import Listing, Stream
from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.pipeline import paging, variants
from stubserver.pipeline.answer import send_encoded, success_headers
from stubserver.pipeline.projection import Projection, Shaper
from stubserver.pipeline.stream import send_stream
from stubserver.pipeline.variants import Variants

Function = Callable[[Call], Any]
"""An operation: reads the call, changes the world, and returns rows or views. A coroutine function may wait, so it
changes no rows of worlds."""


class ContractBroken(Exception):
    """The server's own answer violates the contract: a bug in the server, never the client's fault."""


class Dispatch:
    """The ASGI application inside Connexion: runs the operation, and projects its result on the response schema."""

    def __init__(
        self, contracts: Iterable[Contract], functions: Mapping[str, Function], pages: ASGIApp, variants: Variants
    ) -> None:
        """`pages` serves requests that are not for an operation; `variants` makes the answers of the API different."""
        self._functions = functions
        self._pages = pages
        self._variants = variants
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
            await self._pages(scope, receive, send)
            return
        operation = call.operation
        function = self._functions[operation.id]
        if iscoroutinefunction(function):
            result = await function(call)
            if isinstance(result, Stream):
                await send_stream(result, operation, call.method, receive, send)
                return
            body = self._answer(call, operation, result)
        else:
            body = self._run_last(call, operation)
        headers = [*success_headers(operation), *variants.applied(call)]
        await send_encoded(send, call.method, operation.status, headers, body)

    def _run_last(self, call: Call, operation: Operation) -> bytes:
        """As `run`, where nobody tries again after a failure."""
        try:
            return self.run(call, operation)
        except BaseException:
            call.outcome = "" if call.method == "GET" else "rolled_back"
            call.varied = ()
            raise

    def run(self, call: Call, operation: Operation) -> bytes:
        """Run the operation and return its answer, or b"". Never suspends, so requests never interleave."""
        with call.world.transaction() as transaction:
            body = self._answer(call, operation, self._functions[operation.id](call))
        call.changes = transaction.changes()
        if call.changes:
            call.outcome = "committed"
        if call.varied:
            self._variants.count(call)
        return body

    def _answer(self, call: Call, operation: Operation, result: Any) -> bytes:
        shape = self._shape.get(operation.id)
        if shape is None:
            return result or b""
        answer = shape(paging.envelope(call, result) if isinstance(result, Listing) else result)
        _check(operation, answer)
        if not call.is_control and (call.variants or call.world.variants):
            answer = self._variants.vary(call, operation, answer)
        return b"%b" % orjson.dumps(answer)  # copied, because orjson's result takes several times its size


def _check(operation: Operation, answer: Any) -> None:
    """Check the answer against the contract. Raises ContractBroken, which rolls the transaction back."""
    validator = operation.answers[operation.status]
    if not validator.fits(answer):
        problem = next(validator.problems(answer))
        raise ContractBroken(f"{operation.id} answers {operation.status}: {problem.field}: {problem.message}")
