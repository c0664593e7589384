"""Writes a log in a thread of its own, so that nobody has to wait for whoever reads it, or does not.

What has not been written yet is bounded. A pipe that nobody reads costs lines, never memory or requests.
"""

import logging
import os
import select
import threading
import time

MOST = 1 << 20
"""Maximum size of what waits to be written, in bytes."""
_PAUSE = 0.005
"""Seconds between two writes: a thread that wakes up for each line would take a fifth of the server's time."""
_PATIENCE = 1.0
"""Seconds that the end of a log may take."""
_WHOLE = getattr(select, "PIPE_BUF", 512)
"""Bytes that a pipe takes as a whole, so that lines of several processes do not get into each other."""


class LogWriter:
    """A stream for `logging` and others that never blocks."""

    def __init__(self, file: int, most: int = MOST) -> None:
        """Text goes to the file descriptor `file`; at most `most` bytes of it wait."""
        self._file = file
        self._most = most
        self._waiting: list[bytes] = []
        self._size = 0
        self._dropped = 0
        self._is_dead = False
        self._is_closed = False
        self._state = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Have some lines written, or drop and count them if too much is waiting."""
        data = text.encode(errors="backslashreplace")
        with self._state:
            if self._is_dead:
                return
            if self._size + len(data) > self._most:
                self._dropped += text.count("\n")
                return
            self._waiting.append(data)
            self._size += len(data)
            self._state.notify()

    def flush(self) -> None:
        """Do nothing: the thread does not wait for more before it writes."""

    def close(self) -> None:
        """Write what waits, if it can be written in a moment."""
        with self._state:
            self._is_closed = True
            self._state.notify()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while batch := self._next():
            data = b"".join(batch)
            try:
                _write_all(self._file, data)
            except BrokenPipeError:
                self._die()
                return
            except OSError:  # a full disk, for example
                self._count(len(data), data.count(b"\n"))
            else:
                self._count(len(data), 0)
                self._tell()
            time.sleep(_PAUSE)

    def _next(self) -> list[bytes]:
        """What to write next, once there is anything; nothing at the end."""
        with self._state:
            self._state.wait_for(lambda: self._waiting or self._is_closed)
            batch, self._waiting = self._waiting, []
            return batch

    def _die(self) -> None:
        """Keep nothing from now on: there is no reader any more."""
        with self._state:
            self._is_dead = True
            self._waiting.clear()

    def _count(self, size: int, dropped: int) -> None:
        with self._state:
            self._size -= size
            self._dropped += dropped

    def _tell(self) -> None:
        """Tell how many lines were lost, once nothing waits any more."""
        with self._state:
            dropped = 0 if self._waiting else self._dropped
            self._dropped -= dropped
        if dropped:
            logging.getLogger(__name__).warning("%d lines of the log are missing: nobody took them in time", dropped)


def _write_all(file: int, data: bytes) -> None:
    """Write as many whole lines at once as a pipe takes as a whole. A longer line is written at once, too, but a pipe
    that is nearly full takes only its beginning at first."""
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + _WHOLE) + 1 or data.find(b"\n", start) + 1 or len(data)
        start += os.write(file, data[start:end])
