"""The contracts that ship with the package."""

from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from tests.support.control import CONTROL


def test_the_two_contracts_have_no_name_in_common(contract: Contract) -> None:
    assert not set(contract.operations) & set(CONTROL.operations)


def test_they_share_the_shape_of_refusals(contract: Contract) -> None:
    """Whatever is in `openapi/shared.yaml` belongs to both."""
    assert contract.schema("ErrorResponse") == CONTROL.schema("ErrorResponse")


def test_each_is_read_anew(contract: Contract) -> None:
    """A caller that changes its document does not affect other callers."""
    again = load_contract()
    assert again.document == contract.document
    assert again.document is not contract.document
