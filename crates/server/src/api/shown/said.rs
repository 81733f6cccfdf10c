//! How spans failed, and what they ran with, by what they say of it.

use serde_json::{Value, json};
use throughline_store::{Condition, Filter, Operator};
use throughline_telemetry::Span;

use super::{is, text};
use crate::detection::signature;

/// What spans say of themselves.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// A failure with this signature.
    Failure(String),
    /// A version of the function, or of its service.
    Version(String),
    /// How the digest of its code begins.
    Code(String),
    /// Its memory.
    MemoryBytes(u64),
    /// What it runs on, by the name that AWS has for it.
    Architecture(String),
}

impl Said {
    /// What a change has brought, by its words: `version 42`, `code 3f8a12cd`, `memory 512 MB`, `architecture arm64`.
    pub(super) fn changed(what: &str) -> Option<Self> {
        let (of, to) = what.split_once(' ')?;
        match of {
            "version" => Some(Said::Version(to.to_owned())),
            "code" => Some(Said::Code(to.to_owned())),
            "memory" => {
                let megabytes: u64 = to.strip_suffix(" MB")?.parse().ok()?;
                Some(Said::MemoryBytes(megabytes.checked_mul(1 << 20)?))
            }
            "architecture" => Some(Said::Architecture(to.to_owned())),
            _ => None,
        }
    }

    /// What lets through all of them, and a few others.
    pub(super) fn alike(&self) -> Filter {
        let begins = |column: &str, text: &str| is(column, Operator::StartsWith, json!(text));
        let any = match self {
            Said::Failure(signature) => {
                // The type of the error is before the first colon, or there is none and it is of the message.
                let kind = signature.split(": ").next().unwrap_or_default();
                let kind = begins(ERROR_TYPE, kind);
                let message = runs(signature).into_iter().next();
                let message = message.map(|run| is(MESSAGE, Operator::Contains, json!(run)));
                std::iter::once(kind).chain(message).collect()
            }
            Said::Version(version) => VERSIONS.map(|column| begins(column, version)).to_vec(),
            Said::Code(code) => vec![begins(CODE, code)],
            Said::MemoryBytes(bytes) => vec![is(MEMORY, Operator::Eq, json!(bytes))],
            Said::Architecture(name) => vec![is(ARCHITECTURE, Operator::Eq, json!(told_as(name)))],
        };
        Filter::Any(any.into_iter().map(Filter::Is).collect())
    }

    /// What tells them from all others, by one of them; none if it is none.
    pub(super) fn told_by(&self, span: &Span) -> Option<Vec<Condition>> {
        let has = |column: &str, value: &str| text(span, column).is_some_and(|it| it == value);
        match self {
            Said::Failure(signature) => failure(span, signature),
            Said::Version(version) => {
                let mut columns = VERSIONS.into_iter();
                let column = columns.find(|column| has(column, version))?;
                Some(vec![is(column, Operator::Eq, json!(version))])
            }
            Said::Code(code) => {
                let whole = text(span, CODE).filter(|it| it.starts_with(code.as_str()))?;
                Some(vec![is(CODE, Operator::Eq, json!(whole))])
            }
            Said::MemoryBytes(bytes) => has(MEMORY, &bytes.to_string())
                .then(|| vec![is(MEMORY, Operator::Eq, json!(bytes))]),
            Said::Architecture(name) => has(ARCHITECTURE, told_as(name))
                .then(|| vec![is(ARCHITECTURE, Operator::Eq, json!(told_as(name)))]),
        }
    }
}

/// As OpenTelemetry calls what AWS calls so.
fn told_as(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        name => name,
    }
}

/// The type of the error, and of its message what has no numbers and ids in it.
fn failure(span: &Span, wanted: &str) -> Option<Vec<Condition>> {
    let kind = text(span, ERROR_TYPE).unwrap_or_default();
    if signature(&kind, &span.status_message) != *wanted {
        return None;
    }
    let of_kind = match kind.is_empty() {
        true => is(ERROR_TYPE, Operator::DoesNotExist, Value::Null),
        false => is(ERROR_TYPE, Operator::Eq, json!(kind)),
    };
    let message = wanted.strip_prefix(kind.as_str()).unwrap_or_default();
    let runs = runs(message.trim_start_matches(": ")).into_iter();
    let runs = runs.map(|run| is(MESSAGE, Operator::Contains, json!(run)));
    Some(std::iter::once(of_kind).chain(runs).collect())
}

/// What stands between the numbers and ids of a signature: the longest first, in which there are words.
fn runs(signature: &str) -> Vec<&str> {
    let runs = signature.split('*').map(str::trim);
    let mut runs: Vec<&str> = runs
        .filter(|run| run.chars().filter(|it| it.is_alphabetic()).count() >= LETTERS_MIN)
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
    runs.truncate(RUNS_MAX);
    runs
}

const ERROR_TYPE: &str = "error.type";
const MESSAGE: &str = "status_message";
const VERSIONS: [&str; 2] = ["faas.version", "service.version"];
const CODE: &str = "throughline.code.digest";
const MEMORY: &str = "faas.max_memory";
const ARCHITECTURE: &str = "host.arch";
/// Letters that a run must have to say something.
const LETTERS_MIN: usize = 3;
const RUNS_MAX: usize = 3;
