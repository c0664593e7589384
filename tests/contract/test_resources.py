"""Where to find the contract and the fixtures."""

from pathlib import Path

import pytest

from stubserver.contract import resources
from tests.sources import ROOT


@pytest.mark.parametrize("name", ["openapi", "fixtures"])
def test_in_a_checkout_they_lie_beside_the_package(name: str) -> None:
    assert resources.folder(name) == ROOT / name


def test_installed_they_lie_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files installed with the package take precedence over files next to it."""
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "package")
    (tmp_path / "openapi").mkdir()
    assert resources.folder("openapi") == tmp_path / "openapi"
    (tmp_path / "package" / "shipped" / "openapi").mkdir(parents=True)
    assert resources.folder("openapi") == tmp_path / "package" / "shipped" / "openapi"
