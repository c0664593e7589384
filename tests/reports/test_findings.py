"""What the requests of a command had to do with the contract: counted, with the first of each kind, and bounded."""

from typing import Any

import pytest

from stubserver.reports.findings import Findings
from tests.support.answers import ok, refused
from tests.support.client import Api

pytestmark = pytest.mark.in_process("it listens to the journal of a server")


@pytest.fixture
def findings(api: Api) -> Any:
    """Those of all requests to the server, in any of its worlds."""
    found, listeners = Findings(), api.app.journal.listeners
    listeners.append(found.note)
    yield found
    listeners.remove(found.note)


def test_a_violation_is_told_with_the_first_request_that_made_it(api: Api, findings: Findings) -> None:
    """The most frequent first; kinds, names and operations are counted apart."""
    creator, asked = api.as_("creator"), api.world.asked
    ok(creator.get("/course/search/?colour=red"))
    for _ in range(2):
        ok(creator.patch("/course/1/", json={"name": "Knots", "titel": 1, "colour": 2}))
    ok(creator.patch("/~other/api/v2/course/1/", json={"titel": 1}))
    refused(creator.get("/kourse/"), 404)
    first = [f"request default-{number}" for number in (asked + 2, asked + 2, asked + 1, asked + 4)]
    assert findings.violations == [
        f"not in the contract: 3 x field titel of patch_course (first: PATCH /api/v2/course/1/, {first[0]})",
        f"not in the contract: 2 x field colour of patch_course (first: PATCH /api/v2/course/1/, {first[1]})",
        f"not in the contract: 1 x parameter colour of search_courses (first: GET /api/v2/course/search/, {first[2]})",
        f"not in the contract: 1 x operation GET /api/v2/kourse/ (first: GET /api/v2/kourse/, {first[3]})",
    ]


def test_a_refusal_is_told_with_the_first_message(api: Api, findings: Findings) -> None:
    """By operation and status."""
    refused(api.get("/course/99/"), 404)
    refused(api.as_("stranger").patch("/course/1/", json={"name": "Mine"}), 403)
    refused(api.as_("stranger").patch("/course/1/", json={"name": "Ours"}), 403)
    refused(api.as_("creator").patch("/course/1/", json={"name": ""}), 400)
    ok(api.get("/course/1/"))
    lines = findings.refusals
    assert [line.partition(" (first: ")[0] for line in lines] == [
        "refused: 2 x 403 of patch_course",
        "refused: 1 x 404 of get_course",
        "refused: 1 x 400 of patch_course",
    ]
    number = api.world.asked - 4
    assert lines[1].endswith(f"(first: request default-{number}: Course 99 does not exist or is not visible to you.)")
    assert f"(first: request default-{number + 1}: " in lines[0]
    assert f"(first: request default-{number + 3}: name: " in lines[2]
    assert findings.violations == []


def test_a_refusal_that_somebody_wanted_says_so(api: Api, findings: Findings) -> None:
    api.get("/course/1/", headers={"Prefer": "code=404"})
    ok(api.post("/__stub/faults", json={"kind": "error", "status": 503}), 201)
    api.get("/course/2/")
    first, second = findings.refusals
    assert first.startswith("refused: 1 x 404 of get_course (first: request default-")
    assert second.startswith("refused: 1 x 503 of get_course (first: request default-")
    assert "Fault 1 of world default caused this answer." in second


def test_nothing_found_is_nothing_told(api: Api, findings: Findings) -> None:
    ok(api.get("/course/1/"))
    assert (findings.violations, findings.refusals) == ([], [])


def test_what_is_told_is_bounded(api: Api, findings: Findings) -> None:
    """In lines and in characters, and shows nothing that steers a terminal."""
    names = [f"x{number:03}" for number in range(40)]
    ok(api.as_("creator").patch("/course/1/", json=dict.fromkeys(names, 1)))
    ok(api.as_("creator").patch("/course/1/", json={"x039": 1, "\x1b[2J" + "y" * 500: 1}))
    refused(api.get("/" + "z" * 3000 + "/"), 404)
    lines = findings.violations
    assert len(lines) == 31
    assert lines[0].startswith("not in the contract: 2 x field x039 ")
    assert lines[-1] == "not in the contract: and 12 more"
    assert max(map(len, [*lines, *findings.refusals])) < 400
    ok(api.as_("creator").patch("/course/1/", json={f"n{number}": 1 for number in range(990)}))
    assert findings.violations[-1] == "not in the contract: and 970 more"
    assert "".join([*findings.violations, *findings.refusals]).isprintable()
