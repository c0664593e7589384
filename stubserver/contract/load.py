"""The contracts that ship with the package."""

from stubserver.contract.contract import Contract
from stubserver.contract.merging import merge
from stubserver.contract.resources import folder


def load_contract() -> Contract:
    """The contract of the API. Raises SpecError if it cannot be served."""
    return Contract(merge(folder("openapi")))


def load_control_contract() -> Contract:
    """The contract of the control plane. Raises SpecError if it cannot be served."""
    return Contract(merge(folder("openapi") / "control", folder("openapi") / "shared.yaml"))
