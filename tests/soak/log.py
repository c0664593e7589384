"""The log of a server, read while it grows: how many answers of which kind, and what should not be in it."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NONE = "none"
"""The class of requests that got no answer, because a fault or their client dropped the connection."""
_ASKED = re.compile(r"Fault [0-9]+ of world \S+ caused this answer\.")
_USUAL = re.compile(
    r"Refused what .* sent: |[0-9]+ lines of the log are missing: |course-stubserver \S+ listens at ", re.DOTALL
)
"""Messages that clients can cause, by what is no HTTP and by being faster than the disk, and the first one."""
_CANCELLED = re.compile(r"Cancel ([0-9]+) running task\(s\), timeout graceful shutdown exceeded")


class Log:
    """The standard error of a server that logs in JSON."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0
        """How many bytes have been read."""
        self.requests = 0
        self.refused = 0
        """Connections that ended with what is no request."""
        self.answers: Counter[str] = Counter()
        """Class of status, such as 2xx -> answers."""
        self.unasked: list[str] = []
        """Lines about a 5xx that no fault asked for."""
        self.strange: list[str] = []
        """Lines that should not be there."""
        self.cancelled = 0
        """Requests that the server cancelled at its end."""

    def read(self) -> None:
        """Read the lines that have been completed since the last time."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        lines = text[: text.rfind(b"\n") + 1]
        self._read += len(lines)
        for line in lines.splitlines():
            self._note(line.decode(errors="replace"))

    def _note(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            self.strange.append(line)
            return
        if "method" in entry:
            self._note_request(entry, line)
        else:
            self._note_message(entry.get("message", ""), line)

    def _note_message(self, message: str, line: str) -> None:
        if cancelled := _CANCELLED.match(message):
            self.cancelled += int(cancelled[1])
        elif _USUAL.match(message):
            self.refused += message.startswith("Refused")
        else:
            self.strange.append(line)

    def _note_request(self, entry: Mapping[str, Any], line: str) -> None:
        """A 500 without a reason stands for no answer: a bug of the server gives a reason, or leaves a traceback."""
        status, reason = entry["status"], entry.get("reason", "")
        is_dropped = status == 500 and not reason
        self.requests += 1
        self.answers[NONE if is_dropped else f"{status // 100}xx"] += 1
        if status >= 500 and not is_dropped and not _ASKED.search(reason):
            self.unasked.append(line)
