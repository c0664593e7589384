"""Behind proxies: the address at which clients reach the server, with which absolute URLs in answers begin.

It is the public URL that the server was started with (`--public-url`), or else what the Host header says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stubserver.pipeline.cors import corrected, is_origin
from stubserver.settings import Settings

HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?", re.ASCII)
"""Valid Host headers; with any other, absolute URLs use the server's own address."""
_PREFIX = re.compile(r"(/(?!\.{1,2}(/|\Z))[\w.~-]+)*", re.ASCII)
"""Valid path prefixes, without a slash at the end."""
_URL = re.compile(r"([^:/?#]*)://([^/?#]*)([^?#]*)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where clients reach the server."""

    origin: str
    """Scheme and host."""
    prefix: str = ""
    """Path prefix that a proxy takes away, without a slash at the end."""


class Addresses:
    """Finds out at which address the client of a request reaches the server."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError for an unusable public URL."""
        self.public = None if settings.public_url is None else _public(str(settings.public_url))
        """The address that the server was started with, if any; all URLs begin with it."""

    def used(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Address:
        """The address that the client has used."""
        return Address(f"{scope.get('scheme', 'http')}://{_host(scope, headers.get('host', ''))}")


def _public(url: str) -> Address:
    """The address that a public URL means. Raises ValueError."""
    found = _URL.fullmatch(url)
    scheme, host, path, more = found.groups() if found else ("", "", "", "")
    origin = f"{scheme}://{host}"
    mistakes = {
        "its scheme must be http or https": scheme.lower() not in ("http", "https"),
        "it must not name a user": "@" in host,
        "it must have no query and no fragment": bool(more),
        f"write its beginning as {corrected(origin) or 'https://dev.example'}": not is_origin(origin),
        "its path may have only letters, digits and ._~- between slashes": not _PREFIX.fullmatch(path.rstrip("/")),
    }
    for mistake, is_made in mistakes.items():
        if is_made:
            raise ValueError(f"--public-url: {url[:200]!r} is not a URL such as https://dev.example/stub: {mistake}")
    return Address(origin, path.rstrip("/"))


def _host(scope: Mapping[str, Any], host: str) -> str:
    """The host as the client knows it; the server's own address if the Host header is invalid."""
    if HOST.fullmatch(host):
        return host
    address, port = scope.get("server") or ("localhost", None)
    return (f"[{address}]" if ":" in address else address) + (f":{port}" if port else "")
