"""What options of the benchmarks may say. A wrong one ends the command with one line that says what would be right."""

import argparse
import os
import shutil
from collections.abc import Callable, Iterable


def positive(text: str) -> int:
    """A whole number above 0. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def names(known: Iterable[str]) -> Callable[[str], list[str]]:
    """A reader of names that are separated by commas; each must be known. It raises ArgumentTypeError."""
    choices = sorted(known)

    def read(text: str) -> list[str]:
        found = list(dict.fromkeys(text.split(",")))
        if unknown := [repr(name) for name in found if name not in choices]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; choose from {', '.join(choices)}")
        return found

    return read


def need_wrk(parser: argparse.ArgumentParser, command: str) -> None:
    """End with an error if there is no wrk, the load generator, which `command` installs."""
    if shutil.which(os.environ.get("WRK", "wrk")) is None:
        parser.error(f"wrk is missing; `{command}` installs it")
