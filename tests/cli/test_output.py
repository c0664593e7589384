"""A file that keeps what it had until something is written."""

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from stubserver.cli.output import Output, opened, write


def test_a_file_is_replaced_by_the_first_writing(tmp_path: Path) -> None:
    """And what is written is there at once."""
    file = tmp_path / "j"
    file.write_text("of the last run")
    with closing(Output(file)) as output:
        assert file.read_text() == "of the last run"
        output.write(b"one\n")
        assert file.read_text() == "one\n"
        output.write(b"two\n")
    assert (file.read_text(), output.error) == ("one\ntwo\n", None)


def test_writing_nothing_leaves_an_empty_file(tmp_path: Path) -> None:
    file = tmp_path / "j"
    file.write_text("of the last run")
    with closing(Output(file)) as output:
        output.write(b"")
    assert file.read_text() == ""


@pytest.mark.parametrize("before", [None, "of the last run"])
def test_without_writing_all_stays_as_it_was(tmp_path: Path, before: str | None) -> None:
    file = tmp_path / "j"
    if before is not None:
        file.write_text(before)
    Output(file).close()
    assert (file.read_text() if file.exists() else None) == before


def test_a_file_that_cannot_be_opened_is_an_error_at_once(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none" / "j"):
        with pytest.raises(OSError, match=str(file)):
            Output(file)
    assert list(tmp_path.iterdir()) == []


def test_the_first_error_of_writing_is_kept() -> None:
    with closing(Output(Path("/dev/full"))) as output:
        output.write(b"one")
        output.write(b"two")
    assert output.error is not None
    assert output.error.errno == errno.ENOSPC


def test_what_is_no_file_is_not_emptied() -> None:
    """A pipe, a terminal."""
    reading, writing = os.pipe()
    with closing(Output(Path(f"/dev/fd/{writing}"))) as output:
        output.write(b"one")
    assert (os.read(reading, 9), output.error) == (b"one", None)
    os.close(reading)
    os.close(writing)


def test_a_file_that_cannot_be_written_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), opened(tmp_path / "no" / "j"):
        pass
    assert "cannot write" in capsys.readouterr().err


def test_a_text_is_written_if_there_is_a_file(tmp_path: Path) -> None:
    with opened(tmp_path / "j") as file, opened(None) as nothing:
        write(file, "a\ud800")
        write(nothing, "b")
    assert (tmp_path / "j").read_text() == "a\\ud800"
