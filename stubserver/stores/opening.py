"""Which store a URL stands for. Messages do not repeat URLs, which may have passwords."""

import re
from urllib.parse import parse_qsl, urlencode

from stubserver.settings import MEMORY
from stubserver.stores.store import Store
from stubserver.suggestions import did_you_mean

_KINDS = {
    "memory": MEMORY,
    "sqlite": "sqlite:PATH",
    "redis": "redis://HOST:PORT/DB",
    "rediss": "rediss://HOST:PORT/DB",
    "unix": "unix:///PATH",
}
"""Scheme -> how the URL is written."""
_OWN = "prefix", "ttl"
"""The options of a URL of Redis that are not those of a connection."""
PREFIX = "stub"
"""What the names of keys begin with in Redis, unless the URL says otherwise."""
WEEK, CENTURY = 7 * 24 * 3600, 100 * 365 * 24 * 3600
"""How long keys live in Redis after their last use, unless the URL says otherwise, and at most; in seconds."""


def store_at(url: str, max_requests: int) -> Store | None:
    """The store at a URL, not yet opened, whose journals keep `max_requests` entries; None for memory. Raises
    ValueError, with one line, for a URL that cannot be."""
    kind, colon, rest = url.partition(":")
    if url == MEMORY:
        return None
    if kind == "sqlite":
        from stubserver.stores.sqlite import SqliteStore  # loaded only where it is used, as the other one

        return SqliteStore(_path(rest), max_requests)
    if kind in ("redis", "rediss", "unix") and rest.startswith("//"):
        from stubserver.stores.redis import RedisStore

        plain, prefix, ttl = _options(url)
        return RedisStore(plain, max_requests, prefix, ttl)
    if kind in _KINDS:
        raise ValueError(f"a store of this kind is written as {_KINDS[kind]}")
    named = f"{kind[:20]!r} is no kind of store" if colon else "a store is named by a URL"
    near = did_you_mean(kind.lower(), _KINDS) if colon or len(kind) < 10 else ""
    raise ValueError(f"{named}: use one of {', '.join(_KINDS.values())}.{near}")


def _path(rest: str) -> str:
    """The path of a file. Raises ValueError."""
    path = rest.removeprefix("//")
    if not path:
        raise ValueError(f"a store in a file needs its path: {_KINDS['sqlite']}")
    if path == ":memory:":
        raise ValueError(f"what SQLite keeps in memory is for one connection: use {MEMORY}")
    if "?" in path:
        raise ValueError("a store in a file has no options, and its path has no question mark")
    return path


def _options(url: str) -> tuple[str, str, int]:
    """The URL without our own options, and these. Raises ValueError."""
    before, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    own = dict(pair for pair in pairs if pair[0] in _OWN)
    rest = [pair for pair in pairs if pair[0] not in own]
    if len(own) + len(rest) < len(pairs):
        raise ValueError("prefix or ttl is there twice in the URL of a store")
    for name, _ in rest:
        if name != "cluster" and (near := did_you_mean(name, ("cluster", *_OWN))):
            raise ValueError(f"a store has no option {name[:20]!r}.{near}")
    prefix, ttl = own.get("prefix", PREFIX), own.get("ttl", str(WEEK))
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,100}", prefix):
        raise ValueError(
            f"prefix={prefix[:20]!r} cannot begin the names of keys: use up to 100 letters, digits and any of . _ : -"
        )
    if not re.fullmatch(r"[0-9]{1,10}", ttl) or not 1 <= int(ttl) <= CENTURY:
        raise ValueError(f"ttl={ttl[:20]!r} is not a number of seconds from 1 to {CENTURY}")
    return before + (f"?{urlencode(rest)}" if rest else ""), prefix, int(ttl)
