//! How long records lay in queues and the like before a function had them.
//!
//! A function that took a record knows which services it came through, and when each accepted it. So a wait is
//! known once it is over; of what still lies in a queue nobody tells.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use throughline_telemetry::correlation::IN_PATH;
use throughline_telemetry::{Span, UnixNanos};

use crate::detect::Node;
use crate::story::{Hop, parse, texts};

/// How long records waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// In what, or for what.
    pub at: WaitAt,
    /// How many records that is of.
    pub records: usize,
    /// Half of them waited at most so long.
    pub median: Duration,
    /// The one that waited longest.
    pub longest: Duration,
}

/// Where records wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitAt {
    /// In a service of this kind and name, such as `queue` and `mails`.
    In(String, String),
    /// For this function, in all services that they came through.
    For(String),
}

/// The waits that the spans of functions tell of, in order of where they were.
pub fn waits<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Vec<Wait> {
    let mut found: BTreeMap<WaitAt, Vec<Duration>> = BTreeMap::new();
    for span in spans {
        let function = span.resource.attributes.text("faas.name");
        for path in texts(&span.attributes, IN_PATH) {
            let hops = parse(path);
            for (place, hop) in hops.iter().enumerate().filter(|(_, hop)| lies(hop)) {
                let next = hops[place + 1..].iter().find_map(|hop| hop.accepted);
                let took = since(hop, next.unwrap_or(span.start));
                if let Some(took) = took.filter(|_| !hop.name.is_empty()) {
                    let at = WaitAt::In(hop.kind.to_owned(), hop.name.to_owned());
                    found.entry(at).or_default().push(took);
                }
            }
            let first = hops.iter().find(|hop| lies(hop) && hop.accepted.is_some());
            let took = first.and_then(|first| since(first, span.start));
            if let (Some(took), Some(function)) = (took, function) {
                let at = WaitAt::For(function.to_owned());
                found.entry(at).or_default().push(took);
            }
        }
    }
    let waits = found.into_iter().filter_map(|(at, mut took)| {
        took.sort();
        Some(Wait {
            at,
            records: took.len(),
            median: *took.get((took.len() - 1) / 2)?,
            longest: *took.last()?,
        })
    });
    waits.collect()
}

/// Who takes from what, as nodes of the map: `queue:mails` and `function:mail`; and what passes on to what, a topic to
/// that queue. What a record came through last is what it was taken from.
pub fn takers<'a>(spans: impl IntoIterator<Item = &'a Span>) -> BTreeSet<(Node, Node)> {
    let mut found = BTreeSet::new();
    for span in spans {
        let Some(function) = span.resource.attributes.text("faas.name") else {
            continue;
        };
        for path in texts(&span.attributes, IN_PATH) {
            let mut taker = format!("function:{function}");
            for hop in parse(path).iter().rev() {
                if !lies(hop) || hop.name.is_empty() {
                    break;
                }
                let node = format!("{}:{}", hop.kind, hop.name);
                found.insert((node.clone(), std::mem::replace(&mut taker, node)));
            }
        }
    }
    found
}

/// Whether a record lies there until somebody takes it; an API passes on what is asked of it.
fn lies(hop: &Hop<'_>) -> bool {
    !PASSING_ON.contains(&hop.kind)
}

/// A bus tells whole seconds: what is certain is what came after that second.
fn since(hop: &Hop<'_>, end: UnixNanos) -> Option<Duration> {
    let accepted = hop.accepted?;
    let latest = match hop.kind {
        "bus" => UnixNanos(accepted.0.saturating_add(1_000_000_000)),
        _ => accepted,
    };
    Some(end.since(latest.min(end)))
}

const PASSING_ON: [&str; 4] = ["api", "balancer", "url", "host"];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use throughline_telemetry::{Resource, Value};

    use super::*;
    use crate::testing::span;

    /// A function that began at this millisecond, with the ways of what it was given.
    fn given(function: &str, at: u64, paths: &[&str]) -> Span {
        let mut made = span(1, 0, at * 1_000_000, (at + 5) * 1_000_000);
        let paths = paths.iter().map(|path| Value::from(*path)).collect();
        made.attributes.set(IN_PATH, Value::Array(paths));
        made.resource = Arc::new(Resource {
            attributes: [("faas.name", function)].into_iter().collect(),
        });
        made
    }

    fn told(spans: &[Span]) -> String {
        let each = waits(spans).into_iter().map(|wait| {
            let at = match wait.at {
                WaitAt::In(kind, name) => format!("in {kind} {name}"),
                WaitAt::For(function) => format!("for {function}"),
            };
            let (median, longest) = (wait.median.as_millis(), wait.longest.as_millis());
            format!("{at}: {} records, {median} to {longest} ms", wait.records)
        });
        each.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_service_counts_up_to_the_next_and_all_up_to_the_function() {
        let way = "topic:orders@1000#sns:1>queue:mails@1010#sqs:1";
        let late = "topic:orders@1000#sns:2>queue:mails@1020#sqs:2";
        let spans = [given("mail", 1100, &[way]), given("mail", 5000, &[late])];
        assert_eq!(
            told(&spans),
            "in queue mails: 2 records, 90 to 3980 ms\n\
             in topic orders: 2 records, 10 to 20 ms\n\
             for mail: 2 records, 100 to 4000 ms"
        );
    }

    #[test]
    fn a_function_takes_from_what_its_records_came_through_last_and_that_gets_what_is_passed_on() {
        let spans = [
            given(
                "mail",
                1100,
                &["topic:orders@1000#sns:1>queue:mails@1010#sqs:1"],
            ),
            given(
                "mail",
                1200,
                &["queue:mails#sqs:2", "queue:#sqs:3", "api:shop#apigw:1"],
            ),
            given("log", 1200, &["topic:orders#sns:2"]),
        ];
        let taken = takers(&spans).into_iter();
        let taken: Vec<String> = taken.map(|(from, by)| format!("{by} {from}")).collect();
        let expected = [
            "function:mail queue:mails",
            "function:log topic:orders",
            "queue:mails topic:orders",
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn of_whole_seconds_only_what_is_certain_counts() {
        let spans = [
            given("a", 2500, &["bus:shop@1000#eb:1"]),
            given("a", 1500, &["bus:shop@1000#eb:2"]),
        ];
        assert_eq!(
            told(&spans),
            "in bus shop: 2 records, 0 to 500 ms\nfor a: 2 records, 0 to 500 ms"
        );
    }

    #[test]
    fn what_has_no_name_or_no_time_or_passes_on_has_no_wait_of_its_own() {
        let spans = [
            given("a", 3000, &["bus:@1000#eb:1"]),
            given("b", 3000, &["queue:mails#sqs:1", "what is this"]),
            given("c", 3000, &["api:shop@1000#apigw:1"]),
        ];
        assert_eq!(told(&spans), "for a: 1 records, 1000 to 1000 ms");
    }

    #[test]
    fn a_clock_that_is_ahead_makes_no_wait_of_it() {
        let spans = [given("a", 1000, &["queue:mails@2000#sqs:1"])];
        assert!(told(&spans).starts_with("in queue mails: 1 records, 0 to 0 ms"));
    }
}
