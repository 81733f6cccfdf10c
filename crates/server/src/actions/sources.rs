//! Which event source can be disabled for what an incident found: that from which a function takes what waits too long,
//! comes again and again, or is given up.
//!
//! Functions tell from where they take events, by its name on the map. The account tells which event source mapping that
//! is. Where several may be meant a person chooses, on the page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use throughline_act::{Action, Before, FunctionName, SourceId, SourceState};
use throughline_insight::detect::{Detector, Finding, Incident, Kind, Node, Subject};

use super::fit::FINDINGS_MAX;
use super::{Actions, Fit};

/// A function that takes events.
#[derive(Debug, PartialEq)]
pub(crate) struct Taker {
    function: FunctionName,
    /// From where, of what a finding is about.
    from: BTreeSet<Node>,
}

/// Who takes what findings of an incident are about, by their sentences.
pub(crate) type Takers = BTreeMap<String, Vec<Taker>>;

/// From where functions take events, as the account has it, by their names.
#[derive(Default)]
pub(crate) struct Sources(BTreeMap<String, Vec<SourceState>>);

pub(crate) fn takers(incident: &Incident, detector: &Detector) -> Takers {
    let findings = incident.findings.iter().take(FINDINGS_MAX);
    let takers = findings.map(|known| {
        let taking = taking(&known.finding, detector);
        (known.finding.to_string(), taking)
    });
    takers.filter(|(_, taking)| !taking.is_empty()).collect()
}

/// Their functions, each once.
pub(crate) fn consumers(takers: &Takers) -> BTreeSet<String> {
    let all = takers.values().flatten();
    all.map(|taker| taker.function.to_string()).collect()
}

/// The same with the event source that can be disabled, before all else that can be done about a finding.
pub(crate) fn with_sources(mut fit: Vec<Fit>, takers: &Takers, sources: &Sources) -> Vec<Fit> {
    for fit in &mut fit {
        let taking = takers.get(&fit.finding).into_iter().flatten();
        let disable = taking.filter_map(|taker| {
            Some(Action::Disable {
                function: taker.function.clone(),
                source: sources.only(taker)?,
                hours: DISABLE_HOURS,
            })
        });
        let disable: Vec<_> = disable.map(|action| (action, None)).collect();
        // Where several functions may be meant a person chooses, too.
        if disable.len() == 1 {
            fit.actions.splice(..0, disable);
        }
    }
    fit
}

impl Sources {
    /// Of these functions, as far as it is told in time. Where nothing may be changed nothing is read.
    pub(crate) async fn of(actions: &Actions, takers: &Takers) -> Self {
        let mut sources = Sources::default();
        if !actions.0.actuation.is_on() {
            return sources;
        }
        let reading = async {
            for name in consumers(takers).into_iter().take(FUNCTIONS_MAX) {
                let Ok(function) = name.parse::<FunctionName>() else {
                    continue;
                };
                match actions.sources(function).await {
                    Ok(known) => {
                        sources.0.insert(name, known);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "an event source is not known that could be disabled");
                    }
                }
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            tracing::warn!("event sources that could be disabled are not known in time");
        }
        sources
    }

    /// What they are called.
    pub(crate) fn named(&self) -> Before {
        Before {
            sources: self.0.values().flatten().cloned().collect(),
            ..Before::default()
        }
    }

    /// The one that is meant, if it is one.
    fn only(&self, taker: &Taker) -> Option<SourceId> {
        let known = self.0.get(&taker.function.to_string())?.iter();
        let is_meant = |source: &SourceState| taker.from.iter().any(|it| source.takes_from(it));
        let mut meant = known.filter(|source| source.enabled && is_meant(source));
        let only = meant.next()?;
        match meant.next() {
            None => only.id.parse().ok(),
            Some(_) => None,
        }
    }
}

/// Which functions take what a finding is about.
fn taking(finding: &Finding, detector: &Detector) -> Vec<Taker> {
    match (&finding.kind, &finding.subject) {
        (Kind::Backlog { .. }, Subject::Wait(queue)) => pairs(detector, |from, _| from == queue),
        // Of what lies with a broker nobody tells but who takes it.
        (Kind::Waiting { .. }, Subject::Wait(of)) if of.starts_with(BROKER) => {
            pairs(detector, |from, _| from == of)
        }
        // How far behind a function is in what it reads is told of streams; what comes again, of messages of queues.
        (Kind::Backlog { .. }, Subject::Node(function)) => pairs(detector, |from, taker| {
            taker == function && !from.starts_with(QUEUE)
        }),
        (Kind::Retries { .. }, Subject::Node(function)) => pairs(detector, |from, taker| {
            taker == function && from.starts_with(QUEUE)
        }),
        (Kind::DeadLetters { worst, .. }, Subject::Wait(dead)) => {
            let givers = detector.givers(dead);
            let worst = worst.as_ref().map(|worst| &worst.function);
            pairs(detector, |from, taker| {
                givers.contains(from) && worst.is_none_or(|worst| worst == taker)
            })
        }
        _ => Vec::new(),
    }
}

fn pairs(detector: &Detector, fits: impl Fn(&Node, &Node) -> bool) -> Vec<Taker> {
    let mut takers: Vec<Taker> = Vec::new();
    let is_polled = |from: &Node| POLLED.iter().any(|kind| from.starts_with(kind));
    let all = detector.takes();
    for (from, taker) in all.filter(|(from, taker)| is_polled(from) && fits(from, taker)) {
        let name = taker.strip_prefix("function:");
        let Some(function) = name.and_then(|name| name.parse::<FunctionName>().ok()) else {
            continue;
        };
        match takers.iter_mut().find(|it| it.function == function) {
            Some(known) => {
                known.from.insert(from.clone());
            }
            None => takers.push(Taker {
                function,
                from: BTreeSet::from([from.clone()]),
            }),
        }
    }
    takers
}

/// From what Lambda takes records for a function, by a mapping.
const POLLED: [&str; 4] = [QUEUE, "stream:", "table:", BROKER];
const QUEUE: &str = "queue:";
/// Topics of Kafka, and queues of RabbitMQ and ActiveMQ.
const BROKER: &str = "broker:";
/// Each takes two calls of the account.
const FUNCTIONS_MAX: usize = 3;
/// For all of them. A message waits for its links no longer than five seconds.
const PATIENCE: Duration = Duration::from_secs(3);
/// Long enough to find out what it is; what waits is kept for four days where nobody has said otherwise.
const DISABLE_HOURS: u32 = 4;

#[cfg(test)]
mod tests {
    use throughline_insight::detect::{Measure, Severity, Worst};
    use throughline_telemetry::UnixNanos;

    use super::*;

    const FIRST: &str = "9c2b1f5e-1111-4222-8333-444455556666";
    const SECOND: &str = "9c2b1f5e-1111-4222-8333-444455557777";

    /// `mail` and `audit` take from `mails`, which gets what a topic passes on and gives up to `mails-dlq`.
    fn detector() -> Detector {
        let mut detector = Detector::default();
        for (from, taker) in [
            ("queue:mails", "function:mail"),
            ("stream:clicks", "function:mail"),
            ("queue:mails", "function:audit"),
            ("topic:orders", "queue:mails"),
            ("topic:orders", "function:audit"),
            ("broker:jobs", "function:work"),
            ("broker:jobs", "function:count"),
        ] {
            detector.takes_from(&taker.to_owned(), &from.to_owned(), UnixNanos(0));
        }
        detector
    }

    fn found(subject: Subject, kind: Kind) -> Finding {
        Finding {
            subject,
            kind,
            before: None,
            after: Measure::exact(1.0, 1),
            since: UnixNanos(0),
            seen: UnixNanos(0),
            confidence: 1.0,
            severity: Severity::Warning,
            change: None,
        }
    }

    /// `mail: queue:mails`.
    fn told(subject: Subject, kind: Kind) -> Vec<String> {
        let taking = taking(&found(subject, kind), &detector()).into_iter();
        let words = taking.map(|taker| {
            let from: Vec<Node> = taker.from.into_iter().collect();
            format!("{}: {}", taker.function, from.join(", "))
        });
        words.collect()
    }

    fn retries() -> Kind {
        Kind::Retries {
            message: "sqs:m-1".to_owned(),
            times: 3,
            is_failed: true,
        }
    }

    #[test]
    fn who_takes_what_a_finding_is_about() {
        let wait = |queue: &str| Subject::Wait(format!("queue:{queue}"));
        let node = |name: &str| Subject::Node(format!("function:{name}"));
        let backlog = || Kind::Backlog { is_stuck: true };
        let both = ["audit: queue:mails", "mail: queue:mails"];
        assert_eq!(told(wait("mails"), backlog()), both);
        assert_eq!(told(node("mail"), backlog()), ["mail: stream:clicks"]);
        assert_eq!(told(node("mail"), retries()), ["mail: queue:mails"]);
        assert_eq!(told(node("work"), backlog()), ["work: broker:jobs"]);
        let waiting = || Kind::Waiting { quantile: 0.95 };
        let jobs = Subject::Wait("broker:jobs".to_owned());
        let takers_of_jobs = ["count: broker:jobs", "work: broker:jobs"];
        assert_eq!(told(jobs, waiting()), takers_of_jobs);
        assert_eq!(told(wait("mails"), waiting()), [""; 0]);
        // Whom a topic calls has no mapping for it.
        assert_eq!(told(node("audit"), retries()), ["audit: queue:mails"]);
        let dead = |worst: Option<&str>| Kind::DeadLetters {
            worst: worst.map(|function| Worst {
                function: function.to_owned(),
                message: "sqs:m-1".to_owned(),
                times: 3,
            }),
            lost: 0,
        };
        assert_eq!(told(wait("mails-dlq"), dead(None)), both);
        let worst = dead(Some("function:mail"));
        assert_eq!(told(wait("mails-dlq"), worst), ["mail: queue:mails"]);
        // What was given up of a function's own events came through no mapping.
        assert_eq!(told(node("mail"), dead(None)), [""; 0]);
        assert_eq!(told(node("mail"), Kind::Errors), [""; 0]);
    }

    fn source(id: &str, arn: &str, enabled: bool) -> SourceState {
        SourceState {
            id: id.to_owned(),
            source_arn: format!("arn:aws:{arn}"),
            names: vec![],
            enabled,
        }
    }

    /// What is offered first, by its title, where `mail` has these mappings.
    fn offered(sources: Vec<SourceState>) -> Option<String> {
        let finding = found(Subject::Node("function:mail".to_owned()), retries());
        let sentence = finding.to_string();
        let takers = Takers::from([(sentence.clone(), taking(&finding, &detector()))]);
        let sources = Sources(BTreeMap::from([("mail".to_owned(), sources)]));
        let ignore =
            r#"{"do":"ignore","node":"function:mail","kind":"retries","reason":"so","days":1}"#;
        let fit = vec![Fit {
            finding: sentence,
            actions: vec![(serde_json::from_str(ignore).unwrap(), None)],
        }];
        let fit = with_sources(fit, &takers, &sources);
        let mut actions = fit[0].actions.iter();
        let first = actions.next().map(|(action, _)| action);
        let first = first.filter(|action| matches!(action, Action::Disable { .. }));
        assert_eq!(actions.count(), usize::from(first.is_some()));
        first.map(|action| action.title_in(&sources.named()))
    }

    #[test]
    fn the_mapping_that_is_meant_is_offered_and_where_there_are_several_none() {
        let mails = "sqs:eu-west-1:123456789012:mails";
        let clicks = "kinesis:eu-west-1:123456789012:stream/clicks";
        let other = "sqs:eu-west-1:123456789012:other";
        let title = "disable event source SQS mails of mail for 4 hours".to_owned();
        let offered_of = |all: &[(&str, &str, bool)]| {
            let all = all
                .iter()
                .map(|(id, arn, enabled)| source(id, arn, *enabled));
            offered(all.collect())
        };
        assert_eq!(
            offered_of(&[(SECOND, other, true), (FIRST, mails, true)]),
            Some(title.clone())
        );
        // What comes again comes from a queue.
        for is_enabled in [false, true] {
            assert_eq!(
                offered_of(&[(SECOND, clicks, is_enabled), (FIRST, mails, true)]),
                Some(title.clone())
            );
        }
        assert_eq!(
            offered_of(&[(SECOND, clicks, true), (FIRST, mails, false)]),
            None
        );
        assert_eq!(
            offered_of(&[(SECOND, mails, true), (FIRST, mails, true)]),
            None
        );
        assert_eq!(offered_of(&[(FIRST, mails, false)]), None);
        assert_eq!(offered_of(&[(FIRST, other, true)]), None);
        assert_eq!(offered_of(&[]), None);
    }

    #[test]
    fn of_brokers_that_with_the_topic_or_queue_is_offered() {
        let kafka = |id: &str, arn: &str, topic: &str| SourceState {
            id: id.to_owned(),
            source_arn: arn.to_owned(),
            names: vec![topic.to_owned()],
            enabled: true,
        };
        let cluster = "arn:aws:kafka:eu-west-1:123456789012:cluster/shop/9c2b-1";
        let finding = found(
            Subject::Node("function:work".to_owned()),
            Kind::Backlog { is_stuck: true },
        );
        let takers = Takers::from([(finding.to_string(), taking(&finding, &detector()))]);
        let offered = |known: Vec<SourceState>| {
            let sources = Sources(BTreeMap::from([("work".to_owned(), known)]));
            let fit = vec![Fit {
                finding: finding.to_string(),
                actions: Vec::new(),
            }];
            let fit = with_sources(fit, &takers, &sources);
            let first = fit[0].actions.first();
            first.map(|(action, _)| action.title_in(&sources.named()))
        };
        // Of two topics of one cluster that which it has fallen behind in; outside of AWS there is no ARN.
        for arn in [cluster, ""] {
            let both = vec![kafka(FIRST, arn, "jobs"), kafka(SECOND, arn, "other")];
            let title = "disable event source Kafka jobs of work for 4 hours";
            assert_eq!(offered(both).as_deref(), Some(title));
        }
        assert_eq!(offered(vec![kafka(FIRST, cluster, "other")]), None);
        let twice = vec![kafka(FIRST, cluster, "jobs"), kafka(SECOND, "", "jobs")];
        assert_eq!(offered(twice), None);
    }
}
