//! The services that have sent spans, as rollups and buffers know them.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType, UInt8Type};
use throughline_telemetry::{SpanStatus, UnixNanos};

use super::Reader;
use crate::buffer::Services;
use crate::error::ReadError;
use crate::limits::OPERATIONS_MAX;
use crate::rollup::{MINUTE_NANOS, OTHER};
use crate::scan::{Bounds, Scan};

/// Which spans count.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceFilter {
    /// Those that began then or later.
    pub from: Option<UnixNanos>,
    /// Those that began before then.
    pub to: Option<UnixNanos>,
}

/// Services, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceList {
    /// The services.
    pub services: Vec<ServiceRow>,
    /// Rows that were looked at, of rollups and of spans.
    pub rows_read: u64,
    /// Bytes of columns, unpacked, that were looked at.
    pub bytes_read: u64,
    /// Segments and buffers that were read, and rollups.
    pub parts_read: u64,
    /// Rollups that were read.
    pub rollups_read: u64,
}

/// What is known of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// Its name.
    pub name: String,
    /// How many spans it sent; one sent twice counts once.
    pub span_count: u64,
    /// How many of them failed.
    pub error_count: u64,
    /// Names of its spans in order, a hundred of them at most.
    pub operations: Vec<String>,
    /// End of its latest span, whichever spans count.
    pub last_seen: UnixNanos,
}

/// What the rollups say of one service.
#[derive(Default)]
struct Sums {
    spans: u64,
    errors: u64,
    operations: BTreeSet<String>,
    /// When its last minute ends.
    until: UnixNanos,
}

impl Reader<'_> {
    /// When each service was seen last, of whatever time.
    pub(crate) fn last_seen(&self) -> Services {
        let mut services = self.snapshot.segments.services.clone();
        for buffer in &self.snapshot.buffers {
            buffer.add_services(&mut services);
        }
        services
    }
}

impl Scan {
    /// The services of the spans that count; none of whose rows retention has dropped.
    pub(crate) fn services(
        &self,
        filter: ServiceFilter,
        last_seen: &Services,
    ) -> Result<ServiceList, ReadError> {
        let bounds = Bounds {
            from: filter.from,
            to: filter.to,
            ..Bounds::default()
        };
        let found = self.counted(&bounds)?;
        let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
        for batch in &found.batches {
            add(&mut sums, batch);
        }
        let services = sums.into_iter().map(|(name, sums)| ServiceRow {
            last_seen: last_seen.last_seen(&name).unwrap_or(sums.until),
            name,
            span_count: sums.spans,
            error_count: sums.errors,
            operations: sums.operations.into_iter().take(OPERATIONS_MAX).collect(),
        });
        Ok(ServiceList {
            services: services.collect(),
            rows_read: found.rows,
            bytes_read: found.bytes,
            parts_read: found.parts,
            rollups_read: found.rollups,
        })
    }
}

/// Adds the rows of a rollup. They are by service and name.
fn add(sums: &mut BTreeMap<String, Sums>, rows: &RecordBatch) {
    let column = |name: &str| rows.column_by_name(name).expect("a rollup has it");
    let services = column("service").as_string::<i32>();
    let names = column("name").as_string::<i32>();
    let statuses = column("status").as_primitive::<UInt8Type>();
    let counts = column("count").as_primitive::<Int64Type>();
    let minutes = column("time").as_primitive::<TimestampNanosecondType>();
    let mut begin = 0;
    while begin < rows.num_rows() {
        let service = services.value(begin);
        let more = (begin..rows.num_rows()).take_while(|row| services.value(*row) == service);
        let same = begin..begin + more.count();
        begin = same.end;
        if !sums.contains_key(service) {
            sums.insert(service.to_owned(), Sums::default());
        }
        let Some(of) = sums.get_mut(service) else {
            continue;
        };
        for row in same {
            let count = counts.value(row).cast_unsigned();
            of.spans += count;
            if statuses.value(row) == SpanStatus::Error as u8 {
                of.errors += count;
            }
            let minute = minutes.value(row).cast_unsigned();
            of.until = of.until.max(UnixNanos(minute.saturating_add(MINUTE_NANOS)));
            let name = names.value(row);
            if name != OTHER && !of.operations.contains(name) {
                of.operations.insert(name.to_owned());
            }
        }
    }
}
