"""How requests name worlds and carry tokens, which hosts are loopback, which paths a pattern means. Server and clients
share this module."""

import base64
import re
from fnmatch import fnmatchcase

WORLD_HEADER = "X-Stub-World"
"""Request header that names the world."""
FIXTURE_HEADER = "X-Stub-Fixture"
"""Request header that names the fixture for a world that the request creates."""
REQUEST_HEADER = "X-Stub-Request"
"""Response header with the request's id in the journal."""
SWITCH_COOKIE = "stub-fault"
"""Cookie that switches on faults for the requests that carry it."""
CONTROL = "/__stub/"
"""Path prefix of the control plane."""
METRICS = f"{CONTROL}metrics"
"""Path of the metrics."""
EVENTS = f"{CONTROL}events"
"""Path of the events of a world."""
METRICS_ALIAS = "/metrics"
"""Where Prometheus looks for them."""
PRODUCT = "course-stubserver"
"""What the server calls itself."""

_BASE = "/~"
BASE_PATH = re.compile(rf"{_BASE}([^/]*)")
"""Matches a base path, which names a world in front of a path; the group is the world's name."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that are only reachable from this machine."""
LOCAL_HOST = r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"
"""Pattern for such a host in a URL or a Host header, with an optional port."""


TOKEN_PREFIX = "stub-"  # noqa: S105 (of tokens that are public)
"""What the tokens of the fixtures that ship with the package begin with, and what may be left out of them."""


def base_path(world: str) -> str:
    """The path prefix that names a world."""
    return f"{_BASE}{world}"


def bearer_token(header: str) -> str:
    """The token in an Authorization header; empty if there is none (R002)."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Name and password in an Authorization header with the scheme Basic; None for any other header. Raises ValueError
    if they are not base64 of UTF-8."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    name, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    return name, password


def path_fits(path: str, pattern: str) -> bool:
    """Whether a path matches a pattern, in which * stands for any text."""
    return fnmatchcase(path, re.sub(r"([\[?])", r"[\1]", pattern))
