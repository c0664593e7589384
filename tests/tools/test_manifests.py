"""Schemas of Kubernetes, Compose and GitHub: the manifests in deploy/ fit them, strictly."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sources import ROOT
from tests.tools.toolbox import NEEDS_PYTHON, PYTHON, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_PYTHON]

KUBERNETES = (str(PYTHON.parent / "kubernetes-validate"), "--strict")
CHECK = (str(PYTHON.parent / "check-jsonschema"), "--builtin-schema")
COMMANDS: dict[str, Sequence[str]] = {
    "kubernetes/stubserver.yaml": KUBERNETES,
    "kubernetes/redis.yaml": KUBERNETES,
    "compose.yaml": (*CHECK, "vendor.compose-spec"),
    "devcontainer/compose.yaml": (*CHECK, "vendor.compose-spec"),
    "github-actions.yaml": (*CHECK, "vendor.github-workflows"),
}
"""File -> the command that checks it."""
BROKEN = {
    "kubernetes/stubserver.yaml": ("replicas: 2", "replica: 2"),
    "kubernetes/redis.yaml": ("replicas: 1", "replicas: one"),
    "compose.yaml": ("read_only: true", "readonly: true"),
    "devcontainer/compose.yaml": ("read_only: true", "read_only: 7"),
    "github-actions.yaml": ("timeout-minutes: 15", "timeout-minute: 15"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_manifest_fits_its_schema(name: str, tmp_path: Path) -> None:
    run([*COMMANDS[name], str(ROOT / "deploy" / name)], tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_mistake_in_the_manifest_would_be_found(name: str, tmp_path: Path) -> None:
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    assert BROKEN[name][0] in text
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace(*BROKEN[name], 1), encoding="utf-8")
    with pytest.raises(AssertionError):
        run([*COMMANDS[name], str(broken)], tmp_path)
