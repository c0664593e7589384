"""Sites, and which of them go into one run."""

import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.places import KINDS, Places
from stubserver.variants.site import DEFAULT_KINDS, Site, rounds, sites


@pytest.mark.parametrize(
    ("site", "key"),
    [
        (Site("get_course", "/name", "long"), "long get_course /name"),
        (Site("get_course", "", "unknown"), "unknown get_course"),
        (Site("get_course", "/privacy", "enum", ""), "enum= get_course /privacy"),
        (Site("get_course", "/created_at", "time", "past"), "time=past get_course /created_at"),
    ],
)
def test_keys(site: Site, key: str) -> None:
    assert site.key == key


def test_what_the_control_plane_is_asked_for() -> None:
    assert Site("a", "/b", "null").wanted == {"kind": "null", "operation": "a", "place": "/b"}
    assert Site("a", "", "time", "past").wanted == {"kind": "time", "operation": "a", "place": "", "choice": "past"}


def test_sites_have_one_for_each_choice(contract: Contract) -> None:
    found = [*sites("get_course_status", Places(contract).of("get_course_status"), ("null", "enum", "big"))]
    assert [site.what for site in found] == [
        "null",
        *(f"enum={choice}" for choice in ("creator", "manager", "joined", "invited", "requested")),
    ]


def test_ids_are_left_out_unless_wanted() -> None:
    assert {*KINDS} - {*DEFAULT_KINDS} == {"big-id"}


def test_a_round_has_one_kind_and_one_choice_of_each_place() -> None:
    one, two = Site("a", "/x", "enum", "1"), Site("a", "/x", "enum", "2")
    other, null = Site("b", "/x", "enum", "1"), Site("a", "/x", "null")
    past, future = Site("a", "/y", "time", "past"), Site("a", "/y", "time", "future")
    assert rounds([one, two, other, null, past, future]) == [[null], [one, other], [past], [two, future]]


def test_what_would_take_others_along_has_a_round_of_its_own() -> None:
    outer, inner, innermost = (Site("a", place, "null") for place in ("/x", "/x/y", "/x/y/z"))
    beside, elsewhere = Site("a", "/xy/z", "null"), Site("b", "/x/y", "null")
    assert rounds([innermost, inner, outer, beside, elsewhere]) == [[outer, beside, elsewhere], [inner], [innermost]]
    assert rounds([outer._replace(kind="order"), inner._replace(kind="order")]) == [
        [outer._replace(kind="order"), inner._replace(kind="order")]
    ]
