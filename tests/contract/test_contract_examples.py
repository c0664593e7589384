"""The examples of requests are true: in a fresh default world, each gets the success that its operation documents."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.contract.operation import Operation
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.documents import declared
from tests.support.forms import FORM, pairs, urlencoded

API = load_contract()
RAW = {raw["operationId"]: raw for contract in (API, CONTROL) for _, _, raw in declared(contract.document)}
PERSONA = "creator"
"""May send every example, so that one token is enough for tools that send them all."""
EARLIER = {
    "complete_media_upload": "upload_media_chunk",
    "get_world": "get_course",
    "delete_world": "get_course",
    "reset_world": "get_course",
    "get_request": "get_course",
    "explain_request": "get_course",
    "delete_fault": "create_fault",
    "delete_variant": "create_variant",
    **dict.fromkeys(("get_snapshot", "restore_snapshot", "delete_snapshot"), "create_snapshot"),
}
"""Operation -> the one whose example must be sent before, because it makes what the other example names."""
NO_EXAMPLE = {
    *((name, form) for name in ("make_course_attempt", "create_course_question", "create_course_question_at_lesson",
                                "update_course_question") for form in (FORM["Content-Type"], "multipart/form-data")),
    ("load_snapshot", "application/json"),
}  # fmt: skip
"""Bodies without an example: a form cannot carry answers (R012), and a snapshot is one server's own."""


def contract_of(name: str) -> Contract:
    return API if name in API.operations else CONTROL


def parameters(name: str) -> list[dict[str, Any]]:
    return [contract_of(name).resolve(parameter) for parameter in RAW[name].get("parameters", [])]


def bodies(name: str) -> Iterator[tuple[str, str, Any]]:
    """Media type, title and value of each example of a body."""
    contract = contract_of(name)
    for media, content in contract.resolve(RAW[name].get("requestBody", {})).get("content", {}).items():
        found = {title: contract.resolve(example)["value"] for title, example in content.get("examples", {}).items()}
        found |= {"example": content["example"]} if "example" in content else {}
        for title, value in found.items():
            yield media, title, value


def requests() -> Iterator[Any]:
    """Operation, media type and body of each example."""
    for name in RAW:
        found = list(bodies(name))
        for media, title, value in found:
            yield pytest.param(name, media, value, id=f"{name}-{media.rpartition('/')[2]}-{title}")
        if not found and not any(name == other for other, _ in NO_EXAMPLE):
            yield pytest.param(name, None, None, id=name)


def encoded(operation: Operation, media: str | None, body: Any) -> dict[str, Any]:
    """Options for httpx."""
    if media is None:
        return {}
    if media == "application/json":
        return {"json": body}
    if media in FORM.values():
        return urlencoded("{}")(body)
    files = {name for name in body if operation.fields[name].get("format") == "binary"} if media else set()
    binary = {
        name for name, part in operation.bodies[media].schema["properties"].items() if part.get("format") == "binary"
    }
    texts = [
        (name, (None, text)) for name, text in pairs({n: v for n, v in body.items() if n not in files | binary}, "{}")
    ]
    return {"files": [*texts, *((name, (f"{name}.png", body[name].encode())) for name in binary & set(body))]}


def send(api: Api, name: str, media: str | None, body: Any) -> httpx.Response:
    operation = contract_of(name).operations[name]
    values = {place: {p["name"]: p["example"] for p in parameters(name) if p["in"] == place and "example" in p}
              for place in ("path", "query", "header")}  # fmt: skip
    options = encoded(operation, media, body)
    headers = {**options.pop("headers", {}), **values["header"]}
    path = operation.path.format(**values["path"])
    return api.request(operation.method.upper(), path, params=values["query"] or None, headers=headers, **options)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("name", "media", "body"), [*requests()])
def test_the_example_gets_the_success_that_is_documented(api: Api, name: str, media: str | None, body: Any) -> None:
    caller = api.as_(
        PERSONA if RAW[name].get("security", API.document["security"]) and name in API.operations else None
    )
    if name in EARLIER:
        media_before, _, body_before = next(bodies(EARLIER[name]), (None, "", None))
        persona = PERSONA if EARLIER[name] in API.operations else None
        assert send(api.as_(persona), EARLIER[name], media_before, body_before).is_success
    answer = send(caller, name, media, body)
    assert answer.status_code == contract_of(name).operations[name].status, answer.text


@pytest.mark.parametrize("name", RAW)
def test_every_parameter_and_body_has_an_example(name: str) -> None:
    """Without one in the path, tools such as dredd do not start. Swagger UI would send an example of X-Stub-World, and
    a world named by a header must be that of the address; the time to freeze at is in the body."""
    assert [p["name"] for p in parameters(name) if "example" not in p] in ([], ["X-Stub-World"], ["X-Stub-World", "at"])
    content = contract_of(name).resolve(RAW[name].get("requestBody", {})).get("content", {})
    shown = {media for media, _, _ in bodies(name)}
    assert {(name, media) for media in set(content) - shown} == {pair for pair in NO_EXAMPLE if pair[0] == name}
