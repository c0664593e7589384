"""How requests name worlds and carry tokens, and which hosts are this machine: stated once, for server and clients."""

import re

WORLD_HEADER = "X-Stub-World"
"""Names the world of a request."""
FIXTURE_HEADER = "X-Stub-Fixture"
"""Names the fixture that the world starts from at first touch."""
REQUEST_HEADER = "X-Stub-Request"
"""The id that an answer has in the journal."""
CONTROL = "/__stub/"
"""The control plane is below this path."""

_BASE = "/~"
BASE_PATH = re.compile(rf"{_BASE}([^/]*)")
"""A world in front of a path."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that only this machine reaches."""
LOCAL_HOST = r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"
"""The pattern of such a host in a URL or a Host header, with its port."""


def base_path(world: str) -> str:
    """What stands in front of a path to name a world."""
    return f"{_BASE}{world}"


def bearer_token(header: str) -> str:
    """The token of an Authorization header; empty where it has none (R002)."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
