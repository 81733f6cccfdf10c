//! One user action by any id that belongs to it.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use throughline_insight::{self as insight, Limits};
use throughline_store::{Count, Filter, ReadError, Search, SearchQuery, Store};
use throughline_telemetry::correlation::{End, LAMBDA_KIND};
use throughline_telemetry::{LogRecord, Signal, TraceId};

use super::error::ApiError;
use crate::story::tell;

/// A story, and what it was found by.
pub(super) struct FoundStory {
    /// The trace that was asked for, or the first that has the id.
    pub(super) trace_id: TraceId,
    pub(super) found_by: FoundBy,
    pub(super) story: insight::Story,
}

/// What an id turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FoundBy {
    Trace,
    Request,
    /// What passed between two functions, with its kind.
    Key(String),
    /// The value of this attribute.
    Attribute(String),
    /// Words of a log record.
    Log,
}

/// Finds a story. What looks like the id of a trace is looked for among keys, values and words only where
/// `anywhere` says so: most that are unknown have not arrived yet, and are asked for again and again. Blocks
/// on the disk.
pub(super) fn find(store: &Store, id: &str, anywhere: bool) -> Result<FoundStory, ApiError> {
    let asked = trace_of(id);
    if let Some(trace_id) = asked {
        let story = tell(store, &[trace_id], Limits::default())?;
        if !story.spans.is_empty() || !story.logs.is_empty() {
            return Ok(FoundStory {
                trace_id,
                found_by: FoundBy::Trace,
                story,
            });
        }
        if !anywhere {
            return Err(ApiError::UnknownTrace(trace_id));
        }
    }
    let (found_by, traces) = match by_key(store, id)? {
        Some(found) => found,
        None => {
            let (found, is_partial) = by_value(store, id)?;
            found.ok_or(match asked {
                Some(trace_id) => ApiError::UnknownTrace(trace_id),
                None => ApiError::UnknownId(id.to_owned(), is_partial),
            })?
        }
    };
    if traces.len() > ASKED_MAX {
        return Err(ApiError::AmbiguousId(id.to_owned(), traces.len()));
    }
    let story = tell(store, &traces, Limits::default())?;
    let trace_id = story.traces.first().or(traces.first());
    Ok(FoundStory {
        trace_id: *trace_id.ok_or_else(|| ApiError::UnknownId(id.to_owned(), false))?,
        found_by,
        story,
    })
}

/// The id of a trace, as OpenTelemetry or X-Ray writes it.
fn trace_of(text: &str) -> Option<TraceId> {
    let xray = text.strip_prefix("Root=").unwrap_or(text);
    match xray
        .strip_prefix("1-")
        .and_then(|rest| rest.split_once('-'))
    {
        Some((time, rest)) if time.len() == 8 => format!("{time}{rest}").parse().ok(),
        _ => text.parse().ok(),
    }
}

/// The traces of a request, or of what passed between two functions.
fn by_key(store: &Store, id: &str) -> Result<Option<(FoundBy, Vec<TraceId>)>, ReadError> {
    let mut keys = vec![id.to_owned()];
    keys.extend(KINDS.iter().map(|kind| format!("{kind}:{id}")));
    let ends = keys.iter().flat_map(|key| {
        let (sent, received) = (End::Out(key.clone()), End::In(key.clone()));
        [sent, received]
    });
    let ends: Vec<End> = ends.collect();
    let found = store.traces(|traces| traces.linked(&ends))?.traces;
    let pairs = keys.iter().zip(found.chunks(2));
    let found = pairs.map(|(key, ends)| (key, ends.concat()));
    let mut found = found.filter(|(_, traces)| !traces.is_empty());
    Ok(found.next().map(|(key, mut traces)| {
        traces.sort();
        traces.dedup();
        let kind = key.split_once(':').map_or("", |(kind, _)| kind);
        let found_by = match kind == LAMBDA_KIND {
            true => FoundBy::Request,
            false => FoundBy::Key(key.clone()),
        };
        (found_by, traces)
    }))
}

type ByValue = (Option<(FoundBy, Vec<TraceId>)>, bool);

/// The traces that have this value in an attribute, or these words in a log record; and whether not
/// everything was looked at.
fn by_value(store: &Store, text: &str) -> Result<ByValue, ApiError> {
    let begun = clock();
    let left = || VALUE_SEARCH.saturating_sub(begun.elapsed());
    let mut is_partial = false;
    for signal in [Signal::Traces, Signal::Logs] {
        let keys = store.attribute_keys(signal, "", KEYS_MAX)?;
        is_partial |= keys.truncated;
        let keys: Vec<String> = keys.items.into_iter().map(|key| key.key).collect();
        let may_go_on = || !left().is_zero();
        let found = store.traces_with_value(signal, text, &keys, &may_go_on)?;
        is_partial |= found.truncated;
        // The attribute whose value tells most.
        let rarest = found
            .by_key
            .into_iter()
            .min_by_key(|(_, traces)| traces.len());
        if let Some((key, traces)) = rarest {
            let traces = traces.into_iter().collect();
            return Ok((Some((FoundBy::Attribute(key), traces)), is_partial));
        }
    }
    let quoted = format!("\"{}\"", text.replace(['"', '\\'], " "));
    let words = Filter::of_words(&quoted).map_err(ApiError::BadQuery)?;
    let is_anything = words == Filter::All(Vec::new());
    if is_anything {
        return Ok((None, is_partial));
    }
    let (traces, stopped) = search(store, words, left())?;
    let found = (!traces.is_empty()).then_some((FoundBy::Log, traces));
    Ok((found, is_partial || stopped))
}

/// The traces of the newest log records that a filter lets through, and whether the search was stopped before it
/// found any.
fn search(store: &Store, filter: Filter, time: Duration) -> Result<(Vec<TraceId>, bool), ApiError> {
    let query = SearchQuery {
        filter,
        limit: Some(ROWS_MAX),
        count: Count::Page,
        ..SearchQuery::default()
    };
    let search: Search<LogRecord> = Search::new(&store.scan(), query)?;
    let worked = thread::scope(|scope| {
        let (done, waits) = mpsc::channel::<()>();
        let search = &search;
        scope.spawn(move || {
            if waits.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
                search.stop();
            }
        });
        let worked = search.work();
        drop(done);
        worked
    });
    worked?;
    let page = search.finish()?;
    let rows = page.iter().flat_map(|page| &page.rows);
    let mut traces: Vec<TraceId> = rows.filter_map(|log| log.trace_id).collect();
    traces.sort();
    traces.dedup();
    let stopped = page.is_none_or(|page| page.truncated && page.rows.is_empty());
    Ok((traces, stopped))
}

#[allow(clippy::disallowed_methods)] // an edge: a search for any value has a limit of time
fn clock() -> Instant {
    Instant::now()
}

/// The kinds of keys that an id without one may be of: the request first, which most ask for.
const KINDS: [&str; 15] = [
    LAMBDA_KIND,
    "sqs",
    "sns",
    "eb",
    "apigw",
    "kin",
    "fh",
    "s3r",
    "s3o",
    "sfn",
    "kafka",
    "mq",
    "ddb",
    "sqsbody",
    "ebd",
];

/// Traces that one id may be of. A value that more have is no id.
const ASKED_MAX: usize = 10;

/// Rows of a search that are looked at to find those.
const ROWS_MAX: usize = 100;

/// Attributes whose values are searched, those that most rows have first.
const KEYS_MAX: usize = 1000;

/// How long all attributes together are searched for a value.
const VALUE_SEARCH: Duration = Duration::from_secs(2);
