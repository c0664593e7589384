"""The contracts that ship with the package."""

from stubserver.contract.contract import Contract
from tests.support.control import CONTROL


def test_the_two_contracts_have_no_name_in_common(contract: Contract) -> None:
    assert not set(contract.operations) & set(CONTROL.operations)
