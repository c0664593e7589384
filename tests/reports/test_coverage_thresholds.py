"""Thresholds of coverage: how they are written, what they compare, and what a shortfall says."""

import pytest

from stubserver.reports.coverage_thresholds import Threshold, parsed, shortfalls
from tests.reports.coverage_documents import DOCUMENT


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("80", ("", 80)),
        ("0", ("", 0)),
        ("100", ("", 100)),
        ("12.5", ("", 12.5)),
        ("fields=90", ("fields", 90)),
        ("create_course=100", ("create_course", 100)),
    ],
)
def test_a_threshold_is_a_percentage_with_or_without_a_name(text: str, threshold: tuple[str, float]) -> None:
    assert parsed(text) == threshold


@pytest.mark.parametrize(
    "text", ["", "abc", "80%", "-1", "100.1", "nan", "inf", "=80", "fields=", "fields=abc", "fields=101", "80=fields"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r" is not a percentage from 0 to 100, or NAME=PERCENTAGE, such as ") as caught:
        parsed(text)
    assert str(caught.value).startswith(repr(text))


@pytest.mark.parametrize(
    ("name", "percent", "told"),
    [
        ("", 50.0, "the contract is"),
        ("statuses", 57.1, "the statuses are"),
        ("values", 33.3, "the values are"),
        ("personas", 66.6, "the personas are"),
        ("get_thing", 100.0, "get_thing is"),
        ("list_things", 50.0, "list_things is"),
        ("delete_thing", 0.0, "delete_thing is"),
    ],
)
def test_a_shortfall_names_what_is_covered_too_little(name: str, percent: float, told: str) -> None:
    """Exactly reached is enough."""
    assert shortfalls(DOCUMENT, [Threshold(name, percent)]) == []
    least = percent + 0.1
    assert shortfalls(DOCUMENT, [Threshold(name, least)]) == [f"{percent} % of {told} covered, less than {least:g} %"]


def test_each_threshold_is_looked_at() -> None:
    """In the order given, the same name twice, too."""
    wanted = [Threshold("fields", 90), Threshold("values", 90), Threshold("", 60), Threshold("", 70)]
    assert [told.rpartition("than ")[2] for told in shortfalls(DOCUMENT, wanted)] == ["90 %", "60 %", "70 %"]


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("valeus", "Did you mean values?"),
        ("lst_things", "Did you mean list_things"),
        ("Fields", "Did you mean fields?"),
        ("nonsense", "Use one of: statuses, parameters, fields, values, personas, get_thing, list_things, search, "),
    ],
)
def test_an_unknown_name_is_refused(name: str, right: str) -> None:
    """Even if something else falls short."""
    with pytest.raises(ValueError, match=f"^There is no kind of points or operation '{name}'. {right}"):
        shortfalls(DOCUMENT, [Threshold("", 100), Threshold(name, 0)])
