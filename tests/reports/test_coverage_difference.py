"""What changed between two coverage reports: points lost, gained, and gone; and how it is shown."""

import copy
from typing import Any

import pytest

from stubserver.reports.coverage_difference import difference
from tests.reports.coverage_documents import DOCUMENT, HOSTILE, NEVER, PARTLY, SHOWN, only


def changed(name: str, **points: Any) -> dict[str, Any]:
    """The document with points of an operation changed, or its number of requests."""
    document = copy.deepcopy(DOCUMENT)
    (operation,) = (found for found in document["operations"] if found["operation"] == name)
    for key, value in points.items():
        operation[key] = {**operation[key], **value} if isinstance(value, dict) else value
    return document


def test_nothing_differs_from_itself() -> None:
    found = difference(DOCUMENT, DOCUMENT)
    assert (found.lost, found.gained, found.gone) == ({}, {}, 0)
    assert str(found) == "0 points lost, 0 points gained"


@pytest.mark.parametrize(
    ("points", "lost"),
    [
        ({"statuses": {"200": 0}}, ["status 200"]),
        ({"parameters": {"limit": 0}, "fields": {"name": 0}}, ["parameter limit", "field name"]),
        ({"values": {"type=open": 0}}, ["value type=open"]),
        ({"personas": {"stub-member": 0}}, ["persona stub-member"]),
        ({"requests": 0}, ["called"]),
        ({"statuses": {"200": 1}}, []),
    ],
)
def test_a_loss_is_what_was_exercised_and_is_not_any_more(points: dict[str, Any], lost: list[str]) -> None:
    """However often it was; the other way round, it is a gain."""
    now = changed("list_things", **points)
    wanted = {"list_things": lost} if lost else {}
    assert (difference(DOCUMENT, now).lost, difference(DOCUMENT, now).gained) == (wanted, {})
    assert (difference(now, DOCUMENT).lost, difference(now, DOCUMENT).gained) == ({}, wanted)


def test_what_does_not_exist_any_more_is_no_loss() -> None:
    """Points of another contract or fixture, and all points of an operation; only those that were exercised count."""
    now = copy.deepcopy(DOCUMENT)
    del now["operations"][0]  # called, two statuses, a persona
    del now["operations"][0]["parameters"]["limit"]
    del now["operations"][0]["parameters"]["offset"]
    found = difference(DOCUMENT, now)
    assert (found.lost, found.gained, found.gone) == ({}, {}, 5)
    assert str(found).endswith("\n  not counted: 5 exercised before that the contract or the fixture no longer has")


def test_what_did_not_exist_before_can_only_be_gained() -> None:
    before = copy.deepcopy(DOCUMENT)
    del before["operations"][0]
    del before["operations"][0]["parameters"]
    before["operations"][0]["parameters"] = {}
    found = difference(before, DOCUMENT)
    assert (found.lost, found.gone) == ({}, 0)
    assert found.gained == {
        "get_thing": ["called", "status 200", "status 404", "persona a"],
        "list_things": ["parameter limit"],
    }


def test_it_is_shown_by_operation() -> None:
    """Those that lost something first."""
    now = changed("list_things", statuses={"200": 0}, fields={"name": 0}, parameters={"offset": 3})
    now["operations"][0]["statuses"]["500"] = 1
    assert str(difference(DOCUMENT, now)).splitlines() == [
        "2 points lost, 2 points gained",
        "  list_things",
        "    lost    status 200, field name",
        "    gained  parameter offset",
        "  get_thing",
        "    gained  status 500",
    ]


def test_it_says_how_many_more_there_are() -> None:
    points = {f"name{number:02}": 1 for number in range(15)}
    before = {**DOCUMENT, "operations": [{**NEVER, "operation": f"op{n}", "fields": points} for n in range(25)]}
    now = {**DOCUMENT, "operations": [{**found, "fields": dict.fromkeys(points, 0)} for found in before["operations"]]}
    lines = str(difference(before, now)).splitlines()
    assert lines[0] == "375 points lost, 0 points gained"
    assert lines[-1] == "  and 5 more operations"
    assert [line for line in lines if line.startswith("  op")] == [f"  op{n}" for n in range(20)]
    words = " ".join(lines).split()
    assert " ".join(words).count(" field name11, and 3 more ") == 20
    assert "name12" not in words
    assert max(map(len, lines)) <= 100


def test_it_shows_nothing_that_steers_a_terminal() -> None:
    hostile = {**PARTLY, "operation": HOSTILE, "fields": {HOSTILE: 1}}
    text = str(difference(only({**hostile, "fields": {HOSTILE: 0}}), only(hostile)))
    assert text.splitlines()[1:] == [f"  {SHOWN}", f"    gained  field {SHOWN}"]
