"""Validation: the validators that Connexion gets, and which run after all other checks."""

import asyncio

import pytest
from starlette.types import Message

from stubserver.call import SCOPE_KEY
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal
from stubserver.pipeline.validation import VALIDATORS, body_validator
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.client import Api
from tests.support.control import CONTROL


@pytest.mark.parametrize(
    ("persona", "path", "status"),
    [
        ("creator", "/course/99/users/?limit=0", 404),
        ("stranger", "/course/1/users/?limit=0", 403),
        ("creator", "/course/1/users/?limit=0", 400),
        ("stranger", "/course/1/?user=x", 403),
        ("stranger", "/course/7/?view=x", 404),
    ],
)
def test_parameters_are_checked_last(api: Api, persona: str, path: str, status: int) -> None:
    assert api.strict().as_(persona).get(path).status_code == status


def test_every_media_type_of_the_contracts_has_its_validator(contract: Contract) -> None:
    """Connexion would let bodies of any other media type through unread."""
    media = {
        name for each in (contract, CONTROL) for operation in each.operations.values() for name in operation.bodies
    }
    assert set(VALIDATORS["body"]) == media


def test_a_body_is_read_before_anybody_receives_it(world: World, contract: Contract) -> None:
    """It is refused there, too; receiving is left to the layers further in."""
    operation = contract.operations["patch_course"]
    validator = body_validator("application/json")()

    async def receive() -> Message:
        raise AssertionError("it lies in the call")

    call = called(world, operation, raw_body=b'{"name": "Knots"}')
    found = asyncio.run(validator.wrap_receive(receive, scope={SCOPE_KEY: call}))
    assert found == (receive, {SCOPE_KEY: call})
    assert call.body == {"name": "Knots"}
    with pytest.raises(Refusal):
        asyncio.run(validator.wrap_receive(receive, scope={SCOPE_KEY: called(world, operation, raw_body=b"{")}))
