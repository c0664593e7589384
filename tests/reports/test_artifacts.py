"""Case files: their names, and what is checked before anything is written."""

import json
from pathlib import Path

import pytest

from stubserver.reports.artifacts import check, save


def test_a_case_is_saved_in_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cases"
    check(folder)
    assert not folder.exists()
    file = save(folder, "tests/test_a.py::test_b[x y]", {"case": 1}, "tests/test_a.py::test_b[x y], call")
    assert file.parent == folder
    assert json.loads(file.read_text()) == {"about": "tests/test_a.py::test_b[x y], call", "case": 1}
    check(folder)


def test_names_stay_apart(tmp_path: Path) -> None:
    """However alike or long they are; the same name is the same file."""
    names = ["a", "a/", "a b", "a-b", "A", "x" * 500, "x" * 501, "../../etc", "", ".", "ä"]
    files = {save(tmp_path, name, {}) for name in names}
    assert len({file.name.lower() for file in files}) == len(names)
    assert all(file.parent == tmp_path and len(file.name) < 100 for file in files)
    assert save(tmp_path, "a", {"case": 2}) in files
    assert sorted(tmp_path.iterdir()) == sorted(files)


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere/cases"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match=r"\w"):
        check(tmp_path / place)
