"""What a run tells at its end about the stub server: coverage, mistakes, and options that had no effect."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


class Summary:
    """Collects what there is to tell, in this process and in the workers of pytest-xdist."""

    def __init__(self) -> None:
        self.used = False
        """Whether a test has used the server."""
        self.notes: list[str] = []
        """Lines to show."""
        self.reports: list[dict[str, Any]] = []
        """Coverage of the servers that were used, each a Coverage of the control plane's contract."""

    @contextmanager
    def guarded(self, failed: str = "the plugin stubserver failed") -> Iterator[None]:
        """Turn an error of the plugin's own into a line that begins with `failed`, because it must not end the run."""
        try:
            yield
        except pytest.exit.Exception:  # which a hook of the project may raise
            raise
        except Exception as error:
            self.notes.append(f"{failed}: {type(error).__name__}: {error}")

    def told(self) -> list[Any]:
        """What a worker tells its controller, in the plain types that pytest-xdist can send."""
        return [self.used, self.notes, self.reports]

    def hear(self, told: Sequence[Any] | None) -> None:
        """Add what a worker has told; nothing if it crashed, in which case it may have used the server."""
        used, notes, reports = told or (True, [], [])
        self.reports += reports
        self.used |= used
        self.notes += (note for note in notes if note not in self.notes)

    def write_coverage(self, file: str, shared_url: str | None) -> None:
        """Write a report of all coverage together, in the format that the name of the file implies. Raises ValueError
        if there is none."""
        from stubserver.reports.coverage_report import FORMATS, format_of, merged

        report = merged(self.reports)
        Path(file).write_text(FORMATS[format_of(file)](report), encoding="utf-8")
        others = f", including what others did at {shared_url} meanwhile" if shared_url else ""
        self.notes.append(f"stub coverage: {report['percent']} % of the contract, in {file}{others}")

    def lines(self, given: Sequence[str], file: str | None) -> list[str]:
        """Everything there is to tell. `given` are the plugin's options of this run, `file` is the coverage report."""
        if self.used or not given:
            return self.notes
        lost = f"; no coverage report was written to {file}" if file else ""
        return [*self.notes, f"no test used the stub server, so {', '.join(given)} had no effect{lost}"]
