"""The words of generated fixtures: each language has them all, and Faker adds people."""

import builtins
import string
from collections.abc import Iterator
from typing import Any

import pytest

from stubserver.authoring.phrases import FILE, NoFaker, categories, languages
from stubserver.contract.merging import load_yaml

CONTENT = load_yaml(FILE.read_text(encoding="utf-8"))
LISTS = ("names", "descriptions", "sections", "lessons", "sentences", "points", "media", "comments", "replies", "bios")
SLOTS = {
    "names": {"subject", "name", "place"},
    "descriptions": {"name", "place"},
    "comments": {"place"},
    "replies": {"name"},
}


def texts(words: Any) -> Iterator[Any]:
    if isinstance(words, dict):
        words = list(words.values())
    if isinstance(words, list):
        for part in words:
            yield from texts(part)
    else:
        yield words


@pytest.mark.parametrize("name", CONTENT["languages"])
def test_a_language_has_everything(name: str) -> None:
    """As text: YAML would make something else of Yes and No."""
    words = CONTENT["languages"][name]
    assert {*words} - {"places"} == {*LISTS, "weight", "locales", "subjects", "quiz", "questions"}
    assert list(words["subjects"]) == list(CONTENT["categories"])
    assert all(isinstance(text, str) and text.strip() == text for text in texts({**words, "weight": ""}))
    assert all(question["right"] and question["wrong"] for question in words["questions"])
    for what in LISTS:
        assert len({*words[what]}) == len(words[what]) > 1, what
        found = {slot for text in words[what] for _, slot, *_ in string.Formatter().parse(text) if slot}
        assert found <= SLOTS.get(what, set()), what
    assert any("{subject}" in text for text in words["names"])
    assert all("<" not in str(text) for text in texts(words))


def test_there_are_languages_from_right_to_left_and_without_spaces() -> None:
    assert {"ar", "ja"} < {*CONTENT["languages"]}


def test_people_depend_on_the_seed() -> None:
    first, again, other = languages(1), languages(1), languages(2)
    assert [language.people for language in first] == [language.people for language in again]
    assert all(one.people != two.people for one, two in zip(first, other, strict=True))


def test_towns_are_those_of_the_file_or_of_faker() -> None:
    places = {language.words["quiz"]: language.places for language in languages(1)}
    assert len(places["Quiz : {lesson}"]) == 2 * 40
    assert places["اختبار: {lesson}"] == CONTENT["languages"]["ar"]["places"]


def test_categories_have_a_name_and_a_slogan() -> None:
    assert all({*area} == {"name", "slogan"} for area in categories().values())


def test_without_faker_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "faker":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NoFaker, match=r"^this needs Faker: pip install 'course-stubserver\[data\]'$"):
        languages(1)
