"""Tools that write Python: what they write can be imported, and a few lines that use it work with a server."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.commands import Served
from tests.tools.toolbox import EVERY_DOCUMENT, NEEDS_JAVA, NEEDS_PYTHON, PYTHON, USE, document, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_PYTHON]

COMMANDS: dict[str, Sequence[str]] = {
    "openapi_generator": [
        *("openapi-generator-cli", "generate", "--input-spec", "api.json", "--generator-name", "python"),
        *("--output", ".", "--global-property", "skipFormModel=false"),
    ],
    "openapi_python_client": [
        *("openapi-python-client", "generate", "--path", "api.json", "--output-path", "client", "--meta", "none"),
        "--fail-on-warning",
    ],
    "datamodel_code_generator": [
        *("datamodel-codegen", "--input", "api.json", "--input-file-type", "openapi", "--output", "models.py"),
        *("--output-model-type", "pydantic_v2.BaseModel", "--target-python-version", "3.11"),
        *("--formatters", "ruff-format", "--use-annotated"),
    ],
}
"""Tool -> the command that reads api.json."""
MADE = {"openapi_generator": "openapi_client", "openapi_python_client": "client", "datamodel_code_generator": "models"}
"""Tool -> the package or module that it writes."""
READS_NO_NULL = {("datamodel_code_generator", "api")}
"""Tool and document: what it writes has a class of its own for null, so code that uses it is different."""
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(getattr(package, "__path__", []), sys.argv[1] + "."):
    importlib.import_module(module.name)
"""
EVERY_TOOL = pytest.mark.parametrize(
    "tool", [pytest.param(tool, marks=[NEEDS_JAVA] * (tool == "openapi_generator")) for tool in COMMANDS]
)


@EVERY_DOCUMENT
@EVERY_TOOL
def test_what_the_tool_writes_works(tool: str, name: str, tmp_path: Path, plain: Served) -> None:
    """Create a course, change one field of it, read what may be null, walk through pages; all type-checked."""
    document(name, tmp_path)
    run(COMMANDS[tool], tmp_path)
    run([str(PYTHON), "-c", IMPORT_ALL, MADE[tool]], tmp_path)
    if name.startswith("api") and (tool, name) not in READS_NO_NULL:
        shutil.copy(USE / f"{tool}.py", tmp_path / "use.py")
        (tmp_path / "mypy.ini").write_text("[mypy]\nplugins = pydantic.mypy\nfollow_imports = silent\n")
        run(["mypy", "--strict", "use.py"], tmp_path)
        world = f"{plain.url}/~{tool}-{name}"
        run([str(PYTHON), "use.py", world], tmp_path)
