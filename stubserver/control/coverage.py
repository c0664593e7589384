"""Coverage: which points of the contract have been exercised, in all worlds together."""

from collections.abc import Mapping
from typing import Any

from stubserver.call import Call
from stubserver.control.server_parts import ServerParts


def get_coverage(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """How often each point of the contract was exercised."""
    return parts.coverage.report()


def clear_coverage(_: Call, parts: ServerParts) -> None:
    """Reset all counts to zero."""
    parts.coverage.clear()
