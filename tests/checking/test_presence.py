"""Which operations are taken for missing."""

import pytest

from stubserver.checking.presence import Presence
from stubserver.checking.sides import Answer
from stubserver.contract.contract import Contract

pytestmark = pytest.mark.table


@pytest.mark.parametrize(
    ("answers", "is_missing"),
    [
        ([], False),
        ([(200, 404)], True),
        ([(201, 405), (400, 501)], True),
        ([(403, 404)], True),
        ([(404, 404)], False),
        ([(404, 404), (200, 404)], True),
        ([(200, 404), (200, 200)], False),
        ([(200, 404), (400, 500)], False),
        ([(200, 404), (401, 401)], True),
        ([(401, 404)], True),
        ([(200, 500)], False),
        ([(200, 0)], False),
    ],
)
def test_what_answers_as_if_there_were_no_such_path(
    contract: Contract, answers: list[tuple[int, int]], is_missing: bool
) -> None:
    presence = Presence()
    for ours, theirs in answers:
        failure = "" if theirs else "timed out"
        presence.note(contract.operations["get_course"], Answer(ours), Answer(theirs, failure=failure))
    assert presence.is_missing("get_course") is is_missing
    assert presence.missing == (["get_course"] if is_missing else [])
    assert presence.was_asked("get_course") is bool(answers)
    assert not presence.was_asked("get_me")
