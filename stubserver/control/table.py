"""Tables: the rows of a world, beside those of its fixture."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, product
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import ROW_KINDS, Call
from stubserver.control.row_view import key_text, shown_row
from stubserver.control.server_parts import ServerParts
from stubserver.errors import refusal
from stubserver.suggestions import unknown
from stubserver.worlds.base import Key
from stubserver.worlds.snapshot import TABLES
from stubserver.worlds.table import Table

MAX_KEYS = 100
"""How many rows that belong to another are named."""
_MAX_DIGITS = 18
"""Maximum number of digits in a part of a key that is a number."""
_OWNERS = {f"{name}_id": kind.table for name, kind in ROW_KINDS.items()} | {
    "parent": "comments",
    "upload_id": "uploads",
}
"""Field with an index -> the table of the rows that it names."""


def list_tables(call: Call, parts: ServerParts) -> Listing:
    """All tables of the world, each with how many of its rows differ from the fixture."""
    return Listing(list(call.world.tables.values()), _counts)


def list_rows(call: Call, parts: ServerParts) -> Listing:
    """The rows of a table, deleted ones included. Raises a 404 refusal if there is no such table."""
    table, secrets = _table(call), parts.contract.secrets
    keys = list(table.differences) if call.query["differs"] else _Keys(table)
    return Listing(keys, lambda key: _view(table, key, secrets))


def get_row(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """A row, with the keys of what belongs to it. Raises a 404 refusal if neither world nor fixture has it."""
    table, text = _table(call), call.ids["row"]
    for key in _keys(table, text):
        if key in table.base.rows or key in table.differences:
            view = _view(table, key, parts.contract.secrets)
            return {**view, "belongs": list(_belongs(call, table, key))}
    raise refusal(404, f"The table {table.name} of world {call.world.name} has no row {text[:60]!r}, nor its fixture.")


def _table(call: Call) -> Table:
    name, tables = call.ids["table"], call.world.tables
    if name not in tables:
        raise refusal(404, unknown("table", name, tables))
    return tables[name]


def _counts(table: Table) -> Mapping[str, Any]:
    differences, base = table.differences, table.base.rows
    deleted = sum(row is None for row in differences.values())
    added = sum(key not in base for key in differences)
    changed = len(differences) - added - deleted
    return {"name": table.name, "rows": len(table), "added": added, "changed": changed, "deleted": deleted}


class _Keys:
    """All keys of a table in the order of the fixture, and those that it does not have; only a page of them is read."""

    def __init__(self, table: Table) -> None:
        self._base = table.base.rows
        self._added = [key for key in table.differences if key not in self._base]

    def __len__(self) -> int:
        return len(self._base) + len(self._added)

    def __getitem__(self, part: slice) -> Iterable[Key]:
        return islice(chain(self._base, self._added), part.start, min(part.stop, len(self)))


def _view(table: Table, key: Key, secrets: frozenset[str]) -> Mapping[str, Any]:
    before, after = table.base.rows.get(key), table.get(key)
    return {
        "key": key_text(key),
        "difference": _difference(table, key),
        "row": shown_row(table.name, after, secrets),
        "fixture": shown_row(table.name, before, secrets),
    }


def _difference(table: Table, key: Key) -> str:
    if key not in table.differences:
        return "none"
    if table.differences[key] is None:
        return "deleted"
    return "changed" if key in table.base.rows else "added"


def _keys(table: Table, text: str) -> Iterator[Key]:
    """The keys that the text may stand for: each of its parts may be a number or a name."""
    fields = TABLES[table.name][0]
    if len(fields) == 1:
        yield from _values(text)
    elif len(parts := text.split(",")) == len(fields):
        yield from product(*map(_values, parts))


def _values(text: str) -> Sequence[Any]:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return [int(text), text] if is_number else [text]


def _belongs(call: Call, owner: Table, key: Key) -> Iterator[Mapping[str, Any]]:
    """The tables with rows that name this one in a field with an index."""
    for table in call.world.tables.values():
        for field in table.base.readers:
            names_owner = isinstance(field, str) and _OWNERS.get(field) == owner.name
            if names_owner and (found := table.keys(field, key)):
                keys = [key_text(one) for one in found[:MAX_KEYS]]
                yield {"table": table.name, "field": field, "count": len(found), "keys": keys}
