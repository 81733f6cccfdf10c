//! Rows as columns: the one form that rows have between the wire and a file.
//!
//! A *canonical batch* is an Arrow [`RecordBatch`](arrow::array::RecordBatch) with one of three fixed
//! schemas ([`schema`]), whatever the rows are: nothing is promoted, and nothing depends on the order
//! of the rows or on what else is in the batch.
//!
//! - **Texts that repeat** are dictionaries: `service`, `resource`, `scope_name`, `scope_version` and
//!   the keys of attributes. What is built or concatenated here has each text once in its dictionary,
//!   so that two rows with the same text have the same key. Texts that no row uses may be in it too.
//! - **Attributes** are a list of `{key, type, value}` in the order they were written, repeated keys and
//!   all; [`value`](crate::segment::value) says how a value becomes text.
//! - **Parents** are ids, in `parent_span_id`; a root has none.
//! - **Times** are nanoseconds since 1970. `duration` is end minus start, negative for a clock that ran
//!   backwards. Of a log record `time` is its own or when it was received, and what the record itself
//!   says is less `time`.
//! - **Resources** are JSON texts of their attributes; `service` is their `service.name`.
//!
//! Builders ([`SpanBuilder`], [`LogBuilder`], [`PointBuilder`]) make batches; [`SpanRows`],
//! [`LogRows`] and [`PointRows`] give single rows back.

mod attributes;
mod compact;
mod concat;
mod dictionary;
mod logs;
mod metrics;
mod owner;
mod rows;
mod schema;
mod sort;
mod spans;

pub(crate) use compact::compact;
pub(crate) use concat::concat;
pub(crate) use logs::{LogBuilder, LogRows, with_sequences};
pub(crate) use metrics::{PointBuilder, PointRows};
pub(crate) use owner::Owners;
pub(crate) use rows::{id_at, required_id_at, typed};
pub(crate) use schema::{attribute_fields, schema};
pub(crate) use sort::{by_name, sort};
pub(crate) use spans::{SpanBuilder, SpanRows};

#[cfg(test)]
mod tests;
