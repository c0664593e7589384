"""The control plane's fixtures: what a world can start from."""

from pathlib import Path
from typing import Any

import pytest

from stubserver.app import create_app
from stubserver.fixtures import library
from tests.support.answers import ok, refused
from tests.support.client import Api

FIXTURES = "/__stub/fixtures"
pytestmark = pytest.mark.no_world


def test_list_fixtures_names_all_that_ship_and_the_first(api: Api) -> None:
    page = ok(api.get(f"{FIXTURES}?limit=100"))
    assert [row["name"] for row in page["results"]] == library.names()
    assert [row["name"] for row in page["results"] if row["first"]] == ["default"]
    assert ok(api.get(f"{FIXTURES}?limit=1&offset=1"))["results"] == page["results"][1:2]


def test_list_fixtures_has_those_of_the_server_and_each_makes_a_world(tmp_path: Path, runner: Any) -> None:
    (tmp_path / "own.yaml").write_text("extends: empty\n")
    given = tmp_path / "given.yaml"
    given.write_text("extends: empty\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "other.yaml").write_text("extends: empty\n")
    api = Api(create_app(str(given), fixture_dir=folder), runner)
    rows = ok(api.get(f"{FIXTURES}?limit=100"))["results"]
    assert [row["name"] for row in rows] == [*library.names(), "other", "given"]
    assert [row["name"] for row in rows if row["first"]] == ["given"]
    for row in rows:
        assert ok(api.post("/__stub/worlds", json={"fixture": row["name"]}), 201)["fixture"] == row["name"]


def test_list_fixtures_says_what_is_wrong_with_their_folder(tmp_path: Path, runner: Any) -> None:
    """It was in order when the server started."""
    api = Api(create_app(fixture_dir=tmp_path), runner)
    (tmp_path / "empty.yaml").write_text("extends: default\n")
    answer = api.get(FIXTURES)
    assert refused(answer, 400) == {"fixture": "invalid"}
    assert "empty is a fixture that ships with the server: rename the file" in answer.text
