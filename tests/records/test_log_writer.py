"""The log is written for whoever reads it, and holds up nobody if no one does."""

import logging
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from stubserver.records.log_writer import LogWriter
from tests.support.commands import PATIENCE

LINE = "a line of the log\n"


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """Both ends of a pipe; a test that closes one sets it to -1."""
    ends = [*os.pipe()]
    yield ends
    for end in ends:
        if end >= 0:
            os.close(end)


def read(end: int, until: str) -> str:
    """What comes out of a pipe, up to this text."""
    text = ""
    while until not in text:
        assert select.select([end], [], [], PATIENCE)[0], text
        text += os.read(end, 1 << 16).decode()
    return text


def ended(log: LogWriter) -> None:
    """Wait for the thread, which cannot do more."""
    log._thread.join(PATIENCE)
    assert not log._thread.is_alive()


def test_what_is_written_arrives_at_once(pipe: list[int]) -> None:
    log = LogWriter(pipe[1])
    log.write(LINE)
    assert read(pipe[0], LINE) == LINE
    log.write("ü\udcff\n")
    assert read(pipe[0], "\n") == "ü\\udcff\n"
    log.close()
    ended(log)


def test_what_waits_is_written_at_the_end(pipe: list[int]) -> None:
    log = LogWriter(pipe[1])
    for _ in range(1000):
        log.write(LINE)
    log.close()
    os.close(pipe[1])
    pipe[1] = -1
    assert os.read(pipe[0], 1 << 16).decode() == LINE * 1000


def test_a_pipe_that_nobody_reads_holds_nobody_up(pipe: list[int]) -> None:
    """What waits is bounded; what is lost is told where it is missing, once somebody reads."""
    log = LogWriter(pipe[1], most=100_000)
    handler = logging.StreamHandler(log)
    logger = logging.getLogger("stubserver.records.log_writer")
    logger.addHandler(handler)
    try:
        for _ in range(20_000):
            log.write(LINE)
        assert log._size <= 100_000
        text = read(pipe[0], "in time\n")
        log.write("more\n")
        text += read(pipe[0], "more\n")
    finally:
        logger.removeHandler(handler)
    kept = text.count(LINE)
    assert 0 < kept < 20_000
    assert text == LINE * kept + f"{20_000 - kept} lines of the log are missing: nobody took them in time\nmore\n"


def test_the_end_does_not_wait_for_a_reader(monkeypatch: pytest.MonkeyPatch, pipe: list[int]) -> None:
    monkeypatch.setattr("stubserver.records.log_writer._PATIENCE", 0)
    log = LogWriter(pipe[1])
    log.write(LINE * 10_000)
    log.close()
    assert log._thread.daemon
    assert log._thread.is_alive()
    os.close(pipe[0])
    pipe[0] = -1
    ended(log)


def test_lines_of_several_writers_do_not_get_into_each_other(pipe: list[int]) -> None:
    """Processes share a pipe that is always full: threads do, here."""
    logs = [LogWriter(pipe[1]) for _ in range(3)]
    for log, letter in zip(logs, "abc", strict=True):
        log.write(f"{letter * 99}\n" * 5_000)
    text = ""
    while text.count("\n") < 15_000:
        assert select.select([pipe[0]], [], [], PATIENCE)[0], text[-1000:]
        text += os.read(pipe[0], 1000).decode()
    assert {line for line in text.splitlines() if len(line) != 99 or len({*line}) != 1} == set()
    for log in logs:
        log.close()
        ended(log)


def test_a_line_may_be_longer_than_a_pipe_takes_as_a_whole(pipe: list[int]) -> None:
    long = "x" * 10_000
    text = f"short\n{long}\nshort\n" + "no end"
    log = LogWriter(pipe[1])
    log.write(text)
    assert read(pipe[0], "no end") == text
    log.close()
    ended(log)


def test_a_dead_pipe_ends_the_log_quietly(pipe: list[int], caplog: pytest.LogCaptureFixture) -> None:
    os.close(pipe[0])
    pipe[0] = -1
    log = LogWriter(pipe[1])
    log.write(LINE)
    ended(log)
    log.write(LINE)
    assert (log._waiting, caplog.text) == ([], "")
    log.close()


def test_a_full_disk_costs_lines_only() -> None:
    """And no memory."""
    with Path("/dev/full").open("w") as full:
        log = LogWriter(full.fileno())
        log.write(LINE * 3)
        log.close()
        ended(log)
    assert (log._waiting, log._size, log._dropped) == ([], 0, 3)
