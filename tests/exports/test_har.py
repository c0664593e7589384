"""HAR files: valid, complete, and without credentials."""

import json
from typing import Any

import pytest

from stubserver.exports.har import har
from stubserver.exports.recording import Recording
from stubserver.records.journal import REDACTED
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import HOST
from tests.support.har import check
from tests.support.traffic import LESSON, oddities, reading, recorded, writing


def entries(api: Api) -> list[Any]:
    """The entries of the journal's HAR file, oldest first."""
    content = har([recorded(api)], "http://localhost:8765")
    check(content)
    found: list[Any] = content["log"]["entries"]
    return found


def only(api: Api) -> Any:
    (found,) = entries(api)
    return found


def test_it_is_valid_and_complete(api: Api) -> None:
    reading(api)
    writing(api)
    oddities(api)
    found = entries(api)
    requests = recorded(api).requests
    assert [entry["_id"] for entry in found] == [request["id"] for request in requests]
    assert [entry["response"]["status"] for entry in found] == [request["status"] for request in requests]


def test_the_schema_would_find_something() -> None:
    with pytest.raises(AssertionError, match='"entries" is a required property'):
        check({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}}})


def test_an_entry_says_what_was_asked_and_answered(api: Api) -> None:
    answer = api.as_("member").get("/course/?limit=1&statuses=joined")
    entry = only(api)
    asked, answered = entry["request"], entry["response"]
    assert (asked["method"], asked["url"]) == ("GET", f"http://{HOST}/api/v2/course/?limit=1&statuses=joined")
    assert asked["queryString"] == [{"name": "limit", "value": "1"}, {"name": "statuses", "value": "joined"}]
    assert {"name": "authorization", "value": f"Bearer {REDACTED}"} in asked["headers"]
    assert (asked["bodySize"], "postData" in asked) == (0, False)
    assert (answered["status"], answered["statusText"]) == (200, "OK")
    assert answered["content"] == {
        "size": len(answer.content),
        "mimeType": "application/json",
        "text": answer.content.decode(),
    }
    assert (entry["_operation"], entry["_persona"], entry["_rules"]) == ("list_joined_courses", "stub-member", [])
    assert entry["time"] == entry["timings"]["wait"]


def test_an_entry_says_what_was_varied(api: Api) -> None:
    place = "/created_by/avatar"
    ok(api.post("/__stub/variants", json={"kind": "null", "operation": "get_course", "place": place}), 201)
    api.as_("member").get("/course/1/")
    assert only(api)["_variants"] == [{"id": 1, "kind": "null", "choice": None, "places": [place]}]


def test_case_files_without_variants_become_har(api: Api) -> None:
    """Older versions wrote them."""
    old = {name: value for name, value in blank(api).items() if name != "variants"}
    (entry,) = har([Recording("default", "default", True, [old])], "https://server:1/")["log"]["entries"]
    assert entry["_variants"] == []


@pytest.mark.parametrize(
    ("world", "headers", "root"),
    [
        ("default", {"host": "h"}, "https://h"),
        ("lessons", {"host": "h"}, "https://h/~lessons"),
        ("lessons", {"host": "h", "x-stub-world": "lessons"}, "https://h"),
        ("lessons", {}, "https://server:1/~lessons"),
    ],
)
def test_the_url_is_what_the_client_used(api: Api, world: str, headers: dict[str, str], root: str) -> None:
    request = {**blank(api), "id": f"{world}-1"}
    request["request"] = {**request["request"], "headers": headers}
    (entry,) = har([Recording(world, "default", True, [request])], "https://server:1/")["log"]["entries"]
    assert entry["request"]["url"] == f"{root}/api/v2/course/1/"


def blank(api: Api) -> Any:
    """A request as the journal has it."""
    api.get("/course/1/")
    return recorded(api).requests[-1]


def test_bodies_are_kept_as_they_were_sent(api: Api) -> None:
    creator = api.as_("creator")
    creator.patch("/course/1/", json={"name": "Knöten"})
    creator.patch("/course/1/", content=b'{"name": ', headers={"Content-Type": "application/json"})
    creator.patch("/course/1/", content=b'"text"', headers={"Content-Type": "application/json"})
    creator.patch("/course/1/", data={"name": "Bends", "categories": [1, 2]})
    creator.patch("/course/1/", files={"image_original": ("a.png", b"abc")})
    posted = [entry["request"]["postData"] for entry in entries(api)]
    assert posted[0] == {"mimeType": "application/json", "text": '{"name":"Knöten"}'}
    assert posted[1]["text"] == '{"name": '
    assert posted[2]["text"] == '"text"'
    pairs = [(one["name"], one["value"]) for one in posted[3]["params"]]
    assert pairs == [("name", "Bends"), ("categories", "1"), ("categories", "2")]
    (file,) = posted[4]["params"]
    assert (file["name"], file["fileName"]) == ("image_original", "a.png")
    assert file["comment"].startswith("3 bytes, sha256:")


def test_what_the_journal_does_not_keep_is_said(api: Api) -> None:
    request = {**blank(api)}
    request["request"] = {**request["request"], "body": "(70000 bytes)"}
    request["response"] = {**request["response"], "body": "(80000 bytes)"}
    content = har([Recording("default", "default", True, [request], lost=4)], "http://x")
    check(content)
    (entry,) = content["log"]["entries"]
    assert entry["request"]["postData"]["comment"] == "The journal has only its size."
    assert (entry["response"]["content"]["size"], "text" in entry["response"]["content"]) == (80000, False)
    assert content["log"]["comment"] == "Requests that were not kept: 4."


def test_no_answer_is_no_status(api: Api) -> None:
    api.get("/course/1/", headers={"Prefer": "code=200"})
    request = {**recorded(api).requests[0], "status": None, "response": None}
    content = har([Recording("default", "default", True, [request])], "http://x")
    check(content)
    answered = content["log"]["entries"][0]["response"]
    assert (answered["status"], answered["comment"]) == (0, "No answer was sent.")


def test_there_are_no_credentials(api: Api) -> None:
    oddities(api)
    api.as_("member").get(LESSON, headers={"Cookie": "session=secret-cookie"})
    text = json.dumps(entries(api))
    assert REDACTED in text
    for secret in ("Bearer stub-", "secret-cookie", "stub-password"):
        assert secret not in text


def test_worlds_are_in_one_file_by_time(api: Api) -> None:
    first, second = ({**blank(api), "time": f"2031-01-0{day}T00:00:00+00:00"} for day in (2, 1))
    content = har(
        [Recording(world, "default", True, [one]) for world, one in (("a", first), ("b", second))], "http://x"
    )
    assert [entry["startedDateTime"][:10] for entry in content["log"]["entries"]] == ["2031-01-01", "2031-01-02"]


def test_nothing_is_an_empty_log() -> None:
    content = har([], "http://x")
    check(content)
    assert content["log"]["entries"] == []
