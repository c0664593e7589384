"""Text for a terminal: wrapped, and without characters that would control the terminal."""

import textwrap

WIDTH = 100
"""Columns of a report."""


def wrapped(text: str, first: str = "", below: str = "", width: int = WIDTH) -> str:
    """The text in lines of at most `width` columns; `first` begins the first line, and `below` all others."""
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=below, break_on_hyphens=False, break_long_words=False
    )


def shortened(text: str, most: int) -> str:
    """At most `most` characters of `text`, printable; dots stand for the rest."""
    return printable(text if len(text) <= most else f"{text[: most - 3]}...")


def printable(text: str) -> str:
    """`text` with replacements for what could control a terminal or break a document: control characters, line breaks,
    surrogates."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
