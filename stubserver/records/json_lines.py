"""Lines of a log for machines: one JSON object each, with time and level first."""

import logging
from datetime import UTC, datetime
from typing import Any

import orjson


def line(level: str, **facts: Any) -> str:
    """A line with these facts; `level` is one of debug, info, warning, error and critical."""
    found = {"time": datetime.now(UTC), "level": level, **facts}
    try:
        return orjson.dumps(found, option=orjson.OPT_UTC_Z).decode()
    except TypeError:  # a text that is not Unicode, such as the odd name of a file
        return orjson.dumps({name: _plain(fact) for name, fact in found.items()}, option=orjson.OPT_UTC_Z).decode()


def _plain(fact: Any) -> Any:
    return fact.encode(errors="backslashreplace").decode() if isinstance(fact, str) else fact


class JsonFormat(logging.Formatter):
    """Formats what `logging` is given, by libraries, too."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; an exception comes with its traceback, in a field of its own."""
        facts = {"message": record.getMessage(), "logger": record.name}
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return line(record.levelname.lower(), **facts)
