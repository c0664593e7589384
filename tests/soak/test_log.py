"""What the soak makes of a log."""

import json
from pathlib import Path

import pytest

from tests.soak.log import NONE, Log

FAULT = "Fault 3 of world w caused this answer."


def entry(status: int, reason: str = "") -> str:
    return json.dumps({"method": "GET", "path": "/a", "status": status, **({"reason": reason} if reason else {})})


def message(text: str) -> str:
    return json.dumps({"level": "warning", "message": text})


@pytest.fixture
def log(tmp_path: Path) -> Log:
    (tmp_path / "err").touch()
    return Log(tmp_path / "err")


def written(log: Log, *lines: str) -> Log:
    with log._file.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    log.read()
    return log


def test_answers_are_counted_by_their_class(log: Log) -> None:
    written(log, entry(200), entry(404, "No such path."), entry(503, FAULT))
    written(log, entry(201), entry(302), entry(500, FAULT), entry(500))
    assert log.requests == 7
    assert log.answers == {"2xx": 2, "3xx": 1, "4xx": 1, "5xx": 2, NONE: 1}
    assert (log.unasked, log.strange) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        entry(500, "The stub server failed; its log says why. Please report it."),
        entry(503),
        entry(502, "Fault of the server."),
        entry(599, "Fault 3 of"),
    ],
)
def test_a_5xx_without_a_fault_is_found(log: Log, line: str) -> None:
    assert (written(log, line).unasked, log.strange) == ([line], [])


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        message("Exception in ASGI application\nTraceback (most recent call last):"),
        message("Whatever a library warns about, such as: Refused what"),
        "<sys>:0: RuntimeWarning: coroutine 'x' was never awaited",
    ],
)
def test_what_should_not_be_there_is_found(log: Log, line: str) -> None:
    assert (written(log, line).strange, log.unasked) == ([line], [])


def test_what_clients_cause_is_nothing_strange(log: Log) -> None:
    written(
        log,
        message("Refused what 127.0.0.1:5 sent: This is not a valid request in HTTP/1.1: \n."),
        message("3 lines of the log are missing: nobody took them in time"),
        message("Cancel 4 running task(s), timeout graceful shutdown exceeded"),
    )
    assert (log.strange, log.refused, log.cancelled, log.requests) == ([], 1, 4, 0)


def test_half_a_line_waits_for_its_end(log: Log) -> None:
    line = entry(200)
    log._file.write_text(line[:9])
    log.read()
    assert (log.requests, log.strange) == (0, [])
    written(log, line[9:])
    assert (log.requests, log.strange) == (1, [])
