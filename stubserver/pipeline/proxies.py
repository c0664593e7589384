"""Behind proxies: the address at which clients reach the server, with which absolute URLs in answers begin.

It is the public URL that the server was started with (`--public-url`), or else what trusted proxies tell
(`--forwarded-allow-ips`), or else what the Host header says. By default no proxy is trusted, because anybody can send
such headers, and anything on this machine can send them from a loopback address.

Of several values of a header, the last one counts: the nearest proxy has added it. `Forwarded` (RFC 7239) counts only
without any `X-Forwarded-Proto`, `-Host`, `-Port` and `-Prefix`, because proxies that set these pass `Forwarded` on as
clients sent it. A malformed value counts as none.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.request import parse_http_list

from stubserver.pipeline.cors import corrected, is_origin
from stubserver.settings import Settings

HOST = re.compile(r"(?P<name>[\w.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
"""Valid Host headers; with any other, absolute URLs use the server's own address."""
_PREFIX = re.compile(r"(/(?!\.{1,2}(/|\Z))[\w.~-]+)*", re.ASCII)
"""Valid path prefixes, without a slash at the end."""
_FORWARDED = {"x-forwarded-proto": "proto", "x-forwarded-host": "host", "x-forwarded-port": "port"}
_FORWARDED |= {"x-forwarded-prefix": "prefix"}
"""Headers of proxies, and what they tell."""
_PORT = re.compile(r":[0-9]+\Z", re.ASCII)
_VALID = {
    "proto": re.compile("https?"),
    "host": HOST,
    "port": re.compile("[1-9][0-9]{0,4}", re.ASCII),
    "prefix": _PREFIX,
}
_QUOTED = re.compile(r'\A"(.*)"\Z')
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_URL = re.compile(r"([^:/?#]*)://([^/?#]*)([^?#]*)(.*)", re.DOTALL)


class Address(NamedTuple):
    """Where clients reach the server."""

    origin: str
    """Scheme and host."""
    prefix: str = ""
    """Path prefix that a proxy takes away, without a slash at the end."""

    @property
    def host(self) -> str:
        """The host, with its port."""
        return self.origin.partition("://")[2]


class Addresses:
    """Finds out at which address the client of a request reaches the server."""

    def __init__(self, settings: Settings) -> None:
        """Raises ValueError for an unusable public URL, and for proxies that are no addresses."""
        self.public = None if settings.public_url is None else _public(str(settings.public_url))
        """The address that the server was started with, if any; all URLs begin with it."""
        self._proxies = _Networks(settings.forwarded_allow_ips)

    def used(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Address:
        """The address that the client has used."""
        told = _told(headers) if (scope.get("client") or ("",))[0] in self._proxies else {}
        scheme = told.get("proto", scope.get("scheme", "http"))
        host = told.get("host") or _host(scope, headers.get("host", ""))
        port = told.get("port", "")
        if port and port != _DEFAULT_PORTS[scheme] and not _PORT.search(host):
            host += f":{port}"
        return Address(f"{scheme}://{host}", told.get("prefix", ""))


class _Networks:
    """Addresses of proxies."""

    def __init__(self, text: str | None) -> None:
        """`text` lists addresses and networks, separated by commas, or is `*` for all; None for none. Raises
        ValueError."""
        self._all = text is not None and text.strip() == "*"
        parts = [] if text is None or self._all else text.split(",")
        self._networks = [_network(part.strip()) for part in parts]

    def __contains__(self, peer: str) -> bool:
        if self._all or not self._networks:
            return self._all
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:  # a Unix socket
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        message = f"{text!r} is not an address such as 10.0.0.7, a network such as 10.0.0.0/8, or * alone: {error}"
        raise ValueError(f"--forwarded-allow-ips: {message}") from None


def _told(headers: Mapping[str, str]) -> Mapping[str, str]:
    """What the nearest proxy tells, as far as it is valid: proto, host, port, prefix."""
    told = {part: headers[name].rpartition(",")[2].strip() for name, part in _FORWARDED.items() if name in headers}
    told = told or _standard(headers.get("forwarded", ""))
    told = {**told, "proto": told.get("proto", "").lower(), "prefix": told.get("prefix", "").rstrip("/")}
    return {name: text for name, text in told.items() if _VALID[name].fullmatch(text)}


def _standard(header: str) -> dict[str, str]:
    """The host and the scheme in the last element of a Forwarded header (RFC 7239)."""
    pairs = (pair.partition("=") for last in parse_http_list(header)[-1:] for pair in last.split(";"))
    told = {name.strip().lower(): _QUOTED.sub(r"\1", text.strip()) for name, _, text in pairs}
    return {name: told[name] for name in ("proto", "host") if name in told}


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
