//! What invoked the function, told from the event: its kind, who it was called by, the keys that join it with what its
//! producer knows, and the managed services that each record came through.

mod batch;
mod enclosed;
mod http;
mod path;
mod single;
mod table;

use serde_json::Value;
use throughline_telemetry::{Attributes, Value as Told};

use crate::carriers::{Get, correlation_id, extract, getter};
use crate::ids::TraceContext;

#[cfg(feature = "bodies")]
pub(crate) use enclosed::decoded;

/// What an event says.
#[derive(Debug)]
pub(crate) struct Way {
    /// Whose trace the invocation is in.
    pub(crate) parent: Option<TraceContext>,
    /// One for each record that names its own.
    pub(crate) links: Vec<LinkIn>,
    /// `kind:value`
    pub(crate) keys: Vec<String>,
    /// One for each record that came through services.
    pub(crate) path: Vec<String>,
    pub(crate) attributes: Attributes,
}

/// The context of one record.
#[derive(Clone, Debug)]
pub(crate) struct LinkIn {
    pub(crate) context: TraceContext,
    pub(crate) attributes: Attributes,
}

/// What a row of the table reads out of an event.
#[derive(Default)]
struct Found<'a> {
    /// In place of what the row says.
    kind: Option<&'static str>,
    records: Vec<Record<'a>>,
    /// Whether each record is a link.
    is_batch: bool,
    keys: Vec<String>,
    attributes: Attributes,
}

#[derive(Default)]
pub(crate) struct Record<'a> {
    get: Option<Get<'a>>,
    keys: Vec<String>,
    id: String,
    path: String,
}

/// Reads `event`. `custom` is what a caller put into the client context of a direct call, `invoked` the trace in the
/// invocation's own header.
pub(crate) fn read(
    event: &Value,
    request_id: &str,
    custom: &Value,
    invoked: Option<TraceContext>,
) -> Way {
    let row = table::TABLE.iter().find(|row| (row.is)(event));
    let found = match row {
        Some(row) => (row.read)(event),
        None => direct(event),
    };
    let (kind, trigger) = row.map_or(("invoke", "other"), |row| (row.kind, row.trigger));
    let contexts: Vec<Option<TraceContext>> = found.records.iter().map(Record::context).collect();
    let mut keys = vec![format!("lam:{request_id}")];
    keys.extend(found.keys);
    keys.extend(
        found
            .records
            .iter()
            .flat_map(|record| record.keys.iter().cloned()),
    );
    keys.truncate(KEYS_MAX);
    let named = contexts
        .iter()
        .zip(&found.records)
        .filter(|_| found.is_batch);
    let links = named.filter_map(|(context, record)| {
        // A header may name the trace alone; a link needs a span.
        let context = context.and_then(TraceContext::with_span)?;
        let attributes = record.link_attributes();
        Some(LinkIn {
            context,
            attributes,
        })
    });
    let links = links.collect();
    let path = found.records.iter().map(|record| record.path.clone());
    let path = path
        .filter(|path| !path.is_empty())
        .take(KEYS_MAX)
        .collect();
    let mut attributes = Attributes::default();
    attributes.set("faas.trigger", trigger);
    attributes.set("throughline.trigger.type", found.kind.unwrap_or(kind));
    attributes.0.extend(found.attributes.0);
    if let [Record { get: Some(get), .. }] = found.records.as_slice()
        && let Some(id) = correlation_id(get)
    {
        attributes.set("throughline.correlation_id", id.as_str());
    }
    let parent = same(&contexts).or_else(|| extract(&client_context(custom)));
    let parent = completed(parent.or(invoked), invoked);
    Way {
        parent,
        links,
        keys,
        path,
        attributes,
    }
}

fn direct(event: &Value) -> Found<'_> {
    let record = Record {
        get: Some(getter(event)),
        ..Record::default()
    };
    Found {
        records: vec![record],
        ..Found::default()
    }
}

impl Record<'_> {
    fn context(&self) -> Option<TraceContext> {
        extract(self.get.as_ref()?)
    }

    fn link_attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        if !self.id.is_empty() {
            attributes.set("messaging.message.id", self.id.as_str());
        }
        if !self.keys.is_empty() {
            attributes.set("throughline.link.in", texts(&self.keys));
        }
        attributes
    }
}

/// The one trace that all records are in, below the first caller that is known.
fn same(contexts: &[Option<TraceContext>]) -> Option<TraceContext> {
    let first = (*contexts.first()?)?;
    let of_first = |context: &Option<TraceContext>| {
        context.is_some_and(|context| context.trace_id == first.trace_id)
    };
    if !contexts.iter().all(of_first) {
        return None;
    }
    let mut named = contexts.iter().flatten().copied();
    named
        .find(|context| context.span_id.is_some())
        .or(Some(first))
}

/// The header may name the trace without the caller, which the invocation's own header has.
fn completed(parent: Option<TraceContext>, invoked: Option<TraceContext>) -> Option<TraceContext> {
    match (parent, invoked) {
        (Some(parent), Some(invoked))
            if parent.span_id.is_none() && parent.trace_id == invoked.trace_id =>
        {
            Some(invoked)
        }
        (parent, _) => parent,
    }
}

fn client_context(context: &Value) -> Get<'_> {
    let own = ["custom", "Custom", "w3c"].map(|name| getter(&context[name]));
    Box::new(move |name| own.iter().find_map(|get| get(name)))
}

/// A list of texts as the value of an attribute.
pub(crate) fn texts(list: &[String]) -> Told {
    Told::Array(list.iter().map(|text| Told::from(text.as_str())).collect())
}

/// Records that are read, keys and links that a span has.
pub(crate) const KEYS_MAX: usize = 1_000;

#[cfg(test)]
mod tests;
