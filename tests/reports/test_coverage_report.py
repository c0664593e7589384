"""Reports of contract coverage: read, merged, and written as text, JSON and JUnit XML."""

import copy
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from stubserver.app import StubServer
from stubserver.reports.coverage_report import FORMATS, format_of, merged, read, read_file, read_files, since
from tests.reports.coverage_documents import COMPLETE, DOCUMENT, NEVER, PARTLY, REFUSED, SHOWN, hostile, only, operation
from tests.support.client import Api


def changed(*path: Any, to: Any = None) -> str:
    """The document as JSON with one part changed; without `to`, removed."""
    document = copy.deepcopy(DOCUMENT)
    *above, last = path
    inner: Any = document
    for key in above:
        inner = inner[key]
    if to is None:
        del inner[last]
    else:
        inner[last] = to
    return json.dumps(document)


# Reading and merging


def test_read_gives_back_what_the_server_reports(api: Api, app: StubServer) -> None:
    """A real document survives being written as JSON and read."""
    api.as_("member").get("/course/search/?limit=1")
    api.get("/course/1/")
    report = app.coverage.report()
    assert report["covered"] == 3  # two statuses and a parameter
    assert read(FORMATS["json"](report)) == report
    assert merged([report]) == report


def test_read_computes_the_totals_anew() -> None:
    assert read(json.dumps({**DOCUMENT, "covered": 1, "total": 2, "percent": 100})) == DOCUMENT


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "invalid JSON"),
        ("{", "invalid JSON"),
        ("coverage: 3", "invalid JSON"),
        ("NaN", "invalid JSON"),
        ("[" * 5000, "invalid JSON"),
        ('"\ud800"', "invalid JSON"),
        ("[]", "it is not an object"),
        ("null", "it is not an object"),
        ("{}", "it has no stubserver"),
        (changed("contract"), "it has no contract"),
        (changed("contract", to=2), "contract is not a string"),
        (changed("covered"), "it has no covered"),
        (changed("percent", to="12"), "percent is not a number"),
        (changed("percent", to=-0.1), "percent is negative"),
        (changed("operations"), "it has no operations"),
        (changed("operations", to={}), "operations is not a list"),
        (changed("operations", 1, to=7), "operations[1] is not an object"),
        (changed("operations", 1, "path"), "operations[1] has no path"),
        (changed("operations", 1, "values"), "operations[1] has no values"),
        (changed("operations", 1, "operation", to=["x"]), "operations[1].operation is not a string"),
        (changed("operations", 2, "only_refused", to=1), "operations[2].only_refused is not true or false"),
        (changed("operations", 0, "requests", to=1.5), "operations[0].requests is not a count"),
        (changed("operations", 0, "requests", to=True), "operations[0].requests is not a count"),
        (changed("operations", 0, "requests", to=-1), "operations[0].requests is negative"),
        (changed("operations", 0, "fields", to=[]), "operations[0].fields is not an object"),
        (changed("operations", 0, "statuses", "200", to=-2), "operations[0].statuses.200 is negative"),
        (changed("operations", 0, "statuses", "200", to="2"), "operations[0].statuses.200 is not a count"),
        (changed("operations", 0, "statuses", "a\nb", to=-2), "operations[0].statuses.a\ufffdb is negative"),
    ],
)
def test_read_says_in_a_line_what_is_wrong(source: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^not a coverage report: [^\n]+\Z") as caught:
        read(source)
    told = str(caught.value).removeprefix("not a coverage report: ")
    assert told.startswith("invalid JSON, ") if why == "invalid JSON" else told == why


def test_read_ignores_what_a_newer_server_may_add() -> None:
    document = json.loads(changed("operations", 0, "seconds", to="1"))
    assert read(json.dumps({**document, "started": True})) == DOCUMENT


def test_read_files_names_the_file_that_is_wrong(tmp_path: Path) -> None:
    """Also one that cannot be read, or whose contract is another."""
    one, none, other = tmp_path / "one.json", tmp_path / "none.json", tmp_path / "other.json"
    one.write_text(json.dumps(DOCUMENT))
    none.write_text("{}")
    other.write_text(json.dumps({**DOCUMENT, "contract": "1.9.0\n"}))
    assert read_files([one]) == read_file(one) == DOCUMENT
    for files, message in {
        (one, none): f"{none}: not a coverage report: it has no stubserver",
        (tmp_path, one): f"cannot read {tmp_path}: Is a directory",
        (one, other): f"{other}: coverage of contract 1.9.0\ufffd cannot be added to {one}, of contract 2.0.0",
    }.items():
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            read_files(files)


def test_merged_adds_the_counts() -> None:
    """Nothing is lost, and anything that one of them exercised counts as exercised."""
    other = copy.deepcopy(DOCUMENT)
    other["operations"][1]["parameters"]["offset"] = 5
    other["operations"][3]["requests"] = other["operations"][3]["statuses"]["204"] = 1
    both = merged([DOCUMENT, other, DOCUMENT])
    assert [found["requests"] for found in both["operations"]] == [9, 3600, 3, 1]
    assert both["operations"][1]["parameters"] == {"limit": 36, "offset": 5}
    assert both["operations"][1]["values"] == {"type=open": 12, "type=scheduled": 0, "type=": 0}
    assert (both["covered"], both["total"], both["percent"]) == (9, 14, 64.2)
    assert DOCUMENT["operations"][1]["parameters"] == {"limit": 12, "offset": 0}  # the input is unchanged


def test_merged_an_operation_is_only_refused_where_nobody_accepted_it() -> None:
    """A report in which it was never called says nothing either way."""
    never = {**REFUSED, "requests": 0, "only_refused": False}
    accepted = {**REFUSED, "only_refused": False}

    def refused(*operations: dict[str, Any]) -> Any:
        return merged([only(found) for found in operations])["operations"][0]["only_refused"]

    assert refused(REFUSED, never) is True
    assert refused(never, REFUSED, REFUSED) is True
    assert refused(never, never) is False
    assert refused(REFUSED, accepted) is False
    assert refused(accepted, never) is False


def test_merged_knows_the_points_and_operations_of_all() -> None:
    """Servers with other fixtures have other personas."""
    both = merged([only(NEVER), only({**NEVER, "personas": {"stub-x": 0}}), only(COMPLETE)])
    assert [found["operation"] for found in both["operations"]] == ["delete_thing", "get_thing"]
    assert both["operations"][0]["personas"] == {"stub-x": 0}
    assert (both["covered"], both["total"], both["percent"]) == (2, 3, 66.6)


def test_merged_takes_reports_of_older_servers() -> None:
    """Which counted personas in their totals; the contract decides which points there are, and must be the same."""
    older = {**DOCUMENT, "stubserver": "0.0.9", "covered": 9, "total": 17, "percent": 52.9}
    both = merged([DOCUMENT, older])
    assert both["stubserver"] == "0.0.9, 0.1.0"
    assert merged([older, both])["stubserver"] == "0.0.9, 0.1.0"
    assert (both["covered"], both["total"], both["percent"]) == (7, 14, 50.0)


def test_merged_refuses_other_contracts() -> None:
    with pytest.raises(ValueError, match=r"^cannot add up coverage of contract 2\.0\.0 and contract 9\.9\.9\Z"):
        merged([DOCUMENT, {**DOCUMENT, "contract": "9.9.9"}])


def test_merged_refuses_nothing() -> None:
    with pytest.raises(ValueError, match="of no report"):
        merged([])


# Formats


def test_since_is_what_came_later() -> None:
    """An operation is only refused if nobody accepted it since."""
    later = operation("get_thing", "/api/v2/thing/{id}/", 5, False, statuses={"200": 2, "404": 3}, personas={"a": 5})
    more = {**PARTLY, "requests": 1201, "statuses": {"200": 1201, "400": 0}}
    found = since(
        {**DOCUMENT, "operations": [later, more, REFUSED]}, {**DOCUMENT, "operations": DOCUMENT["operations"]}
    )
    counts = {one["operation"]: (one["requests"], one["only_refused"]) for one in found["operations"]}
    assert counts == {"get_thing": (2, True), "list_things": (1, False), "search": (0, False)}
    assert found["operations"][0]["statuses"] == {"200": 0, "404": 2}
    assert (found["covered"], found["contract"]) == (2, DOCUMENT["contract"])


def test_since_is_everything_if_the_counts_were_cleared() -> None:
    later = {**DOCUMENT, "operations": [operation("get_thing", "/", 1, False, statuses={"200": 1, "404": 0})]}
    assert since(later, DOCUMENT) == merged([later])


def test_formats_are_told_by_the_end_of_a_name() -> None:
    assert list(FORMATS) == ["text", "json", "junit", "html"]
    assert [format_of(name) for name in ("a.txt", "b/c.json", "d.XML", "e.f.html")] == list(FORMATS)
    for name in ("coverage", "a.htm", ".json", "a.json.gz"):
        with pytest.raises(ValueError, match=r"end it in \.txt, \.json, \.xml, \.html"):
            format_of(name)


@pytest.mark.parametrize("name", list(FORMATS))
def test_formats_give_the_same_for_the_same(name: str) -> None:
    """They leave the document unchanged and end their last line."""
    before = copy.deepcopy(DOCUMENT)
    told = FORMATS[name](DOCUMENT)
    assert FORMATS[name](copy.deepcopy(DOCUMENT)) == told
    assert before == DOCUMENT
    assert told.endswith("\n")
    assert not told.endswith("\n\n")


@pytest.mark.parametrize("name", list(FORMATS))
def test_formats_tell_of_a_document_without_operations(name: str) -> None:
    told = FORMATS[name]({**DOCUMENT, "covered": 0, "total": 0, "percent": 100.0, "operations": []})
    assert told.endswith("\n")
    assert "never called" not in told


def test_text_is_what_it_is() -> None:
    assert FORMATS["text"](DOCUMENT) == (
        "Contract coverage: 50.0 % (7 of 14 points; contract 2.0.0, stubserver 0.1.0)\n"
        "statuses 57.1 %, parameters 33.3 %, fields 100.0 %, values 33.3 %\n"
        "personas 66.6 %, which the total does not count\n"
        "\n"
        "operation, and what was never exercised             requests   covered\n"
        "get_thing                                                  3   100.0 %\n"
        "list_things                                             1200    50.0 %\n"
        "    statuses    400\n"
        "    parameters  offset\n"
        "    values      type=scheduled, type=\n"
        "    personas    anonymous\n"
        "search                                                     1    33.3 %  only refused\n"
        "    statuses    200\n"
        "    parameters  q\n"
        "\n"
        "never called (1):\n"
        "  delete_thing\n"
    )


def test_text_is_wrapped_for_a_terminal() -> None:
    many = {f"a-name-of-some-length-{number}": 0 for number in range(40)}
    never = [{**NEVER, "operation": f"operation_of_some_length_{number}"} for number in range(40)]
    told = FORMATS["text"]({**DOCUMENT, "operations": [{**PARTLY, "fields": many}, *never]})
    assert max(map(len, told.splitlines())) <= 100
    assert told.replace(",", " ").split().count("a-name-of-some-length-39") == 1
    assert told.replace(",", " ").split().count("operation_of_some_length_39") == 1
    assert len(told.splitlines()) <= 40


def test_text_shows_nothing_that_steers_a_terminal() -> None:
    told = FORMATS["text"](hostile())
    assert SHOWN in told
    assert all(character.isprintable() or character == "\n" for character in told)


def test_json_is_the_document() -> None:
    assert json.loads(FORMATS["json"](DOCUMENT)) == DOCUMENT
    assert FORMATS["json"](hostile()).isascii()


def test_junit_has_a_case_for_each_point() -> None:
    root = ET.fromstring(FORMATS["junit"](DOCUMENT))  # noqa: S314
    assert root.tag == "testsuites"
    assert root.attrib == {"name": "contract coverage", "tests": "15", "failures": "1", "errors": "0"}
    assert [list(suite.attrib.values()) for suite in root] == [
        ["get_thing", "2", "0", "0", "0"],
        ["list_things", "8", "0", "0", "4"],
        ["search", "4", "1", "0", "2"],
        ["delete_thing", "1", "0", "0", "1"],
    ]
    assert [list(suite.attrib) for suite in root] == [["name", "tests", "failures", "errors", "skipped"]] * 4
    assert [suite[0][0].attrib["value"] for suite in root] == ["1 of 1", "1 of 2", "0 of 0", "0 of 0"]
    for suite in root:
        assert suite[0][0].attrib["name"] == "personas"
        assert len(suite.findall("testcase")) == int(suite.attrib["tests"])
        assert len(suite.findall("testcase/skipped")) == int(suite.attrib["skipped"])
        assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"])
        assert {case.attrib["classname"] for case in suite[1:]} == {suite.attrib["name"]}
    told = [(case.attrib["name"], [part.tag for part in case]) for case in root[1][1:]]
    assert told == [
        ("status 200", []),
        ("status 400", ["skipped"]),
        ("parameter limit", []),
        ("parameter offset", ["skipped"]),
        ("field name", []),
        ("value type=open", []),
        ("value type=scheduled", ["skipped"]),
        ("value type=", ["skipped"]),
    ]
    assert {part.attrib["message"] for part in root.iter("skipped")} == {"never exercised"}
    assert root[2][1].attrib["name"] == "accepted"
    assert root[2][1][0].attrib == {"message": "requests: 1, accepted: 0", "type": "only refused"}


def test_junit_is_xml_whatever_the_names() -> None:
    told = FORMATS["junit"](hostile())
    assert told.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ET.fromstring(told.encode())  # noqa: S314
    assert root[0].attrib["name"] == SHOWN
    assert root[0][1].attrib == {"classname": SHOWN, "name": f"status {SHOWN}"}
    tags = {"testsuites", "testsuite", "properties", "property", "testcase", "skipped", "failure"}
    assert {element.tag for element in root.iter()} == tags
