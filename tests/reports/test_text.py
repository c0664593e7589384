"""Text for a terminal."""

import pytest

from stubserver.reports.text import WIDTH, printable, shortened, wrapped


def test_wrapped_text_stays_within_the_width() -> None:
    lines = wrapped("word " * 100, "  first: ", "    ").splitlines()
    assert len(lines) > 5
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("  first: word")
    assert all(line.startswith("    word") for line in lines[1:])


def test_wrapped_text_breaks_neither_words_nor_at_hyphens() -> None:
    long = "x" * 30
    assert wrapped(f"self-paced {long} self-paced", width=14).splitlines() == ["self-paced", long, "self-paced"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, déjà vu", "plain text, déjà vu"),
        ("a\x1b[2Jb", "a\N{REPLACEMENT CHARACTER}[2Jb"),
        ("a\nb", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("", ""),
    ],
)
def test_printable_replaces_what_a_terminal_would_obey(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_shortened_text_ends_in_dots() -> None:
    assert shortened("a\nb", 3) == "a\ufffdb"
    assert shortened("abcdefg", 7) == "abcdefg"
    assert shortened("abcd\x1befgh", 8) == "abcd\ufffd..."
