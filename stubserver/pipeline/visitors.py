"""Who may come in, on every path: keeps out what foreign pages make a browser send, before it touches a world.

Hosts. A page whose own domain was made to resolve to this machine (DNS rebinding) counts as a page of the server, and
the tokens of fixtures are public. But a browser sends the name that it has used. So what comes over a socket must name
localhost, an IP address (which nobody can rebind), or a host that the server was started with. If proxies are trusted,
that goes for both hosts: the one in the request, since a page can send what a proxy would, and the one that a proxy
tells. Clients that send no host are no browsers.

Sites. A page of another site can embed an address (`<img>`) or send a form without asking, and every new name of a
world makes one and may evict another. So what such a page sends is let in only if the page may call the API (CORS), if
the user has followed a link to a page, or if it is for something besides the API in a world that exists: a picture.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from stubserver.errors import refusal
from stubserver.pipeline.cors import may_call
from stubserver.pipeline.proxies import HOST
from stubserver.settings import Settings

_NAME = re.compile(r"[a-z0-9._-]+", re.ASCII)
_START = re.compile(r"\s*(?:[a-z]+://)?([a-z0-9._-]+)", re.ASCII)
"""Where a name may be in what was written instead."""
_ANY = "*"


class Visitors:
    """Decides which requests may come in."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError for an allowed host that is not a name."""
        _check(settings)
        named = {urlsplit(settings.public_url or "").hostname, *map(str.lower, settings.allowed_hosts)}
        self._names = {"localhost", *named}
        self._settings = settings

    def check_host(self, host: str) -> None:
        """Raises a 403 refusal unless the host, with or without a port, is one of the server's, or empty."""
        found = HOST.fullmatch(host.lower())
        name = found["name"] if found else ""
        if host and self._names.isdisjoint((name, _ANY)) and not _is_address(name.strip("[]")):
            raise refusal(
                403,
                f"This server does not answer to the host {host[:100]!r}, only to localhost, IP addresses and hosts "
                f"that it was started with. To add this one, start it with --allowed-host {name[:100] or 'NAME'}.",
            )

    def is_foreign(self, headers: Mapping[str, str]) -> bool:
        """Whether the headers are those of a page of another site that may not call the API."""
        return headers.get("sec-fetch-site") == "cross-site" and not may_call(self._settings, headers.get("origin"))


def is_followed(method: str, headers: Mapping[str, str]) -> bool:
    """Whether the user has followed a link, which no page can do for them in an image or a frame."""
    opened = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest", "document")
    return method in ("GET", "HEAD") and opened == ("navigate", "document")


def is_host(text: str) -> bool:
    """Whether it is the name or the IP address of a host, without anything around it."""
    return _NAME.fullmatch(text.lower()) is not None or _is_address(text)


def _check(settings: Settings) -> None:
    if isinstance(settings.allowed_hosts, str):
        raise ValueError(f"--allowed-host: {settings.allowed_hosts!r} must be in a tuple or list of names")
    for host in settings.allowed_hosts:
        if host != _ANY and not is_host(host):
            found = _START.match(host.lower())
            like = found[1] if found else "dev.example"
            raise ValueError(
                f"--allowed-host: {host!r} is not the name of a host: "
                f"write it as {like}, without scheme, port and path, or * for all"
            )


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
