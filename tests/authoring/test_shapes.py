"""The presets: each is a shape that the documentation promises."""

from stubserver.authoring.shapes import PLAIN, PRESETS, Shape
from tests.sources import ROOT


def test_ranges_are_ranges() -> None:
    for shape in (PLAIN, *PRESETS.values()):
        ranges = [value for value in vars(shape).values() if isinstance(value, tuple)]
        assert len(ranges) == 6
        assert all(0 <= least <= most for least, most in ranges)


def test_a_preset_has_a_number_of_courses_of_its_own() -> None:
    assert PLAIN.courses is None
    assert {name: shape.courses for name, shape in PRESETS.items()} == {
        "empty": 0,
        "one-course": 1,
        "busy": 24,
        "long-texts": 14,
    }
    assert all((shape.courses or 0) <= shape.most for shape in PRESETS.values())


def test_the_presets_are_documented() -> None:
    page = (ROOT / "docs" / "fixtures.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in PRESETS)


def test_a_shape_says_everything_by_default() -> None:
    assert Shape() == PLAIN
