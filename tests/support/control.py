"""The control plane's contract, for tests that run once for each of its operations."""

from stubserver.contract.load import load_control_contract
from tests.support.documents import declared

CONTROL = load_control_contract()
RAW = {raw["operationId"]: (path, method, raw) for path, method, raw in declared(CONTROL.document)}
"""Operation -> its path, method and declaration."""
