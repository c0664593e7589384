"""ARCHITECTURE.md is true: layers, hops, where things and their tests are. And the code is as small as it says."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter

import pytest

from stubserver.pipeline.hops import HOPS
from tests.sources import PACKAGE, ROOT, SOURCES, TEST_FILES, tree

PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
LAYERS = [line.split(", ") for line in PAGE.split("## Layers")[1].split("```")[1].strip().splitlines()]
"""Top-level packages and modules, as listed on the page: imports point down."""
FRAMEWORK = {"connexion", "starlette", "uvicorn"}
PURE = (
    "errors",
    "settings",
    "contract",
    "worlds",
    "call",
    "api",
    "records",
    "fixtures",
    "reports",
    "authoring",
    "exports",
)
"""What works without a web framework."""


def section(title: str) -> str:
    """The part of the page below a heading."""
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def room(name: str) -> str:
    """The top-level package or module that a module belongs to."""
    return name.split(".")[0]


@cache
def imports(name: str) -> frozenset[str]:
    """What a module imports, anywhere in it: our modules by their names here, others by their top-level package."""
    return frozenset(_imports(tree(name), name, lazily=True))


@cache
def loads(name: str) -> frozenset[str]:
    """What a module loads when imported, with its parent packages; imports in functions and for types do not count."""
    packages = [".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)]
    return frozenset({*_imports(tree(name), name, lazily=False), *packages})


def _imports(tree: ast.Module, name: str, lazily: bool) -> Iterator[str]:
    for node in _nodes(tree, lazily):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            module = node.module or ""
            if room(module) != "stubserver":
                yield room(module)
                continue
            inner = module.removeprefix("stubserver").lstrip(".")
            members = (f"{inner}.{alias.name}".lstrip(".") for alias in node.names)
            yield from (found for member in members if (found := member if member in SOURCES else inner))


def _nodes(tree: ast.AST, lazily: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        is_lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        is_typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if lazily or not (is_lazy or is_typing):
            yield node
            yield from _nodes(node, lazily)


def closure(name: str) -> dict[str, str]:
    """Everything loaded when a module is imported -> the module that imports it."""
    found = {name: ""}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        for other in loads(module) if module in SOURCES else ():
            if other not in found:
                found[other] = module
                waiting.append(other)
    return found


def test_every_room_is_in_the_layers_once() -> None:
    listed = [name for layer in LAYERS for name in layer]
    assert sorted(listed) == sorted({room(name) for name in SOURCES} - {"", "__main__"})


def test_imports_point_down() -> None:
    height = {name: -level for level, names in enumerate(LAYERS) for name in names}
    upward = [
        f"{name} -> {other}"
        for name in SOURCES
        if room(name) in height
        for other in imports(name)
        if room(other) in height and room(other) != room(name) and height[room(other)] >= height[room(name)]
    ]
    assert upward == []


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {name: {other for other in imports(name) if other in SOURCES} for name in SOURCES}
    assert set(TopologicalSorter(graph).static_order()) == set(SOURCES)


@pytest.mark.parametrize("name", [name for name in SOURCES if room(name) in PURE])
def test_what_is_pure_loads_no_framework(name: str) -> None:
    """However indirectly: the failure shows the chain of imports."""
    found = closure(name)
    for library in FRAMEWORK & set(found):
        chain = [library]
        while found[chain[-1]]:
            chain.append(found[chain[-1]])
        pytest.fail(" <- ".join(chain))


def test_operations_load_no_framework() -> None:
    """Checked by Python itself, which also follows the imports of libraries."""
    code = f"import sys, stubserver.api.operations; print(*({FRAMEWORK!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.split() == []


def test_only_the_pipeline_knows_connexion() -> None:
    assert {room(name) for name in SOURCES if "connexion" in imports(name)} == {"pipeline"}
    knows = {room(name) for name in SOURCES if "starlette" in imports(name)}
    assert knows == {"app", "lane", "pages", "pipeline", "serving"}


# Hops


def test_the_page_names_the_hops_in_their_order() -> None:
    table = rows("One request")
    assert [row[0] for row in table] == list(HOPS)
    for hop, where, *_ in table:
        files = [file for file in re.findall(r"`(\w+\.py)`", where) if not list(PACKAGE.glob(f"*/{file}"))]
        assert files == [], hop


# Where things are


def test_every_module_is_on_the_page() -> None:
    listed = {path for row in rows("Where things are") for path in re.findall(r"`([\w/<>]+\.py)`", row[1])}
    resources = {path for path in listed if "<resource>" in path}
    listed |= {f"pipeline/{file}" for row in rows("One request") for file in re.findall(r"`(\w+\.py)`", row[1])}
    for name, file in SOURCES.items():
        path = file.relative_to(PACKAGE).as_posix()
        folder = f"{file.parent.relative_to(PACKAGE).as_posix()}/<resource>.py"
        if file.name in ("__init__.py", "__main__.py") and path != "cli/__init__.py":
            continue
        assert path in listed or folder in resources, f"{name} is not under Where things are"
    missing = [path for path in listed - resources if not (PACKAGE / path).exists()]
    assert missing == []


# Tests

WITHOUT_TESTS = {"__main__": "calls the command, and every process that a test starts goes through it"}
"""Module -> why it has no test file of its own."""


def file_of_tests(name: str) -> str:
    """The test file of a module; for a package, it has the name of the package."""
    *rooms, word = name.split(".")
    if SOURCES[name].name == "__init__.py":
        rooms.append(word)
    return "/".join(["tests", *rooms, f"test_{word}.py"])


def has_code(name: str) -> bool:
    """Whether there is anything to test: many packages have only a docstring, and perhaps a version."""
    code = (ast.unparse(node) for node in tree(name).body if not isinstance(node, ast.Expr))
    return not all(statement.startswith("__version__") for statement in code)


def test_the_word_of_a_module_finds_its_tests() -> None:
    missing = {name for name in SOURCES if has_code(name) and not (ROOT / file_of_tests(name)).exists()}
    assert missing == set(WITHOUT_TESTS)


def test_the_word_of_a_test_finds_its_module() -> None:
    """A long test file may be split into parts: test_<module>_<part>.py."""
    words = {file_of_tests(name).removesuffix(".py") for name in SOURCES}
    files = [
        file.relative_to(ROOT).as_posix()
        for file in TEST_FILES
        if file.parent.name
        not in ("tests", "benchmarks", "clients", "models", "edges", "fuzz", "sharing", "soak", "tools")
    ]
    stray = [file for file in files if not any(f"{file[:-3]}_".startswith(f"{word}_") for word in words)]
    assert stray == []


def test_no_test_module_imports_another_one() -> None:
    """What several of them need is in tests/support/, or next to them in a file that is not a test."""
    for file in TEST_FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            assert not re.search(r"^tests\.(.*\.)?(test_\w+|conftest)$", module), f"{file.name} imports {module}"


# Size


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_modules_are_short(name: str) -> None:
    assert len(SOURCES[name].read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_modules_say_what_they_are_for(name: str) -> None:
    assert ast.get_docstring(tree(name))
