"""Several processes that serve the same socket: starts them, replaces those that end, restarts and stops them.

The parent is forked when everything is built, so a worker starts in milliseconds. It has neither threads nor an event
loop, which would not survive a fork, and sleeps until it gets a signal: all of them are blocked and waited for in turn,
so no handler ever interrupts anything. POSIX only.
"""

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

PATIENCE = 10.0
"""Seconds that a worker has to end when it is asked to, before it is killed: twice as long as its requests have."""
MOMENT = 1.0
"""Seconds that it has when it is asked again."""
EARLY = 1.0
"""Seconds after its start within which the end of a worker is taken for a failure to start."""
TRIES = 5
"""How often each worker may fail to start in a row, before the parent gives up, if none is running."""
_FIRST_PAUSE, _MOST_PAUSE = 0.1, 10.0
"""Seconds before a worker that failed to start is replaced. Each time in a row doubles them, up to the second one."""

ServeOne = Callable[[int, int], None]
"""Serves in a worker until it is asked to end: by SIGTERM, or by its parent through a pipe. Its arguments are the
number of the worker, from 0, and the file descriptor of the pipe's end. A byte from the pipe means to end gracefully,
as its end does (the parent is gone); a second byte means to end at once."""


def run(
    serve_one: ServeOne,
    listener: socket.socket,
    number: int,
    say: Callable[[str], None],
    at_end: Callable[[], None] = lambda: None,
) -> None:
    """Keep `number` workers that serve `listener`, until a signal ends them; then close it, and end as it would end a
    single server. `say` logs a line, and must leave no thread behind. `at_end` is called when all workers have ended.
    Raises SystemExit if no worker stays alive, and what `at_end` raises."""
    parent = _Parent(serve_one, listener, number, say)
    parent.run()
    at_end()
    parent.die()


@dataclass
class _Worker:
    place: int
    pid: int
    pipe: int
    """Our end of the pipe."""
    started: float
    asked: int = 0
    """How often it has been asked to end."""
    deadline: float | None = None
    """When it is killed."""

    def __str__(self) -> str:
        return f"worker {self.place + 1} (process {self.pid})"

    def end(self) -> None:
        """Ask it to end: gracefully, or at once if it has been asked before. It may be dead already."""
        with suppress(BrokenPipeError):
            os.write(self.pipe, b".")
        self.deadline = time.monotonic() + (MOMENT if self.asked else PATIENCE)
        self.asked += 1


class _Parent:
    """The parent of the workers. Each has a place; for a moment, two may have the same one."""

    def __init__(self, serve_one: ServeOne, listener: socket.socket, number: int, say: Callable[[str], None]) -> None:
        self._serve_one, self._listener, self._say = serve_one, listener, say
        self._workers: dict[int, _Worker] = {}
        self._due = dict.fromkeys(range(number), 0.0)
        """Place that has no worker -> when it gets one."""
        self._failures = [0] * number
        """How often the worker at each place has failed to start in a row."""
        self._outdated: list[_Worker] = []
        """Workers that SIGHUP has yet to replace."""
        self._ended_by: int | None = None
        """The last signal that asked for the end."""

    def run(self) -> None:
        """Wait for signals until there is nothing more to do."""
        self._had_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_DFL and _has_terminal()
        ends = {signal.SIGTERM, signal.SIGINT}
        awaited = {*ends, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM}
        for number in (signal.SIGCHLD, signal.SIGALRM):
            signal.signal(number, lambda *_: None)  # some systems drop a signal that is ignored, even if it is awaited
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        self._look_after()
        while self._workers or self._due:
            received = signal.sigwait(awaited)
            if received in ends or (received == signal.SIGHUP and self._has_lost_terminal()):
                self._end(received)
            elif received == signal.SIGHUP:
                self._outdated = [*self._workers.values()]
            self._look_after()

    def _look_after(self) -> None:
        """Do whatever is to be done now, and set the alarm for what is to be done later."""
        self._reap()
        self._start_due()
        self._renew_next()
        self._kill_overdue()
        times = [*self._due.values(), *(worker.deadline for worker in self._workers.values() if worker.deadline)]
        signal.setitimer(signal.ITIMER_REAL, max(min(times) - time.monotonic(), 0.001) if times else 0)

    # Starting

    def _start_due(self) -> None:
        now = time.monotonic()
        for place in [place for place, due in self._due.items() if due <= now]:
            del self._due[place]
            try:
                self._start(place)
            except OSError as error:
                self._failed(place, f"worker {place + 1} cannot start: {error.strerror}")

    def _start(self, place: int) -> None:
        """Raises OSError if there are too many processes or files."""
        theirs, ours = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(ours)
            os.close(theirs)
            raise
        if not pid:
            self._be_worker(place, theirs, ours)
        os.close(theirs)
        self._workers[pid] = _Worker(place, pid, ours, time.monotonic())

    def _be_worker(self, place: int, pipe: int, ours: int) -> NoReturn:
        """Serve in this process, which has just been forked."""
        status = 1
        try:
            for end in (ours, *(worker.pipe for worker in self._workers.values())):
                os.close(end)  # else the workers would keep each other alive without a parent
            self._restore_signals()
            self._serve_one(place, pipe)
            status = 0
        except SystemExit as ended:
            status = _status(ended)
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)

    def _restore_signals(self) -> None:
        """Ctrl-C and the end of the terminal reach the whole group, but are the parent's business alone."""
        for number in (signal.SIGCHLD, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, {*self._mask, signal.SIGINT, signal.SIGHUP})

    # Replacing

    def _reap(self) -> None:
        """Take note of the workers that have ended, and of any other children that the parent was born with."""
        with suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                worker = self._workers.pop(found[0], None)
                if worker is not None:
                    self._reaped(worker, os.waitstatus_to_exitcode(found[1]))

    def _reaped(self, worker: _Worker, status: int) -> None:
        os.close(worker.pipe)
        if worker.asked:
            return
        reason = f"{worker} {_how(status)}"
        if time.monotonic() - worker.started < EARLY:
            self._failed(worker.place, reason)
        else:
            self._failures[worker.place] = 0
            self._due[worker.place] = 0.0
            self._say(f"{reason}: another one takes its place")

    def _failed(self, place: int, reason: str) -> None:
        """Have another worker start, but later each time. Raises SystemExit if that has gone on for too long."""
        self._failures[place] += 1
        if not self._workers and min(self._failures) >= TRIES:
            self._say(f"{reason}: the server gives up, because each worker has failed to start {TRIES} times in a row")
            sys.exit(1)
        pause = min(_FIRST_PAUSE * 2 ** (self._failures[place] - 1), _MOST_PAUSE)
        self._due[place] = time.monotonic() + pause
        self._say(f"{reason}: another one takes its place in {pause:.1f} seconds")

    def _renew_next(self) -> None:
        """Replace one outdated worker, unless one that has been replaced is still ending."""
        if not self._outdated or any(worker.asked for worker in self._workers.values()):
            return
        worker = self._outdated.pop(0)
        if worker.pid not in self._workers:
            self._renew_next()
            return
        try:
            self._start(worker.place)
        except OSError as error:
            self._say(f"{worker} stays, because another one cannot start: {error.strerror}")
        else:
            self._say(f"{worker} ends, because of SIGHUP: another one takes its place")
            worker.end()

    # Ending

    def _end(self, number: int) -> None:
        """Take no new connections, start no new workers, and have all end: gracefully, or at once the second time."""
        self._ended_by = number
        self._listener.close()
        self._due.clear()
        for worker in self._workers.values():
            if worker.asked < 2:
                worker.end()

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for worker in self._workers.values():
            if worker.deadline is not None and worker.deadline <= now:
                worker.deadline = None
                os.kill(worker.pid, signal.SIGKILL)
                self._say(f"{worker} did not end in time, so it was killed")

    def _has_lost_terminal(self) -> bool:
        """Whether SIGHUP says that the terminal has been closed: that ends a server, unless nohup started it."""
        return self._had_terminal and not _has_terminal()

    def die(self) -> None:
        """Let the signal end this process as if it had never been blocked. After Ctrl-C, a server just returns."""
        if self._ended_by is not None and self._ended_by != signal.SIGINT:
            signal.signal(self._ended_by, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {self._ended_by})
            signal.raise_signal(self._ended_by)


def _has_terminal() -> bool:
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _status(ended: SystemExit) -> int:
    """The exit status that Python would end with; a reason is printed."""
    if isinstance(ended.code, str):
        sys.stderr.write(f"{ended.code}\n")
        return 1
    return ended.code or 0


def _how(status: int) -> str:
    """How a worker has ended, in words; its status is negative if a signal ended it."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
