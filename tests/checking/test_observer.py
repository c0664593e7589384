"""What an observer tells of an application and its server."""

import json
from typing import Any

import pytest

from stubserver.app import create_app
from stubserver.checking.observed import ANSWER, REQUEST, Exchange
from stubserver.checking.observer import Observer
from stubserver.checking.rendering import FORMATS
from stubserver.contract.contract import Contract
from stubserver.serving.in_process import InProcess
from stubserver.settings import Settings
from tests.checking.bugs import BUGS, Bug, Buggy
from tests.support.watching import Aside, Watched, watched

IS_JSON = [(b"content-type", b"application/json")]
VISIBLE = {
    "lists count one too many": "list_course_lesson_comments /results page",
    "next leads to the same page": "search_courses /next page",
    "a new section answers 200": "create_course_section status status",
    "a deletion answers 200": "delete_course_lesson status status",
    "errors have another form": "get_course errors schema",
    "errors are HTML": "get_course Content-Type header",
    "401 has no challenge": "delete_course WWW-Authenticate header",
    "privacy has a value of its own": "get_course privacy schema",
    "ids of comments are texts": "create_course_comment id schema",
    "no categories are null": "get_course categories schema",
    "times have no zone": "get_course created_at schema",
}
"""The bugs that the contract alone shows -> the key of a finding."""


def use(proxy: Watched) -> int:
    """What an application does, which does nothing wrong; returns the number of requests."""
    sent = 0

    def send(method: str, path: str, body: Any = None, who: str = "creator") -> Any:
        nonlocal sent
        sent += 1
        headers = {"Authorization": f"Bearer stub-{who}"} if who else {}
        if body is not None:
            headers["Content_Type"] = "application/json"
        raw = None if body is None else json.dumps(body).encode()
        answer = proxy.ask(method, f"/api/v2/{path}", raw, **headers)
        return json.loads(answer.body) if answer.body else None

    for name in ("Knots", "Ropes", "Sails"):
        course = send("POST", "course/", {"name": name, "type": "self-paced", "privacy": "open"})["id"]
    send("GET", "course/search/?limit=1")
    send("GET", f"course/{course}/")
    send("GET", "course/99999/")
    send("DELETE", f"course/{course}/", who="")
    section = send("POST", f"course/{course}/section/", {"name": "One"})["id"]
    lessons = f"course/{course}/section/{section}/lesson/"
    lesson = send("POST", lessons, {"name": "L", "type": "lesson", "text": "T", "comments_enabled": True})["id"]
    send("PATCH", f"{lessons}{lesson}/", {"status": "published"})
    send("POST", f"{lessons}{lesson}/comment/", {"text": "Well!"})
    send("GET", f"{lessons}{lesson}/comment/")
    send("DELETE", f"{lessons}{lesson}/")
    return sent


def found(bug: Bug) -> dict[str, str]:
    """Key -> source, of what is reported of a server with this bug."""
    inner = InProcess(create_app("empty"))
    try:
        with watched("http://127.0.0.1:8000", transport=Aside(Buggy(inner, bug))) as proxy:
            report = proxy.report(use(proxy))
    finally:
        inner.close()
    assert report.documented == report.sent
    return {finding.key: finding.source for finding in report.findings}


def test_our_own_server_and_a_good_client_do_nothing_wrong() -> None:
    assert found(Bug()) == {}


@pytest.mark.parametrize("name", VISIBLE)
def test_the_report_names_what_the_server_does_wrong(name: str) -> None:
    keys = found(BUGS[name])
    assert VISIBLE[name] in keys
    assert {*keys.values()} == {ANSWER}


# The report


def note(observer: Observer, method: str = "GET", path: str = "/api/v2/course/1/", **parts: Any) -> None:
    query, headers = parts.pop("query", ""), parts.pop("headers", {})
    observer.note(Exchange(method, path, query, headers, **{"status": 500, **parts}))


def test_the_sides_are_kept_apart(contract: Contract) -> None:
    observer = Observer(contract, "http://t")
    for _ in range(2):
        note(observer, query="x=1")
    report = observer.report(2.0)
    assert [(one.source, one.times) for one in report.findings] == [(REQUEST, 2), (ANSWER, 2)]
    text = FORMATS["text"](report, {})
    places = [text.index(part) for part in (*report.headings.values(), "http://t: 2 differences; 2 requests in 2 s")]
    assert places[0] < places[1] < places[2]
    page = FORMATS["html"](report, {})
    assert all(f"<h2>{heading}</h2>" in page for heading in report.headings.values())
    data = json.loads(FORMATS["json"](report, {}))
    assert [one["source"] for one in data["differences"]] == [REQUEST, ANSWER]
    assert 'classname="request"' in FORMATS["junit"](report, {})


def test_what_is_not_in_the_contract_is_named(contract: Contract) -> None:
    observer = Observer(contract, "http://t")
    for number in range(12):
        note(observer, path=f"/elsewhere/{number}")
    note(observer, "OPTIONS")
    report = observer.report(1.0)
    assert report.findings == []
    nothing, passed = report.notes
    assert nothing == "no request of a documented operation came through, so nothing was checked"
    assert passed.startswith("passed on, though the contract does not have them: GET /elsewhere/0, GET /elsewhere/1, ")
    assert passed.endswith("GET /elsewhere/9, others")


def test_links_past_the_proxy_are_told(contract: Contract) -> None:
    observer = Observer(contract, "http://t:80/base")
    note(observer, answer=b'{"next": "http://t/api/v2/"}')
    note(observer, answer_headers=[(b"location", b"http://t/x")])
    note(observer, answer=b'{"next": "http://other/"}')
    assert "2 answers with links to http://t, left as they came" in observer.report(1.0).notes[0]


def test_coverage_is_counted(contract: Contract) -> None:
    observer = Observer(contract, "http://t")
    note(observer, path="/api/v2/course/search/", query="limit=3", status=200)
    (operation,) = [one for one in observer.report(1.0).coverage["operations"] if one["requests"]]
    assert operation["operation"] == "search_courses"
    assert (operation["statuses"]["200"], operation["parameters"]["limit"]) == (1, 1)


def test_the_journal_is_bounded(contract: Contract) -> None:
    observer = Observer(contract, "http://t", Settings(max_requests=2))
    for number in range(5):
        note(observer, path=f"/api/v2/course/{number}/", answer=b"<h1>")
    report = observer.report(1.0)
    assert [entry["request"]["path"] for entry in report.journal] == ["/api/v2/course/3/", "/api/v2/course/4/"]
    assert report.journal[0]["response"]["body"] == "(4 bytes)"
    assert "left out of the journal: 3 older requests" in report.notes


def test_findings_are_bounded(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stubserver.checking.observer._MOST", 3)
    observer = Observer(contract, "http://t")
    note(observer, query="&".join(f"x{number}=1" for number in range(9)))
    report = observer.report(1.0)
    assert len(report.findings) == 3
    assert "left out: 7 more violations" in report.notes


SECRETS: dict[str, Any] = {
    "bearer": {"headers": {"authorization": "Bearer SECRET"}, "query": "x=1"},
    "basic": {"headers": {"authorization": "Basic SECRET"}, "query": "x=1"},
    "cookie": {"headers": {"cookie": "a=1; session=SECRET"}, "query": "x=SECRET"},
    "query": {"query": "access_token=SECRET"},
    "json": {
        "method": "POST",
        "path": "/oauth/token/",
        "headers": {"content-type": "application/json"},
        "body": b'{"password": "SECRET", "extra": {"password": "pw", "x": "SECRET"}}',
    },
    "form": {
        "method": "POST",
        "path": "/oauth/token/",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": b"grant_type=password&password=SECRET&username=SECRET",
    },
    "broken": {
        "method": "POST",
        "path": "/api/v2/course/",
        "headers": {"content-type": "application/json"},
        "body": b'{"password": "SECRET',
    },
    "answer": {
        "method": "POST",
        "path": "/oauth/token/",
        "status": 200,
        "answer_headers": IS_JSON,
        "answer": b'{"access_token": ["SECRET"], "refresh_token": "SECRET", "scope": "SECRET"}',
    },
    "unreadable answer": {"status": 200, "answer": b'{"access_token": "SECRET'},
    "cookie of an answer": {"answer_headers": [(b"set-cookie", b"session=SECRET; Path=/")]},
    "key": {"headers": {"x-api-key": "SECRET"}, "query": "x=SECRET"},
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_report_has_credentials(contract: Contract, name: str) -> None:
    observer = Observer(contract, "http://t")
    note(observer, **SECRETS[name])
    report = observer.report(1.0)
    assert report.findings, "or nothing is proved"
    for form, render in FORMATS.items():
        assert "SECRET" not in render(report, {}), form
        assert '"pw"' not in render(report, {}), form


def test_the_line_for_the_shell_repeats_the_request(contract: Contract) -> None:
    observer = Observer(contract, "http://t")
    headers = {"content-type": "application/json", "authorization": "Bearer abcdefgh"}
    note(observer, "PATCH", "/api/v2/course/7/", headers=headers, body=b'{"name": "A"}')
    assert observer.report(1.0).findings[0].curl == [
        'curl -X PATCH -H "Authorization: Bearer $TOKEN" -H \'Content-Type: application/json\' -d \'{"name": "A"}\' '
        '"$TARGET/api/v2/course/7/"'
    ]
