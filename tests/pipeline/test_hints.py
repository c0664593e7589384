"""Hints: what a request that misses the contract is told about the operation that it nearly matched."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Answer, Both
from tests.lane.oddities import Request
from tests.support.answers import GENERAL, codes, refused
from tests.support.client import Api

pytestmark = pytest.mark.in_process("it is about the world default")


def said(api: Api, method: str, path: str, status: int) -> str:
    """The message of a refusal that concerns no field."""
    response = api.request(method, f"/{path}")
    assert set(refused(response, status)) == {""}
    message: str = response.json()["errors"][0]["message"]
    return message


MISSES = [
    # A different word
    ("GET", "/api/v2/courses/1/", "get_course", "course", "courses"),
    ("GET", "/api/v2/courses/", "list_joined_courses", "course", "courses"),
    ("GET", "/api/v2/categories/", "list_categories", "category", "categories"),
    ("GET", "/api/v2/course/1/sections/", "list_course_sections", "section", "sections"),
    ("GET", "/api/v2/course/1/section/2/lessons/3/", "get_course_lesson", "lesson", "lessons"),
    ("GET", "/api/v2/course/1/section/2/lesson/3/comments/", "list_course_lesson_comments", "comment", "comments"),
    ("POST", "/oauth/tokens/", "oauth_token", "token", "tokens"),
    # The method decides between the operations of one path
    ("DELETE", "/api/v2/courses/1/", "delete_course", "course", "courses"),
    ("PATCH", "/api/v2/courses/1/", "patch_course", "course", "courses"),
    ("POST", "/api/v2/course/1/sections/", "create_course_section", "section", "sections"),
    # A different prefix
    ("GET", "/api/v1/course/1/", "get_course", "v2", "v1"),
    ("GET", "/v2/course/1/", "get_course", "api", "v2"),
    ("GET", "/API/v2/course/1/", "get_course", "api", "API"),
    # The control plane, where names take the place of numbers
    ("GET", "/__stub/world", "list_worlds", "worlds", "world"),
    ("POST", "/__stub/fault", "create_fault", "faults", "fault"),
    ("POST", "/__stub/clock/frieze", "freeze_clock", "freeze", "frieze"),
    ("POST", "/__stub/worlds/w1/rest", "reset_world", "reset", "rest"),
    ("POST", "/__stub/snapshots/before-2/restored", "restore_snapshot", "restore", "restored"),
]
"""Method and path, the nearest operation, its word, and the request's word."""


@pytest.mark.parametrize(
    ("method", "path", "name", "theirs", "mine"), MISSES, ids=[" ".join(part[:2]) for part in MISSES]
)
def test_a_miss_is_told_which_word_differs(
    api: Api, app: StubServer, method: str, path: str, name: str, theirs: str, mine: str
) -> None:
    operation = {**app.contract.operations, **app.control.operations}[name]
    nearest = f"The nearest is {name}: {method} {operation.path}"
    expected = f"No such path: {path} {nearest}; it has {theirs!r} where the request has {mine!r}."
    assert said(api, method, path, 404) == expected


WRONG_IDS = [
    ("GET", "/api/v2/course/abc/", "abc"),
    ("DELETE", "/api/v2/course/abc/", "abc"),
    ("POST", "/api/v2/course/abc/", "abc"),  # there is no such operation, whatever the id
    ("GET", "/api/v2/course/1.5/", "1.5"),
    ("GET", "/api/v2/course/1e3/", "1e3"),
    ("GET", "/api/v2/course/0x1f/", "0x1f"),
    ("GET", "/api/v2/course/{id}/", "{id}"),
    ("GET", "/api/v2/course/undefined/", "undefined"),
    ("GET", "/api/v2/course/\u0967/", "\u0967"),
    ("POST", "/api/v2/course/abc/join/", "abc"),
    ("GET", "/api/v2/course/1/section/x/", "x"),
    ("GET", "/api/v2/course/x/section/y/", "x"),
    ("GET", "/api/v2/course/1/section/2/lesson/3/comment/last/", "last"),
    ("GET", "/api/v2/user/abc/", "abc"),
    ("DELETE", "/__stub/faults/abc", "abc"),
    ("DELETE", "/__stub/faults/default-1", "default-1"),
    ("GET", "/__stub/faults/abc", "abc"),
]
"""Method, path, and the id in it that is no number."""


@pytest.mark.parametrize(("method", "path", "mine"), WRONG_IDS)
def test_an_id_that_is_no_number_is_named(api: Api, method: str, path: str, mine: str) -> None:
    assert said(api, method, path, 404) == f"{mine!r} in {path} is no id: ids are whole numbers, such as 1."


def test_every_id_of_both_contracts_must_be_a_number(api: Api, app: StubServer) -> None:
    """Each of them alone, among ids that are right."""
    named = 0
    for operation in [*app.contract.operations.values(), *app.control.operations.values()]:
        ids = [name for name, schema in operation.path_parameters.items() if schema["type"] == "integer"]
        for wrong in ids:
            named += 1
            path = re.sub(r"\{\w+\}", "1", operation.path.replace(f"{{{wrong}}}", "x"))
            assert said(api, operation.method.upper(), path, 404).startswith(f"'x' in {path} is no id:"), operation.id
    assert named > 50


@pytest.mark.parametrize(
    ("path", "word"),
    [("/api/v2/course/serch/", "search"), ("/api/v2/user/mee/", "me"), ("/api/v2/category/1/x/", None)],
)
def test_a_misspelt_word_in_the_place_of_an_id_is_named_too(api: Api, path: str, word: str | None) -> None:
    message = said(api, "GET", path, 404)
    assert message.endswith(f" is no id: ids are whole numbers, such as 1. Did you mean {word}?") is (word is not None)


def test_names_of_worlds_and_snapshots_may_be_anything(api: Api) -> None:
    for path in ("worlds/abc", "snapshots/abc", "requests/abc"):
        assert "is no id" not in said(api, "GET", f"/__stub/{path}", 404)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("%0Aa%1B%5B2J", r"\na\x1b[2J"),
        ("%00", r"\x00"),
        ("a%C2%85", r"a\x85"),
        ("%E2%80%AE1", r"\u202e1"),
        ("1%0A", r"1\n"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v2/course/{}/", "/api/v2/{}/", "/{}", "/w1/api/v2/{}/", "/__stub/worlds/{}/"])
def test_a_message_repeats_no_control_characters(api: Api, path: str, sent: str, shown: str) -> None:
    message = said(api, "GET", path.format(sent), 404)
    assert message.isprintable()
    assert shown in message


@pytest.mark.parametrize(
    "path", ["/api/v2/course/{}/", "/api/v2/{}/x/", "/{}", "/w1/api/v2/{}/", "/api/v2/courses/{}/"]
)
@pytest.mark.parametrize("text", ["x" * 1900, "%1B" * 1900], ids=["long", "odd"])
def test_a_message_repeats_little_of_a_long_path(api: Api, path: str, text: str) -> None:
    message = said(api, "GET", path.format(text), 404)
    assert "..." in message
    assert len(message) < 2200


@pytest.mark.parametrize("path", ["/api/v2/course/1", "/api/v2/courses", "/oauth/token", "/api/v2"])
def test_a_missing_slash_is_named(api: Api, path: str) -> None:
    assert said(api, "GET", path, 404) == f"No such path. Every path of the API ends with a slash: {path}/"


BEGINS = "begins with two slashes, as if a base URL ended in one"
SLASHES, DOTS = "has two slashes in a row", "has a part that is only dots"
END, SEMICOLON, BACKSLASH = "has a part that ends in a dot or a blank", "has a semicolon", "has a backslash"
COURSE = "/api/v2/course/1/"
ODD = [
    (f"/{COURSE}", BEGINS, COURSE),
    ("/api//v2/course/1/", SLASHES, COURSE),
    ("/__stub/clock;x", SEMICOLON, "/__stub/clock"),
    ("/./api/v2/course/1/", DOTS, COURSE),
    (f"//{COURSE}", BEGINS, COURSE),
    ("//api/v2/course/1", BEGINS, COURSE),
    ("//__stub/clock", BEGINS, "/__stub/clock"),
    ("//docs/", BEGINS, "/docs/"),
    ("//~w/api/v2/course/1/", BEGINS, "/~w/api/v2/course/1/"),
    ("//", BEGINS, "/"),
    ("/api/v2/category//", SLASHES, "/api/v2/category/"),
    ("/api/v2/course/1//", SLASHES, COURSE),
    ("/api/v2/course//1", SLASHES, COURSE),
    ("/oauth/token//", SLASHES, "/oauth/token/"),
    ("/__stub//clock", SLASHES, "/__stub/clock"),
    ("/api/%2Fv2/course/1/", SLASHES, COURSE),
    ("/../api/v2/course/1/", DOTS, COURSE),
    ("/api/v2/../v2/course/1/", DOTS, COURSE),
    ("/api/v2/course/1/.", DOTS, COURSE),
    ("/api/v2/course/1/..", DOTS, "/api/v2/course/"),
    ("/api/v2/%2e/course/1/", DOTS, COURSE),
    ("/api/v2/course/2/%2E%2e/1/", DOTS, COURSE),
    ("/api/v2/course/1;x/", SEMICOLON, COURSE),
    ("/api/v2/course/1/;jsessionid=1", SEMICOLON, COURSE),
    ("/api/v2/course/1./", END, COURSE),
    ("/api/v2/course/1...", END, COURSE),
    ("/api/v2/course/1%20/", END, COURSE),
    ("/__stub/clock.", END, "/__stub/clock"),
    ("/api\\v2\\course\\1\\", BACKSLASH, COURSE),
]
"""The path of a request, what is odd about it, and the path that it should have."""


@pytest.fixture(scope="module")
def both(contract: Contract, default_fixture: Fixture) -> Iterator[Both]:
    both = Both(contract, default_fixture)
    yield both
    both.stop()


def over_a_socket(both: Both, target: str) -> Answer:
    """What a server with the lane answers, and one without."""
    return both.ask(Request("GET", target, (("Host", "localhost"),)))


@pytest.mark.parametrize(("path", "what", "right"), ODD)
def test_an_odd_spelling_is_told_with_the_usual_one(both: Both, path: str, what: str, right: str) -> None:
    """Nobody tidies a path: such a path would be another one for the caller than for the server."""
    answer = over_a_socket(both, path)
    assert answer.status == 404
    assert not answer.by_lane
    (error,) = answer.json["errors"]
    assert error["code"] == "not_found"
    assert error["message"].startswith(f"No such path: {unquote(path)} It {what}")
    assert error["message"].endswith(f": write {right}")


@pytest.mark.parametrize(
    ("path", "what", "bare"),
    [
        ("/__stub/clock//", SLASHES, "/__stub/clock"),
        ("/__stub/../api/v2/course/1/", DOTS, "/__stub/../api/v2/course/1"),
        ("/__stub/worlds/w./", END, "/__stub/worlds/w."),
    ],
)
def test_an_odd_path_of_the_control_plane_with_a_slash_is_not_redirected(
    both: Both, path: str, what: str, bare: str
) -> None:
    answer = over_a_socket(both, path)
    message = f"No such path. Below /__stub/, no path ends with a slash, and this one {what}: {bare}"
    assert (answer.status, answer.json["errors"][0]["message"]) == (404, message)


@pytest.mark.parametrize(
    "path",
    [
        "/api%2Fv2/course/1/",
        "/api/v2/course%2F1/",
        "/api/v2/course/%31/",
        "/api/v2/course/1%2F",
        "/%7Ew/api/v2/course/1/",
    ],
)
def test_an_encoded_spelling_is_the_same_path(both: Both, path: str) -> None:
    """Of a slash, too: no id and no name has one."""
    assert over_a_socket(both, path).json["id"] == 1


@pytest.mark.parametrize(
    "path", ["/api/v2/../../etc/passwd", "/upfiles/../../etc/passwd", "/docs/..%2f..%2fapp.py", "/..", "/docs//"]
)
def test_what_no_tidying_would_help_is_told_nothing_misleading(both: Both, path: str) -> None:
    answer = over_a_socket(both, path)
    assert answer.status == 404
    assert answer.json["errors"] == [{"message": f"No such path: {unquote(path)}", "code": "not_found"}]


@pytest.mark.parametrize("path", ["/api/v2/course/%1B", "/__stub/%1B/"])
def test_a_message_about_a_slash_repeats_no_control_characters(both: Both, path: str) -> None:
    message = over_a_socket(both, path).json["errors"][0]["message"]
    assert "with a slash: " in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("path", "name", "counts"),
    [
        ("/api/v2/course/1/section/2/lesson/3/comment/4/5/", "get_course_comment", (10, 11)),
        ("/__stub/requests/default-1/body", "get_request", (3, 4)),
    ],
)
def test_more_parts_than_there_are_get_counted(api: Api, path: str, name: str, counts: tuple[int, int]) -> None:
    message = said(api, "GET", path, 404)
    assert f"The nearest is {name}:" in message
    assert message.endswith("; it has {} parts, the request has {}.".format(*counts))


@pytest.mark.parametrize(
    "path", ["/w1/api/v2/course/1/", "/my.world/api/v2/courses/", "/world-1/api/v2/course/1/section/2/lesson/3/"]
)
def test_a_world_without_its_tilde_is_named(api: Api, path: str) -> None:
    """Before anything else that may be wrong."""
    hint = f"To name a world, put it in front of the path with a tilde: /~{path[1:]}"
    assert said(api, "GET", path, 404) == f"No such path: {path} {hint}"


@pytest.mark.parametrize(
    "path",
    [
        "/zzz",
        "/wp-admin/",
        "/nowhere",
        "/index.html",
        "/api/",
        "/api/v2/zzzzzzzzzzzzzzzzzzzzzzzz/",
        "/x/y/z/w/",
        "/__stub/zzzzzzzzzzzz",
    ],
)
def test_what_is_far_from_everything_gets_no_hint(api: Api, path: str) -> None:
    assert said(api, "GET", path, 404) == f"No such path: {path}"


@pytest.mark.parametrize("path", ["/a/b/api/v2/course/", "/a b/api/v2/course/", f"/{'x' * 65}/api/v2/course/"])
def test_what_cannot_be_the_name_of_a_world_is_taken_for_none(api: Api, path: str) -> None:
    assert "tilde" not in said(api, "GET", path, 404)


def test_a_hint_in_a_world_is_the_same(api: Api) -> None:
    assert said(api, "GET", "/~w/api/v2/courses/1/", 404) == said(api, "GET", "/api/v2/courses/1/", 404)


def test_numbers_are_no_difference(api: Api) -> None:
    """However large a number is, it matches a path parameter."""
    for number in ("1", "12345678901234567890", "-1"):
        assert "it has 'course' where the request has 'courses'." in said(api, "GET", f"/api/v2/courses/{number}/", 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed", "operations"),
    [
        ("PUT", "/api/v2/course/", "GET, HEAD, POST", "list_joined_courses, create_course"),
        ("DELETE", "/api/v2/course/search/", "GET, HEAD", "search_courses"),
        (
            "POST",
            "/api/v2/course/1/",
            "DELETE, GET, HEAD, PATCH, PUT",
            "delete_course, get_course, patch_course, update_course",
        ),
        ("GET", "/oauth/token/", "POST", "oauth_token"),
        ("GET", "/api/v2/media/upload/chunk/", "POST", "upload_media_chunk"),
        (
            "OPTIONS",
            "/api/v2/course/1/join/",
            "DELETE, GET, HEAD, POST",
            "leave_course, list_course_joined_users, join_course",
        ),
        ("PUT", "/__stub/faults", "DELETE, GET, HEAD, POST", "clear_faults, list_faults, create_fault"),
        ("GET", "/__stub/clock/freeze", "POST", "freeze_clock"),
        ("POST", "/__stub/worlds/w1", "DELETE, GET, HEAD, PATCH", "delete_world, get_world, patch_world"),
        ("PATCH", "/~w/api/v2/category/1/", "GET, HEAD", "get_category"),
    ],
)
def test_a_405_names_the_methods_and_their_operations(
    api: Api, method: str, path: str, allowed: str, operations: str
) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.request(method, f"/{path}", headers=headers)
    assert response.headers["allow"] == allowed
    assert refused(response, 405) == {"": "method_not_allowed"}
    message = response.json()["errors"][0]["message"]
    assert message == f"This method is not allowed here. Allowed: {allowed} ({operations})."


@pytest.mark.parametrize("path", ["/docs/", "/openapi.json", "/upfiles/courses/small/a_0001.png", "/oauth/authorize/"])
def test_a_405_on_a_page_names_methods_only(api: Api, path: str) -> None:
    response = api.request("PUT", f"/{path}")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["errors"][0]["message"] == "This method is not allowed here. Allowed: GET, HEAD."


def test_every_method_that_a_405_allows_is_allowed(api: Api, contract: Contract) -> None:
    """And no others, on every path of the contract."""
    for path in {re.sub(r"\{\w+\}", "1", operation.path) for operation in contract.operations.values()}:
        wish = {"Prefer": "code=406"}  # every operation declares it
        methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        found = {method for method in methods if api.request(method, f"/{path}", headers=wish).status_code == 406}
        response = api.request("OPTIONS", f"/{path}")
        assert (response.status_code, set(response.headers["allow"].split(", "))) == (405, found), path


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW")


@pytest.mark.in_process("HTTP clients and servers refuse it")
def test_the_allow_list_is_complete(api: Api, contract: Contract) -> None:
    for path, item in contract.document["paths"].items():
        declared = {method.upper() for method in item if method in ("get", "put", "post", "patch", "delete")}
        declared |= {"HEAD"} & ({"HEAD"} if "GET" in declared else set())
        for method in sorted(set(METHODS) - declared):
            for number in ("1", "99"):
                response = api.request(method, re.sub(r"\{\w+\}", number, path))
                assert response.status_code == 405, f"{method} {path}"
                assert set(response.headers["allow"].split(", ")) == declared, f"{method} {path}"
                if method != "HEAD":
                    assert codes(response) == {GENERAL: "method_not_allowed"}
