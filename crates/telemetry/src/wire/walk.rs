//! OTLP protobuf field by field: rows as views into the body, with nothing allocated for each of them.
//!
//! [`check`] reads a body once and says what is in it; [`Checked::walk`] tells a [`Sink`] of each
//! resource, each scope, each span, log record or data point, in the order sent.
//!
//! It takes and refuses the same bodies as decoding them into the messages of `opentelemetry-proto` does
//! ([`Request::from_protobuf`], then [`spans`](super::spans), [`logs`](super::logs) or
//! [`metric_points`](super::metric_points)), also where nobody looks: text that is not UTF-8, a wrong
//! wire type or a message nested too deeply is refused anywhere, and fields that are not known are
//! skipped, groups among them. That matters because a write-ahead log holds bodies that an earlier
//! version took.
//!
//! One thing is left to the decoder: a message that is there twice where one belongs, which protobuf
//! merges. No exporter sends that. Such a body is decoded and encoded again, and then walked.

mod anything;
mod field;
mod logs;
mod points;
mod scratch;
mod spans;
mod value;

use bytes::Bytes;

use super::{Request, WireError};
use crate::model::Signal;
use field::{Fault, Flaw};
use scratch::Scratch;

pub use logs::LogView;
pub use points::PointView;
pub use spans::{EventView, LinkView, SpanView};
pub use value::{AttributeView, ValueView, to_attributes};

/// A body that is an export request of its signal.
#[derive(Clone, Debug)]
pub struct Checked {
    signal: Signal,
    /// As sent, or merged.
    body: Bytes,
    totals: Totals,
}

/// What is in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Spans, log records or data points.
    pub rows: usize,
    /// Spans, log records or metrics, which is what senders count.
    pub items: usize,
    /// About how many bytes the rows take in memory as columns. Two bytes on the wire can be a row.
    pub memory_bytes: usize,
}

/// Hears what is in a body.
pub trait Sink {
    /// The attributes of the resource of the rows that follow.
    fn resource(&mut self, _attributes: &[AttributeView<'_>]) {}

    /// Name and version of the scope of the rows that follow.
    fn scope(&mut self, _name: &str, _version: &str) {}

    /// The next span.
    fn span(&mut self, _span: &SpanView<'_, '_>) {}

    /// The next log record.
    fn log(&mut self, _log: &LogView<'_, '_>) {}

    /// The next data point.
    fn point(&mut self, _point: &PointView<'_, '_>) {}
}

/// Checks the protobuf body of an export request. Fails if it is not one, if an id in it is none, or if
/// its rows would take more than `memory_bytes_max`.
pub fn check(signal: Signal, body: Bytes, memory_bytes_max: usize) -> Result<Checked, WireError> {
    let checked = check_into(signal, body, memory_bytes_max, || Nobody);
    checked.map(|(checked, Nobody)| checked)
}

/// The same, and what a sink made of the rows meanwhile. Another one is made where the body has to be
/// walked through a second time.
pub fn check_into<S: Sink>(
    signal: Signal,
    body: Bytes,
    memory_bytes_max: usize,
    new: impl Fn() -> S,
) -> Result<(Checked, S), WireError> {
    let mut sink = new();
    let walked = walk(signal, &body, memory_bytes_max, &mut sink);
    let (body, totals) = match walked {
        Ok(totals) => (body, totals),
        Err(fault) if fault.flaw == Flaw::Repeated => {
            // Decoded it takes more than as columns.
            if super::memory_bytes(signal, &body) > memory_bytes_max {
                return Err(WireError::TooHeavy { memory_bytes_max });
            }
            let merged = Request::from_protobuf(signal, &body)?.to_protobuf();
            sink = new();
            let totals = walk(signal, &merged, memory_bytes_max, &mut sink);
            let totals = totals.map_err(|fault| fault.told(signal, memory_bytes_max))?;
            (merged.into(), totals)
        }
        Err(fault) => return Err(fault.told(signal, memory_bytes_max)),
    };
    let checked = Checked {
        signal,
        body,
        totals,
    };
    Ok((checked, sink))
}

impl Checked {
    /// Which signal it carries.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// What is in it.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Tells what is in it.
    pub fn walk(&self, sink: &mut impl Sink) {
        let walked = walk(self.signal, &self.body, usize::MAX, sink);
        debug_assert!(walked.is_ok(), "a body that was checked cannot be walked");
    }
}

fn walk(
    signal: Signal,
    body: &[u8],
    memory_bytes_max: usize,
    sink: &mut impl Sink,
) -> Result<Totals, Fault> {
    let mut scratch = Scratch::new(memory_bytes_max);
    match signal {
        Signal::Traces => spans::walk(body, &mut scratch, sink),
        Signal::Logs => logs::walk(body, &mut scratch, sink),
        Signal::Metrics => points::walk(body, &mut scratch, sink),
    }?;
    Ok(Totals {
        rows: scratch.rows,
        items: scratch.items,
        memory_bytes: scratch.weight.bytes.saturating_add(body.len()),
    })
}

/// To check a body and to count what is in it.
struct Nobody;

impl Sink for Nobody {}
