"""The control plane's clock: the time of one world, real until it is frozen, set or advanced."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.tokens import APP, WREN
from tests.support.worlds import make, named, names

CLOCK = "/__stub/clock"
SOON = timedelta(minutes=1)
"""No test takes this long."""
NO_MOMENT = [
    "",
    "now",
    "tomorrow",
    "2031-05-01",
    "09:00:00Z",
    "2031-05-01T09:00:00",
    "2031-05-01T09:00:00.5",
    "2031-05-01 09:00:00Z",
    "2031-13-01T09:00:00Z",
    "2031-02-29T09:00:00Z",
    "2031-05-01T25:00:00Z",
    "2031-05-01T09:00:00+25:00",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:30:00+01:00",
    "2200-01-01T00:00:00Z",
    "2199-12-31T23:30:00-01:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01T00:00:00Z",
    "1",
]
MOMENTS = [
    ("2031-05-01T09:00:00Z", "2031-05-01T09:00:00+00:00"),
    ("2031-05-01t09:00:00z", "2031-05-01T09:00:00+00:00"),
    ("2031-05-01T09:00:00.250Z", "2031-05-01T09:00:00.250000+00:00"),
    ("2031-05-01T09:00:00+02:00", "2031-05-01T07:00:00+00:00"),
    ("2031-05-01T00:30:00+01:00", "2031-04-30T23:30:00+00:00"),
    ("2031-05-01T09:00:00-11:30", "2031-05-01T20:30:00+00:00"),
    ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
    ("2199-12-31T23:59:59Z", "2199-12-31T23:59:59+00:00"),
    ("2028-02-29T00:00:00Z", "2028-02-29T00:00:00+00:00"),
]
"""As sent, and as shown."""
pytestmark = pytest.mark.no_world


def shown(api: Api, world: str = "default") -> Any:
    return ok(api.get(CLOCK, headers=named(world)))


def freeze(api: Api, at: str | datetime | None = None, world: str = "default") -> Any:
    text = at.isoformat() if isinstance(at, datetime) else at
    return ok(api.post(f"{CLOCK}/freeze", params={"at": text} if text else {}, headers=named(world)))


def go_to(api: Api, at: str | datetime, world: str = "default") -> Any:
    text = at.isoformat() if isinstance(at, datetime) else at
    return ok(api.post(f"{CLOCK}/set", json={"at": text}, headers=named(world)))


def advance(api: Api, world: str = "default", /, **by: float) -> Any:
    return ok(api.post(f"{CLOCK}/advance", json=by, headers=named(world)))


def release(api: Api, world: str = "default") -> Any:
    return ok(api.post(f"{CLOCK}/release", headers=named(world)))


def moment(clock: Any) -> datetime:
    return datetime.fromisoformat(clock["now"])


def runs(api: Api, ahead: timedelta = timedelta(), world: str = "default") -> bool:
    """Whether a clock runs this far ahead of real time."""
    clock = shown(api, world)
    off = moment(clock) - datetime.now(UTC) - ahead
    return not clock["frozen"] and abs(off) < SOON and abs(clock["ahead_seconds"] - ahead.total_seconds()) < 60


# Looking


def test_get_clock_shows_the_real_time(api: Api) -> None:
    earliest = datetime.now(UTC)
    clock = shown(api)
    assert earliest <= moment(clock) <= datetime.now(UTC)
    assert (clock["frozen"], clock["ahead_seconds"]) == (False, 0)
    assert clock["now"].endswith("+00:00")
    assert moment(clock) < moment(shown(api))


@pytest.mark.parametrize("change", ["freeze", "set", "advance", "release"])
def test_get_clock_shows_what_the_others_answer(api: Api, change: str) -> None:
    freeze(api, NOW)
    bodies: dict[str, Any] = {"set": {"at": "2031-05-01T09:00:00Z"}, "advance": {"days": 1}}
    clock = ok(api.post(f"{CLOCK}/{change}", json=bodies.get(change)))
    seen = shown(api)
    assert abs(moment(seen) - moment(clock)) < SOON
    assert {**seen, "now": ""} == {**clock, "now": ""}
    assert {**ok(api.get("/__stub/worlds/default"))["clock"], "now": ""} == {**clock, "now": ""}


# Freezing


def test_freeze_clock_stops_it_now(api: Api) -> None:
    earliest = datetime.now(UTC)
    clock = freeze(api)
    assert earliest <= moment(clock) <= datetime.now(UTC)
    assert (clock["frozen"], clock["ahead_seconds"]) == (True, 0)
    assert shown(api) == shown(api) == clock


def test_freeze_clock_stops_it_where_it_is(api: Api) -> None:
    advance(api, days=3)
    assert timedelta(days=3) - SOON < moment(freeze(api)) - datetime.now(UTC) <= timedelta(days=3)
    clock = freeze(api, NOW)
    assert freeze(api) == clock


@pytest.mark.parametrize(("at", "now"), MOMENTS)
def test_freeze_clock_stops_it_at_a_moment(api: Api, at: str, now: str) -> None:
    for _ in range(2):
        assert freeze(api, at) == shown(api) == {"now": now, "frozen": True, "ahead_seconds": 0}
        freeze(api, NOW)


@pytest.mark.parametrize("at", NO_MOMENT)
def test_freeze_clock_refuses_what_is_no_moment(api: Api, at: str) -> None:
    clock = freeze(api, NOW)
    response = api.post(f"{CLOCK}/freeze", params={"at": at})
    assert refused(response, 400) == {"at": "invalid"}
    assert shown(api) == clock


EXAMPLE = "write 2031-05-01T09:00:00Z, for example."
YEARS = "The clock covers the years 1970 to 2199."
SAID = [
    ("2031-05-01T09:00:00", f'"2031-05-01T09:00:00" is not a valid date-time: {EXAMPLE}'),
    ("2031-02-29T09:00:00Z", f'"2031-02-29T09:00:00Z" is not a valid date-time: {EXAMPLE}'),
    (1.0, "1.0 is not valid; it must be a string."),
    ("", f'"" is not a valid date-time: {EXAMPLE}'),
    ("1", f'"1" is not a valid date-time: {EXAMPLE}'),
    ("now", f'"now" is not a valid date-time: {EXAMPLE}'),
    ("2031-05-01T09:00:00 CET", f'"2031-05-01T09:00:00 CET" is not a valid date-time: {EXAMPLE}'),
    ("2031-05-01T09:00:00+25:00", f'"2031-05-01T09:00:00+25:00" is not a valid date-time: {EXAMPLE}'),
    ("2016-12-31T23:59:60Z", f'"2016-12-31T23:59:60Z" is no date and time that exists: {EXAMPLE}'),
    ("0000-01-01T00:00:00Z", f'"0000-01-01T00:00:00Z" is no date and time that exists: {EXAMPLE}'),
    ("1970-01-01T00:30:00+01:00", YEARS),
    ("2200-01-01T00:00:00Z", YEARS),
    (None, "This field may not be null."),
    (["now"], '["now"] is not valid; it must be a string.'),
]
"""No moments, and what a refusal says of them."""


@pytest.mark.parametrize(("at", "says"), SAID)
def test_a_refusal_says_what_would_be_a_moment(api: Api, at: Any, says: str) -> None:
    """The same in a body, whatever it is for, and in a query, which has nothing but texts."""
    answers = [api.post(f"{CLOCK}/{change}", json={"at": at}) for change in ("set", "freeze")]
    if isinstance(at, str):
        answers.append(api.post(f"{CLOCK}/freeze", params={"at": at}))
    for answer in answers:
        assert answer.status_code == 400
        (message,) = answer.json()["errors"][0]["messages"]
        assert message["message"] == says


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ({"hours": "3"}, '"3" is not valid; it must be a number.'),
        ({"years": 1}, "There is no field 'years'. Use one of: weeks, days, hours, minutes, seconds."),
        ({}, "At least one field must be given."),
        ({"hours": True}, "true is not valid; it must be a number."),
        ({"days": -1}, "Must be greater than or equal to 0."),
        ({"days": 36526}, "Must be less than or equal to 36525."),
        ({"minutes": None}, "This field may not be null."),
        ({"Days": 1}, "There is no field 'Days'. Did you mean days?"),
        ([3], "[3] is not valid; it must be an object."),
    ],
)
def test_a_refusal_says_what_would_be_a_span(api: Api, by: Any, says: str) -> None:
    answer = api.post(f"{CLOCK}/advance", json=by)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["messages"][0]["message"] == says


# Setting


@pytest.mark.parametrize(("at", "now"), MOMENTS)
def test_set_clock_moves_a_frozen_clock(api: Api, at: str, now: str) -> None:
    freeze(api, NOW)
    assert go_to(api, at) == shown(api) == {"now": now, "frozen": True, "ahead_seconds": 0}


@pytest.mark.parametrize(("at", "now"), MOMENTS)
def test_set_clock_lets_a_running_clock_run_on(api: Api, at: str, now: str) -> None:
    clock = go_to(api, at)
    assert not clock["frozen"]
    assert timedelta() <= moment(clock) - datetime.fromisoformat(now) < SOON
    assert moment(clock) < moment(shown(api))
    assert runs(api, datetime.fromisoformat(now) - datetime.now(UTC))


@pytest.mark.parametrize("at", NO_MOMENT)
@pytest.mark.parametrize("frozen", [False, True])
def test_set_clock_refuses_what_is_no_moment(api: Api, at: str, frozen: bool) -> None:
    if frozen:
        freeze(api)
    response = api.post(f"{CLOCK}/set", json={"at": at})
    assert refused(response, 400) == {"at": "invalid"}
    assert shown(api)["frozen"] is frozen
    assert abs(moment(shown(api)) - datetime.now(UTC)) < SOON


@pytest.mark.parametrize(
    ("body", "code"), [({}, "required"), ({"at": None}, "null"), ({"at": 1}, "invalid"), ({"at": ["now"]}, "invalid")]
)
def test_set_clock_refuses_a_body_without_a_moment(api: Api, body: Any, code: str) -> None:
    assert refused(api.post(f"{CLOCK}/set", json=body), 400) == {"at": code}
    assert runs(api)


# Advancing


@pytest.mark.parametrize(
    ("by", "moved"),
    [
        ({"days": 3}, timedelta(days=3)),
        ({"hours": 36}, timedelta(hours=36)),
        ({"minutes": 90}, timedelta(minutes=90)),
        ({"seconds": 5}, timedelta(seconds=5)),
        ({"days": 1, "hours": 2, "minutes": 3, "seconds": 4}, timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ({"days": 0.5, "seconds": 0.25}, timedelta(hours=12, milliseconds=250)),
        ({"days": 36525}, timedelta(days=36525)),
        ({"hours": 36525, "seconds": 36525}, timedelta(hours=36525, seconds=36525)),
        ({"days": 0}, timedelta()),
        ({"weeks": 2, "days": 1}, timedelta(days=15)),
    ],
)
def test_advance_clock_moves_on(api: Api, by: dict[str, float], moved: timedelta) -> None:
    advance(api, "running", **by)
    assert runs(api, moved, "running")
    freeze(api, NOW)
    clock = advance(api, **by)
    assert (moment(clock), clock["frozen"], clock["ahead_seconds"]) == (NOW + moved, True, 0)
    assert shown(api) == clock


def test_advance_clock_adds_up(api: Api) -> None:
    for _ in range(3):
        advance(api, days=1)
    assert runs(api, timedelta(days=3))
    freeze(api, NOW)
    for _ in range(3):
        advance(api, hours=1)
    assert moment(shown(api)) == NOW + timedelta(hours=3)


@pytest.mark.parametrize(
    ("by", "field", "code"),
    [
        ({"days": -1}, "days", "min_value"),
        ({"seconds": -0.001}, "seconds", "min_value"),
        ({"days": 36526}, "days", "max_value"),
        ({"minutes": 1e300}, "minutes", "max_value"),
        ({"hours": "3"}, "hours", "invalid"),
        ({"hours": True}, "hours", "invalid"),
        ({"days": None}, "days", "null"),
        ([3], "non_field_errors", "invalid"),
    ],
)
def test_advance_clock_refuses_what_is_no_span(api: Api, by: Any, field: str, code: str) -> None:
    clock = freeze(api, NOW)
    assert refused(api.post(f"{CLOCK}/advance", json=by), 400) == {field: code}
    assert shown(api) == clock


def test_advance_clock_stops_before_the_year_2200(api: Api) -> None:
    freeze(api, "2199-12-31T00:00:00Z")
    advance(api, hours=23, minutes=59, seconds=59.5)
    clock = shown(api)
    for by in ({"seconds": 0.5}, {"days": 1}, {"days": 36525, "hours": 36525, "minutes": 36525, "seconds": 36525}):
        assert set(refused(api.post(f"{CLOCK}/advance", json=by), 400).values()) == {"invalid"}
        assert shown(api) == clock
    go_to(api, "2199-01-01T00:00:00Z", "running")
    assert api.post(f"{CLOCK}/advance", json={"days": 366}, headers=named("running")).status_code == 400
    assert moment(shown(api, "running")).year == 2199


@pytest.mark.parametrize(
    ("by", "field"),
    [
        ({"hours": 24}, "hours"),
        ({"seconds": 36525, "minutes": 1440}, "minutes"),
        ({"days": 1, "hours": 36525}, "hours"),
        ({"weeks": 1, "days": 1}, "weeks"),
        ({"days": 1}, "days"),
        ({"minutes": 1440}, "minutes"),
    ],
)
def test_advance_clock_names_what_takes_it_too_far(api: Api, by: dict[str, float], field: str) -> None:
    freeze(api, "2199-12-31T00:00:00Z")
    response = api.post(f"{CLOCK}/advance", json=by)
    assert refused(response, 400) == {field: "invalid"}
    assert "The clock covers the years 1970 to 2199." in response.text


def test_advance_clock_needs_a_body(api: Api) -> None:
    assert refused(api.post(f"{CLOCK}/advance"), 400) == {"": "required"}
    assert runs(api)


# Releasing


@pytest.mark.parametrize("before", ["frozen", "frozen far away", "set", "advanced", "all", "nothing"])
def test_release_clock_shows_the_real_time_again(api: Api, before: str) -> None:
    if before in ("advanced", "all"):
        advance(api, days=3)
    if before in ("set", "all"):
        go_to(api, "2031-05-01T09:00:00Z")
    if before in ("frozen", "all"):
        freeze(api)
    if before == "frozen far away":
        freeze(api, "1970-01-01T00:00:00Z")
    clock = release(api)
    assert (clock["frozen"], clock["ahead_seconds"]) == (False, 0)
    assert runs(api)


# What it is for


@pytest.mark.parametrize(
    ("course", "section", "lesson", "days"),
    [
        pytest.param(3, 8, 16, 14, id="on a date"),
        pytest.param(2, 6, 13, 20, id="30 days after joining, which was 10 days ago"),
        pytest.param(8, 18, 31, 1, id="3 days after joining, which was 2 days ago"),
    ],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_advance_clock_opens_what_is_scheduled(
    api: Api, course: int, section: int, lesson: int, days: int, frozen: bool
) -> None:
    world, member = "learner", api.as_("member")
    freeze(api, NOW, world)
    if not frozen:
        release(api, world)
        go_to(api, NOW, world)
    path = f"/course/{course}/section/{section}/lesson/{lesson}/"
    for by, status in (({"days": 0}, 403), ({"days": days - 1, "hours": 23}, 403), ({"hours": 1}, 200)):
        advance(api, world, **by)
        assert member.get(path, headers=named(world)).status_code == status
        sections = ok(member.get(f"/course/{course}/", headers=named(world)))["sections"]
        assert [part["locked"] for part in sections if part["id"] == section] == [status == 403]
    go_to(api, NOW, world)
    assert member.get(path, headers=named(world)).status_code == 403
    freeze(api, NOW, "other")
    assert member.get(path, headers=named("other")).status_code == 403


def test_advance_clock_ends_tokens_and_dates_what_is_new(api: Api) -> None:
    freeze(api, NOW)
    token = ok(api.post("/oauth/token/", json={**APP, **WREN}))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    advance(api, seconds=35999)
    ok(api.get("/user/me/", headers=bearer))
    advance(api, seconds=1)
    assert refused(api.get("/user/me/", headers=bearer), 401) == {"": "authentication_failed"}
    number = make(api, "Made ten hours later")
    assert api.app.worlds.get().courses[number]["created_at"] == NOW + timedelta(hours=10)
    (entry, *_) = ok(api.get("/__stub/requests?limit=1"))["results"]
    assert datetime.fromisoformat(entry["time"]) == NOW + timedelta(hours=10)


@pytest.mark.parametrize("base_path", [False, True])
def test_freeze_clock_is_about_the_world_that_is_named(api: Api, base_path: bool) -> None:
    shown(api)
    for name, path, body in (
        ("one", "freeze?at=2031-05-01T09:00:00Z", None),
        ("two", "set", {"at": "2031-05-01T09:00:00Z"}),
        ("three", "advance", {"days": 3000}),
    ):
        prefix, headers = (f"/~{name}", {}) if base_path else ("", named(name))
        ok(api.post(f"{prefix}{CLOCK}/{path}", headers=headers, **({"json": body} if body else {})))
    assert [world.name for world in api.app.worlds if world.clock.now() - datetime.now(UTC) > timedelta(days=1000)] == [
        "one",
        "three",
        "two",
    ]
    release(api, "one")
    assert set(names(api.app)) == {"one", "two", "three"}
    assert runs(api)
    assert runs(api, world="one")
    assert not runs(api, world="two")
