"""What is kept between two starts: where, and that a start with it is the same as one without."""

import hashlib
from pathlib import Path
from typing import Any, cast

import pytest

from stubserver.cache import _MAGIC, Cache, folder
from stubserver.contract import merging
from stubserver.contract.load import load_contract, load_control_contract
from stubserver.contract.merging import Document, SpecError, merge
from stubserver.fixtures import fixture, yaml_text
from stubserver.fixtures.fixture import load, schema_of
from tests.support.default import NOW


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that keeps it."""
    monkeypatch.setenv("STUBSERVER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def started() -> Any:
    """All that a start reads."""
    fixture._written.cache_clear()
    contract, control = load_contract(), load_control_contract()
    found = load("default", contract, NOW)
    tables = {name: dict(table.rows) for name, table in found.tables.items()}
    files = cast("Document", contract.document).files
    return contract.document, files, control.document, schema_of(contract), found.digest, tables


def test_the_second_start_parses_no_yaml_and_is_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUBSERVER_CACHE", "off")
    plain = started()
    monkeypatch.setenv("STUBSERVER_CACHE", str(place))
    assert started() == plain
    assert len([*place.iterdir()]) == 4

    def fail(_: str) -> Any:
        raise AssertionError("parsed again")

    monkeypatch.setattr(merging, "load_own", fail)
    monkeypatch.setattr(fixture, "load_own", fail)
    monkeypatch.setattr(yaml_text, "read", fail)
    assert started() == plain


def test_another_text_is_parsed_anew(place: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("info: {title: One}")
    assert [merge(tmp_path)["info"]["title"] for _ in range(2)] == ["One", "One"]
    (tmp_path / "a.yaml").write_text("info: {title: Two}")
    assert merge(tmp_path)["info"]["title"] == "Two"


def test_where_one_text_ends_and_the_next_begins_matters(place: Path) -> None:
    for texts in (["ab", "c"], ["a", "bc"], ["abc"]):
        Cache.of(texts, b"").save(b"content")
    assert len([*place.iterdir()]) == 3


def test_what_cannot_be_parsed_is_told_as_without_it(place: Path, tmp_path: Path) -> None:
    for wrong in ("info: [", "- a list"):
        (tmp_path / "a.yaml").write_text(wrong)
        for _ in range(2):
            with pytest.raises(SpecError, match=r"^a\.yaml: "):
                merge(tmp_path)
    assert not place.exists()


@pytest.mark.parametrize(
    "damage", [b"", b"x" * 100, _MAGIC + b"x" * 32 + b"{}", _MAGIC + hashlib.sha256(b"{").digest() + b"{"]
)
def test_what_is_damaged_is_parsed_anew(place: Path, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a.yaml").write_text("info: {title: One}")
    merge(tmp_path)
    (kept,) = place.iterdir()
    good = kept.read_bytes()
    kept.write_bytes(damage)
    assert merge(tmp_path)["info"]["title"] == "One"
    assert kept.read_bytes() == good


def test_a_shipped_fixture_with_a_flaw_in_its_text_is_not_kept(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mistakes have places, which only the text knows."""
    (tmp_path / "odd.yaml").write_text("name: odd\nname: odd\nusers: []\n")
    monkeypatch.setattr("stubserver.fixtures.file.shipped", lambda: {"odd": tmp_path / "odd.yaml"})
    contract = load_contract()
    for _ in range(2):
        with pytest.raises(fixture.FixtureError, match="duplicate key"):
            load(str(tmp_path / "odd.yaml"), contract, NOW)


# Where


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STUBSERVER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_it_is_where_the_system_keeps_caches(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder() == home / ".cache" / "stubserver"
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert folder() == Path("/var/cache/me/stubserver")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folder() is None


@pytest.mark.parametrize(
    ("value", "where"), [("off", None), ("", ".cache/stubserver"), ("/x/y", "/x/y"), ("here", "here")]
)
def test_the_variable_decides(home: Path, monkeypatch: pytest.MonkeyPatch, value: str, where: str | None) -> None:
    monkeypatch.setenv("STUBSERVER_CACHE", value)
    assert folder() == (where and (home / where if where.startswith(".") else Path(where)))


def test_without_a_home_there_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nobody)
    assert folder() is None
    Cache("x", b"").save(b"content")
    assert Cache("x", b"").load() is None
