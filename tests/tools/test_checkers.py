"""Tools that check documents: they find nothing wrong, and nothing to warn of."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tools.toolbox import EVERY_DOCUMENT, HERE, NEEDS_NODE, document, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_NODE]

PARSE = f"""
import SwaggerParser from '{(HERE / "node_modules/@apidevtools/swagger-parser/lib/index.js").as_uri()}';
console.log((await SwaggerParser.validate('api.json')).info.title);
"""
COMMANDS: dict[str, Sequence[str]] = {
    "redocly": ["redocly", "lint", "--config", str(HERE / "redocly.yaml"), "api.json"],
    "spectral": [
        *("spectral", "lint", "--ruleset", str(HERE / "spectral.yaml"), "--fail-severity", "hint", "api.json"),
    ],
    "swagger-parser": ["node", "--input-type=module", "--eval", PARSE],
}
"""Tool -> the command that reads api.json."""


@EVERY_DOCUMENT
@pytest.mark.parametrize("tool", COMMANDS)
def test_the_tool_finds_nothing(tool: str, name: str, tmp_path: Path) -> None:
    document(name, tmp_path)
    run(COMMANDS[tool], tmp_path)


def test_the_tools_would_find_something(tmp_path: Path) -> None:
    """A link that leads nowhere, and an example that does not fit."""
    file = document("api", tmp_path)
    file.write_text(file.read_text().replace('"in_reply_to": null', '"in_reply_to": "x"'))
    with pytest.raises(AssertionError, match="in_reply_to"):
        run(COMMANDS["redocly"], tmp_path)
