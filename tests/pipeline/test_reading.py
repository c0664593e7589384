"""Bodies and queries as the vendor's client and pages send them."""

import json

import pytest

from tests.support.client import Api
from tests.support.forms import AXIOS, MULTIPART


def test_join_course_accepts_the_empty_json_body_of_the_client(api: Api) -> None:
    response = api.as_("stranger").post("/course/1/join/", content=b"", headers={**AXIOS, "Content-Length": "0"})
    assert response.status_code == 200
    assert response.json()["join_status"] == "joined"


@pytest.mark.in_process("its log is read")
@pytest.mark.parametrize("body", [b"--b\r\n" * 9, b'{"name": "Knots"}', b"--b\r\nContent", b"--b\nX: 1\n\n--b--"])
def test_a_broken_form_is_refused_without_more_words(api: Api, caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    """The log has a line for each request, which says why it was refused."""
    response = api.as_("creator").patch("/course/1/", content=body, headers=MULTIPART)
    assert response.status_code == 400
    assert [record.getMessage() for record in caplog.records] == []


def test_patch_course_takes_the_json_of_axios_with_its_read_only_id(api: Api) -> None:
    body = {"id": 114, "enforce_lessons_order": True, "hide_member_count": False}
    response = api.as_("creator").patch("/course/1/", content=json.dumps(body).encode(), headers=AXIOS)
    assert response.status_code == 200
    assert (response.json()["id"], response.json()["enforce_lessons_order"]) == (1, True)


def test_remove_course_invitations_reads_the_json_body_of_a_delete(api: Api) -> None:
    response = api.as_("creator").request("DELETE", "/course/1/invite/", content=b'{"users":[4]}', headers=AXIOS)
    assert (response.status_code, response.content) == (204, b"")
    assert api.as_("creator").get("/course/1/invite/").json()["count"] == 0


@pytest.mark.parametrize("query", ["", "?", "?limit=3&offset=0", "?categories%5B%5D=1&categories%5B%5D=2", "?search="])
def test_search_courses_accepts_the_queries_of_the_client(api: Api, query: str) -> None:
    assert api.get(f"/course/search/{query}", headers=AXIOS).status_code == 200
