//! Calls of a node, by what clients say of whom they call.

use serde_json::{Value, json};
use throughline_insight::detect::Node;
use throughline_store::{ClientCall, Condition, Filter, Operator, THROTTLES};
use throughline_telemetry::Span;

use super::{is, text};

/// Calls of a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Calls {
    kind: String,
    name: String,
    /// What is called for; none if that does not matter.
    operation: Option<String>,
    /// Whether only those matter that were refused because there were too many.
    refused: bool,
}

impl Calls {
    pub(super) fn new(to: &Node, operation: Option<&str>) -> Option<Self> {
        let (kind, name) = to.split_once(':')?;
        // An invocation has the name of its function, and is the whole of what is called for there.
        let is_invocation = |operation: &str| kind == "function" && operation == name;
        let operation = operation.filter(|operation| !is_invocation(operation));
        Some(Calls {
            kind: kind.to_owned(),
            name: name.to_owned(),
            operation: operation.map(str::to_owned),
            refused: false,
        })
    }

    /// Those of them that were refused because there were too many.
    pub(super) fn refused(self) -> Self {
        Calls {
            refused: true,
            ..self
        }
    }

    /// What lets through all of them, and a few others.
    pub(super) fn alike(&self) -> Vec<Filter> {
        let name = format!("(^|[/:\"@]){}(\"|[/?#:]|$)", escaped(&self.name));
        let named = names(&self.kind).iter();
        let named = named.map(|column| is(column, Operator::Matches, json!(name)));
        let operation = self.operation.as_ref().map(|operation| {
            let verb = operation.split(' ').next().unwrap_or_default();
            let same = |column: &&str| is(column, Operator::Eq, json!(operation));
            let of_verb = |column: &&str| is(column, Operator::Eq, json!(verb));
            let columns = operations(&self.kind).iter().chain(&["name"]).map(same);
            any(columns.chain(DB_OPERATION.iter().map(of_verb)))
        });
        let refused = self.refused.then(|| any(refusals().into_iter()));
        let of = [Some(any(named)), operation, refused];
        of.into_iter().flatten().collect()
    }

    /// What tells them from all others, by one of them; none if it is none.
    pub(super) fn told_by(&self, span: &Span) -> Option<Vec<Condition>> {
        let call = ClientCall::of(span)?;
        let operation = self.operation.as_ref();
        let is_one = call.kind.name() == self.kind
            && call.name == self.name
            && operation.is_none_or(|it| *it == call.operation);
        if !is_one {
            return None;
        }
        let mut names = names(&self.kind).iter();
        let named = names.find_map(|column| named(column, &text(span, column)?, &self.name))?;
        // Without it a topic and a queue of one name are the same.
        let systems: &[&str] = match self.kind.as_str() {
            "table" if named.column == DB_COLLECTION[0] => &DB_SYSTEM,
            "database" | "cache" if !DB_SYSTEM.contains(&named.column.as_str()) => &DB_SYSTEM,
            "queue" | "topic" | "bus" | "stream" => &["messaging.system"],
            _ => &[],
        };
        let mut told = vec![named];
        told.extend(first(span, systems));
        if operation.is_some() {
            told.extend(self.operation_of(span));
        }
        if self.refused {
            told.push(refusals().into_iter().find(|it| refuses(span, it))?);
        }
        Some(told)
    }

    /// What says what a span calls for, in the order in which edges look for it.
    fn operation_of(&self, span: &Span) -> Vec<Condition> {
        if matches!(self.kind.as_str(), "database" | "cache")
            && let Some(verb) = first(span, &DB_OPERATION)
        {
            let collection = first(span, &DB_COLLECTION);
            return std::iter::once(verb).chain(collection).collect();
        }
        let said = first(span, operations(&self.kind));
        vec![said.unwrap_or_else(|| is("name", Operator::Eq, json!(span.name)))]
    }
}

/// The attributes that may name it, those first that say most.
fn names(kind: &str) -> &'static [&'static str] {
    match kind {
        "table" => &[
            "aws.dynamodb.table_names",
            "aws.table.name",
            "db.collection.name",
        ],
        "bucket" => &["aws.s3.bucket", "aws.bucket.name"],
        "stream" => &[
            "aws.kinesis.stream_name",
            "messaging.destination.name",
            "messaging.destination",
        ],
        "queue" | "topic" | "bus" => &[
            "messaging.destination.name",
            "messaging.destination",
            "aws.sqs.queue.url",
            "aws.queue.url",
            "aws.queue_url",
            "messaging.url",
            "aws.sns.topic.arn",
        ],
        "database" => &[
            "db.namespace",
            "db.name",
            "server.address",
            "net.peer.name",
            "db.system.name",
            "db.system",
        ],
        "cache" => &[
            "server.address",
            "net.peer.name",
            "db.system.name",
            "db.system",
        ],
        "function" => &["faas.invoked_name"],
        "service" => &[
            "service.peer.name",
            "peer.service",
            "rpc.service",
            "rpc.method",
        ],
        _ => &[
            "server.address",
            "net.peer.name",
            "http.host",
            "url.full",
            "http.url",
        ],
    }
}

/// The attributes that may say what it is called for.
fn operations(kind: &str) -> &'static [&'static str] {
    match kind {
        "host" => &["http.request.method", "http.method", "rpc.method"],
        "queue" | "topic" | "bus" | "stream" => &[
            "messaging.operation.type",
            "messaging.operation.name",
            "messaging.operation",
            "rpc.method",
        ],
        _ => &["db.operation.name", "db.operation", "rpc.method"],
    }
}

/// What holds where an attribute with this value names something, and for no other name: the value itself, the end of
/// an address, the first of a list, the beginning of an URL or of a method.
fn named(column: &str, value: &str, name: &str) -> Option<Condition> {
    if value == name {
        return Some(is(column, Operator::Eq, json!(name)));
    }
    if let Some(url) = beginning(column, value, name) {
        return Some(is(column, Operator::StartsWith, json!(url)));
    }
    if let Ok(list) = serde_json::from_str::<Vec<String>>(value) {
        let first = list.into_iter().next()?;
        let is_it = first == name || last_part(&first, name).is_some();
        let begin = format!("[{}", Value::String(first));
        return is_it.then(|| is(column, Operator::StartsWith, json!(begin)));
    }
    let end = last_part(value, name)?;
    Some(is(column, Operator::EndsWith, json!(end)))
}

/// As far as a method says its service, and an URL its host.
fn beginning<'a>(column: &str, value: &'a str, name: &str) -> Option<&'a str> {
    match column {
        "rpc.method" => {
            let end = value.rfind('/')?;
            (value[..end] == *name).then(|| &value[..=end])
        }
        "url.full" | "http.url" => {
            let host = value.find("://")? + "://".len();
            let rest = value[host..].strip_prefix(name)?;
            let next = rest.chars().next().map_or(0, char::len_utf8);
            Some(&value[..host + name.len() + next])
        }
        _ => None,
    }
}

/// What an ARN or an URL ends with, if that is this name.
fn last_part<'a>(address: &'a str, name: &str) -> Option<&'a str> {
    let before = address.strip_suffix(name)?;
    let mark = before.ends_with(['/', ':']);
    mark.then(|| &address[before.len() - 1..])
}

/// The first of these that a span says.
fn first(span: &Span, columns: &[&str]) -> Option<Condition> {
    let mut columns = columns.iter();
    columns.find_map(|column| Some(is(column, Operator::Eq, json!(text(span, column)?))))
}

/// How clients say that there were too many of them.
fn refusals() -> Vec<Condition> {
    let words = format!("(?i){}", THROTTLES.join("|"));
    let status = STATUS.map(|column| is(column, Operator::Eq, json!(429)));
    let errors = ERRORS.map(|column| is(column, Operator::Matches, json!(words)));
    let error = is(ERRORS[0], Operator::Eq, json!("429"));
    status.into_iter().chain(errors).chain([error]).collect()
}

fn refuses(span: &Span, refusal: &Condition) -> bool {
    let Some(said) = text(span, &refusal.column) else {
        return false;
    };
    let said = said.to_ascii_lowercase();
    match refusal.op {
        Operator::Matches => THROTTLES.iter().any(|word| said.contains(word)),
        _ => said == "429",
    }
}

fn any(conditions: impl Iterator<Item = Condition>) -> Filter {
    Filter::Any(conditions.map(Filter::Is).collect())
}

/// A text as a regular expression that finds it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for it in text.chars() {
        if it.is_ascii_punctuation() && !"<>_".contains(it) {
            escaped.push('\\');
        }
        escaped.push(it);
    }
    escaped
}

const DB_SYSTEM: [&str; 2] = ["db.system.name", "db.system"];
const DB_OPERATION: [&str; 2] = ["db.operation.name", "db.operation"];
const DB_COLLECTION: [&str; 3] = [
    "db.collection.name",
    "db.sql.table",
    "db.mongodb.collection",
];
const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];
const ERRORS: [&str; 3] = ["error.type", "aws.error.code", "aws.error_code"];
