"""Texts: slots are filled, decks are dealt to their end, and html is well-formed."""

import random
import xml.etree.ElementTree as ElementTree

import pytest

from stubserver.authoring.phrases import Language
from stubserver.authoring.writer import Writer

WORDS = {
    "names": ["{subject} with {name} in {place}"],
    "lessons": ["A", "B", "C"],
    "sentences": ["One.", "Two."],
    "points": ["a rope", "a hand"],
}


def writer(seed: int) -> Writer:
    return Writer(Language(1, WORDS, ["Ada {Ashby}"], ["Ely"]), random.Random(seed))  # noqa: S311


def test_slots_are_filled_once() -> None:
    """What is filled in may have braces, too."""
    assert writer(1).text("names", "Knots") == "Knots with Ada {Ashby} in Ely"


def test_a_deck_is_dealt_to_its_end() -> None:
    dealt = writer(1)
    found = [dealt.dealt("lessons") for _ in range(6)]
    assert [sorted(found[:3]), sorted(found[3:])] == [["A", "B", "C"], ["A", "B", "C"]]


@pytest.mark.parametrize("sentences", [(1, 1), (2, 5), (40, 60)])
def test_html_is_well_formed(sentences: tuple[int, int]) -> None:
    tags: set[str] = set()
    for seed in range(60):
        root = ElementTree.fromstring(f"<all>{writer(seed).html(sentences)}</all>")  # noqa: S314 (our own)
        assert {child.tag for child in root} <= {"p", "h3", "ul", "blockquote"}
        tags |= {child.tag for child in root.iter()}
        words = " ".join(root.itertext())
        assert sentences[0] <= words.count("One.") + words.count("Two.") <= sentences[1]
    assert {"p", "ul", "li", "strong"} < tags
