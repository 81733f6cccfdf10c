//! Schedules: when a rule fires, and what the function gets then.
//!
//! [`When`] is pure; `run` waits and fires by it. A tick that passed while the machine slept is not made up, and one
//! may begin while the one before still runs, as on AWS.

mod cron;

use std::time::Duration;

use serde_json::{Value, json};

use crate::function::{ACCOUNT_ID, Function, REGION};
use crate::source::{EventSource, Schedule};
use crate::time::UnixNanos;
use cron::Cron;

/// A schedule of a function, checked.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) function: String,
    pub(crate) schedule: Schedule,
    pub(crate) when: When,
}

/// All schedules of an application.
///
/// # Errors
/// The schedule that cannot be, and why.
pub(crate) fn rules(functions: &[Function]) -> Result<Vec<Rule>, (String, String)> {
    let mut rules = Vec::new();
    for function in functions {
        for source in &function.sources {
            if let EventSource::Schedule(schedule) = source {
                let refuse = |reason: String| {
                    let name = format!("{} of {}", schedule.name, function.name);
                    (name, format!("{}: {reason}", schedule.expression))
                };
                rules.push(Rule {
                    function: function.name.clone(),
                    when: When::parse(&schedule.expression).map_err(refuse)?,
                    schedule: schedule.clone(),
                });
            }
        }
    }
    Ok(rules)
}

/// When a rule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    Rate(Duration),
    Cron(Box<Cron>),
}

impl When {
    /// # Errors
    /// What is wrong with the expression.
    pub(crate) fn parse(expression: &str) -> Result<Self, String> {
        let inside = |name: &str| {
            let rest = expression.trim().strip_prefix(name)?;
            rest.trim_start().strip_prefix('(')?.strip_suffix(')')
        };
        if let Some(rate) = inside("rate") {
            return parse_rate(rate).map(Self::Rate);
        }
        match inside("cron") {
            Some(cron) => Cron::parse(cron).map(|cron| Self::Cron(Box::new(cron))),
            None => Err("expected rate(5 minutes) or cron(0 10 * * ? *)".to_owned()),
        }
    }

    /// The first time after `now`, of a rule that was made at `since`.
    pub(crate) fn next_after(&self, now: UnixNanos, since: UnixNanos) -> Option<UnixNanos> {
        match self {
            Self::Cron(cron) => cron.next_after(now),
            Self::Rate(period) => {
                let passed = now.since(since).as_nanos() / period.as_nanos();
                let periods = u32::try_from(passed + 1).ok()?;
                Some(since + period.checked_mul(periods)?)
            }
        }
    }
}

/// One is singular and the others are plural; EventBridge insists on it.
fn parse_rate(text: &str) -> Result<Duration, String> {
    let expected =
        || format!("expected a rate such as 1 minute, 5 minutes or 2 hours, found {text:?}");
    let mut words = text.split_whitespace();
    let (Some(number), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(expected());
    };
    let number: u32 = number.parse().map_err(|_| expected())?;
    let seconds = match (number, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3600,
        (1, "day") | (2.., "days") => 86_400,
        _ => return Err(expected()),
    };
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// What a function gets that is told nothing else: EventBridge's own event.
pub(crate) fn event(schedule: &Schedule, at: UnixNanos) -> Value {
    if let Some(input) = &schedule.input {
        return input.clone();
    }
    let time = at.to_string();
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": format!("{}Z", &time[..19]),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{}", schedule.name)],
        "detail": {},
    })
}

/// Fires until there is no next time.
pub(crate) async fn run<S: Future<Output = ()>>(
    when: When,
    now: impl Fn() -> UnixNanos,
    sleep_until: impl Fn(UnixNanos) -> S,
    mut fire: impl FnMut(UnixNanos),
) {
    let since = now();
    let mut last = since;
    while let Some(at) = when.next_after(last, since) {
        sleep_until(at).await;
        fire(at);
        // Timers may be early by less than they can tell, and late by as long as a machine can sleep.
        last = now().max(at);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn at(seconds: u64) -> UnixNanos {
        UnixNanos::from_millis(seconds * 1000)
    }

    #[test]
    fn rates_count_from_when_the_rule_was_made() {
        let when = When::parse("rate(5 minutes)").unwrap();
        let next = |now| when.next_after(at(now), at(100)).unwrap();
        assert_eq!(
            [next(100), next(399), next(400)],
            [at(400), at(400), at(700)]
        );
        // Missed ticks are not made up.
        assert_eq!(next(100_000), at(100_300));
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let rate = |found: &str| {
            format!("expected a rate such as 1 minute, 5 minutes or 2 hours, found {found:?}")
        };
        let cases = [
            (
                "every day",
                "expected rate(5 minutes) or cron(0 10 * * ? *)".to_owned(),
            ),
            ("rate(1 minutes)", rate("1 minutes")),
            ("rate(2 hour)", rate("2 hour")),
            ("rate(0 minutes)", rate("0 minutes")),
            ("rate(30 seconds)", rate("30 seconds")),
            (
                "cron(0 10 * * * *)",
                "one of the day fields is ?".to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(When::parse(text), Err(expected), "{text}");
        }
        for text in ["rate(1 day)", " cron( 0 10 * * ? * ) "] {
            assert!(When::parse(text.trim()).is_ok(), "{text}");
        }
    }

    #[test]
    fn the_event_is_eventbridges_own_or_what_the_rule_says() {
        let mut schedule = Schedule {
            name: "tick".to_owned(),
            expression: "rate(1 minute)".to_owned(),
            input: None,
            enabled: true,
        };
        let mut made = event(&schedule, UnixNanos::from_millis(1_791_460_800_123));
        assert_eq!(made["id"].as_str().unwrap().len(), 36);
        made["id"] = "id".into();
        expect![[r#"
            {
              "account": "123456789012",
              "detail": {},
              "detail-type": "Scheduled Event",
              "id": "id",
              "region": "us-east-1",
              "resources": [
                "arn:aws:events:us-east-1:123456789012:rule/tick"
              ],
              "source": "aws.events",
              "time": "2026-10-08T12:00:00Z",
              "version": "0"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&made).unwrap());
        schedule.input = Some(json!({"n": 1}));
        assert_eq!(event(&schedule, at(0)), json!({"n": 1}));
    }

    #[tokio::test]
    async fn a_rule_fires_each_time_makes_up_for_none_and_ends_with_its_years() {
        // A clock that is as late as the machine slept: never, for two minutes and a half, and by a minute at the end.
        let late = [0, 150, 60];
        let clock = std::cell::Cell::new(at(0));
        let mut fired = Vec::new();
        let mut late = late.into_iter();
        let sleep_until = |until: UnixNanos| {
            clock.set(until);
            std::future::ready(())
        };
        run(
            When::parse("cron(0/1 0 1 1 ? 1970)").unwrap(),
            || clock.get(),
            sleep_until,
            |time| {
                fired.push(time.as_secs());
                let slept = late.next().unwrap_or(1800);
                clock.set(time + Duration::from_secs(slept));
            },
        )
        .await;
        assert_eq!(fired, [60, 120, 300, 420, 2280]);
    }
}
