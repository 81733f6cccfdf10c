//! User actions as the store knows them.

use throughline_insight::{self as insight, Found, Limits, Part, Source, Story};
use throughline_store::{ReadError, Store, TraceRows, Traces};
use throughline_telemetry::TraceId;
use throughline_telemetry::correlation::End;

/// The story of some traces, as much of it as is asked for. Blocks on the disk.
pub(crate) fn tell(store: &Store, asked: &[TraceId], limits: Limits) -> Result<Story, ReadError> {
    gather(store, asked, limits, |traces, id| traces.load(id))
}

/// The same without log records. Blocks on the disk.
pub(crate) fn follow(store: &Store, asked: &[TraceId], limits: Limits) -> Result<Story, ReadError> {
    gather(store, asked, limits, |traces, id| traces.spans(id))
}

fn gather(
    store: &Store,
    asked: &[TraceId],
    limits: Limits,
    load: Load,
) -> Result<Story, ReadError> {
    let gathered = store.traces(|traces| {
        let mut stored = Stored { traces, load };
        insight::gather(&mut stored, asked, limits)
    })?;
    Ok(insight::tell(gathered))
}

type Load = fn(&Traces<'_>, TraceId) -> Result<TraceRows, ReadError>;

/// The traces of one snapshot.
struct Stored<'a> {
    traces: &'a Traces<'a>,
    load: Load,
}

impl Source for Stored<'_> {
    type Error = ReadError;

    fn load(&mut self, id: TraceId) -> Result<Part, ReadError> {
        let rows = (self.load)(self.traces, id)?;
        Ok(Part {
            spans: rows.spans,
            logs: rows.logs,
            truncated: rows.truncated,
        })
    }

    fn linked(&mut self, ends: &[End]) -> Result<Found, ReadError> {
        let linked = self.traces.linked(ends)?;
        Ok(Found {
            traces: linked.traces,
            truncated: linked.truncated,
        })
    }
}
