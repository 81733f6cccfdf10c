//! Whom an action would touch, by what was done in the last hour.

use std::collections::BTreeMap;
use std::time::Duration;

use throughline_act::Action;
use throughline_insight::detect::{Node, Subject};
use throughline_insight::facts::Facts;
use throughline_insight::reach::{Way, through_others};

use super::view::{Behind, Radius, Touched};
use crate::detection::{Detection, Reports};

/// Who calls whom, how often, and how often it failed; and who is reached through these.
pub(super) async fn of(detection: &Detection, action: &Action) -> Radius {
    let Some(function) = action.function() else {
        return Radius::default();
    };
    let function: Node = format!("function:{function}");
    let to = detection.complete();
    let hour = to.minus(HOUR)..to;
    let facts = detection.facts(vec![hour], Reports::default().into()).await;
    let facts = facts.unwrap_or_else(|error| {
        tracing::warn!(%error, "what an action would touch is not known");
        Facts::default()
    });
    Radius {
        touched: touched(&facts, &function, action),
        behind: behind(&facts, &function, action),
    }
}

fn touched(facts: &Facts, function: &Node, action: &Action) -> Vec<Touched> {
    let resource = match action {
        Action::Deny { resource, .. } => Some(resource.to_string()),
        _ => None,
    };
    let mut touched: BTreeMap<&Subject, (u64, u64)> = BTreeMap::new();
    for ((_, subject), did) in &facts.subjects {
        let is_touched = match (subject, &resource) {
            (Subject::Edge(from, to, _), Some(resource)) => from == function && to == resource,
            (Subject::Edge(from, to, _), None) => from == function || to == function,
            (Subject::Node(node), None) => node == function,
            _ => false,
        };
        if is_touched {
            let sum = touched.entry(subject).or_default();
            sum.0 += did.counts.count;
            sum.1 += did.counts.errors;
        }
    }
    let mut touched: Vec<Touched> = touched
        .into_iter()
        .map(|(subject, (calls, errors))| Touched::new(subject, calls, errors))
        .collect();
    touched.sort_by_key(|it| std::cmp::Reverse(it.calls()));
    touched.truncate(TOUCHED_MAX);
    touched
}

/// What it is kept from reaches nobody any more, and who reaches it waits, or fails.
fn behind(facts: &Facts, function: &Node, action: &Action) -> Vec<Behind> {
    let itself = || vec![vec![function.clone()]];
    let by = |other: &Node| vec![function.clone(), other.clone()];
    let (up, down) = match action {
        // It goes on with other numbers.
        Action::Ignore { .. } | Action::Mute { .. } | Action::Memory { .. } => return Vec::new(),
        Action::Stop { .. } => (itself(), itself()),
        Action::Deny { resource, .. } => (itself(), vec![by(&resource.to_string())]),
        // Who calls it directly is not stopped.
        Action::Disable { .. } => {
            let takes = facts.takes.iter();
            let from = takes.filter(|(_, taker)| taker == function);
            (from.map(|(from, _)| by(from)).collect(), itself())
        }
    };
    let mut behind = Vec::new();
    for (starts, way) in [(up, Way::Upstream), (down, Way::Downstream)] {
        let found = through_others(facts, starts, way).into_iter();
        let found = found.take(BEHIND_MAX);
        behind.extend(found.filter_map(|path| Behind::new(path, way)));
    }
    behind
}

const HOUR: Duration = Duration::from_secs(3600);
const TOUCHED_MAX: usize = 20;
/// In each direction.
const BEHIND_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use throughline_telemetry::UnixNanos;

    use super::*;

    /// `web` calls `order`, which calls `pay`, which queues a mail and writes to `orders`; `refund` puts mails there, too.
    fn facts() -> Facts {
        let mut facts = Facts::default();
        for (from, to, operation) in [
            ("service:web", "function:order", "POST /orders"),
            ("function:order", "function:pay", "Invoke"),
            ("function:pay", "queue:mails", "SendMessage"),
            ("function:refund", "queue:mails", "SendMessage"),
            ("function:pay", "table:orders", "PutItem"),
            ("function:order", "function:mail", "Invoke"),
        ] {
            let subject = Subject::Edge(from.into(), to.into(), operation.into());
            facts.at(UnixNanos(0), subject).counts.count = 3;
        }
        for (from, taker) in [
            ("queue:mails", "function:mail"),
            ("table:orders", "function:audit"),
        ] {
            facts.takes.insert((from.to_owned(), taker.to_owned()));
        }
        facts
    }

    /// Who is reached through others by an action of this function.
    fn reached(function: &str, action: &str) -> Vec<String> {
        let action: Action = serde_json::from_str(action).unwrap();
        let found = behind(&facts(), &format!("function:{function}"), &action).into_iter();
        let found = found.map(|it| serde_json::to_value(it).unwrap());
        let words = found.map(|it| format!("{} {}", it["way"], it["node"]).replace('"', ""));
        words.collect()
    }

    #[test]
    fn what_an_action_keeps_a_function_from_says_who_is_behind_it() {
        let stop = r#"{"do":"stop","function":"pay","hours":1}"#;
        assert_eq!(
            reached("pay", stop),
            [
                "upstream service:web",
                "downstream function:mail",
                "downstream function:audit"
            ]
        );
        let deny =
            r#"{"do":"deny","function":"pay","resource":"table:orders","class":"write","hours":4}"#;
        assert_eq!(
            reached("pay", deny),
            ["upstream service:web", "downstream function:audit"]
        );
        // Who puts something into its queue, and who is behind them.
        let disable = r#"{"do":"disable","function":"mail","source":"9c2b1f5e-1111-4222-8333-444455556666","hours":4}"#;
        assert_eq!(
            reached("mail", disable),
            [
                "upstream function:pay",
                "upstream function:refund",
                "upstream function:order",
                "upstream service:web"
            ]
        );
        let memory = r#"{"do":"memory","function":"pay","memory_mb":1024}"#;
        assert_eq!(reached("pay", memory), [""; 0]);
    }
}
