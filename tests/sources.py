"""The source files of the package and of its tests, for tests that read them."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "stubserver"
SOURCES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix("."): file
    for file in sorted(PACKAGE.rglob("*.py"))
    if "starters" not in file.parts  # files that `init` writes into other projects
}
"""Module, by its name in the package ("" is the package itself) -> file."""
TEST_FILES = [file for file in sorted((ROOT / "tests").rglob("test_*.py")) if "node_modules" not in file.parts]


@cache
def tree(name: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(SOURCES[name].read_text(encoding="utf-8"))
