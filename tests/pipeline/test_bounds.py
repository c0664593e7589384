"""Bodies that are nested deeply or have very many values: refused before they can take long or break anything."""

import re
from typing import Any

import pytest

from stubserver.contract.load import load_contract, load_control_contract
from stubserver.pipeline.bounds import MAX_DEPTH, MAX_VALUES, is_deeper
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.forms import JSON, MULTIPART, form, part
from tests.support.journal import newest, requests

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

WITH_BODY = {
    operation.id: operation
    for contract in (load_contract(), load_control_contract())
    for operation in contract.operations.values()
    if "application/json" in operation.bodies
}
SHAPES = {"arrays": (b"[", b"]"), "objects": (b'{"a":', b"}")}


def nested(depth: int, shape: str = "arrays") -> bytes:
    opening, closing = SHAPES[shape]
    return opening * depth + (b"1" if shape == "objects" else b"") + closing * depth


def body(value: bytes, field: str = "name") -> bytes:
    return b'{"type":"self-paced","privacy":"open","%b":%b}' % (field.encode(), value)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [MAX_DEPTH, 255, 600, 100_000])
@pytest.mark.parametrize("name", WITH_BODY)
def test_a_deep_body_is_refused(api: Api, name: str, depth: int, shape: str) -> None:
    """Whichever field it stands in, known or not; and whatever shows it afterwards still works."""
    operation = WITH_BODY[name]
    path = re.sub(r"\{\w+\}", "1", operation.path).replace("/requests/1", "/requests/default-1")
    for field in (*operation.fields, "unknown")[:2]:
        sent = b'{"%b":%b}' % (field.encode(), nested(depth, shape))
        response = api.as_("creator").request(operation.method.upper(), f"/{path}", content=sent, headers=JSON)
        assert 400 <= response.status_code < 500, response.text
    requests(api)
    ok(api.post("/__stub/verify", json={"operation": "create_course", "contains": {"name": "x"}}))
    ok(api.get("/__stub/case"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("depth", "accepted"), [(1, True), (MAX_DEPTH - 1, True), (MAX_DEPTH, False)])
def test_the_limit_is_for_the_whole_body(api: Api, depth: int, accepted: bool, shape: str) -> None:
    """Also in a field that the operation ignores (R011). Brackets inside texts do not count."""
    text = b'{"name":"%b","type":"self-paced","x":%b}' % (b"[" * 5000, nested(depth, shape))
    response = api.as_("creator").post("/course/", content=text.replace(b"[" * 5000, b"[" * 100), headers=JSON)
    if accepted:
        ok(response, 201)
    else:
        assert refused(response, 400) == {"": "parse_error"}
        assert f"nested more than {MAX_DEPTH} levels deep" in response.text
        assert newest(api)["request"]["body"].startswith('{"name":"[[[')


@pytest.mark.parametrize(
    ("value", "levels", "deeper"),
    [
        (1, 0, False),
        ([], 0, True),
        ([], 1, False),
        ([[]], 1, True),
        ({"a": [1, {}]}, 2, True),
        ({"a": [1, {}]}, 3, False),
        ([1, [2], "[[["], 2, False),
    ],
)
def test_levels_are_counted(value: Any, levels: int, deeper: bool) -> None:
    assert is_deeper(value, levels) is deeper


@pytest.mark.parametrize("depth", [60, 65, 300, 700])
def test_a_deep_query_is_refused(api: Api, depth: int) -> None:
    query = f"statuses={'[' * depth}{']' * depth}"
    assert refused(api.get(f"/course/search/?{query}"), 400)["statuses"]


@pytest.mark.parametrize("length", [1, 256, 257, 5000])
def test_a_boundary_may_have_any_length(api: Api, length: int) -> None:
    """Whatever the parser makes of it, the refusal is the client's."""
    headers = {"Content-Type": f"multipart/form-data; boundary={'b' * length}"}
    assert refused(api.as_("creator").post("/course/", content=b"x", headers=headers), 400) == {"": "parse_error"}


def course(**fields: Any) -> dict[str, Any]:
    return {"name": "Knots", "type": "self-paced", **fields}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (course(categories=[1] * (MAX_VALUES - 4)), None),
        (course(categories=[1] * (MAX_VALUES - 3)), f"the body has more than {MAX_VALUES} values"),
        (course(x=[[1] * 100] * 100), f"the body has more than {MAX_VALUES} values"),
        (course(x={str(number): {} for number in range(MAX_VALUES)}), f"the body has more than {MAX_VALUES} values"),
        (course(description="," * 2 * MAX_VALUES), None),
        (course(**{f"x{number}": 1 for number in range(998)}), None),
        (course(**{f"x{number}": 1 for number in range(999)}), "the object has more than 1000 fields"),
    ],
)
def test_a_body_has_so_many_values(api: Api, body: dict[str, Any], says: str | None) -> None:
    """Commas inside texts do not count."""
    response = api.as_("creator").post("/course/", json=body)
    if says is None:
        ok(response, 201)
    else:
        assert refused(response, 400) == {"": "parse_error"}
        assert says in response.text


def test_the_control_plane_takes_as_many_values_as_a_snapshot_has(api: Api) -> None:
    body = {"contains": {"x": [1] * 2 * MAX_VALUES}}
    assert ok(api.post("/__stub/verify", json=body))["count"] == 0


@pytest.mark.parametrize(("count", "says"), [(1000, "name: "), (1001, "The form has more than 1000 fields.")])
def test_a_multipart_form_has_so_many_parts(api: Api, count: int, says: str) -> None:
    response = api.as_("creator").post("/course/", content=form(*[part("type", b"x")] * count), headers=MULTIPART)
    assert refused(response, 400)
    assert says.split(":")[0] in response.text
