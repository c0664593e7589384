"""The changes in the journal are a JSON Patch that turns the rows before into the rows after."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from stubserver.app import StubServer
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.records.journal import Answer
from stubserver.worlds.snapshot import FILES, TABLES
from stubserver.worlds.world import World
from tests.permissions import example
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW, QUIZ
from tests.support.forms import Options
from tests.support.journal import newest, requests
from tests.support.rows import snapshot
from tests.support.tokens import APP, TOKEN, WREN, grant

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

SECRETS = {"password", "client_secret", "code", "code_verifier", "token", "access_token", "refresh_token"}


def rows(world: World) -> dict[str, dict[str, Any]]:
    """All rows as JSON, by table and key, without credentials; of a file, there is only the size."""
    found: dict[str, dict[str, Any]] = {}
    for table, (key, _) in TABLES.items():
        for row in getattr(world, table):
            if table in FILES:
                unit = "bytes" if isinstance(row["content"], bytes) else "characters"
                row = {**row, "content": f"({len(row['content'])} {unit})"}
            plain = orjson.loads(orjson.dumps(row))
            hidden = dict.fromkeys((name for name in SECRETS & set(plain) if plain[name] is not None), "[redacted]")
            found.setdefault(table, {})[",".join(str(row[part]) for part in key)] = plain | hidden
    return found


def patched(before: Mapping[str, Any], patch: list[Any]) -> dict[str, Any]:
    """Apply the JSON Patch (RFC 6902); "add" needs a new path, everything else an existing one."""
    document: dict[str, Any] = copy.deepcopy(dict(before))
    for change in patch:
        *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:])
        where = document
        for part in parents:
            where = where.setdefault(part, {}) if change["op"] == "add" and part == parents[0] else where[part]
        assert (last in where) is (change["op"] != "add"), change
        assert ("value" in change) is (change["op"] != "remove"), change
        if change["op"] == "remove":
            del where[last]
        else:
            where[last] = change["value"]
    return {table: rows for table, rows in document.items() if rows}


WRITES: dict[str, tuple[str, str, str, Options]] = {
    "create_course": (
        "creator",
        "POST",
        "/course/",
        {"json": {"name": "K", "type": "structured", "categories": [1]}},
    ),
    "update_course": ("creator", "PUT", "/course/2/", {"json": {"name": "Knots", "type": "structured"}}),
    "patch_course": ("manager", "PATCH", "/course/1/", {"json": {"description": "~/", "categories": [2, 1]}}),
    "delete_course": ("creator", "DELETE", "/course/1/", {}),
    "create_course_section": ("creator", "POST", "/course/1/section/", {"json": {"name": "Part"}}),
    "patch_course_section": ("creator", "PATCH", "/course/1/section/1/", {"json": {"name": "Part"}}),
    "delete_course_section": ("creator", "DELETE", "/course/1/section/2/", {}),
    "create_course_lesson": ("creator", "POST", "/course/1/section/1/lesson/", {"json": {"name": "L", "type": "quiz"}}),
    "patch_course_lesson": ("creator", "PATCH", "/course/1/section/1/lesson/1/", {"json": {"text": "<p>x</p>"}}),
    "delete_course_lesson": ("creator", "DELETE", QUIZ, {}),
    "delete_course_question": ("creator", "DELETE", f"{QUIZ}question/1/", {}),
    "join_course": ("stranger", "POST", "/course/1/join/", {}),
    "leave_course": ("member", "DELETE", "/course/1/join/", {}),
    "invite_course_users": ("creator", "POST", "/course/1/invite/", {"json": {"users": [6, 7]}}),
    "remove_course_invitations": ("creator", "DELETE", "/course/1/invite/", {"json": {"users": [4]}}),
    "change_course_roles": ("creator", "POST", "/course/1/role/", {"json": {"managers": [3], "unjoined": [8]}}),
    "make_course_attempt": (
        "member",
        "POST",
        f"{QUIZ}attempt/",
        {
            "json": {
                "responses": [
                    {"question_id": number, "selected_options": options}
                    for number, options in {1: [1], 2: [4, 6], 3: [8], 4: [13]}.items()
                ]
            }
        },
    ),
    "complete_course_lesson": ("member", "POST", "/course/1/section/1/lesson/3/complete/", {}),
    "incomplete_course_lesson": ("member", "POST", "/course/1/section/1/lesson/1/incomplete/", {}),
    "create_course_comment": ("member", "POST", "/course/1/section/1/lesson/1/comment/", {"json": {"text": "Hello"}}),
    "create_media": ("member", "POST", "/media/", {"json": {"type": "url", "url": "https://x.example/a-b"}}),
    "upload_media_chunk": (
        "member",
        "POST",
        "/media/upload/chunk/",
        {"files": {"image": ("a.png", b"abc")}, "headers": {"Content-Range": "bytes 0-2/9"}},
    ),
    "oauth_token": ("creator", "POST", TOKEN, {"json": {**WREN, **APP}}),
}


@pytest.mark.parametrize("operation", WRITES)
def test_changes_lead_from_the_rows_before_to_the_rows_after(api: Api, operation: str) -> None:
    persona, method, path, options = WRITES[operation]
    before = rows(api.world)
    response = api.as_(persona).request(method, path, **options)
    assert response.status_code < 300, response.text
    entry = newest(api)
    assert entry["operation"] == operation
    assert entry["changes"] != []
    assert patched(before, entry["changes"]) == rows(api.world)


def test_changes_of_a_conversation_add_up(api: Api) -> None:
    """Requests that build on each other, with their patches applied in turn."""
    before, member, comments = rows(api.world), api.as_("member"), "/course/1/section/1/lesson/1/comment/"
    number = ok(member.post(comments, json={"text": "One"}), 201)["id"]
    answer = ok(member.post(comments, json={"text": "Two", "parent": number}), 201)["id"]
    ok(member.patch(f"{comments}{answer}/", json={"text": "Three"}))
    assert member.delete(f"{comments}{number}/").status_code == 204
    upload = {"files": {"image": ("a.pdf", b"abc")}, "headers": {"Content-Range": "bytes 0-2/6"}}
    begun = ok(member.post("/media/upload/chunk/", **upload), 201)["upload_id"]
    upload = {"files": {"image": ("a.png", b"def")}, "headers": {"Content-Range": "bytes 3-5/6"}}
    ok(member.post("/media/upload/chunk/", data={"upload_id": begun}, **upload), 201)
    whole = {"upload_id": begun, "md5": "e80b5017098950fc58aad83c8c14978e"}
    ok(member.post("/media/upload/complete/", json=whole), 201)
    pair = grant(api)
    pair = grant(api, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    api.post("/oauth/revoke_token/", json={**APP, "token": pair["access_token"]})
    changes = [change for entry in reversed(requests(api)) for change in entry["changes"]]
    assert patched(before, changes) == rows(api.world)


def test_changes_of_every_operation_lead_to_the_rows_after(api: Api, app: StubServer, contract: Contract) -> None:
    """Whether its own example is accepted or refused."""
    creator, changed = api.as_("creator"), set()
    for operation in contract.operations.values():
        app.worlds.reset().clock.freeze(NOW)
        before = rows(api.world)
        path = re.sub(r"\{\w+\}", "1", operation.path)
        has_json = "application/json" in operation.bodies
        body = {"json": example(contract, operation)} if has_json else {}
        creator.request(operation.method.upper(), path, **body)
        entry = newest(api)
        assert patched(before, entry["changes"]) == rows(api.world), operation.id
        if entry["changes"]:
            changed.add(operation.method)
            assert entry["status"] < 300
    assert changed == {"post", "put", "patch", "delete"}


def test_changes_of_one_row_are_told_once(api: Api, app: StubServer) -> None:
    """However often a request changes a row, only the first and the last state are shown."""
    world = app.worlds.get()
    before, course = rows(world), world.courses[1]
    with world.transaction() as transaction:
        world.courses.put({**course, "name": "A", "privacy": "secret"})
        world.courses.put({**course, "name": "B"})
        world.courses.put({**course, "id": 99})
        world.courses.delete(99)
        world.categories.put({**world.categories[1], "id": 98, "name": "New"})
        world.categories.put({**world.categories[98], "name": "Newer"})
        world.sections.delete(1)
    call = Call(world, "GET", "/", "http://stub.test", at=NOW, id="default-1", changes=transaction.changes())
    app.journal.add(call, Answer(200))
    changes = newest(api)["changes"]
    assert [(change["op"], change["path"]) for change in changes] == [
        ("replace", "/courses/1/name"),
        ("add", "/categories/98"),
        ("remove", "/sections/1"),
    ]
    assert patched(before, changes) == rows(world)


def test_changes_name_what_became_of_each_field(api: Api) -> None:
    creator = api.as_("creator")
    ok(creator.patch("/course/1/", json={"name": "Knots", "hide_member_count": False}))
    assert newest(api)["changes"] == [{"op": "replace", "path": "/courses/1/name", "value": "Knots"}]
    ok(creator.patch("/course/1/", json={"name": "Knots"}))
    assert newest(api)["changes"] == []
    assert creator.delete("/course/1/join/?user=3").status_code == 204
    assert {"op": "remove", "path": "/memberships/1,3"} in newest(api)["changes"]


@pytest.mark.parametrize(
    ("persona", "path", "body"),
    [
        ("creator", "/course/1/", {"name": ""}),
        ("stranger", "/course/1/", {"name": "Knots"}),
        (None, "/course/1/", {"name": "Knots"}),
        ("creator", "/course/99/", {"name": "Knots"}),
        ("creator", "/nowhere/", {"name": "Knots"}),
    ],
)
def test_a_refused_request_changes_nothing(api: Api, persona: str | None, path: str, body: Any) -> None:
    before = snapshot(api.world)
    assert api.as_(persona).patch(path, json=body).status_code >= 400
    assert newest(api)["changes"] == []
    assert snapshot(api.world) == before
