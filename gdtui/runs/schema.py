"""Schema: the store's tables, and how a store of an earlier version becomes one of this version."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

FIRST = """
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    parent TEXT,              -- the run that it went another way from
    created REAL NOT NULL,    -- seconds since 1970, as is the heartbeat
    folder TEXT NOT NULL,     -- where the experiment's relative file names begin
    experiment TEXT NOT NULL, -- the settings at the start, as one line
    settings TEXT NOT NULL,   -- and now
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    updates INTEGER NOT NULL,
    visited INTEGER NOT NULL,
    seconds REAL NOT NULL,
    loss REAL,
    theta BLOB NOT NULL,      -- float64, as all numbers in blobs
    samples INTEGER NOT NULL,
    parameters TEXT NOT NULL, -- their names, JSON
    stride INTEGER NOT NULL,  -- epochs between two checkpoints
    span INTEGER NOT NULL,    -- epochs that share two rows of the history
    pending BLOB NOT NULL,    -- history rows that are not settled yet
    pending_epochs INTEGER NOT NULL,
    host TEXT,                -- who makes it; null where nobody does
    process TEXT,
    owner TEXT,
    heartbeat REAL
);
CREATE INDEX run_created ON run (created);
CREATE TABLE event (
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at_update INTEGER NOT NULL,
    at_epoch REAL NOT NULL,
    setting TEXT NOT NULL,
    before TEXT NOT NULL,     -- JSON
    after TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE piece (          -- rows of numbers, 8 bytes each, in pieces as they came
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    kind TEXT NOT NULL,       -- history (its settled rows), tracked, checkpoints
    first INTEGER NOT NULL,   -- the number of its first row
    width INTEGER NOT NULL,   -- numbers in a row
    numbers BLOB NOT NULL,
    PRIMARY KEY (run, kind, first)
);
"""

LABELS = """
ALTER TABLE run ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX run_name ON run (name) WHERE name != '';
"""

# A checksum of what changes in a run's row, and of each piece's numbers; the whole state at the end of the last epoch.
# Null where an earlier version wrote them.
SEALS = """
ALTER TABLE run ADD COLUMN seal INTEGER;
ALTER TABLE run ADD COLUMN newest BLOB;
ALTER TABLE piece ADD COLUMN seal INTEGER;
"""

# What other programs train. Its values are pieces of kind 'values': number of the name, step, epoch, seconds, value; as
# many as were visited. The newest piece grows while it is short. An event's epoch is -1 where it is not known.
TRAININGS = """
ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'descent';
ALTER TABLE run ADD COLUMN config TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN wanted TEXT;
CREATE TABLE value_name (
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE TABLE moment (
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number INTEGER NOT NULL,
    step INTEGER NOT NULL,
    epoch REAL,
    seconds REAL NOT NULL,
    samples BLOB NOT NULL,
    numbers BLOB NOT NULL,
    labels TEXT NOT NULL,
    instruments TEXT NOT NULL,
    seal INTEGER,             -- a checksum of both blobs
    PRIMARY KEY (run, number)
);
CREATE TABLE line (
    run TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
"""

# Many runs at once. A run of a sweep has the sweep's id and a number of its own in its id; `turn` counts the sweep's
# writes, so that what is new since an earlier look can be read alone. A failure is a run that could not be begun.
SWEEPS = """
CREATE TABLE sweep (
    id TEXT PRIMARY KEY,
    created REAL NOT NULL,
    folder TEXT NOT NULL,
    points TEXT NOT NULL,     -- what is swept, JSON
    total INTEGER NOT NULL,   -- how many runs that is
    turn INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    host TEXT,                -- who makes it; null where nobody does
    process TEXT,
    owner TEXT,
    heartbeat REAL
);
CREATE TABLE failure (
    sweep TEXT NOT NULL REFERENCES sweep ON DELETE CASCADE,
    experiment TEXT NOT NULL,
    turn INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (sweep, experiment)
) WITHOUT ROWID;
ALTER TABLE run ADD COLUMN sweep TEXT REFERENCES sweep ON DELETE CASCADE;
ALTER TABLE run ADD COLUMN turn INTEGER;
CREATE INDEX run_sweep ON run (sweep, turn) WHERE sweep IS NOT NULL;
"""

MIGRATIONS = (FIRST, LABELS, SEALS, TRAININGS, SWEEPS)
"""What makes each version from the one before, beginning with nothing."""

VERSION = len(MIGRATIONS)


def migrate(connection: Connection) -> None:
    """Bring a store to this version; one that is there already is left alone.

    Raises:
        sqlite3.Error: if the store cannot be written.
    """
    if version(connection) >= VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in MIGRATIONS[version(connection) :]:  # another process may have done it meanwhile
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()  # unless SQLite has done it already
        raise


def version(connection: Connection) -> int:
    """The version of a store; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
