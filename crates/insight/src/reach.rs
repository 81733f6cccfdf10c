//! Who would notice through others that a function does not do what it does: who calls it by way of others, and who takes
//! what it hands over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::detect::{EdgeClass, Node, Subject, class_of};
use crate::facts::Facts;

/// In which direction something is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To who calls, or puts something where it is taken from.
    Upstream,
    /// To who is called, or takes what was put somewhere.
    Downstream,
}

impl Way {
    /// Its name, as in the API.
    pub fn name(self) -> &'static str {
        match self {
            Way::Upstream => "upstream",
            Way::Downstream => "downstream",
        }
    }
}

/// Functions and services beyond the next node, each with the way to it, the nearest first. A way begins as one of
/// `starts`, and goes on from its last node.
pub fn through_others(facts: &Facts, starts: Vec<Vec<Node>>, way: Way) -> Vec<Vec<Node>> {
    let calls = facts.subjects.keys().filter_map(|(_, of)| match of {
        Subject::Edge(from, to, operation) if hands_over(to, operation) => Some((from, to)),
        _ => None,
    });
    let takes = facts.takes.iter().map(|(from, taker)| (from, taker));
    let mut next: BTreeMap<&Node, BTreeSet<&Node>> = BTreeMap::new();
    for (from, to) in calls.chain(takes) {
        match way {
            Way::Upstream => next.entry(to).or_default().insert(from),
            Way::Downstream => next.entry(from).or_default().insert(to),
        };
    }
    let mut known: BTreeSet<Node> = starts.iter().flatten().cloned().collect();
    let mut open = VecDeque::from(starts);
    let mut found = Vec::new();
    while let Some(path) = open.pop_front() {
        let beyond = path.last().and_then(|at| next.get(at));
        for other in beyond.into_iter().flatten().copied() {
            if known.len() >= LOOKED_MAX || !known.insert(other.clone()) {
                continue;
            }
            let mut path = path.clone();
            path.push(other.clone());
            if path.len() > NEXT && acts(other) {
                found.push(path.clone());
            }
            if path.len() <= HOPS_MAX {
                open.push_back(path);
            }
        }
    }
    found
}

/// Whether what is called gets something by it: who reads a table hands nothing over to who takes its changes.
fn hands_over(to: &str, operation: &str) -> bool {
    acts(to) || class_of(to, operation) != EdgeClass::Read
}

/// Whether it does something by itself; in the others something lies.
fn acts(node: &str) -> bool {
    node.starts_with("function:") || node.starts_with("service:")
}

/// Nodes of a way to what is next.
const NEXT: usize = 2;
const HOPS_MAX: usize = 6;
const LOOKED_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use throughline_telemetry::UnixNanos;

    use super::*;

    /// The web orders through two functions; the second pays, reads prices, and queues a mail that a third one takes.
    /// What is written to `orders` is followed by an audit.
    fn facts() -> Facts {
        let mut facts = Facts::default();
        for (from, to, operation) in [
            ("service:web", "function:order", "POST /orders"),
            ("function:order", "function:pay", "Invoke"),
            ("function:pay", "function:pay", "Invoke"),
            ("function:pay", "table:prices", "GetItem"),
            ("function:pay", "table:orders", "PutItem"),
            ("function:report", "table:orders", "Scan"),
            ("function:pay", "queue:mails", "SendMessage"),
            ("function:mail", "host:smtp.example", "POST"),
            ("function:mail", "function:log", "Invoke"),
            ("function:seed", "table:prices", "PutItem"),
        ] {
            let subject = Subject::Edge(from.into(), to.into(), operation.into());
            facts.at(UnixNanos(0), subject).counts.count = 1;
        }
        for (from, taker) in [
            ("queue:mails", "function:mail"),
            ("table:orders", "function:audit"),
            ("table:prices", "function:cache"),
        ] {
            facts.takes.insert((from.to_owned(), taker.to_owned()));
        }
        facts
    }

    fn check(start: &[&str], way: Way, expected: Expect) {
        let start = start.iter().map(|node| (*node).to_owned()).collect();
        let found = through_others(&facts(), vec![start], way);
        let lines: Vec<String> = found.iter().map(|path| path.join(" > ")).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn callers_wait_behind_callers() {
        check(
            &["function:pay"],
            Way::Upstream,
            expect!["function:pay > function:order > service:web"],
        );
        check(&["function:order"], Way::Upstream, expect![""]);
    }

    #[test]
    fn who_takes_what_is_handed_over_gets_nothing_more() {
        check(
            &["function:pay"],
            Way::Downstream,
            expect![[r#"
                function:pay > queue:mails > function:mail
                function:pay > table:orders > function:audit
                function:pay > queue:mails > function:mail > function:log"#]],
        );
        // Of one resource alone.
        check(
            &["function:pay", "table:orders"],
            Way::Downstream,
            expect!["function:pay > table:orders > function:audit"],
        );
    }

    #[test]
    fn who_puts_something_there_and_not_who_reads_it_is_behind_a_queue() {
        check(
            &["function:mail"],
            Way::Upstream,
            expect![[r#"
                function:mail > queue:mails > function:pay
                function:mail > queue:mails > function:pay > function:order
                function:mail > queue:mails > function:pay > function:order > service:web"#]],
        );
        check(
            &["function:audit", "table:orders"],
            Way::Upstream,
            expect![[r#"
                function:audit > table:orders > function:pay
                function:audit > table:orders > function:pay > function:order
                function:audit > table:orders > function:pay > function:order > service:web"#]],
        );
    }

    #[test]
    fn circles_and_long_ways_end() {
        let mut facts = Facts::default();
        for number in 0..20 {
            let [from, to] = [number, (number + 1) % 20].map(|it| format!("function:{it}"));
            facts.at(UnixNanos(0), Subject::Edge(from, to, "Invoke".to_owned()));
        }
        let start = vec![vec!["function:0".to_owned()]];
        let found = through_others(&facts, start, Way::Downstream);
        let last = found.iter().map(|path| path[path.len() - 1].as_str());
        let last: Vec<&str> = last.collect();
        let expected = [
            "function:2",
            "function:3",
            "function:4",
            "function:5",
            "function:6",
        ];
        assert_eq!(last, expected);
    }
}
