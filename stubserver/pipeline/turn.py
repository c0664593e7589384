"""The turn: where several processes share the worlds, all that follows is done in one turn at their store."""

from collections.abc import Awaitable, Collection, Mapping
from contextvars import copy_context
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.pipeline.answer import send_refusal
from stubserver.shared.turns import Turns

_IN_A_WORLD = ("/api/", "/oauth/", "/upfiles/")
"""Prefixes of the paths whose answers depend on a world."""


class TurnTaking:
    """ASGI middleware that has requests answered in turns, and sends the answers once all is stored."""

    def __init__(self, app: ASGIApp, turns: Turns, control: Contract, waiting: Collection[str]) -> None:
        """`waiting` are the operations that take their turns themselves, because they wait for something else, too."""
        self._app = app
        self._turns = turns
        self._control = control
        self._waiting = waiting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request in a turn, unless it depends on no world, or on an earlier state of one."""
        call: Call | None = scope.get(SCOPE_KEY)
        if call is None or call.past or not self._is_in_a_world(call):
            await self._app(scope, receive, send)
            return
        before = dict(vars(call))
        try:
            messages = await self._turns.run(partial(self._answer, scope, call, before), call.world.name)
        except Refusal as refused:
            call.refusal = refused
            call.outcome = call.outcome and "rolled_back"
            await send_refusal(refused, send, call.method)
            return
        for message in messages:
            await send(message)

    def _is_in_a_world(self, call: Call) -> bool:
        if not call.is_control:
            return call.path.startswith(_IN_A_WORLD)
        operation = self._control.find(call.method, call.path)
        return operation is not None and operation.id not in self._waiting

    def _answer(self, scope: Scope, call: Call, before: Mapping[str, Any]) -> list[Message]:
        """The messages of the answer. The request is as it was before, however often it is tried. Raises a refusal."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        vars(call).clear()
        vars(call).update(before, _rows={})
        call.arrive()
        extensions = dict(scope.get("extensions", {}))
        answering = self._app({**scope, "extensions": extensions}, _no_body, collect)
        copy_context().run(_finish, answering)
        return messages


async def _no_body() -> Message:
    """What there is to receive: the body has been read already."""
    return {"type": "http.request", "body": b"", "more_body": False}


def _finish(answering: Awaitable[None]) -> None:
    """Do all of something that does not wait."""
    steps = answering.__await__()
    try:
        next(steps)
    except StopIteration:
        return
    steps.close()  # now, while what it has begun can still be undone
    raise RuntimeError("something waits within a turn")
