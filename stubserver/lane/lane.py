"""The fast lane: answers requests that it can prove to succeed, as the whole stack would, and leaves all others to it.

The steps are those of the stack, and so is their code: what Connexion says of a request's head (`head.py`), then
identification, admission, the body, the operation, the answer's shape and validation, and the record. What a GET was
answered stays with its head and is good for as long as the world has the same rows and no moment has come that it
depends on. Whatever stands in the way (a refusal, a fault, an unusual header) sends a request to the stack, untouched,
for nothing has happened yet.
"""

import logging
import time
from collections.abc import Callable

from stubserver.call import Call
from stubserver.lane.head import Head, Heads, Kept
from stubserver.pipeline import authentication
from stubserver.pipeline.dispatch import Dispatch, admit
from stubserver.pipeline.recorder import Recorder, number
from stubserver.pipeline.wire import Headers, with_length
from stubserver.records.journal import Answer
from stubserver.worlds.registry import Worlds
from stubserver.worlds.world import World

MAX_KEPT = 64 * 1024
"""Bytes of the largest answer that is kept."""

_log = logging.getLogger("stubserver")

Send = Callable[[int, Headers, bytes], None]
"""Takes status, headers and body of an answer."""


class Lane:
    """Answers what it can."""

    def __init__(self, heads: Heads, dispatch: Dispatch, worlds: Worlds, recorder: Recorder) -> None:
        self.heads = heads
        self._dispatch = dispatch
        self._worlds = worlds
        self._recorder = recorder

    def answer(self, head: Head, body: bytes, send: Send) -> bool:
        """Answer a request, and record that; False, and nothing has happened, where the stack must do it. Never
        waits."""
        started = time.perf_counter()
        try:
            world = self._worlds.touch(head.world, head.fixture)
            if world.faults:
                return False
            call, text = self._run(head, world, body)
        except Exception:  # the stack will meet it, too, and say what is wrong
            return False
        status = call.operation.status
        number(call)
        sent = [*with_length(head.headers, status, text), *head.cors, (b"x-stub-request", call.id.encode())]
        send(status, sent, text)
        try:
            self._recorder.keep(head.target, call, Answer(status, sent, text, time.perf_counter() - started))
        except Exception:
            _log.exception("%s was answered but could not be recorded", call.id)
        return True

    def _run(self, head: Head, world: World, body: bytes) -> tuple[Call, bytes]:
        """The finished call and the text of its answer. Raises whatever keeps it from success."""
        at = world.clock.watch()
        if (kept := head.kept) is not None and kept.is_good(world, at):
            call, text = kept.call.again(world, at), kept.text
            call.raw_body = body
            return call, text
        call = head.call.again(world, at)
        call.raw_body = body
        if head.secured:
            authentication.identify(call)
        admit(call, call.operation)
        if head.read is not None:
            head.read(call)
        text = self._dispatch.run(call, call.operation)
        if call.method == "GET" and not call.changes and len(text) <= MAX_KEPT:
            head.kept = Kept(call, text, world.writes, world.clock.since, world.clock.until)
        return call, text
