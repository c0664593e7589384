"""Replacements for people: the same person gets the same one, and nothing of the old one is left."""

import json

import pytest

from stubserver.authoring.people import Names, comment_of, name_of, replaced, username_of
from tests.support.recordings import person


def test_everything_about_a_person_is_replaced() -> None:
    private = {"ext_id": "secret", "bio": "secret", "location": "secret", "description": "secret", "deleted": False}
    found = replaced({**person(3), **private})
    assert "secret" not in json.dumps(found).lower()
    assert (found["id"], found["real_name"], found["username"]) == (3, name_of(3), username_of(3))
    assert all(found[field] for field in private if field != "deleted")
    assert "avatar" not in found


def test_what_was_empty_stays_empty() -> None:
    found = replaced({"id": 3, "username": "x", "real_name": "", "bio": "", "ext_id": None, "avatar": None})
    assert (found["real_name"], found["bio"], found["ext_id"], found["avatar"]) == ("", "", None, None)


def test_usernames_are_unique_and_names_are_many() -> None:
    users = range(1, 2000)
    assert len({username_of(user) for user in users}) == len(users)
    assert len({name_of(user) for user in users}) > 500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("By Secret Person3.", f"By {name_of(3)}."),
        ("by SECRET PERSON3", f"by {name_of(3)}"),
        ("@secret3: hello", f"@{username_of(3)}: hello"),
        ("secret-person3-s-course", f"{name_of(3).lower().replace(' ', '-')}-s-course"),
        ("secret33 and secret3s", "secret33 and secret3s"),
        ("Write to a.b+c@mail.example.org!", "Write to someone@example.com!"),
        ("nothing to see", "nothing to see"),
        ("", ""),
    ],
)
def test_texts_mention_nobody(text: str, expected: str) -> None:
    assert Names({3: person(3)}).replaced(text) == expected


def test_values_are_replaced_inside_others() -> None:
    names = Names({3: person(3)})
    assert names.replaced([{"a": "secret3", "b": 1}]) == [{"a": username_of(3), "b": 1}]


def test_short_and_missing_names_are_not_looked_for() -> None:
    """They would be parts of many texts."""
    names = Names({3: {"id": 3, "username": "to", "real_name": ""}, 4: {"id": 4}})
    assert names.replaced("Learn to bind") == "Learn to bind"


def test_a_comment_says_nothing() -> None:
    assert comment_of(12) == "<p>Comment 12.</p>"
