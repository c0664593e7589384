"""What the head of a request decides by itself, and the answer cached with it for as long as it stays valid."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.lane import head, lane
from stubserver.worlds.log import RECENT
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both
from tests.lane.oddities import signed
from tests.lane.requests import control, freeze, plain
from tests.support.default import NOW
from tests.worlds.little import fork

OPENS = "/course/9/section/20/lesson/33/"
"""A lesson that opens for the member four days after NOW."""


def test_answer_is_not_kept_when_somebody_else_writes(both: Both, world: str) -> None:
    seen = plain("GET", "/course/1/", "member", world)
    for name, how in (("By the lane", ()), ("By the stack", ("wait=0",))):
        before = [both.ask(seen) for _ in range(2)]
        changed = both.ask(plain("PATCH", "/course/1/", "manager", world, {"name": name}).with_("Prefer", *how))
        after = [both.ask(seen) for _ in range(2)]
        assert [answer.by_lane for answer in (*before, changed, *after)] == [True, True, not how, True, True]
        assert [answer.json["name"] == name for answer in (*before, *after)] == [False, False, True, True]


def test_answer_is_kept_as_long_as_nothing_changes_that_it_was_made_of(
    both: Both, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each write, only those answers are made again that it touches, and they are those of the other server."""
    made: list[str] = []
    monkeypatch.setattr(lane.Lane, "_make", _counted(lane.Lane._make, made))
    lesson = "/course/1/section/1/lesson/1/"
    paths: tuple[str, ...] = (
        "/user/me/",
        "/category/",
        "/course/search/",
        "/course/",
        "/course/1/",
        "/course/1/status/",
        lesson,
    )
    paths += (f"{lesson}comment/", "/course/1/user/", "/course/1/section/", "/course/1/section/2/lesson/5/question/")
    paths += ("/course/1/users/",)
    seen = [plain("GET", path, who, world) for path in paths for who in ("creator", "member", "stranger")]
    remade: dict[str, set[str]] = {}
    for method, path, who, body in (
        ("PUT", f"{lesson}comment/10/", "member", {"text": "Again"}),
        ("POST", f"{lesson}complete/", "member", None),
        ("POST", f"{lesson}incomplete/", "member", None),
        ("POST", "/course/15/join/", "stranger", None),
        ("PATCH", "/course/1/section/1/", "creator", {"name": "Paper"}),
        ("PATCH", lesson, "creator", {"name": "Brushes"}),
        ("POST", "/course/1/section/", "creator", {"name": "More"}),
        ("POST", f"{lesson}comment/", "stranger", {"text": "I may not"}),
        ("PATCH", "/course/1/", "creator", {"name": "Oils"}),
        ("DELETE", "/course/15/", "creator", None),
    ):
        for request in seen:
            both.ask(request)
        both.ask(plain(method, path, who, world, body))
        made.clear()
        for request in seen:
            both.ask(request)
        remade[f"{method} {path}"] = set(made)
    assert remade[f"PUT {lesson}comment/10/"] == {"list_course_lesson_comments"}
    assert remade[f"POST {lesson}complete/"] == {"list_course_dashboard_users"}, "it had been completed before"
    assert remade[f"POST {lesson}incomplete/"] >= {"get_course_lesson", "get_course", "list_course_dashboard_users"}
    assert "list_categories" not in set().union(*remade.values())
    assert remade["PATCH /course/1/"] >= {"get_course", "search_courses"}


def _counted(make: Callable[..., bytes], made: list[str]) -> Callable[..., bytes]:
    def count(self: lane.Lane, call: Call, found: head.Head) -> bytes:
        text = make(self, call, found)
        made.append(call.operation.id)
        return text

    return count


@pytest.mark.parametrize("count", [1, head.MAX_READS, head.MAX_READS + 1])
def test_an_answer_that_was_made_of_very_much_is_kept_until_anything_changes(count: int) -> None:
    """All others survive any number of writes that do not touch them."""
    world, holder = fork(), SimpleNamespace(drop=None)
    made: Any = SimpleNamespace(world=world, user=None)
    head.Head.cache(holder, made, b"", {("courses", number) for number in range(count)})  # type: ignore[arg-type]
    found: head.CachedAnswer = vars(holder)["cached"]
    for _ in range(3 * RECENT):
        world.log.touch(["comments"])
        assert found.is_good(world, NOW) is (count <= head.MAX_READS)
    world.log.touch([("courses", count - 1)])
    assert not found.is_good(world, NOW)


def test_answer_is_not_kept_in_a_world_begun_anew(both: Both, world: str) -> None:
    """Nothing has changed since the answer was cached except the fixture, or the state of the world."""
    categories, course = plain("GET", "/category/", "member", world), plain("GET", "/course/1/", "member", world)
    assert [both.ask(categories).json["count"] for _ in range(2)] == [4, 4]
    both.ask(control("POST", f"worlds/{world}/reset?fixture=empty"))
    assert [both.ask(categories).json["count"] for _ in range(2)] == [2, 2]
    both.ask(control("POST", f"worlds/{world}/reset?fixture=default"))
    both.ask(plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"}))
    both.ask(control("POST", "snapshots", world, {"name": world}))
    both.ask(control("POST", f"worlds/{world}/reset"))
    assert both.ask(course).json["name"] == "Watercolour for Absolute Beginners"
    both.ask(control("POST", f"snapshots/{world}/restore", world))
    answer = both.ask(course)
    assert (answer.json["name"], answer.by_lane) == ("Changed", True)
    assert both.ask(control("DELETE", f"worlds/{world}")).status == 204
    both.ask(freeze(world))
    answer = both.ask(course)
    assert (answer.json["name"], answer.headers["x-stub-request"]) == (
        "Watercolour for Absolute Beginners",
        f"{world}-1",
    )


def test_answer_is_kept_until_a_section_opens_and_not_after_it(both: Both, world: str) -> None:
    """R313; back and forth across the opening, by a microsecond."""
    course, lesson = (plain("GET", path, "member", world) for path in ("/course/9/", OPENS))
    opens = NOW + timedelta(days=4)
    for moment, is_open in ((opens - timedelta(microseconds=1), False), (opens, True)) * 2:
        both.ask(freeze(world, moment))
        sections = both.ask(course).json["sections"]
        assert [section["locked"] for section in sections] == [False, not is_open]
        assert [both.ask(lesson).status for _ in range(2)] == [200 if is_open else 403] * 2
        assert both.ask(course).by_lane


def test_answer_is_not_kept_when_the_access_token_expires(both: Both, world: str) -> None:
    granted = {
        "grant_type": "password",
        "client_id": "stub-app",
        "username": "dilys_pruett",
        "password": "stub-password",
    }
    token = both.ask(plain("POST", "/oauth/token/", None, world, granted)).json["access_token"]
    jwt = signed(3, NOW + timedelta(hours=10))
    for path in ("/user/me/", "/course/search/"):  # one that requires a login, and one that does not
        for text in (token, jwt):
            seen = plain("GET", path, None, world).with_("Authorization", f"Bearer {text}")
            both.ask(freeze(world))
            answers = [both.ask(seen) for _ in range(2)]
            assert [(answer.status, answer.by_lane) for answer in answers] == [(200, True), (200, True)]
            both.ask(control("POST", "clock/advance", world, {"hours": 10}))
            assert both.ask(seen).status == 401
            both.ask(freeze(world))
            assert both.ask(seen).status == 200


def test_answer_is_not_kept_when_the_access_token_is_revoked(both: Both, world: str) -> None:
    granted = {
        "grant_type": "password",
        "client_id": "stub-app",
        "username": "dilys_pruett",
        "password": "stub-password",
    }
    token = both.ask(plain("POST", "/oauth/token/", None, world, granted)).json["access_token"]
    seen = plain("GET", "/user/me/", None, world).with_("Authorization", f"Bearer {token}")
    assert [both.ask(seen).by_lane for _ in range(2)] == [True, True]
    revoked = {"client_id": "stub-app", "token": token}
    assert both.ask(plain("POST", "/oauth/revoke_token/", None, world, revoked)).by_lane
    assert both.ask(seen).status == 401


def test_a_head_of_a_lenient_world_is_not_used_once_the_world_is_strict(both: Both, world: str) -> None:
    """What is accepted though the contract does not allow it depends on the world, not only on the head."""
    seen = plain("GET", "/course/search/?limit=0", "member", world)
    assert [both.ask(seen).status for _ in range(2)] == [200, 200]
    for is_strict, status in ((True, 400), (False, 200), (True, 400)):
        assert both.ask(control("PATCH", f"worlds/{world}", body={"strict": is_strict})).status == 200
        answers = [both.ask(seen) for _ in range(2)]
        assert [(answer.status, answer.by_lane) for answer in answers] == [(status, False)] * 2


def test_few_heads_and_no_large_answers_are_kept(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served = both.apps[0].lane
    assert served is not None
    monkeypatch.setattr(head, "MAX_HEADS", 2)
    monkeypatch.setattr(lane, "MAX_CACHED", 1000)
    for _ in range(2):
        for limit in range(1, 8):
            assert both.ask(plain("GET", f"/course/search/?limit={limit}", "member", world)).by_lane
            assert both.ask(plain("GET", f"/user/3/groups/?limit={limit}", "member", world)).by_lane
            assert len(served.heads._known) <= 2
    long = plain("GET", "/course/1/", "member", world).with_("Cookie", "x" * head.MAX_LENGTH)
    assert both.ask(long).by_lane
    assert not any(len(text) > head.MAX_LENGTH for text in served.heads._known)
    kept = {(known.call.path, known.cached is not None) for known in served.heads._known.values() if known}
    assert kept == {("/api/v2/course/search/", False), ("/api/v2/user/3/groups/", True)}


def test_head_that_is_refused_for_its_size_is_none_for_the_lane(both: Both) -> None:
    served, seen = both.apps[0].lane, plain("GET", "/course/1/", "member")
    assert served is not None
    assert served.heads.find(seen.with_("Cookie", "x" * 65_000).raw) is not None
    assert served.heads.find(seen.with_("Cookie", "x" * 66_000).raw) is None


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://app.example", "http://evil.example", None])
def test_pages_may_call(both: Both, world: str, origin: str | None) -> None:
    headers = [("Origin", origin)] if origin else []
    seen = plain("GET", "/course/1/", "member", world)
    answer = both.ask(replace(seen, headers=(*seen.headers, *headers)))
    allowed = answer.headers.get("access-control-allow-origin")
    assert (allowed, answer.headers["vary"], answer.by_lane) == (
        None if origin == "http://evil.example" else origin,
        "Origin",
        True,
    )
    assert ("access-control-allow-credentials" in answer.headers) == (origin is not None)


def test_every_page_may_call(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, cors_origins=("*",))
    for more in ((), (("Origin", "http://evil.example"),), (("Origin", "http://evil.example"), ("Cookie", "a=b"))):
        seen = plain("GET", "/course/1/", "member")
        answer = both.ask(replace(seen, headers=(*seen.headers, *more)))
        assert (answer.headers.get("access-control-allow-origin"), answer.by_lane) == ("*" if more else None, True)
    both.stop()


def test_head_has_no_body(both: Both, world: str) -> None:
    seen, asked = (plain(method, "/course/1/", "member", world) for method in ("GET", "HEAD"))
    first, head = both.ask(seen), both.ask(asked)
    assert (head.body, head.headers["content-length"]) == (b"", str(len(first.body)))
    assert both.ask(seen).body == first.body


@pytest.mark.parametrize(
    ("hosts", "message"),
    [
        ([], "A request in HTTP/1.1 has a Host header, such as localhost:8765."),
        ([""], "'' is not a host: send a name or an address, and a port if it is not 80."),
        (["a b"], "'a b' is not a host: send a name or an address, and a port if it is not 80."),
        (
            ["stub.test:123456"],
            "'stub.test:123456' is not a host: send a name or an address, and a port if it is not 80.",
        ),
        (["stub.test", "stub.test"], "There are 2 Host headers; send one."),
        (["stub.test", "evil.test", "stub.test"], "There are 3 Host headers; send one."),
    ],
)
def test_host_must_be_named_once(both: Both, world: str, hosts: list[str], message: str) -> None:
    seen = plain("GET", "/category/1/", "member", world)
    for version in ("1.1", "1.0"):
        answer = both.ask(replace(seen, version=version).with_("Host", *hosts))
        if version == "1.0" and not hosts:
            assert answer.json["image_small"].startswith("http://(server)/upfiles/")
        else:
            assert answer.status == 400
            assert answer.json["errors"][0]["field"] == "Host"
            assert answer.json["errors"][0]["messages"][0]["message"] == message


def test_host_may_have_an_underscore(both: Both, world: str) -> None:
    """As the services of Docker Compose have."""
    answer = both.ask(plain("GET", "/category/1/", "member", world).with_("Host", "stub_server:8765"))
    assert answer.by_lane
    assert answer.json["image_small"].startswith("http://stub_server:8765/upfiles/")


PROXY = (
    ((), "http://stub.test"),
    ((("X-Forwarded-Proto", "https"),), "https://stub.test"),
    ((("Forwarded", "host=dev.example"),), "http://dev.example"),
    ((), "http://stub.test"),
)
"""What a proxy sends, and the address that it tells."""


def test_what_a_proxy_tells_is_for_nobody_by_default(both: Both, world: str) -> None:
    """Although it connects from this machine."""
    seen = plain("GET", "/category/1/", "member", world)
    for headers, _ in PROXY:
        category = both.ask(replace(seen, headers=(*seen.headers, *headers))).json
        assert category["image_small"].startswith("http://stub.test/upfiles/")


def test_addresses_are_those_that_a_trusted_proxy_tells(contract: Contract, default_fixture: Fixture) -> None:
    both, seen = Both(contract, default_fixture, forwarded_allow_ips="127.0.0.1"), plain("GET", "/category/1/")
    for headers, address in PROXY * 2:
        category = both.ask(replace(seen, headers=(*seen.headers, *headers))).json
        assert category["image_small"].startswith(f"{address}/upfiles/")
    both.stop()


def test_addresses_begin_with_the_public_url(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, public_url="https://dev.example/stub")
    for host in ("stub.test", "localhost"):
        category = both.ask(plain("GET", "/category/1/").with_("Host", host)).json
        assert category["image_small"].startswith("https://dev.example/stub/upfiles/")
    both.stop()
