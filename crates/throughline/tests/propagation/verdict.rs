//! How a trace got from one function to the other, by what the server says of their spans.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::media::Medium;
use crate::world::{ById, texts};

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
    /// The verdict that a cell of the page has, if it has one.
    pub(crate) fn read(cell: &str) -> Option<Self> {
        let known = WORDS.iter().find(|(_, word)| *word == cell.trim());
        known.map(|(verdict, _)| *verdict)
    }
}

/// All spans of the server, in the ways in which they are looked for.
pub(crate) struct Story<'a> {
    spans: &'a [Value],
    by_id: ById<'a>,
    by_request: BTreeMap<&'a str, Vec<&'a Value>>,
}

impl<'a> Story<'a> {
    pub(crate) fn of(spans: &'a [Value]) -> Self {
        let (mut by_id, mut by_request) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for span in spans {
            by_id.insert((text(&span["trace_id"]), text(&span["span_id"])), span);
            let request = text(&span["attributes"]["faas.invocation_id"]);
            by_request.entry(request).or_default().push(span);
        }
        Story {
            spans,
            by_id,
            by_request,
        }
    }

    /// How an action of `from` reached the invocation of `to`.
    pub(crate) fn verdict(
        &self,
        trace_id: &str,
        from: &str,
        to: &str,
        request_id: &str,
    ) -> (Verdict, String) {
        let none = Vec::new();
        let of_request = self.by_request.get(request_id).unwrap_or(&none);
        let invocation: Vec<_> = of_request
            .iter()
            .filter(|span| span["service"] == to)
            .collect();
        let Some(first) = invocation
            .iter()
            .find(|span| span["kind"] == "server")
            .or(invocation.first())
        else {
            return (Verdict::Lost, format!("no span of invocation {request_id}"));
        };
        let top = self.top(first);
        let caller = self.parent(top);
        let trace = text(&top["trace_id"]);
        if trace == trace_id {
            let Some(caller) = caller else {
                return (Verdict::Beside, "its parent is not there".to_owned());
            };
            let is_call = ["client", "producer"].contains(&text(&caller["kind"]));
            return match is_call && caller["service"] == from {
                true => (Verdict::Carried, String::new()),
                false => (
                    Verdict::Beside,
                    format!("below {} of {}", caller["name"], caller["service"]),
                ),
            };
        }
        let sent = self
            .spans
            .iter()
            .filter(|span| span["trace_id"] == trace_id);
        let sent: BTreeSet<_> = sent
            .flat_map(|span| texts(span, "throughline.link.out"))
            .collect();
        let came = invocation
            .iter()
            .flat_map(|span| texts(span, "throughline.link.in"));
        let came: BTreeSet<_> = came.collect();
        let common: Vec<_> = sent.intersection(&came).collect();
        let is_exact = |key: &&&String| {
            let kind = key.split(':').next().unwrap_or_default();
            !PROBABLE.contains(&kind)
        };
        let why = format!("trace {trace}, sent {sent:?}, came {came:?}");
        match (common.is_empty(), common.iter().any(|key| is_exact(&key))) {
            (true, _) => (Verdict::Lost, why),
            (false, true) => (Verdict::Matched, why),
            (false, false) => (Verdict::Inferred, why),
        }
    }

    /// The outermost span of the same service above this one.
    fn top(&self, span: &'a Value) -> &'a Value {
        let mut top = span;
        for _ in 0..DEPTH_MAX {
            match self.parent(top) {
                Some(parent) if parent["service"] == top["service"] => top = parent,
                _ => break,
            }
        }
        top
    }

    fn parent(&self, span: &Value) -> Option<&'a Value> {
        let key = (text(&span["trace_id"]), text(&span["parent_span_id"]));
        let found = self.by_id.range(key..=key).next();
        found.map(|(_, span)| *span)
    }
}

/// The trace that an action is told to be of.
pub(crate) fn trace_of(row: usize, medium: &Medium, producer: usize) -> String {
    let name: u32 = medium
        .name
        .bytes()
        .fold(7, |sum, byte| sum * 31 % 65_521 + u32::from(byte));
    format!("6720a000{name:08x}{row:08x}{producer:08x}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Kinds of keys that two actions may have in common by chance.
const PROBABLE: [&str; 4] = ["sqsbody", "ddb", "ddbi", "s3o"];
/// No function is nested so deeply in itself.
const DEPTH_MAX: usize = 64;
