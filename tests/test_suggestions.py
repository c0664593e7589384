"""What a message suggests in the place of a name that does not exist."""

import pytest

from stubserver.suggestions import did_you_mean, unknown

NAMES = ("join_course", "leave_course", "get_course")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("join_corse", " Did you mean join_course, get_course?"),
        ("get_corse", " Did you mean get_course, leave_course, join_course?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_the_nearest_names_are_suggested(name: str, suggestion: str) -> None:
    assert did_you_mean(name, NAMES) == suggestion


def test_a_short_list_is_named_if_nothing_is_near() -> None:
    assert unknown("operation", "zzz", NAMES) == (
        "There is no operation 'zzz'. Use one of: join_course, leave_course, get_course."
    )


def test_a_long_list_is_not_named() -> None:
    assert unknown("field", "zzz", []) == "There is no field 'zzz'. There are none here."
    assert unknown("operation", "zzz", map(str, range(50))) == "There is no operation 'zzz'."


def test_a_long_name_is_shortened() -> None:
    assert unknown("field", "z" * 1000, ["a"]) == f"There is no field {'z' * 60!r}. Use one of: a."
