//! The tables of the catalog, and how those of an older version become those of this one.
//!
//! SQLite's `user_version` is the number of migrations that a catalog has seen. One that is not there
//! yet sees them all. Migrations are never edited, only added to: the last lines of a list.

use rusqlite::Connection;

use super::environments;

/// Brings a catalog to the newest version. Each migration happens as a whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let seen: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if seen as usize > MIGRATIONS.len() {
        let what = format!(
            "version {seen} is newer than {}, which this one knows",
            MIGRATIONS.len()
        );
        return Err(rusqlite::Error::InvalidParameterName(what));
    }
    for (number, migration) in (0_u32..).zip(MIGRATIONS).skip(seen as usize) {
        let transaction = connection.transaction()?;
        if number == 0 {
            // Catalogs of before there were versions have these.
            transaction.execute_batch(TABLES)?;
            transaction.execute_batch(environments::SCHEMA)?;
        }
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

const MIGRATIONS: [&str; 6] = [
    "
ALTER TABLE segments ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN rows_crc32c INTEGER;  -- of the Parquet file; null if it is older

CREATE TABLE retired (                 -- files that nothing refers to and that are to be deleted
    id INTEGER PRIMARY KEY,
    signal TEXT NOT NULL
) STRICT;
",
    "
CREATE TABLE rollups (                 -- what segments of spans sum up to by the minute
    id INTEGER PRIMARY KEY,            -- of the segment, which may be gone
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    spans INTEGER NOT NULL,            -- those of the segment but copies
    others INTEGER NOT NULL,           -- of them those whose names did not fit
    first_nanos INTEGER NOT NULL,      -- the first minute
    last_nanos INTEGER NOT NULL,       -- the last one
    crc32c INTEGER NOT NULL            -- of the file
) STRICT;
",
    "
ALTER TABLE segments ADD COLUMN census_bytes INTEGER;  -- null where none was taken
ALTER TABLE segments ADD COLUMN census_crc32c INTEGER;
",
    "
DELETE FROM rollups WHERE id NOT IN (SELECT id FROM segments);  -- they go with their rows now
",
    "
ALTER TABLE segments ADD COLUMN edges_bytes INTEGER;  -- null where they were not counted
ALTER TABLE segments ADD COLUMN edges_crc32c INTEGER;
ALTER TABLE segments ADD COLUMN costs_bytes INTEGER;  -- the same of costs; 0 where there are none
ALTER TABLE segments ADD COLUMN costs_crc32c INTEGER;
",
    "
ALTER TABLE segments ADD COLUMN links_bytes INTEGER;  -- null where there is no index of links
ALTER TABLE segments ADD COLUMN links_crc32c INTEGER;
",
];

/// As they were before there were versions.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS checkpoint (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL
) STRICT;
INSERT OR IGNORE INTO checkpoint (one, generation) VALUES (1, 0);

CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY,            -- generation << 16 | number in it
    signal TEXT NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,            -- with the index
    traces INTEGER NOT NULL,
    first_nanos INTEGER NOT NULL,      -- start of the oldest trace; time of the oldest log or point
    last_nanos INTEGER NOT NULL,       -- the same of the newest
    end_nanos INTEGER NOT NULL,        -- end of the span that ended last
    max_duration_nanos INTEGER NOT NULL,
    errors INTEGER NOT NULL,           -- spans that failed
    max_severity INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS segment_services (
    segment_id INTEGER NOT NULL REFERENCES segments (id),
    name TEXT NOT NULL,
    rows INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    last_seen_nanos INTEGER NOT NULL,
    operations TEXT NOT NULL,          -- JSON list
    PRIMARY KEY (segment_id, name)
) STRICT, WITHOUT ROWID;
";

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(connection: &Connection) -> Vec<String> {
        let mut select = connection
            .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn an_older_catalog_becomes_what_a_new_one_is() {
        let mut new = Connection::open_in_memory().unwrap();
        migrate(&mut new).unwrap();
        let mut old = Connection::open_in_memory().unwrap();
        old.execute_batch(TABLES).unwrap();
        old.execute_batch(environments::SCHEMA).unwrap();
        old.execute_batch(
            "INSERT INTO segments VALUES (65536, 'traces', 1, 2, 3, 4, 5, 6, 7, 8, 9)",
        )
        .unwrap();
        migrate(&mut old).unwrap();
        assert_eq!(columns(&old), columns(&new));
        let (level, crc): (u8, Option<u32>) = old
            .query_row("SELECT level, rows_crc32c FROM segments", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((level, crc), (0, None));
        migrate(&mut old).unwrap();
    }

    #[test]
    fn a_newer_catalog_is_refused() {
        let mut newer = Connection::open_in_memory().unwrap();
        newer.pragma_update(None, "user_version", 999).unwrap();
        let error = migrate(&mut newer).unwrap_err();
        assert!(
            error.to_string().contains("version 999 is newer"),
            "{error}"
        );
    }
}
