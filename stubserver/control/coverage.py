"""Coverage: what of the contract has been exercised, by all worlds together."""

from collections.abc import Mapping
from typing import Any

from stubserver.call import Call
from stubserver.control.server_parts import ServerParts


def get_coverage(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Each point of the contract with how often."""
    return parts.coverage.report()


def clear_coverage(_: Call, parts: ServerParts) -> None:
    """Count anew."""
    parts.coverage.clear()
