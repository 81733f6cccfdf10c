//! How a trace got from one function to the other, by what the server says of their spans.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// What a cell of the page says, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The two ends have nothing in common.
    Lost,
    /// One trace, in which the one that gets hangs below no call of the one that sends.
    Beside,
    /// Both ends name the same probable key.
    Inferred,
    /// Both ends name the same exact key.
    Matched,
    /// The one that gets hangs below the call of the one that sends.
    Carried,
}

const WORDS: [(Verdict, &str); 5] = [
    (Verdict::Carried, "carried"),
    (Verdict::Matched, "matched"),
    (Verdict::Inferred, "inferred"),
    (Verdict::Beside, "one trace, no parent"),
    (Verdict::Lost, "**lost**"),
];

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(verdict, _)| verdict == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

impl Verdict {
    /// What the server says of why a span is the parent; nothing where the trace says so itself.
    fn of(join: &Value) -> Self {
        match text(&join["how"]) {
            "matched" => Verdict::Matched,
            "inferred" => Verdict::Inferred,
            _ => Verdict::Carried,
        }
    }

    /// The verdict that a cell of the page has, if it has one.
    pub(crate) fn read(cell: &str) -> Option<Self> {
        let known = WORDS.iter().find(|(_, word)| *word == cell.trim());
        known.map(|(verdict, _)| *verdict)
    }
}

/// How an action of `from` reached an invocation of `to`, by the story that the server tells of the action; and what is
/// missing.
pub(crate) fn verdict(story: &Value, from: &str, to: &str, request_id: &str) -> (Verdict, String) {
    let spans: Vec<_> = story["spans"].as_array().into_iter().flatten().collect();
    let is_it = |span: &&&Value| {
        span["service"] == to && span["attributes"]["faas.invocation_id"] == request_id
    };
    let Some(invocation) = spans.iter().find(is_it) else {
        return (Verdict::Lost, format!("{request_id} is not in its story"));
    };
    let by_id: BTreeMap<_, _> = spans
        .iter()
        .map(|span| (text(&span["span_id"]), span))
        .collect();
    let (mut span, mut verdict) = (invocation, Verdict::Carried);
    for _ in 0..DEPTH_MAX {
        verdict = verdict.min(Verdict::of(&span["join"]));
        let Some(parent) = by_id.get(text(&span["parent_span_id"])) else {
            return (
                Verdict::Beside,
                format!("the parent of {} is not there", span["name"]),
            );
        };
        // Of some calls the function makes the span itself, which then is of no kind.
        let is_call = parent["kind"] != "server";
        if parent["service"] == from && is_call {
            return (verdict, span["join"].to_string());
        }
        // What the message waited in, and what the extension and the layer tell of one invocation.
        if parent["inferred"] != true && parent["service"] != to {
            let whose = format!("below {} of {}", parent["name"], parent["service"]);
            return (Verdict::Beside, whose);
        }
        span = parent;
    }
    (Verdict::Lost, "no end of parents".to_owned())
}

/// The trace that an action is told to be of.
pub(crate) fn trace_of(row: usize, medium: &str, producer: usize) -> String {
    let name: u32 = medium
        .bytes()
        .fold(7, |sum, byte| sum * 31 % 65_521 + u32::from(byte));
    format!("6720a000{name:08x}{row:08x}{producer:08x}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// No function is nested so deeply in itself.
const DEPTH_MAX: usize = 64;
