//! A finding in one line of plain English, for lists, mails and terminals.

use std::fmt;

use super::finding::{ColdWhy, CostFactor, Finding, Kind, Measure, Severity};
use super::outer::is_own;
use super::subject::Subject;

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Node(node) => f.write_str(node),
            Subject::Operation(node, operation) => write!(f, "{node} {operation}"),
            Subject::Edge(from, to, operation) => write!(f, "{from} → {to} {operation}"),
            Subject::Wait(node) => f.write_str(node),
        }
    }
}

/// `function:pay is slower: p99 100 ms → 147 ms (+47 %)`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, after) = (&self.subject, self.after);
        let from = |show: fn(f64) -> String| match self.before {
            Some(Measure { value, .. }) => format!("{} → {}", show(value), show(after.value)),
            None => show(after.value),
        };
        match &self.kind {
            Kind::Latency { quantile } => {
                let (name, what) = (quantile_name(*quantile), from(duration));
                write!(f, "{subject} is slower: {name} {what}")?;
                match self.before {
                    Some(Measure { value, .. }) if value > 0.0 => {
                        write!(f, " ({:+.0} %)", (after.value / value - 1.0) * 100.0)
                    }
                    _ => Ok(()),
                }
            }
            Kind::Errors => {
                let (what, of) = (from(share), after.of);
                write!(f, "{subject} fails more: {what} of {of} calls")
            }
            Kind::NewError { signature } => {
                let count = after.value;
                write!(
                    f,
                    "{subject} fails in a new way, {}: {signature}",
                    times(count)
                )
            }
            Kind::NewEdge { .. } => {
                write!(f, "{subject} is new, {}", times(after.value))
            }
            Kind::NearTimeout {
                quantile,
                timeout_ms,
                days_left,
                ..
            } => {
                let (name, took) = (quantile_name(*quantile), duration(after.value));
                let timeout = duration(*timeout_ms);
                write!(
                    f,
                    "{subject} is near its timeout: {name} {took} of {timeout}"
                )?;
                match days_left.filter(|_| after.value < *timeout_ms) {
                    Some(days) => write!(f, ", reaches it {} at this rate", within(days)),
                    None => Ok(()),
                }
            }
            Kind::Memory => write!(f, "{subject} uses {} of its memory", share(after.value)),
            Kind::Leak { .. } => {
                let what = from(megabytes);
                write!(
                    f,
                    "{subject} uses more memory with every invocation: {what}"
                )
            }
            Kind::Throttles => {
                write!(f, "{subject} is throttled, {}", times(after.value))
            }
            Kind::ColdStarts { why } => {
                let why = match why {
                    ColdWhy::Change => "after a change",
                    ColdWhy::ScaleOut => "with more calls",
                    ColdWhy::Recycled => "for no known reason",
                };
                write!(
                    f,
                    "{subject} starts cold more often, {why}: {}",
                    from(share)
                )
            }
            Kind::Silence if self.before.is_none() => {
                write!(
                    f,
                    "{subject} is silent: it was called at this time every day"
                )
            }
            Kind::Silence => {
                let what = from(|count| format!("{count:.0}"));
                write!(
                    f,
                    "{subject} is silent: {what} calls in a quarter of an hour"
                )
            }
            Kind::Waiting { quantile } => {
                let (name, what) = (quantile_name(*quantile), from(duration));
                write!(f, "what is in {subject} waits longer: {name} {what}")
            }
            Kind::Backlog { is_stuck: true } => {
                let age = duration(after.value);
                write!(
                    f,
                    "nothing is taken from {subject}: the oldest waits for {age}"
                )
            }
            Kind::Backlog { is_stuck: false } => {
                let what = from(duration);
                write!(f, "what is in {subject} is older: {what}")
            }
            Kind::DeadLetters { worst, lost } => {
                let count = after.value;
                match subject {
                    Subject::Wait(_) => write!(f, "{subject} has grown by {}", messages(count))?,
                    _ => write!(f, "{subject} has given up {}", events(count))?,
                }
                if *lost > 0 {
                    write!(f, ", {lost} of them lost")?;
                }
                let Some(worst) = worst else { return Ok(()) };
                let (message, often) = (id_of(&worst.message), times(as_float(worst.times)));
                write!(f, ": {message} of {} came {often}", worst.function)
            }
            Kind::Retries {
                message,
                times: often,
                is_failed,
            } => {
                let does = if *is_failed { "fails with" } else { "is given" };
                let (count, id) = (messages(after.value), id_of(message));
                let often = times(as_float(*often));
                write!(f, "{subject} {does} {count} again and again: {id} {often}")
            }
            Kind::Incomplete => {
                let (what, of) = (share(after.value), after.of);
                write!(f, "{subject} loses telemetry: {what} of {of} items")
            }
            Kind::Cost { why } => {
                let what = from(dollars);
                let most = why.iter().find(|(_, usd)| *usd > 0.0);
                let most = most.map_or(String::new(), |(factor, _)| {
                    format!(", mostly for {}", factor.grown())
                });
                write!(f, "{subject} costs more{most}: {what} an hour")
            }
            Kind::Outer(alert) => {
                write!(f, "{}: {}", alert.source.title(), alert.name)?;
                match subject {
                    Subject::Node(node) if is_own(node) => {}
                    subject => write!(f, " at {subject}")?,
                }
                match alert.says.as_str() {
                    "" => Ok(()),
                    says => write!(f, ": {says}"),
                }
            }
        }
    }
}

impl Kind {
    /// The word for it, as in the API: `latency`.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Latency { .. } => "latency",
            Kind::Errors => "errors",
            Kind::NewError { .. } => "new_error",
            Kind::NewEdge { .. } => "new_edge",
            Kind::NearTimeout { .. } => "near_timeout",
            Kind::Memory => "memory",
            Kind::Leak { .. } => "leak",
            Kind::Throttles => "throttles",
            Kind::ColdStarts { .. } => "cold_starts",
            Kind::Silence => "silence",
            Kind::Waiting { .. } => "waiting",
            Kind::Backlog { .. } => "backlog",
            Kind::DeadLetters { .. } => "dead_letters",
            Kind::Retries { .. } => "retries",
            Kind::Incomplete => "incomplete",
            Kind::Cost { .. } => "cost",
            Kind::Outer(alert) => alert.source.name(),
        }
    }

    /// Of a new edge its class ([`EdgeClass::name`](super::EdgeClass::name)), of an alert of others its name.
    pub fn class(&self) -> Option<&str> {
        match self {
            Kind::NewEdge { class } => Some(class.name()),
            Kind::Outer(alert) => Some(&alert.name),
            _ => None,
        }
    }

    /// Of a new error what it is.
    pub fn signature(&self) -> Option<&str> {
        match self {
            Kind::NewError { signature } => Some(signature),
            _ => None,
        }
    }
}

impl CostFactor {
    /// What there is more of: `longer calls`.
    fn grown(self) -> &'static str {
        match self {
            CostFactor::Volume => "more calls",
            CostFactor::Retries => "more retries",
            CostFactor::Duration => "longer calls",
            CostFactor::ColdStarts => "more cold starts",
            CostFactor::Memory => "more memory",
        }
    }
}

impl Severity {
    /// The word for it, as in the API: `critical`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// `p99`; `p99.9`; `longest`.
fn quantile_name(quantile: f64) -> String {
    match quantile {
        1.0 => "longest".to_owned(),
        quantile => format!("p{}", (quantile * 1000.0).round() / 10.0),
    }
}

/// `0.42 ms`, `147 ms`, `2.65 s`.
pub fn duration(millis: f64) -> String {
    match millis {
        millis if millis < 10.0 => format!("{millis:.2} ms"),
        millis if millis < 1000.0 => format!("{millis:.0} ms"),
        millis => format!("{:.2} s", millis / 1000.0),
    }
}

/// `0.1 %`, `25 %`.
pub fn share(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 10.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// `$2.10`; of less than a dollar three digits that say something: `$0.0521`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to 12
pub fn dollars(usd: f64) -> String {
    let decimals = match usd.abs() {
        usd if usd >= 1.0 => 2,
        usd if usd > 0.0 => (2.0 - usd.log10().floor()).clamp(0.0, 12.0) as usize,
        _ => 0,
    };
    format!("${usd:.decimals$}")
}

/// `within a day`, `in 4 days`.
fn within(days: f64) -> String {
    match days.round() {
        days if days < 1.0 => "within a day".to_owned(),
        1.0 => "in one day".to_owned(),
        days => format!("in {days:.0} days"),
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", bytes / f64::from(1 << 20))
}

/// What people know a message by, of `sqs:ID`.
fn id_of(key: &str) -> &str {
    key.split_once(':').map_or(key, |(_, id)| id)
}

fn messages(count: f64) -> String {
    match count {
        1.0 => "one message".to_owned(),
        count => format!("{count:.0} messages"),
    }
}

fn events(count: f64) -> String {
    match count {
        1.0 => "one event".to_owned(),
        count => format!("{count:.0} events"),
    }
}

#[allow(clippy::cast_precision_loss)] // of one message
fn as_float(count: u64) -> f64 {
    count as f64
}

fn times(count: f64) -> String {
    match count {
        1.0 => "once".to_owned(),
        count => format!("{count:.0} times"),
    }
}

#[cfg(test)]
mod tests {
    use throughline_telemetry::UnixNanos;

    use super::super::finding::{EdgeClass, Severity, Worst};
    use super::*;

    fn check(kind: Kind, before: Option<f64>, after: f64, expected: &str) {
        let subject = match kind {
            Kind::NewEdge { .. } => {
                Subject::Edge("function:pay".into(), "table:user".into(), "PutItem".into())
            }
            Kind::Backlog { .. } => Subject::Wait("queue:mails".into()),
            Kind::DeadLetters { lost: 0, .. } => Subject::Wait("queue:mails-dlq".into()),
            _ => Subject::Node("function:pay".into()),
        };
        let finding = Finding {
            subject,
            kind,
            before: before.map(|value| Measure::exact(value, 90)),
            after: Measure::exact(after, 90),
            since: UnixNanos(0),
            seen: UnixNanos(0),
            confidence: 1.0,
            severity: Severity::Warning,
            change: None,
        };
        assert_eq!(finding.to_string(), expected);
    }

    #[test]
    fn findings_are_sentences() {
        let p99 = Kind::Latency { quantile: 0.99 };
        check(
            p99.clone(),
            Some(100.0),
            1470.0,
            "function:pay is slower: p99 100 ms → 1.47 s (+1370 %)",
        );
        check(
            p99.clone(),
            Some(100.0),
            147.4,
            "function:pay is slower: p99 100 ms → 147 ms (+47 %)",
        );
        check(
            p99.clone(),
            Some(0.0),
            147.0,
            "function:pay is slower: p99 0.00 ms → 147 ms",
        );
        check(p99, None, 4.25, "function:pay is slower: p99 4.25 ms");
        check(
            Kind::Errors,
            Some(0.001),
            0.25,
            "function:pay fails more: 0.1 % → 25 % of 90 calls",
        );
        let signature = "Declined: no money".to_owned();
        check(
            Kind::NewError { signature },
            None,
            3.0,
            "function:pay fails in a new way, 3 times: Declined: no money",
        );
        let class = EdgeClass::Write;
        check(
            Kind::NewEdge { class },
            None,
            1.0,
            "function:pay → table:user PutItem is new, once",
        );
        let near = |quantile, days_left| Kind::NearTimeout {
            quantile,
            timeout_ms: 3000.0,
            clipped: 0.0,
            days_left,
        };
        check(
            near(1.0, None),
            None,
            2900.0,
            "function:pay is near its timeout: longest 2.90 s of 3.00 s",
        );
        for (days, told) in [
            (3.6, ", reaches it in 4 days at this rate"),
            (1.2, ", reaches it in one day at this rate"),
            (0.4, ", reaches it within a day at this rate"),
        ] {
            check(
                near(0.99, Some(days)),
                None,
                2000.0,
                &format!("function:pay is near its timeout: p99 2.00 s of 3.00 s{told}"),
            );
        }
        check(
            near(0.99, Some(0.0)),
            None,
            3000.0,
            "function:pay is near its timeout: p99 3.00 s of 3.00 s",
        );
        check(
            Kind::Memory,
            Some(0.5),
            0.94,
            "function:pay uses 94 % of its memory",
        );
        let leak = Kind::Leak {
            environment: "e".to_owned(),
        };
        check(
            leak,
            Some(52_428_800.0),
            104_857_600.0,
            "function:pay uses more memory with every invocation: 50 MB → 100 MB",
        );
        check(
            Kind::Throttles,
            None,
            14.0,
            "function:pay is throttled, 14 times",
        );
        let why = ColdWhy::Change;
        check(
            Kind::ColdStarts { why },
            Some(0.02),
            0.4,
            "function:pay starts cold more often, after a change: 2.0 % → 40 %",
        );
        check(
            Kind::Silence,
            Some(45.0),
            0.0,
            "function:pay is silent: 45 → 0 calls in a quarter of an hour",
        );
        check(
            Kind::Silence,
            None,
            0.0,
            "function:pay is silent: it was called at this time every day",
        );
        check(
            Kind::Waiting { quantile: 0.5 },
            Some(200.0),
            40_000.0,
            "what is in function:pay waits longer: p50 200 ms → 40.00 s",
        );
        check(
            Kind::Backlog { is_stuck: false },
            Some(20_000.0),
            400_000.0,
            "what is in queue:mails is older: 20.00 s → 400.00 s",
        );
        check(
            Kind::Backlog { is_stuck: true },
            Some(20_000.0),
            400_000.0,
            "nothing is taken from queue:mails: the oldest waits for 400.00 s",
        );
        let worst = Worst {
            function: "function:mail".to_owned(),
            message: "sqs:o-4".to_owned(),
            times: 3,
        };
        check(
            Kind::DeadLetters {
                worst: Some(worst),
                lost: 0,
            },
            None,
            12.0,
            "queue:mails-dlq has grown by 12 messages: o-4 of function:mail came 3 times",
        );
        check(
            Kind::DeadLetters {
                worst: None,
                lost: 1,
            },
            None,
            2.0,
            "function:pay has given up 2 events, 1 of them lost",
        );
        for (is_failed, does) in [(true, "fails with"), (false, "is given")] {
            check(
                Kind::Retries {
                    message: "sqs:o-4".to_owned(),
                    times: 3,
                    is_failed,
                },
                None,
                1.0,
                &format!("function:pay {does} one message again and again: o-4 3 times"),
            );
        }
        check(
            Kind::Incomplete,
            None,
            0.2,
            "function:pay loses telemetry: 20 % of 90 items",
        );
        check(
            Kind::Cost { why: Vec::new() },
            Some(1.0),
            2.1,
            "function:pay costs more: $1.00 → $2.10 an hour",
        );
        let why = vec![
            (CostFactor::Memory, -0.4),
            (CostFactor::Duration, 0.0523),
            (CostFactor::Volume, 0.0001),
        ];
        check(
            Kind::Cost { why },
            Some(0.000_123_4),
            0.052_09,
            "function:pay costs more, mostly for longer calls: $0.000123 → $0.0521 an hour",
        );
    }
}
