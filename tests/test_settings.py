"""The options of a server: each can be given on the command line, and the seed changes only what it should."""

import re
from dataclasses import fields
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.cli import serve
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.world import Fixture
from tests.support.client import Api

WORDED = {"cors_origins": "cors_origin", "control_origins": "control_origin", "fast_path": "no_fast_path"}
"""Settings that have another name on the command line."""


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_an_option_of_the_command(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    option = WORDED.get(name, name)
    monkeypatch.delenv(f"STUBSERVER_{option.upper()}", raising=False)
    given = serve.make_context("serve", []).params[option]
    assert (not given if option.startswith("no_") else given) == getattr(Settings(), name)


def test_the_seed_changes_picture_addresses_and_nothing_else(
    contract: Contract, default_fixture: Fixture, runner: Any
) -> None:
    apps = [
        Api(StubServer(contract, default_fixture, Settings(seed=number)), runner, "creator") for number in (0, 7, 7)
    ]
    differ = set()
    for operation in contract.operations.values():
        if operation.method != "get":
            continue
        zero, seven, again = (api.get(operation.path.replace("{id}", "1")).text for api in apps)
        assert seven == again
        differ |= {operation.id} if zero != seven else set()
        pictures = re.compile(r"(/upfiles/[a-z]+/[a-z]+/[^\"]*)_[0-9]{4}\.png")
        assert pictures.sub(r"\1", zero) == pictures.sub(r"\1", seven)
    assert "get_course" in differ
