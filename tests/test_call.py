"""A call: what was sent, the rows that its path names, who calls, and what the contract does not know."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stubserver.call import MAX_FIELDS, Upload, urlencoded
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.default import NOW


def refusal_of(text: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        urlencoded(text, "form")
    return caught.value


def test_urlencoded_text_is_read_in_its_order() -> None:
    """Blank values count, and names may repeat."""
    assert list(urlencoded(b"b=1&a=&b=%C3%BC+x", "form")) == [("b", "1"), ("a", ""), ("b", "ü x")]
    assert len(list(urlencoded(b"&".join([b"a=1"] * MAX_FIELDS), "form"))) == MAX_FIELDS


@given(
    st.lists(
        st.sampled_from(
            [b"%41", b"%", b"%4", b"%zz", b"+", b"=", b"a", b"\n", b"%0A", b"%C3%A9", b"\t", b" ", b"\r", b"_", b"%3D"]
        )
    )
)
def test_urlencoded_text_is_decoded_as_python_does(parts: list[bytes]) -> None:
    """Only faster: 8 MB of escapes must not stop the server for seconds."""
    text = b"x=" + b"".join(parts)
    try:
        expected = parse_qsl(text.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        assert refusal_of(text).status == 400
    else:
        assert list(urlencoded(text, "form")) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a=%ff", "The form is not UTF-8."),
        (b"&".join([b"a=1"] * (MAX_FIELDS + 1)), "The form has more than 1000 fields."),
    ],
    ids=["not UTF-8", "too many"],
)
def test_urlencoded_text_that_cannot_be_read_is_refused(text: bytes, says: str) -> None:
    refused = refusal_of(text)
    assert (refused.status, refused.reason) == (400, says)


def test_the_digest_of_a_file_is_that_of_its_content() -> None:
    one, same, other = Upload("a.png", "image/png", b"x"), Upload("b.png", None, b"x"), Upload("a.png", None, b"y")
    assert one.digest == same.digest != other.digest
    assert one.digest.startswith("file:")


def test_parameters_are_read_in_every_spelling_of_arrays(world: World) -> None:
    """R013."""
    call = called(world, raw_query="statuses[]=joined&limit=3&statuses=invited&limit=4")
    assert call.query_texts == {"statuses": ["joined", "invited"], "limit": ["3", "4"]}


def test_a_parameter_is_looked_up_where_it_is_declared(world: World, contract: Contract) -> None:
    """In the query or in the headers, whose names are case-insensitive."""
    operation = contract.operations["upload_media_chunk"]
    (header,) = (parameter for parameter in operation.parameters if parameter.place == "header")
    call = called(world, operation, raw_query=f"{header.name}=query", headers={header.name.lower(): "header"})
    assert call.sent(header) == ["header"]
    assert called(world, operation, raw_query=f"{header.name}=query").sent(header) is None
    (limit,) = (found for found in contract.operations["search_courses"].parameters if found.name == "limit")
    assert called(world, raw_query="limit=1&limit=2").sent(limit) == ["1", "2"]
    assert called(world, headers={"limit": "1"}).sent(limit) is None


# Rows

COMMENT = {"id": 1, "section_id": 1, "lesson_id": 1, "comment_id": 2}


def test_rows_are_those_that_the_path_names(world: World, contract: Contract) -> None:
    """R006."""
    call = called(world, contract.operations["get_course_comment"], ids=COMMENT)
    assert [call.course["id"], call.section["id"], call.lesson["id"], call.row("comment")["id"]] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": 99}, "Course 99"),
        ({"section_id": 4}, "Section 4"),
        ({"lesson_id": 4}, "Lesson 4"),
        ({"comment_id": 13}, "Comment 13"),
        ({"comment_id": 999}, "Comment 999"),
    ],
    ids=str,
)
def test_a_row_is_absent_under_another_parent(
    world: World, contract: Contract, changes: dict[str, int], says: str
) -> None:
    """R004, R006: with the same message as for a row that does not exist anywhere."""
    call = called(world, contract.operations["get_course_comment"], ids={**COMMENT, **changes})
    with pytest.raises(Refusal) as caught:
        call.row("comment")
    assert (caught.value.status, caught.value.reason) == (404, f"{says} does not exist or is not visible to you.")


def test_a_lesson_is_no_quiz(world: World, contract: Contract) -> None:
    """R401."""
    operation = contract.operations["make_course_attempt"]
    ids = dict(zip(operation.loads, (1, 2, 5), strict=True))
    assert called(world, operation, ids=ids).lesson["id"] == 5
    with pytest.raises(Refusal) as caught:
        _ = called(world, operation, ids=dict(zip(operation.loads, (1, 2, 4), strict=True))).lesson
    assert caught.value.status == 404


def test_the_same_request_finds_its_rows_in_another_world(
    world: World, default_fixture: Fixture, contract: Contract
) -> None:
    """The second call keeps nothing of the first world."""
    first = called(world, contract.operations["get_course"], ids={"id": 1}, id="w-1")
    assert first.course["name"] == world.courses[1]["name"]
    other = World("other", default_fixture)
    other.courses.put({**other.courses[1], "name": "Knots"})
    later = NOW + timedelta(days=1)
    again = first.again(other, later)
    assert (again.course["name"], again.world.name, again.at, again.id) == ("Knots", "other", later, "")
    assert (first.world.name, first.id) == ("w", "w-1")


# Who calls


@pytest.mark.parametrize(("user", "persona"), [(None, "anonymous"), (3, "stub-member"), (8, "bram_tolliver")])
def test_the_persona_is_the_token_or_else_the_name(world: World, user: int | None, persona: str) -> None:
    call = called(world, user=user)
    assert (call.persona, call.user_id) == (persona, user)


def test_the_status_is_that_of_the_caller_unless_a_user_is_given(world: World) -> None:
    """R201."""
    call = called(world, user=3)
    assert [call.status_in(world.courses[1]), call.status_in(world.courses[1], 4)] == ["joined", "invited"]
    assert called(world).status_in(world.courses[1]) is None


@pytest.mark.parametrize(("text", "found"), [("", True), ("KNOT", True), ("üb", True), ("bowline", False)])
def test_a_search_has_no_case_and_an_empty_one_finds_everything(world: World, text: str, found: bool) -> None:
    """R025."""
    assert called(world, query={"search": text}).searches("Knots", "Übung") is found
    assert called(world).searches("Knots")


# What the contract does not know


@pytest.mark.parametrize(
    ("name", "fields", "unknown"),
    [
        (None, {"method": "GET", "path": "/nowhere/"}, [("operation", "GET /nowhere/")]),
        (
            "get_course",
            {"raw_query": "view=edit&colour=red&__code=404&__wait=1&__fault=x&__cod=1"},
            [("parameter", "colour"), ("parameter", "__cod")],
        ),
        ("patch_course", {"sent_fields": ("name", "colour", "id")}, [("field", "colour"), ("field", "id")]),
        ("get_course", {}, []),
    ],
)
def test_what_the_contract_does_not_know_is_told(
    world: World, contract: Contract, name: str | None, fields: dict[str, Any], unknown: list[tuple[str, str]]
) -> None:
    """Read-only fields do not belong in requests; `__code`, `__wait` and `__fault` are ours."""
    operation = contract.operations[name] if name else None
    assert list(called(world, operation, **fields).undeclared()) == unknown
