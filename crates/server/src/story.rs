//! User actions as the store knows them.

use throughline_insight::{self as insight, Found, Limits, Part, Source, Story};
use throughline_store::{ReadError, Store, Traces};
use throughline_telemetry::TraceId;
use throughline_telemetry::correlation::End;

/// The story of some traces, as much of it as is asked for. Blocks on the disk.
pub(crate) fn tell(store: &Store, asked: &[TraceId], limits: Limits) -> Result<Story, ReadError> {
    let gathered = store.traces(|traces| {
        let mut stored = Stored(traces);
        insight::gather(&mut stored, asked, limits)
    })?;
    Ok(insight::tell(gathered))
}

/// The traces of one snapshot.
struct Stored<'a>(&'a Traces<'a>);

impl Source for Stored<'_> {
    type Error = ReadError;

    fn load(&mut self, id: TraceId) -> Result<Part, ReadError> {
        let rows = self.0.load(id)?;
        Ok(Part {
            spans: rows.spans,
            logs: rows.logs,
            truncated: rows.truncated,
        })
    }

    fn linked(&mut self, ends: &[End]) -> Result<Found, ReadError> {
        let linked = self.0.linked(ends)?;
        Ok(Found {
            traces: linked.traces,
            truncated: linked.truncated,
        })
    }
}
