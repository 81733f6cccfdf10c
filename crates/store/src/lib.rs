//! Where spans, logs and metrics are kept: a write-ahead log, buffers, Parquet segments and the
//! catalog that says which segments count.
//!
//! A body that was acknowledged is on disk and can be read at once. It is in exactly one place:
//! either in a WAL file and the buffer of the same generation, or in the segments that were made
//! from that buffer. One catalog transaction moves it from the first to the second.
//!
//! A body that says which batch of which environment it is ([`Origin`]) is stored once, however
//! often it is sent, and [`Store::completeness`] says what of an environment never came.
//!
//! The names to know are [`Store`], [`Options`], [`Body`], [`TraceFilter`], and [`Scan`] for those who ask
//! for columns instead of rows.
//!
//! ```
//! use throughline_store::{Body, Options, Store, TraceFilter};
//! use throughline_telemetry::{Signal, UnixNanos, wire::Request};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let (store, recovery) = Store::open(Options::new(directory.path()))?;
//! assert_eq!(recovery.frames, 0);
//!
//! let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
//!     "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",
//!     "name":"hello","startTimeUnixNano":"1","endTimeUnixNano":"3"}]}]}]}"#;
//! let request = Request::from_json(Signal::Traces, json)?;
//! let body = Body::check(Signal::Traces, request.to_protobuf().into(), 1 << 20)?;
//! store.append(body, UnixNanos::from_millis(1), None).await?;
//!
//! let page = store.find_traces(&TraceFilter::default())?;
//! assert_eq!(page.traces[0].1[0].name, "hello");
//! store.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What it deliberately does not do: no decoding of OTLP beyond what [`throughline_telemetry`]
//! does, no trees of spans, no SQL, no network. It reads no clock but to decide when to seal.

mod batch;
mod body;
mod buffer;
mod cache;
mod catalog;
mod census;
mod check;
mod compaction;
mod completeness;
mod costs;
mod damage;
mod dataset;
mod directory;
mod disk;
mod edges;
mod error;
mod export;
mod follow;
mod hash;
mod health;
mod known;
mod limits;
mod links;
mod origin;
mod pressure;
mod probe;
mod read;
mod recovery;
mod retention;
mod rollup;
mod rows;
mod scan;
mod sealer;
mod search;
mod segment;
mod sizes;
mod snapshot;
mod stats;
mod store;
#[cfg(test)]
mod testing;
mod token;
mod varint;
mod wal;
mod writer;

pub use body::Body;
pub use check::{Area, CheckReport, Finding, Progress, check};
pub use completeness::{
    BadLedger, CompletenessFilter, FunctionReport, Gone, Ledger, Missing, OpenEnvironment, Report,
    ReportCursor, Why,
};
pub use costs::{CostList, FunctionCost};
pub use dataset::{Dataset, Intrinsic, Shape};
pub use edges::{Callee, Caller, ClientCall, Edge, EdgeList, FunctionCall, NodeKind, THROTTLES};
pub use error::{AppendError, CompactError, OpenError, ReadError, SealError};
pub use export::{BadTime, ExportError, ExportFilter, Exported, parse_time};
pub use follow::{Fresh, Invocations};
pub use health::{Health, SignalHealth};
pub use links::Linked;
pub use origin::{EnvironmentId, Origin, Sequence};
pub use read::{
    AttributeKey, AttributeValue, BadCursor, Listed, LogCursor, MetricFilter, MetricPage,
    ServiceFilter, ServiceList, ServiceRow, TraceCursor, TraceFilter, TracePage, TraceRows,
    TraceStatus, Traces, ValueTraces,
};
pub use recovery::Recovery;
pub use retention::{BadKeep, Keep, Retention};
pub use rollup::OTHER;
pub use scan::{
    Apart, Batches, Bounds, ByMinute, Looked, OperationFilter, OperationList, OperationRow, Part,
    RolledUp, Scan, ScanColumn, SumFilter,
};
pub use search::{
    Arrived, Condition, Count, Filter, FoundPoints, Operator, Search, SearchCursor, SearchError,
    SearchOrder, SearchPage, SearchQuery, Searched, SplitEnd, SplitQuery, Stretch, Tail, Viewer,
};
pub use segment::Kind;
pub use sizes::{PartSize, SignalSizes, sizes};
pub use stats::{Latency, Stats};
pub use store::{Options, Store, Stored};
pub use token::{Phrase, TOKEN_HASHED_BYTES, Token, TokenHash, Tokens, tokens};
