//! Reading by columns: for those who look at many rows and few of their columns.
//!
//! A [`Scan`] is one snapshot. It has [`Part`]s, the segments and buffers that may have what is asked
//! for, and each of them yields Arrow batches of the columns that are asked for and reads no others of
//! its file. What comes back does not depend on whether rows are sealed: an attribute is read as one
//! kind, wherever it lies.
//!
//! ```
//! use throughline_store::{Bounds, Kind, Options, ScanColumn, Store};
//! use throughline_telemetry::Signal;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let (store, _) = Store::open(Options::new(directory.path()))?;
//! let scan = store.scan();
//! let route = ScanColumn::Attribute { key: "http.route".to_owned(), kind: Kind::String };
//! for part in scan.parts(Signal::Traces, &Bounds::default())? {
//!     for batch in part.read(&[ScanColumn::Stored("duration"), route.clone()])? {
//!         println!("{} rows", batch?.num_rows());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **Spans that were sent twice** are read once ([`copies`]), as everywhere: of several with the same
//! trace id and span id the one that ended last. A copy that gives another time for the start of the
//! span than the first did, by more than a segment is long, is the exception, and counts again.

mod attribute;
mod by_minute;
mod copies;
mod operations;
mod part;
mod rolled;
mod summed;

use std::cmp::Reverse;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use throughline_telemetry::{Signal, TraceId, UnixNanos};

pub use by_minute::ByMinute;
pub use operations::{OperationFilter, OperationList, OperationRow};
pub(crate) use part::Shaper;
pub use part::{Batches, Part};
pub(crate) use part::{Place, Placed};
pub use rolled::{Apart, RolledUp};
pub use summed::{Looked, SumFilter};

use crate::error::ReadError;
use crate::limits::KIND_SEGMENTS_MAX;
use crate::segment::{Kind, KindSet, SegmentMeta, attribute_hash};
use crate::snapshot::Snapshot;
use crate::store::Shared;
use crate::token::TokenHash;
use copies::Copies;

/// Everything stored at one moment, by columns.
#[derive(Clone)]
pub struct Scan {
    shared: Arc<Shared>,
    snapshot: Snapshot,
}

/// A column to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ScanColumn {
    /// A column that every row of the signal has, by its name in a file; not `attributes`, `events` or
    /// `links`.
    Stored(&'static str),
    /// An attribute of the row or, where the row has none of this key, of its resource.
    Attribute {
        /// Its key.
        key: String,
        /// As what to read it. A value of another kind that cannot become this one without loss is
        /// null; everything can become text.
        kind: Kind,
    },
}

/// What is asked for at most. A part is left out if the catalog or an index says that none of its rows
/// are within them; rows that come back may be outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Rows of then or later.
    pub from: Option<UnixNanos>,
    /// Rows of then or earlier.
    pub to: Option<UnixNanos>,
    /// Rows of this service.
    pub service: Option<String>,
    /// Spans with this name.
    pub name: Option<String>,
    /// Spans or log records of this trace.
    pub trace_id: Option<TraceId>,
    /// Log records whose bodies have these words.
    pub words: Vec<TokenHash>,
    /// Spans or log records with these attributes, of their own or of their resource: keys, and the
    /// texts that their values read as.
    pub attributes: Vec<(String, String)>,
}

impl Scan {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.counters.reads.add(1);
        Scan {
            snapshot: shared.live.snapshot(),
            shared,
        }
    }

    /// What may have rows within the bounds: buffers, then segments, newest first. Blocks on the disk.
    pub fn parts(&self, signal: Signal, bounds: &Bounds) -> Result<Vec<Part>, ReadError> {
        let mut places = Vec::new();
        for view in self.snapshot.buffers.iter().rev() {
            let rows = match signal {
                Signal::Traces => &view.rows.spans,
                Signal::Logs => &view.rows.logs,
                Signal::Metrics => &view.rows.metrics,
            };
            if rows.len() > 0 {
                places.push(Place::Buffer(rows.clone()));
            }
        }
        for segment in self.newest_first(signal) {
            if bounds.may_be_in(&segment) {
                places.extend(self.place(segment, bounds)?);
            }
        }
        let copies = match signal {
            Signal::Traces => Copies::find(&self.shared.files, &places)?,
            Signal::Logs | Signal::Metrics => Copies::none(places.len()),
        };
        // Only now, because a copy that counts instead of another need not have its words.
        let hashes = bounds.hashes(signal);
        let mut parts = Vec::with_capacity(places.len());
        for (place, left_out) in places.into_iter().zip(copies.left_out) {
            let place = match hashes.is_empty() {
                true => Some(place),
                false => self.with_words(place, &hashes)?,
            };
            parts.extend(place.map(|place| Part::new(&self.shared, place, left_out)));
        }
        Ok(parts)
    }

    /// As what the values of an attribute are best read: the kind that all of them can become without
    /// loss, in the buffers and the newest segments. None if it is not known there. Blocks on the disk.
    pub fn kind(&self, signal: Signal, key: &str) -> Result<Option<Kind>, ReadError> {
        let mut kinds = KindSet::default();
        for view in &self.snapshot.buffers {
            let rows = match signal {
                Signal::Traces => &view.rows.spans,
                Signal::Logs => &view.rows.logs,
                Signal::Metrics => &view.rows.metrics,
            };
            rows.iter()
                .for_each(|chunk| kinds.add(chunk.kinds().of(key)));
        }
        for segment in self.newest_first(signal).iter().take(KIND_SEGMENTS_MAX) {
            kinds.add(self.shared.files.kinds(segment)?.of(key));
        }
        Ok(kinds.common())
    }

    /// The same without what an error found damaged, which is set aside; none if the error is about
    /// nothing that can be.
    pub fn without_damage(&self, error: &ReadError) -> Option<Scan> {
        let found = self.shared.found_damage(error);
        found.then(|| Scan::new(Arc::clone(&self.shared)))
    }

    /// The generations whose rows are in buffers, and how many log records each has.
    pub(crate) fn generations(&self) -> impl Iterator<Item = (u64, usize)> {
        let buffers = self.snapshot.buffers.iter();
        buffers.map(|view| (view.generation(), view.rows.logs.len()))
    }

    fn newest_first(&self, signal: Signal) -> Vec<Arc<SegmentMeta>> {
        let mut segments = self.snapshot.segments.of(signal).to_vec();
        segments.sort_by_key(|segment| Reverse((segment.last, segment.id)));
        segments
    }

    /// The rows of a place that may have these words, if there are any.
    fn with_words(&self, place: Place, hashes: &[u64]) -> Result<Option<Place>, ReadError> {
        let Place::Segment { segment, rows } = place else {
            return Ok(Some(place));
        };
        let rows = match self.shared.files.rows_with(&segment, hashes)? {
            None => rows,
            Some(with_words) => common(&rows, &with_words),
        };
        Ok((!rows.is_empty()).then_some(Place::Segment { segment, rows }))
    }

    /// The rows of a segment to look at, if there are any.
    fn place(
        &self,
        segment: Arc<SegmentMeta>,
        bounds: &Bounds,
    ) -> Result<Option<Place>, ReadError> {
        let of_trace = bounds
            .trace_id
            .filter(|_| segment.signal != Signal::Metrics);
        let rows = match of_trace {
            None => std::iter::once(0..segment.rows).collect(),
            Some(id) => match self.shared.files.rows_of_trace(&segment, id)? {
                None => return Ok(None),
                Some(rows) => rows,
            },
        };
        Ok(Some(Place::Segment { segment, rows }))
    }
}

/// What two lists of ranges in order have in common.
fn common(a: &[Range<u32>], b: &[Range<u32>]) -> Vec<Range<u32>> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut common = Vec::new();
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        let both = left.start.max(right.start)..left.end.min(right.end);
        let left_ends_first = left.end <= right.end;
        if !both.is_empty() {
            common.push(both);
        }
        match left_ends_first {
            true => a.next(),
            false => b.next(),
        };
    }
    common
}

impl Bounds {
    /// What filters of words are asked.
    fn hashes(&self, signal: Signal) -> Vec<u64> {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(key, text)| attribute_hash(key, text));
        match signal {
            Signal::Traces => attributes.collect(),
            Signal::Logs => self
                .words
                .iter()
                .map(|word| word.0)
                .chain(attributes)
                .collect(),
            Signal::Metrics => Vec::new(),
        }
    }

    fn may_be_in(&self, segment: &SegmentMeta) -> bool {
        // The catalog knows of the services of spans and log records, and of the names of spans.
        let (service, name) = match segment.signal {
            Signal::Traces => (self.service.as_deref(), self.name.as_deref()),
            Signal::Logs => (self.service.as_deref(), None),
            Signal::Metrics => (None, None),
        };
        let named = service.is_some() || name.is_some();
        // `last` of spans is the start of the newest trace, whose later spans may be newer still.
        let last = segment.last.max(segment.end);
        self.from.is_none_or(|from| last >= from)
            && self.to.is_none_or(|to| segment.first <= to)
            && (!named || segment.services.may_have(service, name))
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").finish_non_exhaustive()
    }
}
