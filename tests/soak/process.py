"""What a process takes: memory, descriptors and threads, as the system counts them."""

import re
import subprocess
from pathlib import Path

_PROC = "/proc"


def memory(pid: int) -> int:
    """The resident memory of a process, in bytes. Raises ProcessLookupError if it has ended."""
    status = _status(pid)
    if status:
        return int(_field(status, "VmRSS").split()[0]) * 1024
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(shown.stdout) * 1024


def files(pid: int) -> int | None:
    """How many file descriptors a process has open; None where there is no /proc, such as on macOS."""
    folder = Path(f"{_PROC}/{pid}/fd")
    return len(list(folder.iterdir())) if folder.exists() else None


def threads(pid: int) -> int | None:
    """How many threads a process has; None where there is no /proc."""
    status = _status(pid)
    return int(_field(status, "Threads")) if status else None


def _status(pid: int) -> str:
    file = Path(f"{_PROC}/{pid}/status")
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _field(status: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.+)$", status, re.MULTILINE)
    if found is None:
        raise ProcessLookupError(f"there is no {name} of a process that has ended")
    return found[1]
