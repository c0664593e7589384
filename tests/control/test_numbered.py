"""What faults and variants have in common."""

from typing import Any

import pytest

from stubserver.control.numbered import MAX_LOG
from tests.support.answers import done, ok, refused
from tests.support.client import Api

BODIES: dict[str, dict[str, Any]] = {"fault": {"kind": "reset"}, "variant": {"kind": "null"}}


@pytest.mark.parametrize("kind", BODIES)
def test_one_is_removed_and_the_others_stay(api: Api, kind: str) -> None:
    path = f"/__stub/{kind}s"
    numbers = [ok(api.post(path, json=BODIES[kind]), 201)["id"] for _ in range(3)]
    done(api.delete(f"{path}/{numbers[1]}"))
    assert [one["id"] for one in ok(api.get(path))["results"]] == [numbers[0], numbers[2]]
    refused(api.delete(f"{path}/{numbers[1]}"), 404)


@pytest.mark.parametrize("kind", BODIES)
def test_the_log_remembers_what_was_done_last(api: Api, kind: str) -> None:
    path = f"/__stub/{kind}s"
    for _ in range(MAX_LOG // 2 + 1):
        number = ok(api.post(path, json=BODIES[kind]), 201)["id"]
        done(api.delete(f"{path}/{number}"))
    log = ok(api.get("/__stub/case"))[f"{kind}s"]
    assert len(log) == MAX_LOG
    assert [entry["operation"] for entry in log[-2:]] == [f"create_{kind}", f"delete_{kind}"]
    assert (log[-2][kind]["kind"], log[-1][kind]) == (BODIES[kind]["kind"], None)
    assert {entry["id"] for entry in log[-2:]} == {number}
