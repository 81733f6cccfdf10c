//! What the server has and what it says of what it has not, beside what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use serde_json::Value;

use super::FUNCTIONS;
use super::workers::Invoked;
use crate::function::trace_id;
use crate::server::Server;
use crate::stage::Struck;

/// What the test knows by itself.
pub(super) struct Evidence {
    /// Every span that an extension has taken, with its invocation.
    pub(super) taken: BTreeMap<u64, u64>,
    pub(super) invoked: Vec<Invoked>,
    pub(super) struck: Struck,
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

/// An extension from its start to its end: the environment's log stream, and how many were there
/// before it. What fails takes it along; of one that dies in its sleep and is started again this knows
/// nothing, and takes both for one.
type Life<'a> = (&'a str, usize);

impl Evidence {
    /// Which life handled which invocation, and of each environment which life would be next.
    fn lives(&self, function: &str) -> (BTreeMap<u64, Life<'_>>, BTreeMap<&str, usize>) {
        let here = self.invoked.iter().filter(|one| one.function == function);
        let mut here: Vec<_> = here.collect();
        here.sort_by_key(|one| one.started);
        let (mut lives, mut next) = (BTreeMap::new(), BTreeMap::new());
        for one in here {
            let nth: &mut usize = next.entry(one.environment.as_str()).or_default();
            lives.insert(one.number, (one.environment.as_str(), *nth));
            *nth += usize::from(!one.went_well);
        }
        (lives, next)
    }

    /// Whether a life may have ended without a word: something struck its environment, and either nobody
    /// came after it there, or whoever came had no chance to speak either.
    fn is_untold(&self, (stream, nth): Life<'_>, next: &BTreeMap<&str, usize>) -> bool {
        let Some(struck) = self.struck.get(stream) else {
            return false;
        };
        let went_well_last = self
            .invoked
            .iter()
            .filter(|one| one.environment == stream)
            .max_by_key(|one| one.started)
            .is_some_and(|one| one.went_well);
        let was_dropped = struck.iter().any(|what| what == DROPPED);
        next.get(stream).is_none_or(|last| nth >= *last) || !went_well_last || was_dropped
    }

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

    /// Where the server is wrong, once it has what was written to stdout as well; before that it may not
    /// know of a life at all.
    pub(super) fn problems(&self, evidence: &Evidence, has_lines: bool) -> Vec<String> {
        let mut problems = Vec::new();
        for name in FUNCTIONS {
            let Some(function) = self.functions.iter().find(|function| function.name == name)
            else {
                problems.push(format!("the server knows nothing of {name}"));
                continue;
            };
            problems.extend(self.problems_of(function, evidence, has_lines));
        }
        problems
    }

    fn problems_of(
        &self,
        function: &Function,
        evidence: &Evidence,
        has_lines: bool,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let (name, complete) = (&function.name, &function.complete);
        let (lives, next) = evidence.lives(name);
        // The spans that are missing, by the life that took them, and who was heard of.
        let mut missing: BTreeMap<Life<'_>, Vec<u64>> = BTreeMap::new();
        let mut heard = BTreeSet::new();
        for (span, number) in &evidence.taken {
            match lives.get(number) {
                Some(life) if self.spans.contains(span) => drop(heard.insert(*life)),
                Some(life) => missing.entry(*life).or_default().push(*span),
                None => {}
            }
        }
        // A life that vanished may have taken what it never told anybody of, if nobody came after it who
        // could. The server says of such a one that it is open, if it has heard of it at all.
        let vanished = |life: &Life<'_>| evidence.is_untold(*life, &next);
        let mut counts: Vec<_> = missing
            .iter()
            .filter(|(life, _)| !vanished(life) && (has_lines || heard.contains(*life)))
            .map(|(life, spans)| (spans.len() as u64, *life))
            .collect();
        counts.sort_unstable();
        counts.reverse();
        let open = usize::try_from(function.open).unwrap_or(0);
        let told = counts.get(open.min(counts.len())..).unwrap_or_default();
        let lost: u64 = told.iter().map(|(count, _)| count).sum();
        let named: u64 = function.missing.iter().filter_map(|one| one.items).sum();
        let named = named.max(function.dropped);
        // Of one that it has heard of it says at least that it never said farewell.
        let known = |life: &&Life<'_>| vanished(life) && heard.contains(*life);
        let known = missing.keys().find(known);
        if let Some(life) = known.filter(|_| open == 0 && named == 0) {
            let (spans, (stream, life)) = (&missing[life], life);
            let struck = &evidence.struck[*stream];
            let of: BTreeSet<_> = spans.iter().map(|span| evidence.taken[span]).collect();
            let count = spans.len();
            problems.push(format!(
                "{count} spans of {name} of invocations {of:?} are missing in life {life} of {stream}, {struck:?}, and nothing says so"
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

/// As the sandbox tells it.
const DROPPED: &str = "drop the environment";
