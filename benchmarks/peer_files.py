"""Writes the recorded answers in the form that each peer reads its configuration in."""

import copy
import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.recording import Answer, Recording, answer_to, by_path, scripted
from benchmarks.workloads import GET, PAGE
from stubserver.contract.load import load_contract

JSON = {"Content-Type": "application/json"}


def write(file: Path, data: Any) -> None:
    """Write data as compact JSON, creating the folder if necessary."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data), encoding="utf-8")


def contract(folder: Path, recording: Recording) -> None:
    """Our merged contract, with the recorded answers as its examples."""
    document = copy.deepcopy(load_contract().document)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    found = {operation["operationId"]: operation for operation in operations if "operationId" in operation}
    for answer in by_path(recording):
        if answer.text:
            content = found[answer.request.operation]["responses"][str(answer.status)]["content"]["application/json"]
            content.pop("examples", None)
            content["example"] = json.loads(answer.text)
    write(folder / "openapi.json", document)


def specmatic(folder: Path, recording: Recording) -> None:
    """The contract, and one file for each answer."""
    contract(folder, recording)
    for number, answer in enumerate(recording):
        request: dict[str, Any] = {"method": answer.request.method, **_address(answer, "query")}
        request["headers"] = {"Authorization": f"Bearer {answer.request.token}"}
        request |= {"body": answer.request.body} if answer.request.body else {}
        response = {"status": answer.status, **({"body": json.loads(answer.text)} if answer.text else {})}
        write(folder / "examples" / f"{number}.json", {"http-request": request, "http-response": response})


def limit(folder: Path, recording: Recording) -> None:
    """A constant for each method and path."""
    answers = [
        {"method": answer.request.method, "path": answer.request.path, "status": answer.status, "text": answer.text}
        for answer in by_path(recording)
    ]
    write(folder / "answers.json", answers)


def wiremock(folder: Path, recording: Recording) -> None:
    """One static mapping for each method and path."""
    write(folder / "mappings" / "all.json", {"mappings": [_wiremock_mapping(answer) for answer in by_path(recording)]})


def wiremock_stateful(folder: Path, recording: Recording) -> None:
    """The mappings, in one scenario for each row that is written."""
    mappings = []
    for part in scripted(recording):
        mapping = _wiremock_mapping(part.answer)
        if part.sent:
            mapping["request"]["bodyPatterns"] = [{"contains": part.sent}]
            mapping |= {"scenarioName": part.scenario, "newScenarioState": part.state}
        elif part.scenario:
            mapping |= {"scenarioName": part.scenario, "requiredScenarioState": part.state}
        mappings.append(mapping)
    write(folder / "mappings" / "all.json", {"mappings": mappings})


def mockserver(folder: Path, recording: Recording) -> None:
    """One expectation for each method and path."""
    write(folder / "expectations.json", [_expectation(answer) for answer in by_path(recording)])


def mockserver_stateful(folder: Path, recording: Recording) -> None:
    """The expectations, in one scenario for each row that is written."""
    expectations = []
    for part in scripted(recording):
        expectation = _expectation(part.answer)
        if part.sent:
            expectation["httpRequest"]["body"] = {"type": "STRING", "string": part.sent, "subString": True}
            expectation |= {"scenarioName": part.scenario, "newScenarioState": part.state}
        elif part.scenario:
            expectation |= {"scenarioName": part.scenario, "scenarioState": part.state}
        expectations.append(expectation)
    write(folder / "expectations.json", expectations)


def mockoon(folder: Path, recording: Recording) -> None:
    """One route for each method and path, with its body unchanged."""
    routes = [_mockoon_route(answer) for answer in by_path(recording)]
    children = [{"type": "route", "uuid": route["uuid"]} for route in routes]
    head = {"uuid": str(uuid.uuid4()), "lastMigration": 33, "name": "peers", "hostname": "127.0.0.1"}
    write(folder / "environment.json", {**head, "routes": routes, "rootChildren": children})


def json_server(folder: Path, recording: Recording) -> None:
    """A database of one course and, so that the page keeps its size, the courses on the page; and routes to them."""
    course, page = (json.loads(answer_to(request, recording).text) for request in (GET, PAGE))
    write(folder / "db.json", {"course": [course], "page": page["results"]})
    write(folder / "routes.json", {"/api/v2/course/search/?limit=:limit": "/page?_limit=:limit", "/api/v2/*/": "/$1"})


def _wiremock_mapping(answer: Answer) -> dict[str, Any]:
    return {
        "request": {"method": answer.request.method, "url": answer.request.path},
        "response": {"status": answer.status, "headers": JSON, "body": answer.text},
    }


def _expectation(answer: Answer) -> dict[str, Any]:
    request = {"method": answer.request.method, **_address(answer, "queryStringParameters")}
    return {"httpRequest": request, "httpResponse": {"statusCode": answer.status, "headers": JSON, "body": answer.text}}


def _mockoon_route(answer: Answer) -> dict[str, Any]:
    response = {
        "uuid": str(uuid.uuid4()),
        "body": answer.text,
        "statusCode": answer.status,
        "headers": [{"key": key, "value": value} for key, value in JSON.items()],
        "disableTemplating": True,
        "default": True,
    }
    return {
        "uuid": str(uuid.uuid4()),
        "type": "http",
        "method": answer.request.method.lower(),
        "endpoint": urlsplit(answer.request.path).path.strip("/") + "/",
        "responses": [response],
    }


def _address(answer: Answer, query: str) -> dict[str, Any]:
    """The path, and the parameters of the query under the key `query`."""
    address = urlsplit(answer.request.path)
    return {"path": address.path, **({query: dict(parse_qsl(address.query))} if address.query else {})}
