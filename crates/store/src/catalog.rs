//! The catalog: which segments count, what is in them, and up to which generation the WAL is done.
//!
//! SQLite with its own WAL and `synchronous = FULL`: a commit is on disk when it returns. The
//! store is the only writer, and reads what is said of segments only when it is opened. What is
//! said of environments ([`environments`]) is not kept in memory: there may be millions.
//!
//! Files that nothing refers to any more stay in the table `retired` until they are deleted, so that a
//! crash in between leaves no file that nobody knows. Tables change by [`migrations`].

pub(crate) mod environments;
mod migrations;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, Row, Transaction, params};
use throughline_telemetry::{Signal, UnixNanos};

use crate::buffer::{Activities, ServiceStats, Services};
use crate::census::CensusMeta;
use crate::costs::CostsMeta;
use crate::disk;
use crate::edges::EdgesMeta;
use crate::links::LinksMeta;
use crate::rollup::RollupMeta;
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
    /// Segments whose files are to be deleted.
    pub(crate) retired: Vec<(SegmentId, Signal)>,
}

impl Catalog {
    /// Opens the catalog, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        disk::catalog(path, || {
            let mut connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            migrations::migrate(&mut connection)?;
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
        let mut rollups = self.rollups()?;
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
            segment.rollup = rollups.remove(&segment.id);
            segments.add(segment);
        }
        Ok(Contents {
            checkpoint,
            segments,
            retired: self.retired()?,
        })
    }

    /// What SQLite finds wrong with the file, and rows that refer to nothing.
    pub(crate) fn faults(&self) -> rusqlite::Result<Vec<String>> {
        let mut check = self.connection.prepare("PRAGMA integrity_check")?;
        let found = check.query_map([], |row| row.get::<_, String>(0))?;
        let mut faults = found.collect::<rusqlite::Result<Vec<_>>>()?;
        faults.retain(|fault| fault != "ok");
        let mut check = self.connection.prepare("PRAGMA foreign_key_check")?;
        let found = check.query_map([], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} refers to none of {parent}"))
        })?;
        faults.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
        Ok(faults)
    }

    fn rollups(&self) -> rusqlite::Result<BTreeMap<SegmentId, Arc<RollupMeta>>> {
        let mut select = self.connection.prepare(SELECT_ROLLUPS)?;
        let rows = select.query_map([], |row| {
            let rollup = rollup_of(row)?;
            Ok((rollup.id, Arc::new(rollup)))
        })?;
        rows.collect()
    }

    fn retired(&self) -> rusqlite::Result<Vec<(SegmentId, Signal)>> {
        let mut select = self.connection.prepare("SELECT id, signal FROM retired")?;
        let rows = select.query_map([], |row| {
            Ok((SegmentId(u64_at(row, 0)?), signal_at(row, 1)?))
        })?;
        rows.collect()
    }

    /// Replaces segments by others with the same rows, or by none: all or nothing. The files of those
    /// replaced are to be deleted then, and [`forget`](Self::forget) said of.
    pub(crate) fn swap(
        &mut self,
        old: &[Arc<SegmentMeta>],
        new: &[SegmentMeta],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for segment in old {
            take_out(&transaction, segment.id)?;
            let mut retire =
                transaction.prepare_cached("INSERT OR REPLACE INTO retired VALUES (?1, ?2)")?;
            retire.execute(params![segment.id.0.cast_signed(), segment.signal.name()])?;
        }
        for segment in new {
            insert_segment(&transaction, segment)?;
        }
        disk::catalog(&self.path, || transaction.commit())
    }

    /// Notes that the files of a retired segment are gone.
    pub(crate) fn forget(&self, id: SegmentId) -> rusqlite::Result<()> {
        let mut delete = self
            .connection
            .prepare_cached("DELETE FROM retired WHERE id = ?1")?;
        disk::catalog(&self.path, || {
            delete.execute([id.0.cast_signed()]).map(drop)
        })
    }

    /// Forgets environments by their keys, unless they were heard of at this time or since. How many.
    pub(crate) fn forget_environments(
        &mut self,
        keys: &[i64],
        time: UnixNanos,
    ) -> rusqlite::Result<u64> {
        let transaction = self.connection.transaction()?;
        let forgotten = environments::forget(&transaction, keys, time)?;
        disk::catalog(&self.path, || transaction.commit())?;
        Ok(forgotten)
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

/// Takes a segment out of those that count, with what it sums up to.
fn take_out(transaction: &Transaction<'_>, id: SegmentId) -> rusqlite::Result<()> {
    let id = id.0.cast_signed();
    for delete in [
        "DELETE FROM segment_services WHERE segment_id = ?1",
        "DELETE FROM rollups WHERE id = ?1",
        "DELETE FROM segments WHERE id = ?1",
    ] {
        transaction.prepare_cached(delete)?.execute([id])?;
    }
    Ok(())
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
        segment.level,
        segment.crc,
        segment.census.map(|census| census.bytes.cast_signed()),
        segment.census.map(|census| census.crc),
        segment.edges.map(|edges| edges.bytes.cast_signed()),
        segment.edges.map(|edges| edges.crc),
        segment.costs.map(|costs| costs.bytes.cast_signed()),
        segment.costs.map(|costs| costs.crc),
        segment.links.map(|links| links.bytes.cast_signed()),
        segment.links.map(|links| links.crc),
    ])?;
    if let Some(rollup) = &segment.rollup {
        let mut insert = transaction.prepare_cached(INSERT_ROLLUP)?;
        insert.execute(params![
            rollup.id.0.cast_signed(),
            rollup.rows,
            rollup.bytes.cast_signed(),
            rollup.spans,
            rollup.others,
            rollup.first.0.cast_signed(),
            rollup.last.0.cast_signed(),
            rollup.crc,
        ])?;
    }
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
    Ok(SegmentMeta {
        id: SegmentId(u64_at(row, 0)?),
        signal: signal_at(row, 1)?,
        rows: row.get(2)?,
        bytes: u64_at(row, 3)?,
        traces: row.get(4)?,
        first: UnixNanos(u64_at(row, 5)?),
        last: UnixNanos(u64_at(row, 6)?),
        end: UnixNanos(u64_at(row, 7)?),
        max_duration_nanos: u64_at(row, 8)?,
        errors: row.get(9)?,
        max_severity: row.get(10)?,
        level: row.get(11)?,
        crc: row.get(12)?,
        services: Services::default(),
        rollup: None,
        edges: edges_of(row)?,
        costs: costs_of(row)?,
        links: links_of(row)?,
        census: census_of(row)?,
    })
}

fn census_of(row: &Row<'_>) -> rusqlite::Result<Option<CensusMeta>> {
    let file = file_of(row, 13)?;
    Ok(file.map(|(bytes, crc)| CensusMeta { bytes, crc }))
}

fn edges_of(row: &Row<'_>) -> rusqlite::Result<Option<EdgesMeta>> {
    let file = file_of(row, 15)?;
    Ok(file.map(|(bytes, crc)| EdgesMeta { bytes, crc }))
}

fn costs_of(row: &Row<'_>) -> rusqlite::Result<Option<CostsMeta>> {
    let file = file_of(row, 17)?;
    Ok(file.map(|(bytes, crc)| CostsMeta { bytes, crc }))
}

fn links_of(row: &Row<'_>) -> rusqlite::Result<Option<LinksMeta>> {
    let file = file_of(row, 19)?;
    Ok(file.map(|(bytes, crc)| LinksMeta { bytes, crc }))
}

/// Bytes and CRC-32C of a file that may not be there.
fn file_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<(u64, u32)>> {
    let (bytes, crc): (Option<i64>, Option<u32>) = (row.get(column)?, row.get(column + 1)?);
    Ok(bytes.map(i64::cast_unsigned).zip(crc))
}

fn rollup_of(row: &Row<'_>) -> rusqlite::Result<RollupMeta> {
    Ok(RollupMeta {
        id: SegmentId(u64_at(row, 0)?),
        rows: row.get(1)?,
        bytes: u64_at(row, 2)?,
        spans: row.get(3)?,
        others: row.get(4)?,
        first: UnixNanos(u64_at(row, 5)?),
        last: UnixNanos(u64_at(row, 6)?),
        crc: row.get(7)?,
    })
}

fn signal_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Signal> {
    let name: String = row.get(column)?;
    let signal = Signal::ALL.into_iter().find(|signal| signal.name() == name);
    signal.ok_or_else(|| bad(column, format!("no signal is called {name}")))
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

const INSERT_SEGMENT: &str = "INSERT OR REPLACE INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";

const INSERT_SERVICE: &str =
    "INSERT OR REPLACE INTO segment_services VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const SELECT_SEGMENTS: &str = "
SELECT id, signal, rows, bytes, traces, first_nanos, last_nanos, end_nanos, max_duration_nanos,
       errors, max_severity, level, rows_crc32c, census_bytes, census_crc32c,
       edges_bytes, edges_crc32c, costs_bytes, costs_crc32c,
       links_bytes, links_crc32c
FROM segments ORDER BY level DESC, id";

const INSERT_ROLLUP: &str =
    "INSERT OR REPLACE INTO rollups VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const SELECT_ROLLUPS: &str = "
SELECT id, rows, bytes, spans, others, first_nanos, last_nanos, crc32c FROM rollups";

const SELECT_SERVICES: &str = "
SELECT name, rows, errors, last_seen_nanos, operations
FROM segment_services WHERE segment_id = ?1";
