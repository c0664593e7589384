"""The outermost hop: records each request and its answer in the world's journal, the coverage and the log."""

import time
from collections.abc import Callable
from typing import TypeGuard

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import REQUEST_HEADER
from stubserver.call import REFUSAL_KEY, SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.pipeline import authentication, forms
from stubserver.pipeline.wire import is_api
from stubserver.records import access_log
from stubserver.records.coverage import Coverage
from stubserver.records.journal import Answer, Journal
from stubserver.records.metrics import NO_OPERATION, Metrics

_REQUEST_HEADER = REQUEST_HEADER.lower().encode()
UNLOGGED = frozenset({"get_live", "get_ready", "get_metrics"})
"""The operations that machines ask for all the time: in the log, they are only failures."""


class Recorder:
    """ASGI middleware that follows each request to its end."""

    def __init__(
        self, app: ASGIApp, contract: Contract, journal: Journal, coverage: Coverage, metrics: Metrics
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._contract = contract
        self._journal = journal
        self._coverage = coverage
        self.log: Callable[[access_log.Facts], None] | None = None
        """Called with the facts of each request, including those for the control plane and for pages."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer, started = Answer(), time.perf_counter()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                call: Call | None = scope.get(SCOPE_KEY)
                if is_journaled(call, message["status"]):
                    message["headers"] = [*message["headers"], self.number(call)]
                answer.status, answer.headers = message["status"], message["headers"]
            elif message["type"] == "http.response.body" and is_journaled(scope.get(SCOPE_KEY), answer.status):
                answer.body += message.get("body", b"")
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            answer.seconds = time.perf_counter() - started
            call = scope.pop(SCOPE_KEY, None)  # an idle connection keeps its last scope
            if answer.status or call is not None:
                self.record(scope["method"], _target(scope), call, answer, scope.pop(REFUSAL_KEY, None))

    def record(self, method: str, target: str, call: Call | None, answer: Answer, refused: Refusal | None) -> None:
        """Record a finished request; `target` is its path and query as sent."""
        if call is not None:
            call.refusal = refused = refused or call.refusal
            if refused is not None:
                refused.__traceback__ = None  # its frames refer to the call, and to all that was used to answer it
        if is_journaled(call, answer.status):
            self.route(call)
            self.keep(target, call, answer)
        else:
            self._end(method, target, call, answer, refused, None)

    def route(self, call: Call) -> None:
        """Find the operation of a request that was refused early, or met a fault, and so has not been routed yet."""
        call.routed = call.routed or self._contract.find(call.method, call.path)

    def number(self, call: Call) -> tuple[bytes, bytes]:
        """The header with the request's id; the first call assigns it, from the world's name and a running number."""
        if not call.id:
            world = call.world
            world.asked += 1
            call.id = f"{world.name}-{world.asked}"
        return _REQUEST_HEADER, call.id.encode()

    def keep(self, target: str, call: Call, answer: Answer) -> None:
        """Record a finished request that belongs in the journal; if it has an operation, it must be routed by now."""
        self._complete(call)
        self.note_line(target, call, answer)
        self._note(call, answer)

    def note(self, call: Call, answer: Answer) -> None:
        """Record a finished request in the journal and the coverage, but not in the metrics and the log."""
        self._complete(call)
        self._note(call, answer)

    def _complete(self, call: Call) -> None:
        """Find out what all records of a request show."""
        self.number(call)
        authentication.identify(call)

    def _note(self, call: Call, answer: Answer) -> None:
        forms.note_form(call)
        self._coverage.note(call, answer.status)
        self._journal.add(call, answer)

    def note_line(self, target: str, call: Call, answer: Answer) -> None:
        """Record a finished request in the metrics and the log."""
        self._end(call.method, target, call, answer, call.refusal, call.id)

    def log_line(self, scope: Scope, call: Call | None, answer: Answer, refused: Refusal | None) -> None:
        """Record a finished request in the metrics and the log, whether it is in the journal or not."""
        if call is not None:
            call.refusal = refused = refused or call.refusal
            if refused is not None:
                refused.__traceback__ = None
        entry = call.id if call and call.id else None
        self._end(scope["method"], _target(scope), call, answer, refused, entry)

    def _end(
        self, method: str, target: str, call: Call | None, answer: Answer, refused: Refusal | None, entry: str | None
    ) -> None:
        operation = call.routed.id if call is not None and call.routed is not None else NO_OPERATION
        self._metrics.request(operation, answer.status, answer.seconds)
        if call is not None and call.outcome and not call.is_control:
            self._metrics.count(call.outcome)
        if self.log is not None and not (operation in UNLOGGED and answer.status == 200):
            self.log(access_log.facts(method, self._shown(target), call, answer, refused, entry))

    def _shown(self, target: str) -> str:
        return access_log.redacted(target, self._contract.secrets)


def _target(scope: Scope) -> str:
    """Path and query of a request, as sent."""
    query = scope["query_string"].decode("latin-1")
    target: str = scope["path"] + (f"?{query}" if query else "")
    return target


def is_journaled(call: Call | None, status: int) -> TypeGuard[Call]:
    """Whether a request belongs in the journal: one for the API, or one that missed every path or method."""
    return call is not None and not call.is_control and (is_api(call.path) or status in (404, 405))
