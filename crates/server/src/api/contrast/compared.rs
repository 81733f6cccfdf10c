//! The rows that can be compared.

use throughline_insight::contrast::Given;
use throughline_store::Searched;
use throughline_telemetry::{Attributes, LogRecord, Span, TraceId};

/// A row that can be compared.
pub(in crate::api) trait Compared: Searched {
    /// The columns that every row has, but for those that tell it from all others.
    fn columns(&self) -> impl Iterator<Item = (&str, Given<'_>)>;

    /// Its own attributes, and those of its resource.
    fn attributes(&self) -> [&Attributes; 2];

    /// Its trace, where rows without one, or many of the same one, tell something.
    fn told_by_trace(&self) -> Option<TraceId>;
}

impl Compared for Span {
    fn columns(&self) -> impl Iterator<Item = (&str, Given<'_>)> {
        let millis = self.duration().as_secs_f64() * 1e3;
        texts([
            ("service", self.service()),
            ("name", &self.name),
            ("kind", self.kind.name()),
            ("status", self.status.name()),
            ("status_message", &self.status_message),
            ("scope", &self.scope.name),
        ])
        .chain([(DURATION, Given::Number(millis))])
    }

    fn attributes(&self) -> [&Attributes; 2] {
        [&self.attributes, &self.resource.attributes]
    }

    fn told_by_trace(&self) -> Option<TraceId> {
        None
    }
}

/// Its body is left out: nearly every one is another text.
impl Compared for LogRecord {
    fn columns(&self) -> impl Iterator<Item = (&str, Given<'_>)> {
        let severity = f64::from(self.severity_number);
        texts([
            ("service", self.resource.service()),
            ("severity", &self.severity_text),
            ("event_name", &self.event_name),
            ("scope", &self.scope.name),
        ])
        .chain([("severity_number", Given::Number(severity))])
    }

    fn attributes(&self) -> [&Attributes; 2] {
        [&self.attributes, &self.resource.attributes]
    }

    fn told_by_trace(&self) -> Option<TraceId> {
        self.trace_id
    }
}

fn texts<'a, const N: usize>(
    all: [(&'static str, &'a str); N],
) -> impl Iterator<Item = (&'a str, Given<'a>)> {
    let said = all.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(key, text)| (key, Given::Text(text)))
}

pub(super) const DURATION: &str = "duration_ms";
