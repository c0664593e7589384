"""When a workload has become more expensive, and what is said of stored figures that are none."""

import json
from pathlib import Path

import pytest

from benchmarks import calibration, quick, ratios
from benchmarks.ratios import Figures, Ratio
from benchmarks.workloads import WORKLOADS


def figures(**changed: Ratio) -> Figures:
    return Figures("a machine", {name: changed.get(name, Ratio(2.0, 1.0)) for name in WORKLOADS})


def test_a_ratio_is_the_median_and_the_least() -> None:
    assert Ratio.of([5.0, 1.0, 3.0, 2.0]) == Ratio(2.5, 1.0)


@pytest.mark.parametrize(
    ("median", "least", "regressed"),
    [
        (2.21, 1.11, True),
        (2.21, 1.09, False),  # a busy machine: the least disturbed sample is as before
        (2.19, 1.11, False),
        (4.0, 1.0, False),
        (2.0, 4.0, False),
        (1.0, 0.5, False),
        (2.0, 1.0, False),
    ],
)
def test_both_figures_must_be_higher(median: float, least: float, regressed: bool) -> None:
    assert ratios.regressed(figures(), figures(put=Ratio(median, least))) == ["put"] * regressed


def test_all_that_regressed_are_named() -> None:
    worse = Ratio(3.0, 2.0)
    found = figures(get=worse, browse=worse)
    assert ratios.regressed(figures(), found) == ["get", "browse"]
    rows = ratios.rows(figures(), found)
    assert rows[0] == ["get", "2.000", "3.000", "1.50", "1.000", "2.000", "2.00", "REGRESSED"]
    assert [row[-1] for row in rows] == ["REGRESSED", "ok", "ok", "REGRESSED"]
    assert {len(row) for row in rows} == {len(ratios.HEADS)}


def test_what_is_stored_is_read(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "quick.json"
    ratios.write(file, figures(get=Ratio(0.25, 0.125)))
    assert ratios.read(file) == figures(get=Ratio(0.25, 0.125))


COMPLETE = {"machine": "m", "ratios": {name: {"median": 2.0, "least": 1.0} for name in WORKLOADS}}
USELESS = [
    "",
    "{",
    "[]",
    "3",
    "{}",
    json.dumps({**COMPLETE, "machine": None, "ratios": []}),
    json.dumps({**COMPLETE, "ratios": {"get": {"median": 2.0, "least": 1.0}}}),
    json.dumps({**COMPLETE, "ratios": {**COMPLETE["ratios"], "get": {"median": "2", "least": 1.0}}}),  # type: ignore[dict-item]
    json.dumps({**COMPLETE, "ratios": {**COMPLETE["ratios"], "get": {"median": 2.0}}}),  # type: ignore[dict-item]
    json.dumps({**COMPLETE, "ratios": {**COMPLETE["ratios"], "get": {"median": 0, "least": 0}}}),  # type: ignore[dict-item]
    json.dumps({**COMPLETE, "ratios": {**COMPLETE["ratios"], "get": {"median": 1, "least": 2}}}),  # type: ignore[dict-item]
    json.dumps({**COMPLETE, "ratios": {**COMPLETE["ratios"], "get": {"median": 1, "least": 1, "x": 1}}}),  # type: ignore[dict-item]
]


@pytest.mark.parametrize("text", USELESS)
def test_useless_figures_are_no_comparison(text: str, tmp_path: Path) -> None:
    file = tmp_path / "quick.json"
    file.write_text(text)
    with pytest.raises(ratios.Unreadable) as raised:
        ratios.read(file)
    assert str(raised.value) == f"{file} does not have figures of all workloads; --store-figures writes them anew"


def test_missing_figures_end_the_command_before_it_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRK", "true")
    monkeypatch.setattr(quick, "step_aside", lambda: None)
    for file, reason in [
        (tmp_path / "none.json", f"there are no figures in {tmp_path / 'none.json'}; --store-figures writes them"),
        (tmp_path, f"{tmp_path}: Is a directory"),
    ]:
        with pytest.raises(SystemExit) as ended:
            quick.main(["--figures", str(file)])
        assert ended.value.code == f"error: {reason}"


def measure(monkeypatch: pytest.MonkeyPatch, found: Figures) -> None:
    monkeypatch.setenv("WRK", "true")
    monkeypatch.setattr(quick, "step_aside", lambda: None)
    monkeypatch.setattr(ratios, "here", lambda: found.machine)
    monkeypatch.setattr(quick, "_measured", lambda *_: found.ratios)


def test_a_regression_ends_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "quick.json"
    measure(monkeypatch, figures())
    quick.main(["--figures", str(file), "--store-figures"])
    assert capsys.readouterr().out == f"Stored in {file}: get 2.000, page 2.000, put 2.000, browse 2.000\n"
    quick.main(["--figures", str(file)])
    assert "REGRESSED" not in capsys.readouterr().out
    measure(monkeypatch, figures(page=Ratio(2.5, 1.5)))
    with pytest.raises(SystemExit) as ended:
        quick.main(["--figures", str(file)])
    assert ended.value.code == "error: slower by 10% or more: page"
    assert ratios.read(file) == figures()


def test_figures_of_another_machine_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "quick.json"
    ratios.write(file, Figures("a PDP-11", figures().ratios))
    measure(monkeypatch, figures())
    quick.main(["--figures", str(file)])
    said = "warning: the stored figures are from a PDP-11, these from a machine; they may differ"
    assert said in capsys.readouterr().out


def test_the_fixed_work_is_the_same_every_time() -> None:
    def sizes() -> list[int]:
        with calibration.Work() as work:
            return [work.piece(number) for number in range(10)]

    assert sizes() == sizes()
    assert min(sizes()) > 300
