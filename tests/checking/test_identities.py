"""Which values stand for each other."""

import pytest

from stubserver.checking.identities import Identities

pytestmark = pytest.mark.table

AT = "2031-05-01T09:00:00+00:00"


@pytest.fixture
def ids() -> Identities:
    return Identities()


def test_ids_are_paired_one_to_one(ids: Identities) -> None:
    assert ids.problem("course", 10, 1) == ""
    assert ids.problem("course", 10, 1) == ""
    assert ids.problem("course", 10, 2) == "2, but the same course was 1 before"
    assert ids.problem("course", 11, 1) == "1, which was another course before"
    assert ids.problem("section", 10, 2) == ""
    assert (ids.target_of("course", 10), ids.target_of("course", 11), ids.knows("course", 1)) == (1, None, True)
    assert not ids.knows("course", 3)


@pytest.mark.parametrize("theirs", ["1", 1.0, [1], {}])
def test_an_id_of_another_type_is_none(ids: Identities, theirs: object) -> None:
    assert "is no int" in ids.problem("course", 10, theirs)


def test_null_stands_for_null_only(ids: Identities) -> None:
    assert ids.problem("comment", None, None) == ""
    assert ids.problem("comment", None, 1) == "1 instead of None"
    assert ids.problem("comment", 1, None) == "None instead of 1"


@pytest.mark.parametrize(
    ("theirs", "problem"),
    [
        ("2031-05-01T09:00:04+00:00", ""),
        ("2031-05-01T11:00:04+02:00", ""),
        ("2031-05-01T09:00:06+00:00", "but it should be about"),
        ("2031-05-01T09:00:00", "has no time zone"),
        ("yesterday", "is no date and time"),
        (5, "is no date and time"),
    ],
)
def test_new_moments_are_near(ids: Identities, theirs: object, problem: str) -> None:
    found = ids.problem("moment", AT, theirs)
    assert problem in found
    assert bool(found) == bool(problem)


def test_moments_stay(ids: Identities) -> None:
    assert ids.problem("moment", AT, "2031-05-01T09:00:01.0001+00:00") == ""
    assert ids.problem("moment", AT, "2031-05-01T09:00:01+00:00") == ""
    assert "but it was" in ids.problem("moment", AT, "2031-05-01T09:00:02+00:00")


def test_addresses_are_absolute_and_paired(ids: Identities) -> None:
    assert ids.problem("address", "http://a/1.png", "http://b/x.png") == ""
    assert "before" in ids.problem("address", "http://a/1.png", "http://b/y.png")
    assert "is no absolute address" in ids.problem("address", "http://a/2.png", "/y.png")


def test_what_is_given_stays_as_it_was_first(ids: Identities) -> None:
    assert ids.problem("given", "Wren", "Anna", (1, "User.username")) == ""
    assert ids.problem("given", "Wren", "Anna", (1, "User.username")) == ""
    assert ids.problem("given", "Wren", "Otto", (1, "User.username")) == "'Otto', which was 'Anna' before"
    assert ids.problem("given", "Wren", "Otto", (2, "User.username")) == ""


def test_credentials_are_not_compared(ids: Identities) -> None:
    assert ids.problem("secret", "abc", "def") == ""
    assert ids.problem("secret", "abc", "") == ids.problem("secret", "abc", 5) == "not a credential"
