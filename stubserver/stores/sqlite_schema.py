"""The tables of a file of SQLite that keeps worlds."""

# Only tables of small rows are without rowids: of others, such a table has no more than four on a page.
SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    place INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, version TEXT, asked INT, used REAL, held INT,
    journal INT DEFAULT 0, entries INT DEFAULT 0, forgotten TEXT DEFAULT '{}', spilled INT DEFAULT 0
);
CREATE TABLE IF NOT EXISTS contents (name TEXT, key TEXT, value BLOB, PRIMARY KEY (name, key));
CREATE TABLE IF NOT EXISTS commits (name TEXT, number INT, changes BLOB, PRIMARY KEY (name, number));
CREATE TABLE IF NOT EXISTS journal (
    name TEXT, number INT, count INT, size INT, entries BLOB, PRIMARY KEY (name, number)
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (id INTEGER PRIMARY KEY, counts BLOB);
CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY, documents INT, held INT, journal INT);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON documents BEGIN
    UPDATE totals SET documents = documents + 1, held = held + new.held, journal = journal + new.journal;
END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE OF held, journal ON documents BEGIN
    UPDATE totals SET held = held + new.held - old.held, journal = journal + new.journal - old.journal;
END;
CREATE TRIGGER IF NOT EXISTS deleted AFTER DELETE ON documents BEGIN
    UPDATE totals SET documents = documents - 1, held = held - old.held, journal = journal - old.journal;
END;
CREATE TABLE IF NOT EXISTS origin (id INTEGER PRIMARY KEY, name BLOB);
INSERT OR IGNORE INTO origin VALUES (1, randomblob(16));
CREATE TABLE IF NOT EXISTS lost (id INTEGER PRIMARY KEY, name TEXT UNIQUE, reason TEXT, number INT);
"""
