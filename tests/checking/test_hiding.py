"""Credentials are hidden by name, and wherever else they occur."""

from stubserver.checking.comparison import Difference
from stubserver.checking.hiding import Hidden, redacted
from stubserver.records.journal import REDACTED

NAMES = {"password", "token"}


def test_fields_are_hidden_by_name_at_any_depth() -> None:
    value = {"a": [{"password": "x", "b": 1}], "token": {"c": 1}}
    assert redacted(value, NAMES) == {"a": [{"password": REDACTED, "b": 1}], "token": REDACTED}


def test_headers_and_fields_are_hidden_wherever_they_occur() -> None:
    headers = {"authorization": "Bearer abcdef", "cookie": "a=ghijkl; b=1", "x-else": "mnopqr"}
    hidden = Hidden(NAMES, headers, {"token": ["stuvwx", 1234567]}, None, [{"password": "yzabcd"}])
    text = "abcdef ghijkl mnopqr stuvwx 1234567 yzabcd Bearer"
    assert hidden.text(text) == f"{REDACTED} {REDACTED} mnopqr {REDACTED} {REDACTED} {REDACTED} Bearer"


def test_of_credentials_within_each_other_the_longest_goes_first() -> None:
    assert Hidden(NAMES, {}, {"token": "abcdef"}, {"token": "abcdefgh"}).text("abcdefgh") == REDACTED


def test_values_are_cleaned_at_any_depth() -> None:
    hidden = Hidden(NAMES, {}, {"token": "abcdef"})
    assert hidden.value({"a": ["abcdef", 1, None], "b": {"c": "x abcdef"}}) == {
        "a": [REDACTED, 1, None],
        "b": {"c": f"x {REDACTED}"},
    }


def test_short_texts_are_left() -> None:
    assert Hidden(NAMES, {}, {"token": "a"}).text("a cat") == "a cat"


def test_all_of_a_difference_is_cleaned() -> None:
    one = Hidden(NAMES, {}, {"token": "abcdef"}).difference(Difference("/abcdef", "value", "abcdef", "no abcdef"))
    assert one == Difference(f"/{REDACTED}", "value", REDACTED, f"no {REDACTED}")
