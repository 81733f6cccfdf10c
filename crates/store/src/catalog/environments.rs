//! What the catalog knows of environments: which batches are in segments, and the newest ledger.
//!
//! The transaction that publishes the segments of a generation also merges what its environments
//! did, so that a batch is known to be stored exactly as long as its rows are there.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use throughline_telemetry::UnixNanos;

use super::u64_at;
use crate::buffer::Activity;
use crate::completeness::{Ledger, Ranges, Verdict, account};
use crate::limits::RANGES_MAX;
use crate::origin::EnvironmentId;

/// An environment as far as it is in the catalog.
#[derive(Clone, Debug)]
pub(crate) struct EnvironmentRecord {
    key: i64,
    pub(crate) activity: Activity,
    pub(crate) received: u64,
}

impl EnvironmentRecord {
    /// Of one that the catalog does not have.
    pub(crate) fn nothing() -> Self {
        EnvironmentRecord {
            key: 0,
            received: 0,
            activity: Activity {
                function: String::new(),
                first_seen: UnixNanos(u64::MAX),
                last_seen: UnixNanos(0),
                stored: Ranges::default(),
                ledger: None,
            },
        }
    }

    /// Adds what came since.
    pub(crate) fn merge(&mut self, later: &Activity) {
        self.received = self.received.saturating_add(later.stored.items());
        self.activity.merge(later);
    }

    pub(crate) fn judge(&self) -> Verdict {
        account(
            &self.activity.stored,
            self.received,
            self.activity.ledger.as_ref(),
        )
    }
}

/// The highest batch number of an environment that is in segments, and the revision of its ledger.
pub(crate) fn newest(
    connection: &Connection,
    environment: &EnvironmentId,
) -> rusqlite::Result<(u64, Option<u64>)> {
    let mut select =
        connection.prepare_cached("SELECT highest, revision FROM environments WHERE name = ?1")?;
    let found = select.query_row([environment.as_str()], |row| {
        Ok((u64_at(row, 0)?, optional_u64_at(row, 1)?))
    });
    Ok(found.optional()?.unwrap_or((0, None)))
}

/// Whether a batch is in segments.
pub(crate) fn is_stored(
    connection: &Connection,
    environment: &EnvironmentId,
    number: u64,
) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached(
        "SELECT last FROM batches
         WHERE environment = (SELECT key FROM environments WHERE name = ?1) AND first <= ?2
         ORDER BY first DESC LIMIT 1",
    )?;
    let last = select.query_row(params![environment.as_str(), number.cast_signed()], |row| {
        u64_at(row, 0)
    });
    Ok(last.optional()?.is_some_and(|last| number <= last))
}

/// An environment with its ranges, of which no more are read than it takes to judge it.
pub(crate) fn load(
    connection: &Connection,
    environment: &str,
) -> rusqlite::Result<Option<EnvironmentRecord>> {
    let mut select = connection.prepare_cached(
        "SELECT key, function, first_seen_nanos, last_seen_nanos, received, ledger
         FROM environments WHERE name = ?1",
    )?;
    let Some(mut stored) = select.query_row([environment], stored_of).optional()? else {
        return Ok(None);
    };
    stored.activity.stored = ranges(connection, stored.key)?;
    Ok(Some(stored))
}

/// The keys of environments that were last heard of before a time, some of them.
pub(crate) fn last_seen_before(
    connection: &Connection,
    time: UnixNanos,
    keys_max: u32,
) -> rusqlite::Result<Vec<i64>> {
    let mut select = connection.prepare_cached(
        "SELECT key FROM environments WHERE last_seen_nanos BETWEEN 0 AND ?1 LIMIT ?2",
    )?;
    let before = i64::try_from(time.0).unwrap_or(i64::MAX).saturating_sub(1);
    let keys = select.query_map(params![before, keys_max], |row| row.get(0))?;
    keys.collect()
}

/// Forgets environments, unless they were heard of since. How many.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    keys: &[i64],
    time: UnixNanos,
) -> rusqlite::Result<u64> {
    let mut is_old = transaction.prepare_cached(
        "SELECT last_seen_nanos BETWEEN 0 AND ?2 FROM environments WHERE key = ?1",
    )?;
    let before = i64::try_from(time.0).unwrap_or(i64::MAX).saturating_sub(1);
    let mut forgotten = 0;
    for key in keys {
        let old: Option<bool> = is_old
            .query_row(params![key, before], |row| row.get(0))
            .optional()?;
        if old != Some(true) {
            continue;
        }
        for delete in [
            "DELETE FROM batches WHERE environment = ?1",
            "DELETE FROM environments WHERE key = ?1",
        ] {
            transaction.prepare_cached(delete)?.execute([key])?;
        }
        forgotten += 1;
    }
    Ok(forgotten)
}

/// Adds what an environment did in a generation to what the catalog knows of it.
pub(super) fn merge(
    transaction: &Transaction<'_>,
    environment: &EnvironmentId,
    activity: &Activity,
) -> rusqlite::Result<()> {
    let key = key_of(transaction, environment)?;
    for (first, last, items) in activity.stored.iter() {
        merge_range(transaction, key, first, last, items)?;
    }
    let received = activity.stored.items();
    let mut stored =
        load(transaction, environment.as_str())?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    // The ranges are merged already; the rest is not.
    let ranges = std::mem::take(&mut stored.activity.stored);
    let later = Activity {
        stored: Ranges::default(),
        ..activity.clone()
    };
    stored.activity.merge(&later);
    stored.received = stored.received.saturating_add(received);
    stored.activity.stored = ranges;
    update(transaction, &stored, activity.stored.highest())
}

/// The key of an environment, which gets one if it has none.
fn key_of(transaction: &Transaction<'_>, environment: &EnvironmentId) -> rusqlite::Result<i64> {
    let mut select = transaction.prepare_cached("SELECT key FROM environments WHERE name = ?1")?;
    let key = select.query_row([environment.as_str()], |row| row.get(0));
    if let Some(key) = key.optional()? {
        return Ok(key);
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO environments (name, function, first_seen_nanos, last_seen_nanos, highest,
                                   received, accepted, open, whole, revision, ledger)
         VALUES (?1, '', -1, 0, 0, 0, 0, 1, 1, NULL, NULL)",
    )?;
    insert.execute([environment.as_str()])?;
    Ok(transaction.last_insert_rowid())
}

fn merge_range(
    transaction: &Transaction<'_>,
    key: i64,
    mut first: u64,
    mut last: u64,
    mut items: u64,
) -> rusqlite::Result<()> {
    let mut before = transaction.prepare_cached(
        "SELECT first, last, items FROM batches WHERE environment = ?1 AND first <= ?2
         ORDER BY first DESC LIMIT 1",
    )?;
    let mut at = transaction.prepare_cached(
        "SELECT first, last, items FROM batches WHERE environment = ?1 AND first = ?2",
    )?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM batches WHERE environment = ?1 AND first = ?2")?;
    // Ranges of the catalog never overlap those of a generation: a number is stored once.
    let before = before
        .query_row(params![key, first.cast_signed()], range_of)
        .optional()?;
    let after = at
        .query_row(params![key, (last + 1).cast_signed()], range_of)
        .optional()?;
    let touching = before
        .filter(|(_, end, _)| end + 1 >= first)
        .into_iter()
        .chain(after);
    for (begin, end, more) in touching {
        delete.execute(params![key, begin.cast_signed()])?;
        first = first.min(begin);
        last = last.max(end);
        items = items.saturating_add(more);
    }
    let mut insert = transaction.prepare_cached("INSERT INTO batches VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![
        key,
        first.cast_signed(),
        last.cast_signed(),
        items.cast_signed()
    ])?;
    Ok(())
}

/// Writes an environment with what there is to say about it.
fn update(
    transaction: &Transaction<'_>,
    stored: &EnvironmentRecord,
    highest: u64,
) -> rusqlite::Result<()> {
    let (activity, verdict) = (&stored.activity, stored.judge());
    let mut update = transaction.prepare_cached(
        "UPDATE environments SET function = ?2, first_seen_nanos = ?3, last_seen_nanos = ?4,
                highest = max(highest, ?5), received = ?6, accepted = ?7, open = ?8, whole = ?9,
                revision = ?10, ledger = ?11
         WHERE key = ?1",
    )?;
    let ledger = activity.ledger.as_ref();
    update.execute(params![
        stored.key,
        activity.function,
        activity.first_seen.0.cast_signed(),
        activity.last_seen.0.cast_signed(),
        highest.cast_signed(),
        stored.received.cast_signed(),
        verdict.accepted.cast_signed(),
        verdict.open,
        verdict.is_whole(),
        ledger.map(|ledger| ledger.revision.cast_signed()),
        ledger.map(Ledger::to_json),
    ])?;
    Ok(())
}

fn ranges(connection: &Connection, key: i64) -> rusqlite::Result<Ranges> {
    let mut select = connection.prepare_cached(
        "SELECT first, last, items FROM batches WHERE environment = ?1 ORDER BY first LIMIT ?2",
    )?;
    let mut rows = select.query(params![key, i64::from(RANGES_MAX)])?;
    let mut ranges = Ranges::default();
    while let Some(row) = rows.next()? {
        let (first, last, items) = range_of(row)?;
        ranges.add(first, last, items);
    }
    Ok(ranges)
}

fn range_of(row: &Row<'_>) -> rusqlite::Result<(u64, u64, u64)> {
    Ok((u64_at(row, 0)?, u64_at(row, 1)?, u64_at(row, 2)?))
}

fn stored_of(row: &Row<'_>) -> rusqlite::Result<EnvironmentRecord> {
    let ledger: Option<String> = row.get(5)?;
    Ok(EnvironmentRecord {
        key: row.get(0)?,
        received: u64_at(row, 4)?,
        activity: Activity {
            function: row.get(1)?,
            first_seen: UnixNanos(u64_at(row, 2)?),
            last_seen: UnixNanos(u64_at(row, 3)?),
            stored: Ranges::default(),
            ledger: ledger.as_deref().and_then(Ledger::parse_stored),
        },
    })
}

fn optional_u64_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS environments (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    function TEXT NOT NULL,            -- empty if it never said
    first_seen_nanos INTEGER NOT NULL,
    last_seen_nanos INTEGER NOT NULL,
    highest INTEGER NOT NULL,          -- batch number; 0 if none was stored
    received INTEGER NOT NULL,         -- items stored
    accepted INTEGER NOT NULL,         -- items taken in by the environment, as far as is known
    open INTEGER NOT NULL,             -- 1 until its last ledger
    whole INTEGER NOT NULL,            -- 1 if nothing is missing
    revision INTEGER,                  -- of the ledger
    ledger TEXT                        -- JSON
) STRICT;

-- Holds all that a sum over functions needs.
CREATE INDEX IF NOT EXISTS environments_by_function
    ON environments (function, last_seen_nanos, first_seen_nanos, accepted, received, open);
CREATE INDEX IF NOT EXISTS environments_lacking
    ON environments (function, last_seen_nanos) WHERE whole = 0;

CREATE TABLE IF NOT EXISTS batches (
    environment INTEGER NOT NULL REFERENCES environments (key),
    first INTEGER NOT NULL,            -- numbers of batches, ranges that touch are one
    last INTEGER NOT NULL,
    items INTEGER NOT NULL,            -- in all of them
    PRIMARY KEY (environment, first)
) STRICT, WITHOUT ROWID;
";
