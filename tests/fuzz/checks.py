"""Checks of our own, for what those of Schemathesis do not see: whether writes last, and who may see and do what.

A check of Schemathesis compares an answer with the contract; whether a deleted row is gone it notices only if a random
walk comes by. These ask again after every write, and compare what people see and do with the fixture and with the
recorded permission matrix.
"""

import os
import re
from typing import Any
from urllib.parse import unquote_plus

import requests
import schemathesis

from stubserver.contract.load import load_contract
from stubserver.contract.operation import Operation
from stubserver.fixtures.fixture import load
from tests.permissions import FILE

OPERATIONS = load_contract().operations
PERSONA = os.environ.get("FUZZ_PERSONA", "stub-creator")
"""Token of the caller of all requests of this run."""
FIXTURE = load("default", load_contract())
COURSES = FIXTURE.tables["courses"].rows
ALLOWED = {"secret": ("creator", "manager", "joined", "invited"), "": ("creator", "manager")}
"""Privacy that hides a course -> the statuses that see it (R101, R104)."""


def _statuses() -> dict[int, str]:
    """Course -> the status of the caller in it, in the fixture."""
    caller = FIXTURE.tokens[PERSONA]
    memberships = FIXTURE.tables["memberships"].rows.values()
    return {row["course_id"]: row["status"] for row in memberships if row["user_id"] == caller}


STATUSES = _statuses()
HIDDEN = [
    row["name"]
    for number, row in COURSES.items()
    if row["privacy"] in ALLOWED and STATUSES.get(number) not in ALLOWED[row["privacy"]]
]
"""Names of courses that the caller must never see."""


def _allowed() -> frozenset[str]:
    """The operations that somebody who runs no course may do in a course, by the permission matrix."""
    found, columns = set[str](), list[str]()
    for line in FILE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "operation":
            columns = cells
        elif cells[0] in OPERATIONS:
            answers = dict(zip(columns, cells, strict=True))
            others = [answers[name] for name in columns if name not in ("operation", "lesson", *RUNNING)]
            if any(status.startswith("2") for status in others):
                found.add(cells[0])
    return frozenset(found)


RUNNING = ("manager", "creator", "staff")
"""Columns of people who run a course; what staff may do is not for others either."""
OPEN = _allowed()


def _operation(case: Any) -> Operation | None:
    return OPERATIONS.get(case.operation.definition.raw.get("operationId"))


def _reading(operation: Operation, of_item: bool = False) -> Operation | None:
    """The operation that reads what another one writes: at the same path or, `of_item`, at that of one item below."""
    path = re.escape(operation.path) + (r"\{\w+\}/" if of_item else "")
    return next((o for o in OPERATIONS.values() if o.method == "get" and re.fullmatch(path, o.path)), None)


def _read_again(response: Any, below: str = "") -> Any:
    """What the same caller gets at the address of a request, or `below` it."""
    sent = {name: value for name, value in response.request.headers.items() if name.lower() == "authorization"}
    address = response.request.url.partition("?")[0] + below
    return requests.get(address, headers=sent, timeout=10, allow_redirects=False)


@schemathesis.check
def a_write_lasts(ctx: Any, response: Any, case: Any) -> None:
    """What was made or changed can be read, and says the same; what was deleted is gone."""
    operation = _operation(case)
    if operation is None or response.status_code != operation.status or response.request.method == "GET":
        return
    is_item = operation.path.endswith("}/")
    if operation.method == "post" and operation.status == 201 and _reading(operation, of_item=True):
        _says_the_same(_read_again(response, f"{response.json()['id']}/"), response)
    elif is_item and operation.method in ("put", "patch") and _reading(operation):
        _says_the_same(_read_again(response), response)
    elif is_item and operation.method == "delete" and _reading(operation):
        again = _read_again(response)
        gone = again.status_code in (403, 404)  # some may delete a comment, but read only the whole list
        assert gone, f"it was deleted, but reading it answers {again.status_code}: {again.text}"


def _says_the_same(again: Any, response: Any) -> None:
    if again.status_code == 403:
        return  # some may write a comment, but read only the whole list
    assert again.status_code == 200, f"it was written, but reading it answers {again.status_code}: {again.text}"
    written, read = response.json(), again.json()
    wrong = {name: (written[name], read[name]) for name in written if name in read and written[name] != read[name]}
    assert not wrong, f"the answer to the write and what is read afterwards differ: {wrong}"


@schemathesis.check
def nobody_sees_hidden_courses(ctx: Any, response: Any, case: Any) -> None:
    """No answer names a course that the caller cannot see (R101, R104)."""
    sent = f"{unquote_plus(response.request.url)} {response.request.body}"
    seen = [name for name in HIDDEN if name in response.text and name not in sent]
    assert not seen, f"{PERSONA} sees {seen}"


@schemathesis.check
def nobody_does_what_others_may(ctx: Any, response: Any, case: Any) -> None:
    """Those who run no course do nothing in the courses of others that the permission matrix does not allow them."""
    operation = _operation(case)
    if operation is None or operation.id in OPEN or "course" not in operation.loads.values():
        return
    number = case.path_parameters.get("id")
    if number in COURSES and STATUSES.get(number) not in RUNNING:
        status = STATUSES.get(number, "nobody")
        assert response.status_code >= 300, f"{PERSONA} is {status} in course {number}, but may do this"


@schemathesis.check
def nothing_redirects(ctx: Any, response: Any, case: Any) -> None:
    """No operation sends its caller elsewhere."""
    assert not 300 <= response.status_code < 400, f"it redirects to {response.headers.get('location')}"
