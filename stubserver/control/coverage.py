"""Coverage: what of the contract has been exercised, by all worlds together."""

from collections.abc import Mapping
from typing import Any

from stubserver.call import Call
from stubserver.control.stub import Stub


def get_coverage(_: Call, stub: Stub) -> Mapping[str, Any]:
    """Each point of the contract with how often."""
    return stub.coverage.report()


def clear_coverage(_: Call, stub: Stub) -> None:
    """Count anew."""
    stub.coverage.clear()
