"""Lines of a log for machines."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stubserver.records.json_lines import JsonFormat, line


def test_a_line_begins_with_time_and_level() -> None:
    told = json.loads(line("info", message="a\nb", number=1))
    assert [*told] == ["time", "level", "message", "number"]
    assert (told["level"], told["message"], told["number"]) == ("info", "a\nb", 1)
    assert told["time"].endswith("Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(told["time"])) < timedelta(minutes=1)


def test_a_line_has_no_line_breaks_and_takes_any_text() -> None:
    """The name of a file need not be Unicode."""
    text = line("error", message="no file \udcff\n")
    assert "\n" not in text
    assert json.loads(text)["message"] == "no file \\udcff\n"


def logged(**facts: Any) -> dict[str, Any]:
    record = logging.LogRecord("a.library", logging.WARNING, "file.py", 1, "%s failed", ("It",), None)
    vars(record).update(facts)
    told: dict[str, Any] = json.loads(JsonFormat().format(record))
    return told


def test_what_libraries_log_is_one_line() -> None:
    told = logged()
    assert (told["level"], told["message"], told["logger"]) == ("warning", "It failed", "a.library")
    assert "exception" not in told


def test_a_traceback_has_a_field_of_its_own() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    told = logged(exc_info=(caught.type, caught.value, caught.tb))
    assert told["message"] == "It failed"
    assert told["exception"].startswith("Traceback")
    assert told["exception"].endswith("ZeroDivisionError: division by zero")
