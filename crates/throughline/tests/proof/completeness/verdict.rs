//! What the server has and what it says of what it has not, beside what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use serde_json::Value;

use super::FUNCTIONS;
use super::workers::Invoked;
use crate::function::trace_id;
use crate::server::Server;

/// What the test knows by itself.
pub(super) struct Evidence {
    /// Every span that an extension has taken, with its invocation.
    pub(super) taken: BTreeMap<u64, u64>,
    pub(super) invoked: Vec<Invoked>,
    /// The environments, by their log streams, in which a fault has struck.
    pub(super) struck: BTreeSet<String>,
}

/// What the server knows.
pub(super) struct Verdict {
    spans: BTreeSet<u64>,
    functions: Vec<Function>,
}

struct Function {
    name: String,
    complete: String,
    open: u64,
    accepted: u64,
    received: u64,
    dropped: u64,
    missing: Vec<Missing>,
}

struct Missing {
    /// `None` where nobody can say.
    items: Option<u64>,
    why: String,
}

impl Evidence {
    /// Asks the server for everything.
    pub(super) async fn load(&self, server: &Server) -> Result<Verdict, String> {
        let mut verdict = Verdict {
            spans: BTreeSet::new(),
            functions: Vec::new(),
        };
        let numbers: BTreeSet<_> = self.invoked.iter().map(|invoked| invoked.number).collect();
        let numbers = numbers.into_iter().chain(self.taken.values().copied());
        for number in numbers.collect::<BTreeSet<_>>() {
            let path = format!("/api/v1/traces/{}", trace_id(number));
            // A trace of which nothing came is not known.
            if let Ok(trace) = server.load(&path).await {
                verdict.read_trace(&trace);
            }
        }
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/completeness?limit=2{cursor}");
            let page = server.load(&path).await?;
            let functions = page["functions"].as_array().into_iter().flatten();
            verdict.functions.extend(functions.map(Function::read));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(verdict),
            }
        }
    }
}

impl Verdict {
    fn read_trace(&mut self, trace: &Value) {
        let list = |key: &str| trace[key].as_array().into_iter().flatten();
        for span in list("spans").filter(|span| span["name"] == "work") {
            let id = span["span_id"].as_str().unwrap_or_default();
            self.spans.extend(u64::from_str_radix(id, 16));
        }
    }

    /// Where the server is wrong.
    pub(super) fn problems(&self, evidence: &Evidence) -> Vec<String> {
        let mut problems = Vec::new();
        for name in FUNCTIONS {
            let Some(function) = self.functions.iter().find(|function| function.name == name)
            else {
                problems.push(format!("the server knows nothing of {name}"));
                continue;
            };
            problems.extend(self.problems_of(function, evidence));
        }
        problems
    }

    fn problems_of(&self, function: &Function, evidence: &Evidence) -> Vec<String> {
        let mut problems = Vec::new();
        let (name, complete) = (&function.name, &function.complete);
        let here = evidence.invoked.iter().filter(|one| one.function == name);
        let streams: BTreeMap<u64, &str> = here
            .map(|one| (one.number, one.environment.as_str()))
            .collect();
        // The spans that are missing, by the environment that took them, and who was heard of.
        let mut missing: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut heard = BTreeSet::new();
        for (span, number) in &evidence.taken {
            match streams.get(number) {
                Some(stream) if self.spans.contains(span) => drop(heard.insert(*stream)),
                Some(stream) => missing.entry(stream).or_default().push(*span),
                None => {}
            }
        }
        // An environment that vanished may have taken what it never told anybody of. The server says of
        // such a one that it is open, if it has heard of it at all.
        let quiet = |stream: &&str| !evidence.struck.contains(*stream);
        let mut counts: Vec<_> = missing
            .iter()
            .filter(|(stream, _)| quiet(stream))
            .map(|(stream, spans)| (spans.len() as u64, *stream))
            .collect();
        counts.sort_unstable();
        counts.reverse();
        let open = usize::try_from(function.open).unwrap_or(0);
        let told = counts.get(open.min(counts.len())..).unwrap_or_default();
        let lost: u64 = told.iter().map(|(count, _)| count).sum();
        let named: u64 = function.missing.iter().filter_map(|one| one.items).sum();
        let named = named.max(function.dropped);
        // Of one that it has heard of it says at least that it never said farewell.
        let vanished = missing
            .keys()
            .find(|stream| !quiet(stream) && heard.contains(**stream));
        if let Some(stream) = vanished.filter(|_| open == 0 && named == 0) {
            problems.push(format!(
                "spans of {name} are missing in {stream}, which vanished, and nothing says so"
            ));
        }
        if lost > named {
            problems.push(format!(
                "{lost} spans of {name} are missing, {named} items are named, {open} environments are open: {told:?}"
            ));
        }
        if complete != "100.00" && function.missing.is_empty() && function.dropped == 0 {
            problems.push(format!(
                "{name} is {complete} % complete, and nothing is named"
            ));
        }
        if function.received > function.accepted {
            let (accepted, received) = (function.accepted, function.received);
            problems.push(format!("{name} has {received} of {accepted} items"));
        }
        problems
    }
}

impl Function {
    fn read(function: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let missing = function["missing"].as_array().into_iter().flatten();
        let dropped = function["dropped"].as_object().into_iter().flatten();
        Function {
            name: text(&function["function"]),
            complete: text(&function["complete"]),
            open: function["environments_open"].as_u64().unwrap_or(0),
            accepted: number(&function["accepted"]).unwrap_or(0),
            received: number(&function["received"]).unwrap_or(0),
            dropped: dropped.filter_map(|(_, count)| number(count)).sum(),
            missing: missing
                .map(|missing| Missing {
                    items: number(&missing["items"]),
                    why: text(&missing["why"]),
                })
                .collect(),
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spans", self.spans.len())?;
        for function in &self.functions {
            let Function {
                name,
                complete,
                received,
                accepted,
                open,
                ..
            } = function;
            write!(
                f,
                "; {name} {complete} % ({received} of {accepted}, {open} open"
            )?;
            let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
            for missing in &function.missing {
                *reasons.entry(&missing.why).or_default() += missing.items.unwrap_or(0);
            }
            for (why, items) in reasons {
                write!(f, ", {why} {items}")?;
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}
