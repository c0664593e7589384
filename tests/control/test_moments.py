"""The moments that a world has still to reach: what opens or expires next."""

from datetime import timedelta

import pytest

from stubserver.control import moments as module
from stubserver.control.moments import moments
from stubserver.worlds.world import World
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.tokens import APP, WREN
from tests.support.worlds import named, names

NEXT = "/__stub/clock/next"
STRUCTURED, SCHEDULED, MEMBER = 2, 3, 3
pytestmark = pytest.mark.no_world


def openings(world: World, course: int) -> list[tuple[str, int | None]]:
    """Sections of a course that open, and for whom, in order."""
    sections = {str(key) for key in world.sections.keys("course_id", course)}
    found, _ = moments(world, world.clock.now())
    return [(moment.key, moment.user) for moment in found if moment.key in sections and moment.table == "sections"]


def test_the_nearest_comes_first_and_nothing_that_has_come(world: World) -> None:
    found, is_partial = moments(world, NOW)
    times = [moment.at for moment in found]
    assert times == sorted(times)
    assert min(times) > NOW
    assert not is_partial
    later, _ = moments(world, times[0])
    assert [moment.at for moment in later] == [at for at in times if at > times[0]]


def test_what_it_tells_is_when_answers_change(api: Api) -> None:
    """A section is locked until the moment that is told for it, and open from then on."""
    ok(api.post("/__stub/clock/freeze", params={"at": NOW.isoformat()}, headers=named("w")))
    told = ok(api.get(f"{NEXT}?limit=100", headers=named("w")))["results"]
    at, key = next((m["at"], int(m["key"])) for m in told if m["kind"] == "section_opens" and m["user"] == MEMBER)
    course = ok(api.get(f"/__stub/tables/sections/{key}", headers=named("w")))["row"]["course_id"]

    def is_locked() -> bool:
        detail = ok(api.as_("member").get(f"/course/{course}/?view=user", headers=named("w")))
        (section,) = [section for section in detail["sections"] if section["id"] == key]
        return bool(section["locked"])

    assert is_locked()
    ok(api.post("/__stub/clock/set", json={"at": at}, headers=named("w")))
    assert not is_locked()


def test_a_section_with_a_date_opens_for_all(world: World) -> None:
    (section, *_) = world.sections.where("course_id", SCHEDULED)
    world.sections.put({**section, "dripped_at": NOW + timedelta(hours=1)})
    assert openings(world, SCHEDULED)[0] == (str(section["id"]), None)
    assert moments(world, NOW)[0][0].what == f"{section['name']} of {world.courses[SCHEDULED]['name']}"


def test_a_section_with_a_delay_opens_for_whoever_has_joined(world: World) -> None:
    """Its creator and managers are never kept out."""
    for row in world.memberships.where("course_id", STRUCTURED):
        world.memberships.put({**row, "joined_at": NOW})
    delays = {row["id"]: row["drip_delay"] for row in world.sections.where("course_id", STRUCTURED)}
    joined = [row["user_id"] for row in world.memberships.where("course_id", STRUCTURED) if row["status"] == "joined"]
    found = openings(world, STRUCTURED)
    assert sorted(found) == sorted((str(key), user) for key, delay in delays.items() if delay for user in joined)


def test_tokens_and_uploads_expire(world: World) -> None:
    secrets = dict.fromkeys(("code", "access_token", "refresh_token"))
    grant = {"id": 1, "client_id": "stub-app", "user_id": 3, "expires_at": NOW + timedelta(seconds=1)}
    world.grants.put({**grant, **secrets})
    world.uploads.put({"upload_id": "u", "user_id": 4, "expires": NOW + timedelta(seconds=2)})
    first, second = moments(world, NOW)[0][:2]
    assert (first.kind, first.table, first.key, first.user) == ("token_expires", "grants", "1", 3)
    assert (second.kind, second.table, second.key, second.user) == ("upload_expires", "uploads", "u", 4)


def test_a_bounded_number_of_members_and_moments_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    everything, _ = moments(world, NOW)
    monkeypatch.setattr(module, "MAX_MEMBERS", 1)
    some, is_partial = moments(world, NOW)
    assert is_partial
    assert len(some) < len(everything)
    monkeypatch.setattr(module, "MAX_MOMENTS", 2)
    assert moments(world, NOW)[0] == some[:2]


def test_list_moments_is_paged_and_makes_no_world(api: Api) -> None:
    page = ok(api.get(f"{NEXT}?limit=1", headers=named("none")))
    assert page["count"] > len(page["results"]) == 1
    assert page["partial"] is False
    assert "none" not in names(api.app)


def test_list_moments_of_a_session_has_its_end(api: Api) -> None:
    ok(api.post("/oauth/token/", data={**APP, **WREN, "grant_type": "password"}, headers=named("w")))
    kinds = {moment["kind"] for moment in ok(api.get(f"{NEXT}?limit=100", headers=named("w")))["results"]}
    assert kinds == {"section_opens", "token_expires"}
