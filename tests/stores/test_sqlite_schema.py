"""The tables of a file: they are made once, and later versions find them as they are."""

import sqlite3
from contextlib import closing

from stubserver.stores.sqlite_schema import SCHEMA


def test_the_schema_may_be_applied_again() -> None:
    """As each process does, to a file in use."""
    with closing(sqlite3.connect(":memory:")) as file:
        file.executescript(SCHEMA)
        file.execute("INSERT INTO documents (name, held, journal) VALUES ('a', 3, 4)")
        before = file.execute("SELECT name FROM origin").fetchall()
        file.executescript(SCHEMA)
        assert file.execute("SELECT documents, held, journal FROM totals").fetchall() == [(1, 3, 4)]
        assert file.execute("SELECT name FROM origin").fetchall() == before
