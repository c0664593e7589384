"""Tools that write TypeScript: what they write compiles under strict, and so do a few lines that use it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tools.toolbox import (
    EVERY_DOCUMENT,
    HERE,
    NEEDS_JAVA,
    NEEDS_NODE,
    NEEDS_PYTHON,
    USE,
    document,
    run,
    type_check,
)

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_NODE]

COMMANDS: dict[str, Sequence[str]] = {
    "openapi-typescript": ["openapi-typescript", "api.json", "--output", "api.d.ts"],
    "hey-api": [
        *("openapi-ts", "--input", "api.json", "--output", "made", "--no-log-file"),
        *("--plugins", "@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch", "zod"),
    ],
    "orval": ["orval", "--config", "orval.config.mjs"],
    "typescript-fetch": [
        *("openapi-generator-cli", "generate", "--input-spec", "api.json", "--generator-name", "typescript-fetch"),
        *("--output", "made", "--global-property", "skipFormModel=false"),
    ],
}
"""Tool -> the command that reads api.json."""
EVERY_TOOL = pytest.mark.parametrize(
    "tool", [pytest.param(tool, marks=[NEEDS_JAVA, NEEDS_PYTHON] * (tool == "typescript-fetch")) for tool in COMMANDS]
)


@EVERY_DOCUMENT
@EVERY_TOOL
def test_what_the_tool_writes_compiles(tool: str, name: str, tmp_path: Path) -> None:
    """And so does its use: create a course, change one field of it, read what may be null, walk through pages."""
    document(name, tmp_path)
    shutil.copy(HERE / "orval.config.mjs", tmp_path)
    run(COMMANDS[tool], tmp_path)
    if name.startswith("api"):
        made = tmp_path / "made"
        shutil.copy(USE / f"{tool}.ts", made if made.exists() else tmp_path)
    type_check(tmp_path)


ZOD = {
    "hey-api": ("./made/zod.gen.ts", "zCoursePatch", "zCourseWrite", "zCourseUpdate"),
    "orval": ("./zod.ts", "PatchCourseBody", "CreateCourseBody", "UpdateCourseBody"),
}
"""Tool -> its module of zod schemas, and the names of three."""
CHECK = """
import assert from 'node:assert/strict';
import * as schemas from '{module}';

const {{ {patch}: patch, {create}: create, {update}: update }} = schemas;
const named = {{ name: 'Knots', type: 'self-paced' }};
assert.deepEqual(patch.parse({{ name: 'Knots' }}), {{ name: 'Knots' }});
assert.deepEqual(update.parse(named), named);
assert.equal(create.parse(named).new_comment_notification_enabled, true);
const isValid = (name) => patch.safeParse({{ name }}).success;
for (const name of ['', ' ', '\\t\\n', '\\u2028', 'a\\0']) assert.equal(isValid(name), false, name);
for (const name of ['a', ' a ', '\\ufeff']) assert.equal(isValid(name), true, name);
console.log('checked');
"""


@pytest.mark.parametrize("tool", ZOD)
def test_zod_changes_nothing_that_was_not_given(tool: str, tmp_path: Path) -> None:
    """A default in the schema of a change would set the field to it."""
    document("api", tmp_path)
    shutil.copy(HERE / "orval.config.mjs", tmp_path)
    run(COMMANDS[tool], tmp_path)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    module, patch, create, update = ZOD[tool]
    (tmp_path / "check.mjs").write_text(CHECK.format(module=module, patch=patch, create=create, update=update))
    assert run(["node", "--no-warnings", "check.mjs"], tmp_path) == "checked\n"
