"""Anything that goes wrong becomes a refusal; anything that should not have gone wrong is logged."""

import logging

import pytest

from stubserver.api import operations
from stubserver.call import Call
from tests.support.answers import GENERAL, codes
from tests.support.client import Api
from tests.support.rows import snapshot


@pytest.mark.in_process("it changes the server")
def test_a_failing_operation_is_a_500_that_is_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(call: Call) -> None:
        call.world.courses.delete(1)
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(operations.FUNCTIONS, "patch_course", fail)
    before = snapshot(api.world)
    with caplog.at_level(logging.ERROR, logger="stubserver"):
        response = api.as_("creator").patch("/course/1/", json={})
    assert (response.status_code, codes(response)) == (500, {GENERAL: "error"})
    assert "a bug" not in response.text
    assert "ZeroDivisionError" in caplog.text
    assert "/api/v2/course/1/" in caplog.text
    assert snapshot(api.world) == before
