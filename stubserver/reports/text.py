"""Text for a terminal: wrapped, and without characters that a terminal would obey."""

import textwrap

WIDTH = 100
"""Columns of a report."""


def wrapped(text: str, first: str = "", below: str = "", width: int = WIDTH) -> str:
    """The text in lines of `width`; `first` begins the first line, and `below` the others."""
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=below, break_on_hyphens=False, break_long_words=False
    )


def printable(text: str) -> str:
    """`text` without what would steer a terminal or break a document: control characters, line breaks, surrogates."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
