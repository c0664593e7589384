"""What recorded answers have told about a community, gathered by table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
_EMPTY: tuple[Any, ...] = ("", None, [])


def as_id(value: Any) -> int:
    """The value, if it is an id. Raises TypeError."""
    if type(value) is not int:
        raise TypeError(value)
    return value


@dataclass
class Known:
    """What is known of a community."""

    tables: dict[str, dict[Any, Row]] = field(default_factory=dict)
    """Table -> key -> what is known of the row."""
    orders: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """Table and id of the parent -> the ids of the rows there, in order."""
    callers: dict[str, int] = field(default_factory=dict)
    """Credential -> the user whom it stands for."""
    tokens: dict[int, str] = field(default_factory=dict)
    """User -> a token, if the recording names one."""
    preferences: Row = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    deleted: set[tuple[str, int]] = field(default_factory=set)
    hidden: dict[str, set[Any]] = field(default_factory=dict)
    """What answers count without showing it -> which."""
    nameless: int = 0
    """Answers about a caller of whom nothing is known."""

    def row(self, table: str, key: Any) -> Row:
        """What is known of a row, to be added to. Raises TypeError if the key does not consist of ids."""
        for part in key if isinstance(key, tuple) else (key,):
            as_id(part)
        return self.tables.setdefault(table, {}).setdefault(key, {})

    def learn(self, table: str, key: Any, facts: Mapping[str, Any]) -> Row:
        """Add facts; the newest counts, but an empty value says less than another one: not everybody sees all."""
        row = self.row(table, key)
        row.update({name: value for name, value in facts.items() if value not in _EMPTY or row.get(name) in _EMPTY})
        return row
