"""A file for what a command leaves behind: checked before the command runs, and replaced no earlier."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stubserver.cli.options import fail


class Output:
    """A file that keeps what it had until something is written."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if the file cannot be written."""
        self.path = path
        self._is_new = not path.exists()
        self._is_unused = True
        self._file = path.open("ab")
        self.error: OSError | None = None
        """The first error of writing, after which nothing more is written."""

    def write(self, data: bytes) -> None:
        """Replace what the file had, or add to what has been written since."""
        if self.error is not None:
            return
        try:
            if self._is_unused and self.path.is_file():  # and no pipe or terminal
                self._file.truncate(0)
            self._is_unused = False
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            self.error = error

    def close(self) -> None:
        """Close the file; if it is new and nothing was written, it is removed."""
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or error
        if self._is_new and self._is_unused:
            self.path.unlink()


@contextmanager
def opened(path: Path | None) -> Iterator[Output | None]:
    """A file for what is known at the end; one that is not written is left as it was. If it is not writable now, the
    command ends with one line."""
    try:
        file = None if path is None else Output(path)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
    try:
        yield file
    finally:
        if file is not None:
            file.close()


def write(file: Output | None, text: str) -> None:
    """Write the text, if there is a file for it. Ends the command with one line if that is not possible."""
    if file is None:
        return
    file.write(text.encode("utf-8", "backslashreplace"))
    if file.error is not None:
        fail(f"cannot write {file.path}: {file.error.strerror}")
