"""Varying answers: every variant that an operation offers, by an independent validator, and what each kind makes."""

from collections.abc import Iterator, Sequence
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.places import KINDS, LARGEST, Place, Places
from stubserver.contract.schema import draft4
from stubserver.contract.varying import LONG, UNKNOWN, Variation, present, vary

ROWS = {"count": 3, "next": "http://x/?offset=7", "previous": "http://x/?offset=1", "results": [{"a": 1}, {"a": 2}]}


def independent(contract: Contract, operation: str) -> jsonschema.Draft4Validator:
    """A validator that shares no code with the server's."""
    answer = contract.operations[operation].answer
    whole = {"allOf": [draft4(answer)], "components": draft4(contract.document["components"])}
    return jsonschema.Draft4Validator(whole, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def examples(contract: Contract, operation: str) -> Iterator[Any]:
    """All examples of an answer."""
    found = contract.operations[operation]
    raw = contract.document["paths"][found.path.removeprefix(contract.base)][found.method]
    content = contract.resolve(raw["responses"][str(found.status)])["content"]["application/json"]
    yield from [content["example"]] if "example" in content else []
    for example in content.get("examples", {}).values():
        yield contract.resolve(example)["value"]


def everything(places: dict[str, Place], kind: str) -> Iterator[Variation]:
    """Every variation of a kind, with each choice."""
    for pointer, place in places.items():
        if kind in place.offers:
            choices: Sequence[str | None] = place.offers[kind] or [None]
            yield from (Variation(kind, pointer, choice) for choice in choices)


@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_validator_accepts_every_variant(contract: Contract, kind: str) -> None:
    """Each alone and all of a kind together, in every example of every answer; made without a look at the schema."""
    places, made = Places(contract), 0
    for name, found in places.picked(None).items():
        validator = independent(contract, name) if found else None
        for answer in examples(contract, name) if validator else ():
            before = orjson.dumps(answer)
            wanted = [*everything(dict(found), kind)]
            for each in [*([one] for one in wanted), wanted]:
                varied, differs = vary(answer, each, found, lambda _: True)
                made += len(differs)
                assert validator is not None
                problem = jsonschema.exceptions.best_match(validator.iter_errors(orjson.loads(orjson.dumps(varied))))
                assert problem is None, f"{name} {each}: {problem}"
            assert orjson.dumps(answer) == before
    assert made


def of(kind: str, value: Any, choice: str | None = None, **about: Any) -> Any:
    """What a kind makes of the field f."""
    place = Place({kind: about.pop("choices", ())}, **about)
    answer = {"f": value}
    varied, _ = vary(answer, [Variation(kind, "/f", choice)], {"/f": place}, lambda _: True)
    return varied.get("f", "nothing")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("null", 1, None),
        ("absent", 1, "nothing"),
        ("unknown", {"a": 1}, {"a": 1, UNKNOWN: {"known": False}}),
        ("unknown", None, None),
        ("empty", [1, 2], []),
        ("one", [1, 2], [1]),
        ("empty", None, None),
        ("zero", 7, 0),
        ("zero", None, None),
        ("big", 7, LARGEST),
        ("big-id", 7, LARGEST),
        ("long", None, None),
        ("markup", "x", "<b>&amp;</b> <i>x < y"),
    ],
)
def test_what_a_kind_makes(kind: str, value: Any, expected: Any) -> None:
    assert of(kind, value) == expected


def test_texts_keep_their_bound() -> None:
    assert len(of("long", "x")) == LONG
    for kind in ("long", "unicode", "markup"):
        assert len(of(kind, "x", longest=5)) == 5


def test_a_unicode_text_has_what_breaks_layouts_and_parsers() -> None:
    text = of("unicode", "x")
    for part in ("\u05d0", "\u0633", "\u200d", "\u0301", "\u2028", "\u6f22"):
        assert part in text


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("whole", "2026-11-23T12:00:00+00:00"),
        ("zone", "2026-11-23T17:30:00.123456+05:30"),
        ("past", "1900-01-01T23:59:59.999999+00:00"),
        ("future", "2999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_times(choice: str, expected: str) -> None:
    assert of("time", "2026-11-23T12:00:00.123456+00:00", choice) == expected


def test_days_have_no_time() -> None:
    assert of("time", "1990-02-01", "past") == "1900-01-01"
    assert of("time", "1990-02-01", "zone") == "1990-02-01"
    assert of("time", None, "past") is None


def test_choices_take_turns_and_leave_out_the_value_itself() -> None:
    place = Place({"enum": ["a", "b", "3"]}, {"a": "a", "b": "b", "3": 3})
    answer = [{"f": "a"}, {"f": "a"}, {"f": 3}, {"f": None}]
    varied, made = vary(answer, [Variation("enum", "/*/f")], {"/*/f": place}, lambda _: True)
    assert varied == [{"f": "b"}, {"f": 3}, {"f": "a"}, {"f": None}]
    assert made == [Variation("enum", "/*/f")]


def test_a_given_choice_is_taken_everywhere() -> None:
    place = Place({"enum": ["a", "b"]}, {"a": "a", "b": "b"})
    varied, _ = vary([{"f": "a"}, {"f": "b"}], [Variation("enum", "/*/f", "b")], {"/*/f": place}, lambda _: True)
    assert varied == [{"f": "b"}, {"f": "b"}]


def rows(kind: str, offset: int = 5) -> Any:
    place = Place({kind: ()})
    return vary(ROWS, [Variation(kind, "/results", None)], {"/results": place}, lambda _: True, offset)


def test_pages_stay_true() -> None:
    """The other fields of a page follow from its rows."""
    assert rows("empty")[0] == {"count": 0, "next": None, "previous": None, "results": []}
    assert rows("one")[0] == {"count": 1, "next": None, "previous": None, "results": [{"a": 1}]}
    assert rows("last-page")[0] == {**ROWS, "count": 7, "next": None}
    assert rows("count-only")[0] == {**ROWS, "next": None, "results": []}
    assert rows("order")[0] == {**ROWS, "results": [{"a": 2}, {"a": 1}]}


def test_what_makes_no_difference_is_not_told() -> None:
    none: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
    for kind in ("empty", "one", "last-page", "count-only", "order"):
        varied, made = vary(none, [Variation(kind, "/results")], {"/results": Place({kind: ()})}, lambda _: True)
        assert (varied, made) == (none, [])
    assert vary({"f": None}, [Variation("null", "/f")], {"/f": Place({"null": ()})}, lambda _: True)[1] == []
    assert vary({}, [Variation("null", "/f")], {"/f": Place({"null": ()})}, lambda _: True)[1] == []


def test_fields_change_places() -> None:
    places = {"": Place({"order": ()}), "/b": Place({"order": ()})}
    varied, made = vary(
        {"a": 1, "b": {"c": 1, "d": 2}}, [Variation("order", p) for p in places], places, lambda _: True
    )
    assert [*varied] == ["b", "a"]
    assert [*varied["b"]] == ["d", "c"]
    assert len(made) == 2


def test_outer_places_come_first_and_take_inner_ones_along() -> None:
    places = {"/a/b": Place({"null": ()}), "/a": Place({"null": ()})}
    varied, made = vary({"a": {"b": 1}}, [Variation("null", place) for place in places], places, lambda _: True)
    assert (varied, made) == ({"a": None}, [Variation("null", "/a")])


def test_what_would_break_the_contract_is_left_out() -> None:
    """That should never happen; but if the schemas and this module disagree, nothing illegal is sent."""
    places = {"/a": Place({"null": ()}), "/b": Place({"null": ()})}
    varied, made = vary(
        {"a": 1, "b": 1}, [Variation("null", place) for place in places], places, lambda value: value["a"] == 1
    )
    assert (varied, made) == ({"a": 1, "b": None}, [Variation("null", "/b")])


def test_present_tells_the_places_that_an_answer_has() -> None:
    places = {pointer: Place({"null": ()}) for pointer in ("", "/a", "/a/*/b", "/c", "/d/*")}
    assert [*present({"a": [{"b": None}], "d": {"x": 1}}, places)] == ["", "/a", "/a/*/b", "/d/*"]
    assert [*present({"a": []}, places)] == ["", "/a"]
    assert [*present({"a": 7}, places)] == ["", "/a"]
