"""Keeping the credentials of an exchange out of what is told about it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stubserver.checking.comparison import Difference
from stubserver.control.request_view import SECRET_HEADERS
from stubserver.records.journal import REDACTED

_SHORTEST = 6
"""Characters that a text must have to be taken for a credential wherever it occurs; shorter ones are hidden by name."""


def redacted(value: Any, names: Collection[str]) -> Any:
    """A value of JSON, without those of the fields that have one of these names."""
    if isinstance(value, list):
        return [redacted(part, names) for part in value]
    if not isinstance(value, dict):
        return value
    return {name: REDACTED if name in names else redacted(part, names) for name, part in value.items()}


class Hidden:
    """The credentials of one exchange."""

    def __init__(self, names: Collection[str], headers: Mapping[str, str], *values: Any) -> None:
        """`names` are those of fields with credentials, `headers` by lower-case name, `values` JSON of both sides."""
        found = {word for name in SECRET_HEADERS for word in _words(headers.get(name, ""))}
        for value in values:
            found.update(_named(value, names))
        self._secrets = sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text, without what is a credential in it."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def value(self, value: Any) -> Any:
        """The value of JSON, without what is a credential in its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(part) for part in value]
        return {name: self.value(part) for name, part in value.items()} if isinstance(value, dict) else value

    def difference(self, one: Difference) -> Difference:
        """The difference, without what is a credential in it."""
        return Difference(self.text(one.at), one.kind, self.text(one.expected), self.text(one.found))


def _words(header: str) -> Iterator[str]:
    """The parts of a header that may be credentials: what follows a scheme, and the values of cookies."""
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        yield from (value, part.strip().rpartition(" ")[2]) if equals else (name.rpartition(" ")[2],)


def _named(value: Any, names: Collection[str]) -> Iterator[str]:
    """All texts in the fields with these names."""
    waiting = [(value, False)]
    while waiting:
        part, is_secret = waiting.pop()
        if isinstance(part, dict):
            waiting += [(inner, is_secret or name in names) for name, inner in part.items()]
        elif isinstance(part, list):
            waiting += [(inner, is_secret) for inner in part]
        elif is_secret and part is not None:
            yield str(part)
