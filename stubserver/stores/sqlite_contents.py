"""The keys and values of the documents in a file of SQLite, and the last commits of each. All writing is done within a
transaction, and so is all reading that must fit together."""

from collections.abc import Mapping, Sequence

from stubserver.stores.sqlite_file import SqliteFile
from stubserver.stores.store import LOGGED, Commit, Version, packed


class SqliteContents:
    """The contents of all documents."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def whole(self, name: str) -> Mapping[str, bytes]:
        """All keys and values of a document."""
        return dict(self._file.all("SELECT key, value FROM contents WHERE name = ?", name))

    def since(self, name: str, known: Version | None, version: Version) -> Sequence[bytes]:
        """The commits after a known version; none if one of them is no longer remembered."""
        if known is None or known.life != version.life:
            return ()
        since = "SELECT changes FROM commits WHERE name = ? AND number > ? ORDER BY number"
        rows = self._file.all(since, name, known.number)
        return [changes for (changes,) in rows] if len(rows) == version.number - known.number else ()

    def change(self, commit: Commit, version: Version) -> None:
        """Store the changes of a commit, and remember them."""
        if not commit.changes:
            return
        name, changes = commit.name, commit.changes
        gone = [(name, key) for key, value in changes.items() if value is None]
        self._file.many("DELETE FROM contents WHERE name = ? AND key = ?", gone)
        kept = ((name, key, value) for key, value in changes.items() if value is not None)
        put = "INSERT INTO contents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
        self._file.many(put, kept)
        if not commit.whole:
            self._file.all("INSERT INTO commits VALUES (?, ?, ?)", name, version.number, packed(changes))
        if version.number % LOGGED == 0:
            self._file.all("DELETE FROM commits WHERE name = ? AND number <= ?", name, version.number - LOGGED)
