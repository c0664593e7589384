"""What has been run so far, in a file, so that an interrupted search goes on where it was."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from stubserver.variants.running import Run, Sent, as_json, from_json
from stubserver.variants.site import Site


class UnusableState(Exception):
    """The file belongs to another search, or is none; the message says why, in one line."""


class Memory:
    """The runs of one search, by what varied in them. Without a file, it forgets with the process."""

    def __init__(self, file: Path | None, about: Mapping[str, Any]) -> None:
        """`about` tells searches apart. Raises UnusableState if the file is that of another one, and OSError."""
        self._file = file
        self._about = dict(about)
        self._runs: dict[str, Run] = {}
        self.sent: Sent | None = None
        """What the first run has learnt; None before it."""
        self.resumed = 0
        """How many runs are from an earlier process."""
        if file is not None and file.exists() and file.stat().st_size:
            self._read(file)
        if file is not None:
            self.save()

    def _read(self, file: Path) -> None:
        try:
            written = orjson.loads(file.read_bytes())
            about = written["about"]
            self._runs = {key: from_json(done) for key, done in written["runs"].items()}
            sent = written["sent"]
            self.sent = sent and Sent(sent["places"], [Site(*site) for site in sent["sites"]])
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise UnusableState(f"{file} is no state of this command: {error}") from None
        differing = [name for name, value in self._about.items() if about.get(name) != value]
        if differing:
            raise UnusableState(f"{file} is of a search with another {differing[0]}: use another file, or delete it")
        self.resumed = len(self._runs)

    def get(self, sites: Sequence[Site], attempt: int) -> Run | None:
        """What came of a run, if it is known."""
        return self._runs.get(_key(sites, attempt))

    def keep(self, sites: Sequence[Site], attempt: int, done: Run) -> None:
        """Remember a run. Raises OSError."""
        self._runs[_key(sites, attempt)] = done
        self.save()

    def save(self) -> None:
        """Write the file, in one step. Raises OSError."""
        if self._file is None:
            return
        sent = self.sent and {"places": self.sent.places, "sites": [list(site) for site in self.sent.sites]}
        runs = {key: as_json(done) for key, done in self._runs.items()}
        new = self._file.with_name(f"{self._file.name}.new")
        new.write_bytes(orjson.dumps({"about": self._about, "sent": sent, "runs": runs}))
        new.replace(self._file)


def _key(sites: Sequence[Site], attempt: int) -> str:
    return "\n".join([str(attempt), *sorted(site.key for site in sites)])
