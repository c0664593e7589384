"""`stubserver fixture from-har`: what it writes, what it says, and how mistakes are told."""

import gzip
import os
from pathlib import Path

import pytest
import yaml

from stubserver.authoring.people import username_of
from tests.support.commands import invoke, told
from tests.support.recordings import course, entry, har_file, person

pytestmark = pytest.mark.slow

COURSE = entry("/course/3/", course(3, join_status="joined"))
ME = entry("/user/me/", person(5, date_joined="2025-01-01T10:00:00+00:00"))
ELSEWHERE = entry("https://other.example/api/v2/course/3/", course(3, name="Other"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with recordings and what is none."""
    monkeypatch.chdir(tmp_path)
    har_file(Path("x.har"), [ME, COURSE])
    har_file(Path("both.har"), [ME, COURSE, ELSEWHERE])
    har_file(Path("ads.har"), [entry("https://ads.example/"), entry("/course/3/", status=404)])
    har_file(Path("none.har"), [])
    har_file(Path("settings.har"), [entry("/feature/", {"results": []})])
    Path("empty.har").touch()
    Path("binary.har").write_bytes(b"\xff\x00")
    Path("packed.har").write_bytes(gzip.compress(b"{}"))
    Path("case.har").write_text('{"requests": []}')
    return tmp_path


def test_it_writes_a_fixture_that_is_valid() -> None:
    """And says what was not recorded, in the file as well."""
    status, out, err = invoke("fixture", "from-har", "x.har", "--output", "x.yaml")
    assert (status, out) == (0, "wrote x.yaml\n")
    assert err.splitlines() == [
        "stubserver: not recorded: joined_at of 1 row in memberships",
        "stubserver: not recorded: date_joined of 1 row in users",
    ]
    text = Path("x.yaml").read_text()
    assert text.splitlines()[1:4] == [
        "# Names, pictures and words of people are replaced; pictures of courses are placeholders.",
        "# - not recorded: joined_at of 1 row in memberships",
        "# - not recorded: date_joined of 1 row in users",
    ]
    assert text.startswith("# Made by stubserver ")
    assert " of 2 recorded answers of https://community.example." in text.splitlines()[0]
    assert yaml.safe_load(text)["users"][0]["username"] == username_of(1)
    assert invoke("fixture", "validate", "x.yaml")[0] == 0


def test_it_writes_to_standard_output() -> None:
    status, out, _ = invoke("fixture", "from-har", "x.har")
    invoke("fixture", "from-har", "x.har", "--output", "x.yaml")
    assert (status, out) == (0, Path("x.yaml").read_text())


def test_several_recordings_add_up() -> None:
    har_file(Path("y.har"), [entry("/course/4/", course(4))])
    content = yaml.safe_load(invoke("fixture", "from-har", "x.har", "y.har")[1])
    assert [row["id"] for row in content["courses"]] == [3, 4]


@pytest.mark.parametrize(
    "api",
    [
        "https://other.example",
        "https://other.example/",
        "https://other.example/api/v2",
        "https://other.example/api/v2/",
    ],
)
def test_one_of_several_addresses_is_chosen(api: str) -> None:
    status, out, err = invoke("fixture", "from-har", "both.har", "--api", api)
    assert (status, yaml.safe_load(out)["courses"][0]["name"]) == (0, "Other")
    assert "stubserver: skipped: at another address: 2" in err.splitlines()


def test_what_is_of_no_use_is_counted() -> None:
    odd = [entry("https://ads.example/"), entry("/course/9/", text="{"), entry("/course/8/", {"id": "eight"})]
    har_file(Path("y.har"), [COURSE, *odd, odd[0]])
    err = invoke("fixture", "from-har", "y.har")[2]
    assert [line for line in err.splitlines() if "skipped" in line] == [
        "stubserver: skipped: not a request to an operation of the API: 2",
        "stubserver: skipped: the answer is cut off, or no JSON: 1",
        "stubserver: skipped: not in the form that the contract describes: 1",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Error: Missing argument 'FILE...'."),
        ([""], "Error: Invalid value for 'FILE...': it is empty; ..."),
        (["missing.har"], "stubserver: cannot read missing.har: No such file or directory"),
        (["."], "stubserver: cannot read .: Is a directory"),
        (["empty.har"], "stubserver: empty.har: this is no JSON: ..."),
        (["binary.har"], "stubserver: binary.har: this is no JSON: ..."),
        (["packed.har"], "stubserver: packed.har: it is compressed: unpack it with gunzip"),
        (["case.har"], "stubserver: case.har: this is no HAR file: it has no list log.entries"),
        (["x.har", "case.har"], "stubserver: case.har: this is no HAR file: it has no list log.entries"),
        (["none.har"], "stubserver: there is no answer of the API in it"),
        (
            ["ads.har"],
            "stubserver: there is no answer of the API in it (skipped: not a request to an operation of the "
            "API: 1; skipped: not answered with success: 1)",
        ),
        (["settings.har"], "stubserver: no answer in it shows a course, a person or anything else that fixtures have"),
        (
            ["both.har"],
            "stubserver: the API is at several addresses: https://community.example (answers: 2), "
            "https://other.example (answers: 1); choose one with --api",
        ),
        (
            ["both.har", "--api", "https://third.example"],
            "stubserver: nothing is recorded of https://third.example: https://community.example (answers: 2), ...",
        ),
        (["x.har", "--apu", "x"], "Error: No such option '--apu'. ..."),
        (["x.har", "--output", ""], "Error: Invalid value for '--output': it is empty; ..."),
        (["x.har", "--output", "."], "Error: Invalid value for '--output': File '.' is a directory."),
        (["x.har", "--output", "no/x"], "stubserver: cannot write no/x: No such file or directory"),
        (["x.har", "--output", "/dev/null"], "stubserver: cannot write /dev/null: it is not a regular file"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_mistake_is_told_in_one_line(folder: Path, arguments: list[str], says: str) -> None:
    before = sorted(folder.iterdir())
    status, out, err = invoke("fixture", "from-har", *arguments)
    assert (status, out) == (2, "")
    assert told(err, says), err
    assert sorted(folder.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told() -> None:
    Path("x.har").chmod(0)
    assert invoke("fixture", "from-har", "x.har") == (2, "", "stubserver: cannot read x.har: Permission denied\n")
