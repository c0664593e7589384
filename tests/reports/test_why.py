"""Explanations: the story of an operation or a rule, and the page of everything that the docs leave open."""

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stubserver.cli import main
from stubserver.contract.contract import Contract
from stubserver.reports.why import UnknownName, decisions, marked, why

CELL = re.compile(r"(?<!\\)\|")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["why", *arguments])


def raw(contract: Contract, name: str) -> Any:
    operation = contract.operations[name]
    return contract.document["paths"][operation.path][operation.method]


def sources(node: Any) -> Iterator[Any]:
    """Every x-source below `node`, examples aside."""
    if isinstance(node, list):
        for part in node:
            yield from sources(part)
    elif isinstance(node, dict):
        for key, part in node.items():
            if key == "x-source" and "from" in part:
                yield part
            elif key not in ("example", "examples"):
                yield from sources(part)


@pytest.fixture(scope="module")
def page(contract: Contract) -> str:
    return decisions(contract)


def rows(page: str, cells: int) -> list[list[str]]:
    """The rows of the tables with this many columns, without the heads."""
    found = [[cell.strip() for cell in CELL.split(line)[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    return [row for row in found if len(row) == cells and set(row[0]) != {"-"} and row[0] not in ("rule", "where")]


def test_why_update_course_prints_its_story(contract: Contract) -> None:
    """Summary, path, who may call, the page of the docs, and every rule of the operation in the contract's order."""
    result = run("update_course")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:5] == [
        "update_course: Update a course",
        "  PUT /api/v2/course/{id}/",
        "  who: The course's creator or one of its managers (R003, R125, R223).",
        "  docs: https://developers.selfcommunity.com/docs/apireference/v2/course/update_a_course",
        "",
    ]
    codes = [line.split()[0] for line in lines if re.match(r"R[0-9]{3} ", line)]
    assert codes == raw(contract, "update_course")["x-rules"]
    assert "R116  (high, answers 400 unique)" in lines


def test_why_update_course_names_the_mark_of_the_operation() -> None:
    """R021: whatever is pieced together about the operation as a whole is shown with its source and certainty."""
    assert "update_course: ui, inferred (sure: high, rule R021)" in [
        line.strip() for line in run("update_course").stdout.splitlines()
    ]


def test_why_explains_every_operation(contract: Contract) -> None:
    """Every operation of the contract has a story, and each story shows every mark of its operation."""
    for name in contract.operations:
        story = why(contract, name)
        assert story.startswith(f"{name}: ")
        assert story == story.rstrip()
        told = story.partition("inferred or pieced together:\n")[2].splitlines()
        assert len(told) == len(list(sources(raw(contract, name)))), name
        assert all(re.match(rf"  {name}[ :]", line) for line in told), name


def test_why_explains_every_rule(contract: Contract) -> None:
    """Every rule is shown with its certainty, its text and its sources, in lines as wide as a terminal."""
    for code, rule in contract.document["x-rules"].items():
        story = why(contract, code)
        lines = story.splitlines()
        assert re.fullmatch(rf"{code}  \((certain|high|medium|low)(, answers [0-9]{{3}} [a-z_]+)?\)", lines[0])
        assert all(len(line) <= 100 for line in lines)
        assert "".join(rule["rule"].split()) in "".join(story.split())  # a line may end at a hyphen
        assert lines[-1].startswith("  ")
        assert "  source: " in story


def test_why_rule_prints_it() -> None:
    """R116: only this rule, with the answer to a request that breaks it, and what shows it."""
    result = run("R116")
    assert (result.exit_code, result.stderr) == (0, "")
    text = "name is required on create and PUT and must be unique among courses. A duplicate gives a field error on"
    lines = result.stdout.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("  story: "))
    assert lines[:first] == [
        "R116  (high, answers 400 unique)",
        *textwrap.wrap(f"{text} name with code unique.", 100, initial_indent="  ", subsequent_indent="  "),
        "  source: docs: course; ui: CourseForm handles code unique",
    ]


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("updat_cours", "update_course"),
        ("Update_Course", "update_course"),
        ("make_attempt", "make_course_attempt"),
        ("R999", "R"),
        ("r116", "R116"),
        ("?", ""),
    ],
)
def test_why_refuses_unknown_names(contract: Contract, name: str, suggested: str) -> None:
    """One line on standard error that suggests what to ask for, and status 2."""
    result = run(name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("stubserver: ")
    assert repr(name) in result.stderr
    offered = result.stderr.rpartition("try one of ")[2].strip().split(", ")
    assert len(offered) in (1, 2, 3)
    assert all(offer in contract.operations or offer in contract.document["x-rules"] for offer in offered)
    assert any(offer.startswith(suggested) for offer in offered)
    with pytest.raises(UnknownName):
        why(contract, name)


def test_why_without_a_name_prints_the_page(page: str) -> None:
    """The page unchanged, in Markdown, ending with one line break."""
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == page
    assert page.startswith("# Decided, not documented\n\n")
    assert page.endswith("|\n")
    assert [line for line in page.splitlines() if line.startswith("## ")] == ["## Rules", "## Details"]


def test_why_page_holds_what_is_not_settled(contract: Contract, page: str) -> None:
    """A row for each rule that is inferred or less than certain, and none for rules that the docs settle."""
    book = contract.document["x-rules"]
    table = {row[0]: row for row in rows(page, 6)}
    assert len(table) == len(rows(page, 6))
    for code, rule in book.items():
        settled = (
            rule["sure"] == "certain"
            and rule.get("violation_sure", "certain") == "certain"
            and not any("inferred" in source for source in rule["source"])
        )
        assert (code in table) is not settled, code
    assert table["R116"][3:5] == ["high", "400 unique"]
    assert table["R116"][5] == "create_course, update_course, patch_course"
    users = [name for name in contract.operations if "R402" not in raw(contract, name)["x-rules"]]
    assert not set(table["R402"][5].split(", ")) & set(users)


def test_why_page_holds_every_inferred_detail(contract: Contract, page: str) -> None:
    """A row for each mark that says inferred, with its sources, its certainty and its rule."""
    inferred = [mark for mark in marked(contract) if {"framework", "inferred"} & set(mark.sources)]
    assert rows(page, 4) == [[mark.where, ", ".join(mark.sources), mark.sure, mark.rule or ""] for mark in inferred]
    assert ["AttemptWrite (schemas) field responses", "docs, inferred", "high", "R407"] in rows(page, 4)
    assert ["update_course", "ui, inferred", "high", "R021"] in rows(page, 4)


def test_why_page_is_made_of_whole_tables(page: str) -> None:
    """Every line of a table has all its cells, so the text of a rule never breaks it."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert lines
    assert {len(CELL.findall(line)) for line in lines} == {5, 7}
