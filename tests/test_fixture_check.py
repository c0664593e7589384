"""What is wrong in a fixture is refused in one line: file, line, place, what is wrong and what would be right."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stubserver.contract.contract import Contract
from stubserver.fixture import FixtureError, load
from stubserver.fixture_check import Wrong, moment
from stubserver.fixture_file import parsed
from tests.support.default import NOW

TEXT = """\
name: small
users:
- id: 1
  username: ada
  real_name: Ada
  date_joined: 2025-01-01T00:00:00Z
- {id: 2, username: bob, real_name: Bob, date_joined: -3d}
personas:
- {token: t1, user: 1, role: creator}
- token: t2
  user: 2
  role: member
courses:
- id: 1
  name: One
  slug: one
  type: self-paced
  created_by: 1
  created_at: '2025-01-01T00:00:00+01:00'
  categories: []
- id: 2
  name: Two
  slug: two
  type: scheduled
  created_by: 1
  created_at: +1d
sections:
- {id: 1, course_id: 1, name: S, dripped_at: null, drip_delay: 0}
lessons:
- {id: 1, section_id: 1, name: L, type: quiz, created_by: 1, created_at: -1d}
questions:
- id: 1
  lesson_id: 1
  type: multi_choice
  text: Why?
  answers:
  - {id: 1, text: So, correct: true}
  - id: 2
    text: Because
    correct: false
memberships:
- {course_id: 1, user_id: 1, status: creator}
- {course_id: 1, user_id: 2, status: joined}
attempts:
- id: 1
  lesson_id: 1
  user_id: 1
  created_at: -1d
  responses:
  - {question_id: 1, selected_options: [1]}
"""
JOINED = "2025-01-01T00:00:00Z"
DATE = "write 2025-01-25T10:00:00Z, or with an offset like +01:00, or -3d for three days ago"
NO_OFFSET = "has no offset from UTC: write 2025-01-25T10:00:00Z, or with an offset like +01:00"
WRONG = [
    # Dates
    (JOINED, "2025-13-01", f'6: users.0.date_joined: "2025-13-01" is no date and time: {DATE}'),
    (JOINED, "2025-01-25T10:00", f'6: users.0.date_joined: "2025-01-25T10:00" {NO_OFFSET}'),
    (JOINED, "1.0", f"6: users.0.date_joined: 1.0 is no date and time: {DATE}"),
    (JOINED, "'2025-01-25T10:00:00'", f'6: users.0.date_joined: "2025-01-25T10:00:00" {NO_OFFSET}'),
    (
        JOINED,
        "2025-01-25",
        '6: users.0.date_joined: "2025-01-25" has no offset from UTC: write 2025-01-25T00:00:00Z, or with an offset '
        "like +01:00",
    ),
    (
        JOINED,
        "2025-01-25 10:00:00+01:00",
        '6: users.0.date_joined: "2025-01-25 10:00:00+01:00" is not spelt right: write 2025-01-25T10:00:00+01:00',
    ),
    (
        JOINED,
        "2025-02-30T10:00:00Z",
        f'6: users.0.date_joined: "2025-02-30T10:00:00Z" is no date and time that exists: {DATE}',
    ),
    ("created_at: +1d", "created_at: 1d", f'26: courses.1.created_at: "1d" is no date and time: {DATE}'),
    ("created_at: +1d", "created_at: 2025", f"26: courses.1.created_at: 2025 is no date and time: {DATE}"),
    ("created_at: +1d", "created_at: 12:30:00", f"26: courses.1.created_at: 45000 is no date and time: {DATE}"),
    ("created_at: +1d", "created_at:", f"26: courses.1.created_at: null is no date and time: {DATE}"),
    ("created_at: +1d", "created_at: [1]", f"26: courses.1.created_at: [1] is no date and time: {DATE}"),
    ("dripped_at: null", "dripped_at: soon", f'28: sections.0.dripped_at: "soon" is no date and time: {DATE}'),
    (
        "created_at: +1d",
        "created_at: 2026-01-01T00:00:00+99:99",
        f'26: courses.1.created_at: "2026-01-01T00:00:00+99:99" is no date and time that exists: {DATE}',
    ),
    (
        JOINED,
        "!!timestamp 2025-01-25",
        "6: users.0.date_joined: !!timestamp is nothing that JSON has: write a number or a text",
    ),
    # Numbers
    (
        "- id: 1\n  name",
        "- id: 1.0\n  name",
        "14: courses.0.id: 1.0 is not valid; write a whole number without a decimal point: 1",
    ),
    ("user: 2", "user: '2'", '11: personas.1.user: "2" is not valid; it must be a whole number within 64 bits'),
    ("user: 2", "user: .nan", "11: personas.1.user: .nan is nothing that JSON has: write a number or a text"),
    ("drip_delay: 0", "drip_delay: -1", "28: sections.0.drip_delay: Must be greater than or equal to 0"),
    # Names and choices
    ("name: small", "nome: small", "1: nome: There is no field 'nome'. Did you mean name?"),
    ("name: small", "name: ''", "1: name: This field may not be blank"),
    ("  username: ada\n", "", "3: users.0.username: This field is required"),
    ("  username: ada", "  usernam: ada", "4: users.0.usernam: There is no field 'usernam'. Did you mean username?"),
    ("    correct: false", "    right: false", "40: questions.0.answers.1.right: There is no field 'right'."),
    (
        "selected_options",
        "options",
        "50: attempts.0.responses.0.selected_options: This field is required",
    ),
    (
        "type: scheduled",
        "type: weekly",
        '24: courses.1.type: "weekly" is not a valid choice. Use one of: "self-paced", "structured", "scheduled"',
    ),
    ("token: t2", "token: two words", '10: personas.1.token: "two words" does not match ^[-A-Za-z0-9._~+/]+=*$'),
    ("categories: []", "categories: [1, 1]", "20: courses.0.categories: [1,1] has a value twice; each may be there"),
    ("role: member", "5: member", "12: personas.1: 5 is a key that is no text: write it in quotes"),
    # Rows
    ("user: 2", "user: 9", "11: personas.1.user: there is no row 9 in users: the ids there are 1, 2"),
    ("categories: []", "categories: [3]", "20: courses.0.categories: there is no row 3 in categories: there are none"),
    ("name: Two", "name: One", "22: courses.1.name: name 'One' is that of courses.0 already: each needs its own"),
    ("- id: 2", "- id: 1", "21: courses.1.id: id 1 is that of courses.0 already: each needs its own"),
    ("token: t2", "token: t1", "10: personas.1.token: token 't1' is that of personas.0 already"),
    (
        "user_id: 2, status",
        "user_id: 1, status",
        "43: memberships.1.course_id: course_id+user_id (1, 1) is that of memberships.0 already: each needs its own",
    ),
    ("  - id: 2", "  - id: 1", "38: questions.0.answers.1.id: id 1 is that of questions.0.answers.0 already"),
    ("question_id: 1", "question_id: 2", "49: attempts.0.responses: it must answer every question of lesson 1: 1"),
    # The text
    ("name: small", "name: [", "3: this is no YAML: did not find expected"),
    ("username: ada", "username: *ada", "4: this is no YAML: found undefined alias"),
    ("users:", "\tusers:", "2: this is no YAML: found a tab character"),
    ("slug: two", "name: two", "23: duplicate key 'name', first on line 22"),
    (
        "name: Two",
        "name: !!python/name:os.system",
        "22: courses.1.name: !!python/name:os.system is nothing that JSON has: write",
    ),
]
"""What is replaced, by what, and what the message says after the name of the file."""


def refused(file: Path, contract: Contract) -> str:
    with pytest.raises(FixtureError) as caught:
        load(str(file), contract, NOW)
    message = str(caught.value)
    assert message.isprintable()
    return message


def test_the_fixture_is_right_before_it_is_broken(tmp_path: Path, contract: Contract) -> None:
    """Dates need no quotes."""
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT)
    fixture = load(str(file), contract, NOW)
    assert fixture.tables["users"].rows[1]["date_joined"] == datetime(2025, 1, 1, tzinfo=UTC)
    assert fixture.tables["courses"].rows[1]["created_at"] == datetime(2024, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(("right", "wrong", "says"), WRONG, ids=[f"{case[1]}" for case in WRONG])
def test_a_mistake_is_told_with_its_line_and_the_remedy(
    tmp_path: Path, contract: Contract, right: str, wrong: str, says: str
) -> None:
    file = tmp_path / "mine.yaml"
    assert right in TEXT
    file.write_text(TEXT.replace(right, wrong, 1))
    assert refused(file, contract).startswith(f"{file}:{says}")


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("users", 1, "date_joined"), "2025-13-01", f'users.1.date_joined: "2025-13-01" is no date and time: {DATE}'),
        (("courses", 1, "created_by"), 9, "courses.1.created_by: there is no row 9 in users: the ids there are 1, 2"),
        (("questions", 0, "answers", 1, "id"), 1.0, "questions.0.answers.1.id: 1.0 is not valid; write a whole number"),
    ],
)
def test_in_json_too(
    tmp_path: Path, contract: Contract, place: tuple[str | int, ...], value: object, says: str
) -> None:
    data = inner = parsed(TEXT, Path("mine.yaml"))
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(data, indent=1))
    message = refused(file, contract)
    line = int(message.removeprefix(f"{file}:").partition(":")[0])
    assert message.startswith(f"{file}:{line}: {says}")
    assert file.read_text().splitlines()[line - 1].strip().rstrip(",") == f'"{place[-1]}": {json.dumps(value)}'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": the file: it is empty: a fixture has at least a name and users"),
        (b"- 1", ":1: the file: [1] is not valid; it must be an object"),
        (b"name: a\nabout: \xff", ":2: the byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"name: a\x07", ": unacceptable character #x0007: control characters are not allowed"),
        (b"a: 1\n---\nb: 2", ":2: this is no YAML: but found another document"),
    ],
)
def test_what_is_no_fixture_at_all(tmp_path: Path, contract: Contract, content: bytes, says: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    assert refused(file, contract).startswith(f"{file}{says}")


def test_json_that_is_none_has_its_line(tmp_path: Path, contract: Contract) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"name": "a",\n "users": [},\n "x": 1}')
    assert refused(file, contract).startswith(f"{file}:2: this is no JSON: unexpected character")


def test_many_ids_are_listed_in_part(tmp_path: Path, contract: Contract) -> None:
    users = [{"id": n, "username": f"u{n}", "real_name": "U", "date_joined": JOINED} for n in range(1, 15)]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"name": "a", "users": users, "personas": [{"token": "t", "user": 99, "role": "r"}]}))
    assert refused(file, contract).endswith(
        "no row 99 in users: the ids there are 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more"
    )


@pytest.mark.parametrize("text", ["+99999d", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_a_time_beyond_all_calendars_is_refused(text: str) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    with pytest.raises(Wrong, match=r"users\.3\.date_joined: .* is no date and time that exists: write 2025"):
        moment(("users", 3, "date_joined"), text, last)
