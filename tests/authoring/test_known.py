"""What is known: the newest fact counts, unless it says less."""

from typing import Any

import pytest

from stubserver.authoring.known import Known, as_id


def test_facts_add_up() -> None:
    known = Known()
    known.learn("courses", 3, {"name": "Knots", "type": "structured"})
    known.learn("courses", 3, {"name": "Bends", "slug": "bends"})
    assert known.tables == {"courses": {3: {"name": "Bends", "type": "structured", "slug": "bends"}}}


@pytest.mark.parametrize("empty", ["", None, []])
def test_an_empty_value_says_less(empty: Any) -> None:
    known = Known()
    known.learn("courses", 3, {"description": "All of it"})
    known.learn("courses", 3, {"description": empty, "meta_title": empty})
    assert known.tables["courses"][3] == {"description": "All of it", "meta_title": empty}


def test_false_and_zero_say_as_much_as_others() -> None:
    known = Known()
    known.learn("lessons", 3, {"comments_enabled": True, "passing_grade": 60})
    known.learn("lessons", 3, {"comments_enabled": False, "passing_grade": 0})
    assert known.tables["lessons"][3] == {"comments_enabled": False, "passing_grade": 0}


@pytest.mark.parametrize("key", ["3", None, True, 3.0, {}, (3, "4")])
def test_keys_are_ids(key: Any) -> None:
    with pytest.raises(TypeError):
        Known().row("courses", key)


def test_an_id_is_a_whole_number() -> None:
    assert as_id(3) == 3
    with pytest.raises(TypeError):
        as_id("3")
