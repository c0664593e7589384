"""The outermost hop where several processes share the worlds: an answer is sent once its entry is in the journal, or
held so that whoever asks for the journal finds it.

Otherwise the client could ask another process for the journal before the entry is there.
"""

import time
from datetime import datetime
from functools import partial
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from stubserver.call import REFUSAL_KEY, SCOPE_KEY, Call
from stubserver.errors import Refusal
from stubserver.pipeline.recorder import Recorder, is_journaled
from stubserver.records.journal import Answer
from stubserver.shared.turns import Turns
from stubserver.worlds.clock import EARLIEST
from stubserver.worlds.registry import Worlds
from stubserver.worlds.world import World


class SharedRecorder(Recorder):
    """ASGI middleware that records each request in turns."""

    def __init__(self, *args: Any, turns: Turns, worlds: Worlds, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turns = turns
        self._worlds = worlds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        recording = _Recording(self, self._turns, scope, send)
        try:
            await self._app(scope, receive, recording.send)
        finally:
            await recording.end()

    def locate(self, call: Call) -> bool:
        """Take the world of a request as it is in this turn. Returns False if it is gone since the request was
        answered, or another world has taken its place. Raises a refusal."""
        if call.at == EARLIEST:  # it was refused before its turn
            call.arrive()
            return True
        world = self._worlds.peek(call.world.name)
        if world.life != call.world.life:
            return False
        call.world = world
        return True


class _Recording:
    """A request, its answer as far as it is there, and its entry."""

    def __init__(self, recorder: SharedRecorder, turns: Turns, scope: Scope, send: Send) -> None:
        self._recorder = recorder
        self._turns = turns
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()
        self._answer = Answer()
        self._held: Message | None = None
        """The start of the answer, until it is known which number the request has."""
        self._is_noted = False

    @property
    def _call(self) -> Call | None:
        call: Call | None = self._scope.get(SCOPE_KEY)
        return call

    async def send(self, message: Message) -> None:
        """Send a message on, after the request has been numbered and, if it is the last one, noted."""
        if message["type"] == "http.response.start":
            self._answer.status, self._answer.headers = message["status"], message["headers"]
            self._held = message
            return
        call = self._call
        if is_journaled(call, self._answer.status):
            self._answer.body += message.get("body", b"")
            is_last = not message.get("more_body", False)
            if is_last or self._held is not None:
                await self._take_turn(call, is_last)
        if self._held is not None:
            if call is not None and call.id:
                self._held["headers"] = self._answer.headers
            held, self._held = self._held, None
            await self._send(held)
        await self._send(message)

    async def _take_turn(self, call: Call, is_last: bool) -> None:
        """Number the request and, at its end, note it, unless the store does not work."""
        answer = Answer(self._answer.status, self._answer.headers, self._answer.body)
        answer.seconds = time.perf_counter() - self._started
        before = call.id, call.at, call.world
        work = partial(self._number, call, answer, before, is_last)
        self._is_noted = is_last  # or never will be: it may have been, though the store did not say so
        try:
            self._answer.headers = await self._turns.run(work, call.world.name, number=int(not call.id))
        except Refusal:
            call.id, call.at, call.world = before

    def _number(self, call: Call, answer: Answer, before: tuple[str, datetime, World], is_last: bool) -> Any:
        """Number the request, and note it if this is the end of its answer. Returns the headers of the answer."""
        call.id, call.at, call.world = before
        call.refusal = self._scope.get(REFUSAL_KEY) or call.refusal
        headers = answer.headers
        if not self._recorder.locate(call):
            return headers
        number = self._recorder.number(call)
        if not before[0]:
            headers = [*headers, number]
        if is_last:
            self._recorder.route(call)
            twin = call.again(call.world, call.at)
            twin.id = call.id
            self._recorder.note(twin, Answer(answer.status, headers, answer.body, answer.seconds))
            call.user = twin.user
        return headers

    async def end(self) -> None:
        """Note a request without a whole answer, and write its line in the log."""
        call, answer = self._call, self._answer
        refused = self._scope.pop(REFUSAL_KEY, None)
        if call is not None and is_journaled(call, answer.status) and not self._is_noted:
            self._scope[REFUSAL_KEY] = refused
            await self._take_turn(call, is_last=True)
            self._scope.pop(REFUSAL_KEY)
        self._scope.pop(SCOPE_KEY, None)
        answer.seconds = time.perf_counter() - self._started
        if answer.status or call is not None:
            self._recorder.log_line(self._scope, call, answer, refused)
