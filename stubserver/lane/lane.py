"""The fast lane: answers requests that are sure to succeed, just as the stack would, and leaves all others to it.

It takes the same steps as the hops of the stack, in the same order and with the same functions. Any obstacle (a
refusal, a fault, a variant, an unusual header) sends the request to the stack, untouched, because nothing has happened
yet.
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from stubserver.call import Call
from stubserver.lane.head import Head, Heads
from stubserver.pipeline import authentication
from stubserver.pipeline.admission import admit
from stubserver.pipeline.answer import Headers, with_length
from stubserver.pipeline.dispatch import Dispatch
from stubserver.pipeline.hops import HOPS
from stubserver.pipeline.reading import read_body
from stubserver.pipeline.recorder import Recorder
from stubserver.records.journal import Answer
from stubserver.shared.turns import Direct, Job, Turns
from stubserver.worlds.registry import Worlds
from stubserver.worlds.world import World

MAX_CACHED = 64 * 1024
"""Maximum size of a cached answer, in bytes."""

_log = logging.getLogger("stubserver")

Send = Callable[[int, Headers, bytes], None]
"""Sends an answer, given its status, headers and body."""


def _authenticate(call: Call, head: Head) -> None:
    if head.secured:
        authentication.identify(call)


def _admit(call: Call, _: Head) -> None:
    admit(call, call.operation)


def _read_body(call: Call, head: Head) -> None:
    if head.media is not None:
        read_body(call, head.media)


Step = Callable[[Call, Head], None]

_IN_THE_HEAD: Final = None
"""`Heads` takes this step, once for all requests with the same head."""
_BY_THE_LANE: Final = None
"""`Lane` itself takes this step."""
_NOT_NEEDED: Final = None
"""The lane refuses nothing and serves no pages."""
STEPS: Mapping[str, Step | None] = {
    "recorder": _BY_THE_LANE,
    "cors": _IN_THE_HEAD,
    "wire": _IN_THE_HEAD,
    "faults": _BY_THE_LANE,
    "turn": _BY_THE_LANE,
    "refusals": _NOT_NEEDED,
    "docs": _NOT_NEEDED,
    "routing": _IN_THE_HEAD,
    "authentication": _authenticate,
    "admission": _admit,
    "validation": _read_body,
    "dispatch": _BY_THE_LANE,
}
"""Hop of the stack -> the step that the lane takes instead, for each request."""
_STEPS = [step for hop in HOPS if (step := STEPS[hop]) is not None]


class Lane:
    """Answers requests without the stack, if they are sure to succeed."""

    def __init__(
        self, heads: Heads, dispatch: Dispatch, worlds: Worlds, recorder: Recorder, turns: Turns | Direct
    ) -> None:
        self.heads = heads
        self.takes_turns = worlds.is_shared
        """Whether requests are offered, and answered in a turn, instead of at once."""
        self._turns = turns
        self._dispatch = dispatch
        self._worlds = worlds
        self._recorder = recorder

    def offer(self, head: Head, body: bytes, send: Send, done: Callable[[bool], None]) -> None:
        """Answer a request in the next turn, and record it. `done` is called with whether it was answered; if not, the
        stack must answer it."""
        assert isinstance(self._turns, Turns)  # noqa: S101 (there is no other way to have turns)
        started = time.perf_counter()
        work = partial(self._attempt, head, body, started)
        self._turns.offer(Job(work, [head.world], 1, partial(self._finish, head, send, done, started)))

    def _attempt(self, head: Head, body: bytes, started: float) -> tuple[Call, Answer, bytes] | None:
        """The finished call, its answer and the text of that, noted in the journal; None if the stack must answer.
        Nothing has been sent yet, as it may have to be done again."""
        try:
            world = self._worlds.touch(head.world, head.fixture)
            if not world.is_plain:
                return None
            call, text = self._run(head, world, body)
        except Exception:  # the stack will run into it, too, and report it
            return None
        status = call.operation.status
        sent = [*with_length(head.headers, status, text), *head.cors, self._recorder.number(call)]
        answer = Answer(status, sent, text, time.perf_counter() - started)
        self._recorder.note(call, answer)
        return call, answer, text

    def _finish(self, head: Head, send: Send, done: Callable[[bool], None], started: float, job: Job) -> None:
        if job.error is not None or job.result is None:
            done(False)
            return
        call, answer, text = job.result
        send(answer.status, answer.headers, text)
        answer.seconds = time.perf_counter() - started  # with what the store took
        try:
            self._recorder.note_line(head.target, call, answer)
        except Exception:
            _log.exception("%s was answered but could not be logged", call.id)
        done(True)

    def answer(self, head: Head, body: bytes, send: Send) -> bool:
        """Answer a request and record it. Returns False if the stack must answer it; then nothing has happened yet.
        Never waits."""
        started = time.perf_counter()
        try:
            world = self._worlds.touch(head.world, head.fixture)
            if not world.is_plain:
                return False
            call, text = self._run(head, world, body)
        except Exception:  # the stack will run into it, too, and report it
            return False
        status = call.operation.status
        sent = [*with_length(head.headers, status, text), *head.cors, self._recorder.number(call)]
        send(status, sent, text)
        try:
            self._recorder.keep(head.target, call, Answer(status, sent, text, time.perf_counter() - started))
        except Exception:
            _log.exception("%s was answered but could not be recorded", call.id)
        return True

    def _run(self, head: Head, world: World, body: bytes) -> tuple[Call, bytes]:
        """The finished call and the text of its answer. Raises whatever prevents success."""
        at = world.clock.watch()
        call = head.call.again(world, at)
        call.raw_body = body
        if (cached := head.cached) is not None and cached.is_good(world, at):
            call.user = cached.user
            return call, cached.text
        if call.method != "GET":
            return call, self._make(call, head)
        reads = world.log.reads = set()
        try:
            text = self._make(call, head)
        finally:
            world.log.reads = None
        if not call.changes and len(text) <= MAX_CACHED:
            head.cache(call, text, reads)
        return call, text

    def _make(self, call: Call, head: Head) -> bytes:
        for step in _STEPS:
            step(call, head)
        return self._dispatch.run(call, call.operation)
