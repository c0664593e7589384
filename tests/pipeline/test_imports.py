"""What a server loads: Connexion, without what no request needs; and that all of it is there when it is asked for."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from stubserver.pipeline import imports
from tests.support.commands import CLEAN, PATIENCE, Served

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

HEAVY = {
    *imports.LATER,
    *"faker PIL prometheus_client pygments redis rich sqlite3 urllib3".split(),
}
"""Modules that take long to load, and that a server without options must not load before somebody needs them."""


def loaded(served: Served) -> set[str]:
    """The modules that Python has said to have imported."""
    return {line.rsplit("|", 1)[1].strip() for line in served.log if line.startswith("import time:")}


def test_a_server_loads_what_serving_needs(tmp_path: Path) -> None:
    served = Served(tmp_path, PYTHONPROFILEIMPORTTIME="1")
    try:
        headers = {"Authorization": "Bearer stub-creator"}
        with httpx.Client(base_url=served.url, headers=headers, timeout=PATIENCE) as client:
            assert client.get("/api/v2/course/1/").status_code == 200
            assert "connexion.middleware.main" in loaded(served)
            assert loaded(served) & HEAVY == set()
            assert "swagger-ui" in client.get("/docs/").text
            assert "jinja2" in loaded(served)
    finally:
        served.end()


def python(code: str) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, "-W", "ignore", "-c", f"import sys\nfrom stubserver.pipeline import imports\n{code}"]
    done = subprocess.run(command, env=CLEAN, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_left_in_the_place_of_a_module() -> None:
    code = "imports.import_connexion(); print(sorted(sys.modules.keys() & set(imports.LATER)))"
    assert python(f"{code}; import requests; print(requests.Session.__name__)") == "[]\nSession\n"


def test_what_connexion_took_from_a_stand_in_works() -> None:
    code = """
imports.import_connexion()
from connexion import AsyncApp
client = AsyncApp("x").test_client()
print(type(client).__module__, client.get("/").status_code)
from connexion import json_schema, security
print(type(security.httpx.AsyncClient()).__name__)
try:
    json_schema.requests.get("no://where")
except Exception as error:
    print(type(error).__module__)
"""
    assert python(code) == "starlette.testclient 404\nAsyncClient\nrequests.exceptions\n"


def test_modules_that_are_loaded_already_stay() -> None:
    code = "import httpx; imports.import_connexion(); import connexion.security"
    assert python(f"{code}; print(connexion.security.httpx is httpx is sys.modules['httpx'])") == "True\n"


def test_without_connexion_nothing_is_left_either() -> None:
    code = """
sys.modules["connexion"] = None
try:
    imports.import_connexion()
except ImportError:
    print(sorted(sys.modules.keys() & set(imports.LATER)))
"""
    assert python(code) == "[]\n"


def test_a_stand_in_has_no_special_names() -> None:
    code = "print(hasattr(imports._StandIn('requests'), '__path__'))"
    assert python(code) == "False\n"
