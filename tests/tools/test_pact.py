"""The verifier of the Pact project: it takes our pacts, finds our server as they say, and finds what is different."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import COMMAND, Served
from tests.tools.toolbox import NEEDS_PYTHON, PYTHON, USE, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced, NEEDS_PYTHON]

TRAFFIC = """
import os, httpx
from tests.support.client import Api
from tests.support.traffic import oddities, reading, writing

class Caller(Api):
    def __init__(self, persona=None):
        self._name = "default"
        self._headers = {"Authorization": f"Bearer stub-{persona}"} if persona else {}

    def as_(self, persona):
        return Caller(persona)

    def _send(self, method, url, headers, options):
        with httpx.Client(base_url=os.environ["STUBSERVER_URL"]) as client:
            return client.request(method, url, headers=headers, **options)

for ask in (reading, writing, oddities):
    ask(Caller())
"""


@pytest.fixture(scope="module")
def pact(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The pact of a program that asks for everything."""
    root = Path(__file__).parents[2]
    file = tmp_path_factory.mktemp("pact") / "pact.json"
    names = ("--consumer", "web", "--provider", "course-api")
    command = [*COMMAND, "exec", "--pact", str(file), *names, "--", COMMAND[0], "-c", TRAFFIC]
    run(command, root, {"PYTHONPATH": str(root)})
    return json.loads(file.read_text())


def verify(pact: Any, served: Served, folder: Path) -> str:
    (folder / "pact.json").write_text(json.dumps(pact))
    return run([str(PYTHON), str(USE / "pact_verify.py"), "pact.json", "course-api", served.url], folder)


def test_the_server_fulfils_its_pact(pact: Any, plain: Served, tmp_path: Path) -> None:
    """Every interaction."""
    output = verify(pact, plain, tmp_path)
    assert '{"verified": true}' in output
    verified = re.findall(r"answered with \d+ \(", output)
    assert len(verified) == len(pact["interactions"]) > 20


def _course(answer: Any) -> Any:
    return answer["body"]["content"]


def _other_status(answer: Any) -> None:
    answer["status"] = 201


def _other_choice(answer: Any) -> None:
    _course(answer)["type"] = "structured"


def _other_kind(answer: Any) -> None:
    _course(answer)["name"] = 3


def _one_more_field(answer: Any) -> None:
    _course(answer)["colour"] = "red"


def _longer_list(answer: Any) -> None:
    answer["matchingRules"]["body"]["$.sections"]["matchers"][0]["min"] = 9


def _none_of_the_choices(answer: Any) -> None:
    answer["matchingRules"]["body"]["$.sections[*].lessons[*].type"]["matchers"][0]["regex"] = "^(none)$"


def _no_null(answer: Any) -> None:
    _course(answer)["og_image"] = "x"


@pytest.mark.parametrize(
    "change",
    [_other_status, _other_choice, _other_kind, _one_more_field, _longer_list, _none_of_the_choices, _no_null],
)
def test_the_verifier_finds_what_is_different(pact: Any, plain: Served, tmp_path: Path, change: Any) -> None:
    """So the rules mean what they should."""
    changed = json.loads(json.dumps(pact))
    changed["interactions"] = [
        one for one in changed["interactions"] if one["description"] == "get_course, answered with 200"
    ]
    (interaction,) = changed["interactions"]
    verify(changed, plain, tmp_path)
    change(interaction["response"])
    with pytest.raises(AssertionError, match="There were 1 pact failures"):
        verify(changed, plain, tmp_path)


def test_other_values_of_the_same_kind_are_no_difference(pact: Any, plain: Served, tmp_path: Path) -> None:
    changed = json.loads(json.dumps(pact))
    for interaction in changed["interactions"]:
        _rename(interaction["response"].get("body", {}).get("content"))
    verify(changed, plain, tmp_path)


def _rename(value: Any) -> None:
    """Change all names and ids in an example."""
    for part in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        _rename(part)
    if isinstance(value, dict):
        value |= {"name": "Another"} if isinstance(value.get("name"), str) else {}
        value |= {"id": 987654} if isinstance(value.get("id"), int) else {}
