"""The languages of generated fixtures: what is written there, and people and towns from Faker."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stubserver.contract.merging import load_yaml

if TYPE_CHECKING:
    from faker import Faker

FILE = Path(__file__).parent / "phrases.yaml"
_PEOPLE, _PLACES = 150, 40
"""How many are drawn for each country; more would take longer than it adds."""


class NoFaker(Exception):
    """Faker is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Language:
    """What can be said in one language."""

    weight: int
    """How often it is drawn, compared with the others."""
    words: Mapping[str, Any]
    """What the file says."""
    people: Sequence[str]
    """Full names."""
    places: Sequence[str]


def categories() -> Mapping[str, Mapping[str, Any]]:
    """Key of the subjects -> name and slogan of their category."""
    found: Mapping[str, Mapping[str, Any]] = _content()["categories"]
    return found


def languages(seed: int) -> list[Language]:
    """All languages; the people in them depend on the seed only. Raises NoFaker."""
    return [_language(words, seed) for words in _content()["languages"].values()]


def _language(words: Mapping[str, Any], seed: int) -> Language:
    fakes = [*_fakes(words["locales"], seed)]
    people = [fake.name() for fake in fakes for _ in range(_PEOPLE)]
    return Language(
        weight=words["weight"],
        words=words,
        people=people,
        places=words.get("places") or [fake.city() for fake in fakes for _ in range(_PLACES)],
    )


def _fakes(locales: Sequence[str], seed: int) -> "Iterator[Faker]":
    try:
        from faker import Faker
    except ImportError:
        raise NoFaker("this needs Faker: pip install 'course-stubserver[data]'") from None
    for locale in locales:
        fake = Faker(locale)
        fake.seed_instance(seed)
        yield fake


def _content() -> dict[str, Any]:
    found: dict[str, Any] = load_yaml(FILE.read_text(encoding="utf-8"))
    return found
