"""The outermost layer: what was asked and answered goes into the world's journal, the coverage, and the log."""

import time
from typing import TypeGuard

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver import access_log, auth
from stubserver.call import REFUSAL_KEY, SCOPE_KEY, Call
from stubserver.coverage import Coverage
from stubserver.journal import Answer, Journal
from stubserver.spec import Contract
from stubserver.wire import is_api


class Recorder:
    """ASGI middleware that follows each request to its end."""

    def __init__(self, app: ASGIApp, contract: Contract, journal: Journal, coverage: Coverage) -> None:
        self._app = app
        self._contract = contract
        self._journal = journal
        self._coverage = coverage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer, started = Answer(), time.perf_counter()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                call: Call | None = scope.get(SCOPE_KEY)
                if _is_kept(call, message["status"]):
                    _number(call)
                    message["headers"] = [*message["headers"], (b"x-stub-request", call.id.encode())]
                answer.status, answer.headers = message["status"], message["headers"]
            elif message["type"] == "http.response.body":
                answer.pieces.append(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            answer.seconds = time.perf_counter() - started
            self._record(scope, answer)

    def _record(self, scope: Scope, answer: Answer) -> None:
        call: Call | None = scope.get(SCOPE_KEY)
        refused = scope.get(REFUSAL_KEY)
        if call is not None:
            call.refusal = refused = refused or call.refusal
        entry = None
        if _is_kept(call, answer.status):
            _number(call)
            # A request that was refused on its way, or met a fault, has not come so far as to be known.
            call.routed = call.routed or self._contract.find(call.method, call.path)
            auth.identify(call)
            self._journal.add(call, answer)
            self._coverage.note(call, answer.status)
            entry = call.id
        access_log.write(scope, call, answer, refused, entry)


def _number(call: Call) -> None:
    """Give a request its number in the journal, once."""
    if not call.number:
        call.world.asked += 1
        call.number = call.world.asked


def _is_kept(call: Call | None, status: int) -> TypeGuard[Call]:
    """Whether the journal takes it: what is for the API, or misses it."""
    return call is not None and not call.is_control and (is_api(call.path) or status in (404, 405))
