"""Dispatch: an operation runs in a transaction, and its result must fit the contract."""

import logging
from typing import Any

import pytest

from stubserver.api import operations
from stubserver.api.views.course import CourseView
from stubserver.call import Call
from tests.support.answers import GENERAL, codes
from tests.support.client import Api
from tests.support.rows import snapshot


@pytest.mark.parametrize(
    "answer", [{"status": "emperor"}, {}, None, {"status": object()}], ids=["no status", "empty", "none", "no JSON"]
)
@pytest.mark.in_process("it changes the server")
def test_an_answer_off_the_contract_is_a_500_that_is_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    monkeypatch.setitem(operations.FUNCTIONS, "get_course_status", lambda call: answer)
    with caplog.at_level(logging.ERROR, logger="stubserver"):
        response = api.as_("creator").get("/course/1/status/")
    assert (response.status_code, codes(response)) == (500, {GENERAL: "error"})
    assert caplog.records
    if isinstance(answer, dict) and isinstance(answer.get("status"), str):
        assert "get_course_status" in caplog.text
        assert "status" in caplog.text.split("get_course_status", 1)[1]


@pytest.mark.in_process("it changes the server")
def test_an_answer_off_the_contract_leaves_nothing_behind(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(call: Call) -> Any:
        return CourseView(call, call.world.courses.put({**call.course, "name": 5}))

    monkeypatch.setitem(operations.FUNCTIONS, "patch_course", spoil)
    before = snapshot(api.world)
    assert api.as_("creator").patch("/course/1/", json={}).status_code == 500
    assert snapshot(api.world) == before
