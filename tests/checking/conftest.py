"""What the tests of a check share: the contract, and a target of our own."""

import pytest

from stubserver.checking.shapes import Shapes
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load_contract()


@pytest.fixture(scope="session")
def shapes(contract: Contract) -> Shapes:
    return Shapes(contract)
