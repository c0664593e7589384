"""All worlds in one file: they arrive as they were, and any other file is refused with the reason."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

import stubserver
from stubserver.cli import main
from stubserver.contract.contract import Contract
from stubserver.row_check import RowChecks
from stubserver.worlds import snapshot_file, worlds_file
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.worlds_file import StoredWorld, WrongFile, export, import_, snapshot_in
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.rows import snapshot
from tests.support.snapshots import SNAPSHOTS, file_of
from tests.support.worlds import FREEZE, busy, make, named

pytestmark = pytest.mark.no_world

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def checks(contract: Contract) -> RowChecks:
    return RowChecks(contract)


@pytest.fixture
def read(there: Api, checks: RowChecks) -> Callable[[bytes], list[StoredWorld]]:
    """Reads a file as another server."""
    return lambda data: import_(data, there.app.worlds.load_fixture, checks)


@pytest.fixture
def content(api: Api) -> dict[str, Any]:
    """A file of three worlds: one that is busy, one that is strict and whose clock stands still, and one of another
    fixture, in which nothing has happened."""
    busy(api, "busy")
    ok(api.post(FREEZE, headers=named("strict")))
    ok(api.patch("/__stub/worlds/strict", json={"strict": True}))
    make(api, "In strict", "strict")
    ok(api.post("/__stub/worlds", json={"name": "empty", "fixture": "empty"}), 201)
    found: dict[str, Any] = json.loads(export(api.app.worlds))
    return found


def signed(content: dict[str, Any]) -> bytes:
    """The file with checksums that match."""
    for entry in content["worlds"]:
        entry["snapshot"]["checksum"] = snapshot_file.checksum(
            {name: value for name, value in entry["snapshot"].items() if name != "checksum"}
        )
    return json.dumps({**content, "checksum": worlds_file._checksum(content)}).encode()


def test_worlds_arrive_as_they_were(api: Api, there: Api, content: dict[str, Any], read: Any) -> None:
    found = read(export(api.app.worlds))
    assert [(name, strict) for name, strict, _ in found] == [("busy", False), ("empty", False), ("strict", True)]
    for name, _, stored in found:
        world, arrived = api.app.worlds.get(name), there.app.worlds.restore(name, stored)
        assert {**snapshot(arrived), "uploads": None, "pieces": None} == {
            **snapshot(world),
            "uploads": None,
            "pieces": None,
        }
        assert arrived.fixture.name == world.fixture.name
        assert (arrived.clock.frozen, arrived.clock.ahead) == (world.clock.frozen, world.clock.ahead)


def test_each_snapshot_has_the_format_of_its_own_file(api: Api, there: Api, content: dict[str, Any]) -> None:
    """So that one can be taken out and loaded by itself."""
    assert content.keys() == {"format", "stubserver", "worlds", "checksum"}
    assert (content["format"], content["stubserver"]) == (1, stubserver.__version__)
    for entry in content["worlds"]:
        assert entry.keys() == {"name", "strict", "snapshot"}
        assert entry["snapshot"] == json.loads(file_of(api, entry["name"]))
        ok(there.put(f"{SNAPSHOTS}/{entry['name']}", json=entry["snapshot"]))


def test_a_file_says_nothing_of_requests_and_faults(api: Api) -> None:
    before = export(api.app.worlds)
    assert json.loads(before)["worlds"] == []
    ok(api.post("/__stub/worlds", json={"name": "w"}), 201)
    before = export(api.app.worlds)
    ok(api.get("/course/1/", headers=named("w")))
    ok(api.post("/__stub/faults", json={"kind": "error", "operation": "get_course"}, headers=named("w")), 201)
    assert export(api.app.worlds) == before


def test_an_export_changes_nothing(api: Api, content: dict[str, Any]) -> None:
    first = export(api.app.worlds)
    make(api, "Later", "busy")
    later = export(api.app.worlds)
    assert later != first
    assert json.loads(later)["worlds"][1:] == json.loads(first)["worlds"][1:]


def test_any_json_tool_may_write_a_file_anew(content: dict[str, Any], read: Any) -> None:
    again = json.dumps(content, indent=2, sort_keys=True)
    assert len(read(again.encode())) == len(read(bytearray(again.encode()))) == 3


def test_old_snapshots_are_read(content: dict[str, Any], read: Any, there: Api) -> None:
    """From before they had a format."""
    del content["worlds"][1]["snapshot"]["format"]
    content["worlds"][1]["snapshot"]["digest"] = there.app.worlds.load_fixture("empty").text_digest
    assert len(read(signed(content))) == 3


def test_a_fixture_is_loaded_once(content: dict[str, Any], there: Api, checks: RowChecks) -> None:
    asked: list[str] = []

    def load(name: str, moment: datetime) -> Fixture:
        asked.append(name)
        return there.app.worlds.load_fixture(name, moment)

    import_(signed(content), load, checks)
    assert sorted(asked) == ["default", "empty"]


# Damage


def at(path: str, value: Any) -> Change:
    """Put a value at one place of a file."""

    def change(content: dict[str, Any]) -> None:
        holder: Any = content
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            holder = holder[step]
        holder[last] = value

    return change


def without(path: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        holder: Any = content
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            holder = holder[step]
        del holder[last]

    return change


def told(read: Any, data: bytes) -> str:
    """The message of the refusal of a file, which must be one line."""
    with pytest.raises(WrongFile) as caught:
        read(data)
    message = str(caught.value)
    assert "\n" not in message
    assert not message.endswith(".")
    return message


EDITED = "the file is damaged or has been edited"


@pytest.mark.parametrize(
    "change",
    [
        at("worlds.0.name", "other"),
        at("worlds.0.strict", True),
        without("worlds.0"),
        at("worlds", []),
        lambda content: content["worlds"].reverse(),
        at("worlds.0.snapshot.checksum", "0" * 64),
        at("stubserver", "9.9"),
        at("checksum", "0" * 64),
        at("checksum", ""),
        at("extra", 1),
        at("worlds.1.extra", 1),
        lambda content: content["worlds"].append(copy.deepcopy(content["worlds"][0])),
    ],
)
def test_an_edited_file_is_refused(content: dict[str, Any], read: Any, change: Change) -> None:
    change(content)
    assert told(read, json.dumps(content).encode()) == EDITED


@pytest.mark.parametrize("path", ["clock.ahead", "moment", "digest", "fixture", "stubserver", "tables", "extra"])
def test_an_edited_snapshot_is_refused_with_its_world(content: dict[str, Any], read: Any, path: str) -> None:
    value = {"clock.ahead": 1, "tables": {}}.get(path, "x")
    at(f"worlds.0.snapshot.{path}", value)(content)
    says = "There is no field 'extra'" if path == "extra" else "The snapshot is damaged or has been edited"
    assert told(read, json.dumps(content).encode()).startswith(f"worlds.0 (busy): {says}")


@pytest.mark.parametrize("size", [0, 1, 100, -3])
def test_a_file_that_ends_too_soon_is_refused(content: dict[str, Any], read: Any, size: int) -> None:
    assert told(read, json.dumps(content).encode()[:size]).startswith("this is no JSON: ")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        # the file
        (without("format"), "the file has no format"),
        (without("stubserver"), "the file has no stubserver"),
        (without("checksum"), "the file has no checksum"),
        (at("format", "1"), "the file: format must be a whole number"),
        (at("format", True), "the file: format must be a whole number"),
        (at("checksum", None), "the file: checksum must be a text"),
        (at("worlds", {}), "the file: worlds must be a list"),
        (
            lambda content: content.update(format=2, stubserver="3.1.0", more=1, worlds={}),
            f"The file has format 2, but this is version {stubserver.__version__}, which knows formats up to 1: "
            "use version 3.1.0, which wrote it, or later",
        ),
        # its worlds
        (at("worlds.1", 7), "worlds.1 must be an object"),
        (without("worlds.1.name"), "worlds.1 has no name"),
        (without("worlds.1.strict"), "worlds.1 has no strict"),
        (without("worlds.1.snapshot"), "worlds.1 has no snapshot"),
        (at("worlds.1.name", 7), "worlds.1: name must be a text"),
        (at("worlds.1.strict", 1), "worlds.1: strict must be true or false"),
        (at("worlds.1.snapshot", []), "worlds.1: snapshot must be an object"),
        # their snapshots
        (without("worlds.1.snapshot.tables"), "worlds.1.snapshot has no tables"),
        (at("worlds.1.snapshot.clock", 1), "worlds.1.snapshot: clock must be an object"),
        (at("worlds.1.snapshot.moment", 1), "worlds.1.snapshot: moment must be a text"),
        (at("worlds.1.snapshot.format", "1"), "worlds.1.snapshot: format must be a whole number"),
    ],
)
def test_a_file_of_another_shape_is_refused(content: dict[str, Any], read: Any, change: Change, says: str) -> None:
    change(content)
    assert told(read, json.dumps(content).encode()) == says


NAMING = "use 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot or a dash"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (at("worlds.1.name", "a b"), f"worlds.1: 'a b' is not a valid world name: {NAMING}"),
        (at("worlds.1.name", ""), f"worlds.1: '' is not a valid world name: {NAMING}"),
        (at("worlds.2.name", "busy"), "worlds.2: another world is called busy, too"),
        (at("worlds.1.snapshot.fixture", "mine"), "worlds.1 (empty): Unknown fixture 'mine': use one of default, "),
        (
            at("worlds.1.snapshot.fixture", "/etc/passwd"),
            "worlds.1 (empty): Unknown fixture '/etc/passwd': use one of ",
        ),
        (
            at("worlds.1.snapshot.digest", "0"),
            'worlds.1 (empty): Fixture "empty" has changed since this snapshot; take',
        ),
        (at("worlds.1.snapshot.moment", "soon"), "worlds.1 (empty): This is not a snapshot that a server wrote"),
        (at("worlds.1.snapshot.clock", {}), "worlds.1 (empty): This is not a snapshot that a server wrote"),
        (at("worlds.1.snapshot.tables", {"users": 1}), "worlds.1 (empty): This is not a snapshot that a server wrote"),
        (at("worlds.1.snapshot.tables", {"badges": {}}), "worlds.1 (empty): tables.badges: there is no such table"),
        (at("worlds.1.snapshot.format", 2), "worlds.1 (empty): The file has format 2, but this is version"),
        (
            at("worlds.2.snapshot.tables.courses.rows.0.row.privacy", "hidden"),
            'worlds.2 (strict): tables.courses[0].privacy: "hidden" is not a valid choice',
        ),
        (
            at("worlds.2.snapshot.tables.courses.rows.0.row.created_by", 99),
            "worlds.2 (strict): tables.courses: row 16: created_by: there is no row 99 in users",
        ),
    ],
)
def test_what_no_server_wrote_is_refused(content: dict[str, Any], read: Any, change: Change, says: str) -> None:
    """Even if the checksums are made to match."""
    change(content)
    assert told(read, signed(content)).startswith(says)


def test_a_fixture_that_the_server_has_not_is_refused(api: Api, read: Any) -> None:
    api.app.worlds.reset("w", replace(api.app.fixture, name="of-the-lab"))
    assert told(read, export(api.app.worlds)) == (
        "worlds.0 (w): Unknown fixture 'of-the-lab': use one of default, empty"
    )


# Other kinds of files


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "this is no JSON: "),
        (b"\xff\xfe", "this is no JSON: "),
        (b"name: mine\nusers: []\n", "this is no JSON: "),
        (b'{"worlds": NaN}', "this is no JSON: "),
        (b"[" * 100_000, "this is no JSON: "),
        (b"[]", "this is not the file of all worlds of a server"),
        (b"7", "this is not the file of all worlds of a server"),
        (b"{}", "this is not the file of all worlds of a server"),
        (b'{"count": 0, "results": []}', "this is not the file of all worlds of a server"),
        (
            b'{"tables": {}, "clock": {}}',
            "this is the snapshot of one world: load it into a running server with `stubserver snapshot put FILE`",
        ),
        (
            b'{"case": 1, "start": {}, "requests": []}',
            "this is a case: send its requests again with `stubserver replay FILE`",
        ),
        (b'{"name": "mine", "users": []}', "this is a fixture: start a server with --fixture FILE"),
    ],
)
def test_a_file_of_another_kind_is_told_what_it_is(read: Any, data: bytes, says: str) -> None:
    assert told(read, data).startswith(says)


def test_a_snapshot_and_a_case_are_known_by_what_servers_write(api: Api, read: Any) -> None:
    make(api, "In w", "w")
    case = api.get("/__stub/case", headers=named("w")).content
    assert told(read, file_of(api).encode()).startswith("this is the snapshot of one world: ")
    assert told(read, case).startswith("this is a case: ")


def test_the_file_of_one_snapshot_is_known(api: Api) -> None:
    """With the field that it lacks, or the version that it needs."""
    content = json.loads(file_of(api))
    assert snapshot_in(json.dumps(content).encode()) == content
    assert told(snapshot_in, json.dumps({**content, "clock": 1}).encode()) == "the file: clock must be an object"
    assert told(snapshot_in, b'{"tables": {}}') == "the file has no stubserver"
    newer = json.dumps({"tables": {}, "format": 2, "stubserver": "3.1.0"}).encode()
    assert told(snapshot_in, newer).startswith("The file has format 2, but this is version ")
    with pytest.raises(WrongFile, match=r"^this is the file of all worlds of a server: start one with --import FILE$"):
        snapshot_in(export(api.app.worlds))
    with pytest.raises(WrongFile, match=r"^this is not the snapshot of one world$"):
        snapshot_in(b"{}")


def test_the_commands_that_messages_name_exist() -> None:
    options = {option for command in main.commands.values() for one in command.params for option in one.opts}
    for kind in worlds_file._KINDS.values():
        words = kind.replace("`", "").split()
        assert "stubserver" not in words or words[words.index("stubserver") + 1] in main.commands
        assert {word for word in words if word.startswith("--")} <= options
