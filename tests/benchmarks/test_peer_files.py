"""What peers are told: their files hold the recorded answers, and their states those of both bodies."""

import json
from pathlib import Path
from typing import Any

from benchmarks import peer_files
from benchmarks.recording import Answer, Recording, scripted
from benchmarks.workloads import BROWSE, GET, PAGE, PUTS, Request


def answer(request: Request) -> Answer:
    """As our server answers after all writes: with the description and the text that were sent last."""
    row: dict[str, Any] = dict(PUTS[-1].body or {})
    if "comment" in request.operation:
        row = next(dict(one.body or {}) for one in reversed(BROWSE) if one.body)
    return Answer(request, 200, "" if request.operation == "get_me" else json.dumps(row))


RECORDING: Recording = [answer(request) for request in (*PUTS, GET, PAGE, *BROWSE)]


def test_each_state_of_a_row_has_an_answer() -> None:
    parts = scripted(RECORDING)
    found = {(part.state, part.answer.request.method): part for part in parts if part.answer.request.path == GET.path}
    assert set(found) == {(state, method) for state in ("Started", "Changed") for method in ("GET", "PUT")}
    for state, put in zip(("Started", "Changed"), PUTS, strict=True):
        assert json.loads(found[state, "GET"].answer.text) == put.body
        assert json.loads(found[state, "PUT"].answer.text) == put.body
        assert (found[state, "GET"].sent, found[state, "PUT"].sent in json.dumps(put.body)) == ("", True)
    assert {part.scenario for part in parts} == {"course", "comment", ""}
    assert [part.answer.request.operation for part in parts if not part.scenario] == ["get_me"]


def test_a_body_leads_to_one_state_only() -> None:
    bodies = [json.dumps(request.body) for request in (*PUTS, *BROWSE) if request.body]
    parts = [part for part in scripted(RECORDING) if part.sent]
    for body in bodies:
        assert len([part for part in parts if part.sent in body]) == 1


def test_wiremock_and_mockserver_are_told_the_same(tmp_path: Path) -> None:
    peer_files.wiremock_stateful(tmp_path, RECORDING)
    peer_files.mockserver_stateful(tmp_path, RECORDING)
    mappings = json.loads((tmp_path / "mappings" / "all.json").read_text())["mappings"]
    expectations = json.loads((tmp_path / "expectations.json").read_text())
    assert [_of_wiremock(one) for one in mappings] == [_of_mockserver(one) for one in expectations]
    assert {one.get("requiredScenarioState") for one in mappings} == {"Started", "Changed", None}


def _of_wiremock(one: dict[str, Any]) -> list[Any]:
    sent = one["request"].get("bodyPatterns", [{"contains": None}])[0]["contains"]
    text = one["response"]["body"]
    return [sent, one.get("scenarioName"), one.get("requiredScenarioState"), one.get("newScenarioState"), text]


def _of_mockserver(one: dict[str, Any]) -> list[Any]:
    sent = one["httpRequest"].get("body", {"string": None})["string"]
    text = one["httpResponse"]["body"]
    return [sent, one.get("scenarioName"), one.get("scenarioState"), one.get("newScenarioState"), text]


def test_the_limit_is_told_what_each_request_is_answered_with(tmp_path: Path) -> None:
    peer_files.limit(tmp_path, RECORDING)
    told = {(each["method"], each["path"]): each for each in json.loads((tmp_path / "answers.json").read_text())}
    assert set(told) == {(request.method, request.path) for request in (*PUTS, GET, PAGE, *BROWSE)}
    assert json.loads(told["PUT", GET.path]["text"]) == PUTS[-1].body
    assert {each["status"] for each in told.values()} == {200}
