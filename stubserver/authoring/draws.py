"""What all that is drawn has in common: numbers in a range, times in the past, texts that fit."""

import random

from stubserver.authoring.shapes import Range

DAY = 24 * 60
"""A day in minutes, which is how ages are counted."""


def between(draws: random.Random, bounds: Range) -> int:
    """A number from a range, both ends included."""
    return draws.randint(*bounds)


def ago(minutes: int) -> str:
    """A time so many minutes before the start of the server, as fixtures write it: to the minute for two days, and to
    the hour before."""
    return f"-{minutes}m" if minutes < 2 * DAY else f"-{minutes // 60}h"


def capped(text: str, most: int) -> str:
    """The text, or the beginning of one that is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
