"""A URL of Redis: where the server is, how to log in there, which database, which TLS."""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio.connection import RedisSSLContext
from redis.asyncio.connection import parse_url as redis_parse_url
from redis.exceptions import RedisError

from stubserver.suggestions import unknown

CLIENT_NAME = "stubserver"
"""Under this name, CLIENT LIST of the server shows our connections."""
_SCHEMES = ("redis", "rediss", "unix")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_OPTIONS = (
    *_FILES,
    *("ssl_ca_data", "ssl_ca_path", "ssl_cert_reqs", "ssl_check_hostname", "ssl_ciphers"),
    *("ssl_exclude_verify_flags", "ssl_include_verify_flags", "ssl_min_version", "ssl_password"),
)
_OPTIONS = ("db", "password", "username")
_ENCODE = "Characters such as / ? # @ in a password have to be percent-encoded."
_HOST = f"The host of this URL of Redis cannot be. {_ENCODE}"

Made = TypeVar("Made", bound=asyncio.BaseProtocol)


@dataclass(frozen=True)
class Address:
    """Where a server is, and how to log in there. As text, it is what messages call the server; it shows no secret."""

    host: str = "localhost"
    port: int = 6379
    path: str | None = None
    """The Unix socket, which replaces host and port."""
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"Redis at {self.path}"
        return f"Redis at [{self.host}]:{self.port}" if ":" in self.host else f"Redis at {self.host}:{self.port}"

    async def connect(self, factory: Callable[[], Made]) -> None:
        """Connect a protocol of asyncio. Raises OSError, ssl.SSLError among them."""
        loop = asyncio.get_running_loop()
        if self.path is not None:
            await loop.create_unix_connection(factory, self.path)
        else:
            await loop.create_connection(factory, self.host, self.port, ssl=self.tls)

    def greeting(self) -> list[tuple[str, ...]]:
        """The commands to begin with. The name is always among them, so whatever is no Redis is found out at once."""
        commands: list[tuple[str, ...]] = []
        if self.username:
            commands.append(("AUTH", self.username, self.password or ""))
        elif self.password:
            commands.append(("AUTH", self.password))
        if self.db:
            commands.append(("SELECT", str(self.db)))
        return [*commands, ("CLIENT", "SETNAME", CLIENT_NAME)]


def read_url(url: str) -> Address:
    """The address that a URL stands for: redis://, rediss:// (TLS) or unix://, with the options of redis-py that are
    about the login, the database and TLS. Loads certificates, and opens no connection.

    Raises ValueError, with one line that shows no secret, for a URL that cannot be."""
    parts = _split(url)
    options = _options(parts)
    try:
        found: dict[str, Any] = {**redis_parse_url(url)}
    except ValueError as error:  # of an option's value, which it does not show
        raise ValueError(str(error)) from None
    if found.setdefault("db", 0) < 0:
        raise ValueError("The database of a URL of Redis is a number from 0 up.")
    tls = _tls(options, found) if parts.scheme == "rediss" else None
    known = {"host", "port", "path", "db", "username", "password"}
    return Address(tls=tls, **{name: value for name, value in found.items() if name in known})


def _split(url: str) -> SplitResult:
    """The parts of a URL that redis-py will not misread. Raises ValueError for the first problem. It repeats nothing of
    the URL, since a password that is not encoded turns up in any part."""
    if not url.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        raise ValueError("A URL of Redis begins with redis://, rediss:// or unix://.")
    if re.search(r"[\s\x00-\x1f\x7f#]|%00", url):
        raise ValueError(f"A URL of Redis has no blanks, control characters or #. {_ENCODE}")
    try:
        parts = urlsplit(url)
    except ValueError:  # [ without ]
        raise ValueError(_HOST) from None
    for problem in _problems(parts):
        raise ValueError(problem)
    return parts


def _problems(parts: SplitResult) -> Iterator[str]:
    if not _is_port(parts):
        yield f"The port of a URL of Redis is a number from 1 to 65535. {_ENCODE}"
    if not _is_host(parts.hostname or ""):
        yield _HOST
    if parts.scheme == "unix" and (parts.hostname or len(parts.path) < 2):
        yield "A URL of a Unix socket is unix:// and an absolute path, as in unix:///run/redis.sock."
    if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", unquote(parts.path)):
        yield f"The path of a URL of Redis is the number of a database, as in redis://localhost:6379/0. {_ENCODE}"


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _is_host(name: str) -> bool:
    try:
        return len(unquote(name).encode("idna")) < 254
    except UnicodeError:
        return False


def _options(parts: SplitResult) -> dict[str, str]:
    """The options in the query. Raises ValueError for one that means nothing here."""
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(f"After ?, a URL of Redis has options, as in ?db=1. {_ENCODE}") from None
    known = (*_OPTIONS, *_TLS_OPTIONS) if parts.scheme == "rediss" else _OPTIONS
    for name, value in pairs:
        if name in _TLS_OPTIONS and name not in known:
            raise ValueError(f"The option {name} of a URL of Redis is for rediss://.")
        if name not in known:
            raise ValueError(unknown("option of a URL of Redis", name, known))
        if not value:
            raise ValueError(f"The option {name} of this URL of Redis has no value.")
    if len(dict(pairs)) < len(pairs):
        raise ValueError("An option of this URL of Redis is there twice.")
    return dict(pairs)


def _tls(options: Mapping[str, str], found: Mapping[str, Any]) -> ssl.SSLContext:
    """What redis-py makes of the options about TLS; without any, certificates are verified."""
    for name in _FILES:
        if name in options and not Path(options[name]).is_file():
            raise ValueError(f"The option {name} of this URL of Redis names no file: {options[name]}.")
    given = {name.removeprefix("ssl_"): found[name] for name in options if name in _TLS_OPTIONS}
    try:
        return RedisSSLContext(**{"cert_reqs": "required", "check_hostname": True, **given}).get()
    except (OSError, ValueError, TypeError, RedisError) as error:
        raise ValueError(
            f"The options about TLS of this URL of Redis do not work: {str(error.args[-1]).removesuffix('.')}."
        ) from None
