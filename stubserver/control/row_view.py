"""Rows as the control plane shows them: as they are stored, without credentials and without the content of files."""

from collections.abc import Collection, Iterable
from typing import Any

import orjson

from stubserver.records.journal import REDACTED, described
from stubserver.worlds.base import Key, Row
from stubserver.worlds.snapshot import FILES
from stubserver.worlds.table import Change

Changed = dict[tuple[str, Key], tuple[Row | None, Row | None]]
"""Table and key -> the row before and after."""


def key_text(key: Key) -> str:
    """A key as text, its parts joined by commas."""
    return ",".join(map(str, key)) if isinstance(key, tuple) else str(key)


def plain(row: Row, secrets: Collection[str]) -> dict[str, Any]:
    """The row as JSON, without credentials."""
    known = {name: REDACTED if name in secrets and value is not None else value for name, value in row.items()}
    shown: dict[str, Any] = orjson.loads(orjson.dumps(known, default=lambda digest: digest.hexdigest()))
    return shown


def shown_row(table: str, row: Row | None, secrets: Collection[str]) -> dict[str, Any] | None:
    """A stored row as JSON; of a file, it has only the size."""
    if row is None:
        return None
    return plain((described(row) if table in FILES else row) or {}, secrets)


def changed_rows(changes: Iterable[Change]) -> Changed:
    """The rows before the first and after the last of their changes."""
    rows: Changed = {}
    for change in changes:
        which = change.table.name, change.key
        before, _ = rows.get(which, (change.before, None))
        rows[which] = before, change.after
    return rows
