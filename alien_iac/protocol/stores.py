"""The files behind `local` Kv and Queue: what the plugin lays out when it makes one, and the runtime reads and writes.

Both are SQLite in WAL mode. A Storage is a plain folder, and the secret file has a module of its own.

Queue, one file: `meta` holds its settings (`queue_settings`), `messages` what waits or is in work, `dead_letters` what
was received `max_receives` times in vain. Instants are whole milliseconds of the Unix clock. A message is in work while
`visible_at` lies ahead; `receipt` is the one of its newest receive.

Kv, one folder with `localkv.sqlite`: the layout `localkv.v2` that the public `alienplatform` SDK reads as well.
"""

import hashlib

SET_META = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
"""Writes one setting; takes (key, value)."""
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 10000")
"""What every connection to one of these files begins with: an acknowledged write survives a kill and a power cut."""

QUEUE_FORMAT = "alien-queue.v1"
QUEUE_DDL = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payload_type TEXT NOT NULL CHECK (payload_type IN ('json', 'text')),
    payload TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    receipt TEXT UNIQUE,
    trace TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (visible_at, id);
CREATE INDEX IF NOT EXISTS messages_by_age ON messages (sent_at);
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY,
    payload_type TEXT NOT NULL,
    payload TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    dead_at INTEGER NOT NULL
) STRICT;
"""
"""A script that makes what is missing and leaves the rest as it is."""

ADD_TRACE = "ALTER TABLE messages ADD COLUMN trace TEXT"
"""Brings the file of an earlier version to this one."""

KV_FILE = "localkv.sqlite"
KV_FORMAT = "localkv.v2"
KV_DDL = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER, version TEXT NOT NULL);
INSERT OR IGNORE INTO meta (key, value) VALUES ('format', 'localkv.v2');
"""
"""A script that makes what is missing and leaves the rest as it is. `expires_at` is in milliseconds, or null."""


def token_hash(token: str) -> str:
    """The form in which a queue's file keeps its token: the hex SHA-256 of its UTF-8 bytes, stripped of white space."""
    return hashlib.sha256(token.strip().encode()).hexdigest()


def queue_settings(
    *, name: str, visibility_seconds: int, max_receives: int, retention_seconds: int, token: str
) -> tuple[tuple[str, str], ...]:
    """The rows of a queue's `meta` table, for `SET_META`."""
    return (
        ("format", QUEUE_FORMAT),
        ("name", name),
        ("visibility_seconds", str(visibility_seconds)),
        ("max_receives", str(max_receives)),
        ("retention_seconds", str(retention_seconds)),
        ("token_sha256", token_hash(token)),
    )
