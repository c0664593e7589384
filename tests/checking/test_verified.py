"""What was seen of rules is kept, and told."""

from datetime import date
from pathlib import Path

import pytest

from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Report
from stubserver.checking.verified import BadFile, read, told, written

pytestmark = pytest.mark.table


def report(target: str, **results: str) -> Report:
    made = Report(target, 0, [])
    for rule, result in results.items():
        made.note_rule(rule, result)
    return made


def test_a_file_grows_and_keeps_what_was_not_reached(tmp_path: Path) -> None:
    file = tmp_path / "verified.yaml"
    assert read(file) == {}
    first = report("http://b", R101=AGREES, R102=AGREES, R103=DIFFERS)
    file.write_text(written(read(file), first, date(2031, 5, 1)))
    assert read(file) == {
        "http://b": {"R101": "agrees 2031-05-01", "R102": "agrees 2031-05-01", "R103": "differs 2031-05-01"}
    }
    second = report("http://b", R103=AGREES, R102=NOT_REACHED, R101=DIFFERS)
    file.write_text(written(read(file), second, date(2031, 6, 2)))
    file.write_text(written(read(file), report("http://a", R101=AGREES), date(2031, 6, 3)))
    assert file.read_text().splitlines()[1:] == [
        "http://a:",
        "  R101: agrees 2031-06-03",
        "http://b:",
        "  R101: differs 2031-06-02",
        "  R102: agrees 2031-05-01",
        "  R103: agrees 2031-06-02",
    ]
    assert [*told(read(file), ["R101", "R999"])] == [
        "  verified: R101 agrees at http://a, 2031-06-03",
        "  verified: R101 differs at http://b, 2031-06-02",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "it has to be what `stubserver check --verified` writes"),
        ("agrees\n", "it has to be what"),
        ("false\n", "it has to be what"),
        ("http://a: R101\n", "http://a: it has to be a server, with what was seen"),
        ("http://a:\n", "http://a: it has to be a server"),
        ("1: {}\n", "1: it has to be a server"),
        ("http://a: {R101: agrees}\n", "http://a: R101: it has to be such as `agrees 2031-05-01`"),
        ("http://a: {R101: agrees 2031-05-32}\n", "R101: it has to be"),
        ("http://a: {R101: not reached 2031-05-01}\n", "R101: it has to be"),
        ("http://a: {R101: 2031-05-01}\n", "R101: it has to be"),
        ("http://a: {1: agrees 2031-05-01}\n", "1: it has to be"),
        ("a: b: c\n", "mapping values are not allowed"),
        ("\ud800", "codec"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "verified.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadFile, match=problem) as refused:
        read(file)
    assert "\n" not in str(refused.value)
