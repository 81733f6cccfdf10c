//! The catalog: which segments count, what is in them, and up to which generation the WAL is done.
//!
//! SQLite with its own WAL and `synchronous = FULL`: a commit is on disk when it returns. The
//! store is the only writer, and reads what is said of segments only when it is opened. What is
//! said of environments ([`environments`]) is not kept in memory: there may be millions.

pub(crate) mod environments;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row, Transaction, params};
use throughline_telemetry::{Signal, UnixNanos};

use crate::buffer::{Activities, ServiceStats, Services};
use crate::disk;
use crate::segment::{SegmentId, SegmentMeta};
use crate::snapshot::Segments;

/// The open catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    connection: Connection,
    path: PathBuf,
}

/// What the catalog says when it is opened.
#[derive(Debug)]
pub(crate) struct Contents {
    /// All rows of this and earlier generations are in segments.
    pub(crate) checkpoint: u64,
    pub(crate) segments: Segments,
}

impl Catalog {
    /// Opens the catalog, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        disk::catalog(path, || {
            let connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(SCHEMA)?;
            connection.execute_batch(environments::SCHEMA)?;
            Ok(Catalog {
                connection,
                path: path.to_owned(),
            })
        })
    }

    pub(crate) fn contents(&self) -> rusqlite::Result<Contents> {
        let checkpoint = checkpoint(&self.connection)?;
        let mut services = self.connection.prepare(SELECT_SERVICES)?;
        let mut segments = Segments::default();
        let mut select = self.connection.prepare(SELECT_SEGMENTS)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let mut segment = segment_of(row)?;
            let mut of_segment = services.query([segment.id.0.cast_signed()])?;
            while let Some(row) = of_segment.next()? {
                segment
                    .services
                    .add(&row.get::<_, String>(0)?, &service_of(row)?);
            }
            segments.add(segment);
        }
        Ok(Contents {
            checkpoint,
            segments,
        })
    }

    /// Adds the segments of a generation, notes what its environments sent, and moves the checkpoint
    /// to it: all or nothing. May be repeated: a commit that reports an error may have happened all
    /// the same.
    pub(crate) fn publish(
        &mut self,
        generation: u64,
        made: &[SegmentMeta],
        activities: &Activities,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        if checkpoint(&transaction)? >= generation {
            return Ok(());
        }
        for segment in made {
            insert_segment(&transaction, segment)?;
        }
        for (environment, activity) in activities {
            environments::merge(&transaction, environment, activity)?;
        }
        transaction.execute(
            "UPDATE checkpoint SET generation = ?1",
            [generation.cast_signed()],
        )?;
        disk::catalog(&self.path, || transaction.commit())
    }
}

/// A connection that only reads. With SQLite's WAL it neither waits for a commit nor holds one up.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
}

/// Up to which generation everything is in segments.
pub(crate) fn checkpoint(connection: &Connection) -> rusqlite::Result<u64> {
    let mut select = connection.prepare_cached("SELECT generation FROM checkpoint")?;
    select.query_row([], |row| u64_at(row, 0))
}

fn insert_segment(transaction: &Transaction<'_>, segment: &SegmentMeta) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(INSERT_SEGMENT)?;
    insert.execute(params![
        segment.id.0.cast_signed(),
        segment.signal.name(),
        segment.rows,
        segment.bytes.cast_signed(),
        segment.traces,
        segment.first.0.cast_signed(),
        segment.last.0.cast_signed(),
        segment.end.0.cast_signed(),
        segment.max_duration_nanos.cast_signed(),
        segment.errors,
        segment.max_severity,
    ])?;
    let mut insert = transaction.prepare_cached(INSERT_SERVICE)?;
    for (name, stats) in segment.services.iter() {
        insert.execute(params![
            segment.id.0.cast_signed(),
            name,
            stats.spans.cast_signed(),
            stats.errors.cast_signed(),
            stats.last_seen.0.cast_signed(),
            serde_json::to_string(&stats.operations).unwrap_or_default(),
        ])?;
    }
    Ok(())
}

fn segment_of(row: &Row<'_>) -> rusqlite::Result<SegmentMeta> {
    let name: String = row.get(1)?;
    let signal = Signal::ALL.into_iter().find(|signal| signal.name() == name);
    Ok(SegmentMeta {
        id: SegmentId(u64_at(row, 0)?),
        signal: signal.ok_or_else(|| bad(1, format!("no signal is called {name}")))?,
        rows: row.get(2)?,
        bytes: u64_at(row, 3)?,
        traces: row.get(4)?,
        first: UnixNanos(u64_at(row, 5)?),
        last: UnixNanos(u64_at(row, 6)?),
        end: UnixNanos(u64_at(row, 7)?),
        max_duration_nanos: u64_at(row, 8)?,
        errors: row.get(9)?,
        max_severity: row.get(10)?,
        services: Services::default(),
    })
}

fn service_of(row: &Row<'_>) -> rusqlite::Result<ServiceStats> {
    let operations: String = row.get(4)?;
    let operations: BTreeSet<String> =
        serde_json::from_str(&operations).map_err(|error| bad(4, error.to_string()))?;
    Ok(ServiceStats {
        spans: u64_at(row, 1)?,
        errors: u64_at(row, 2)?,
        last_seen: UnixNanos(u64_at(row, 3)?),
        operations,
    })
}

/// SQLite's integers are signed: the bits are what counts.
fn u64_at(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn bad(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
}

const SCHEMA: &str = "
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

const INSERT_SEGMENT: &str =
    "INSERT OR REPLACE INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

const INSERT_SERVICE: &str =
    "INSERT OR REPLACE INTO segment_services VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const SELECT_SEGMENTS: &str = "
SELECT id, signal, rows, bytes, traces, first_nanos, last_nanos, end_nanos, max_duration_nanos,
       errors, max_severity
FROM segments ORDER BY id";

const SELECT_SERVICES: &str = "
SELECT name, rows, errors, last_seen_nanos, operations
FROM segment_services WHERE segment_id = ?1";
