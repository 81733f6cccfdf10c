//! What of each function is here, and what is not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use throughline_query::Cost;
use throughline_store::{FunctionReport, Missing, OpenEnvironment, Report, ReportCursor};
use throughline_telemetry::UnixNanos;

use super::Text;

/// Functions.
#[derive(Serialize)]
pub(in crate::api) struct Completeness<'a> {
    functions: Vec<Function<'a>>,
    total: u64,
    truncated: bool,
    next_cursor: Option<Text<&'a ReportCursor>>,
    cost: Value,
}

#[derive(Serialize)]
struct Function<'a> {
    function: &'a str,
    environments: u64,
    environments_open: u64,
    open: Vec<Open<'a>>,
    accepted: Text<u64>,
    received: Text<u64>,
    complete: String,
    missing: Vec<Lack<'a>>,
    missing_total: u64,
    dropped: BTreeMap<&'a str, Text<u64>>,
}

#[derive(Serialize)]
struct Open<'a> {
    environment: &'a str,
    last_seen_unix_nanos: Text<UnixNanos>,
    vanished: bool,
}

#[derive(Serialize)]
struct Lack<'a> {
    environment: &'a str,
    first: Option<u64>,
    last: Option<u64>,
    items: Option<Text<u64>>,
    why: &'a str,
    last_seen_unix_nanos: Text<UnixNanos>,
}

impl<'a> Completeness<'a> {
    pub(in crate::api) fn new(report: &'a Report, elapsed: Duration) -> Self {
        let cost = Cost {
            rows: report.rows_read,
            segments: report.parts_read,
            elapsed,
            ..Cost::default()
        };
        Completeness {
            functions: report.functions.iter().map(Function::new).collect(),
            total: report.total,
            truncated: report.truncated,
            next_cursor: report.next.as_ref().map(Text),
            cost: cost.to_json(),
        }
    }
}

impl<'a> Function<'a> {
    fn new(report: &'a FunctionReport) -> Self {
        let lack = |(environment, last_seen, missing): &'a (String, UnixNanos, Missing)| Lack {
            environment,
            first: missing.numbers.map(|(first, _)| first),
            last: missing.numbers.map(|(_, last)| last),
            items: missing.items.map(Text),
            why: missing.why.name(),
            last_seen_unix_nanos: Text(*last_seen),
        };
        let dropped = report.dropped.iter();
        Function {
            function: &report.function,
            environments: report.environments,
            environments_open: report.environments_open,
            open: report.open.iter().map(Open::new).collect(),
            accepted: Text(report.accepted),
            received: Text(report.received),
            complete: percent(report.received, report.accepted, report.is_whole()),
            missing: report.missing.iter().map(lack).collect(),
            missing_total: report.missing_total,
            dropped: dropped
                .map(|(reason, items)| (reason.as_str(), Text(*items)))
                .collect(),
        }
    }
}

impl<'a> Open<'a> {
    fn new(open: &'a OpenEnvironment) -> Self {
        Open {
            environment: &open.name,
            last_seen_unix_nanos: Text(open.last_seen),
            vanished: open.vanished,
        }
    }
}

/// How much of the whole a part is, with two decimals, rounded down. All of it only if nothing is
/// known to be missing: of what is missing nobody may know how much it was.
fn percent(part: u64, whole: u64, nothing_missing: bool) -> String {
    let all = 100 * 100;
    let hundredths = match whole {
        0 => all,
        whole => (u128::from(part) * all / u128::from(whole)).min(all),
    };
    let hundredths = if nothing_missing {
        hundredths
    } else {
        hundredths.min(all - 1)
    };
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_down() {
        assert_eq!(percent(5186, 5210, false), "99.53");
        assert_eq!(percent(5210, 5210, true), "100.00");
        assert_eq!(percent(999_999, 1_000_000, false), "99.99");
        assert_eq!(percent(10, 10, false), "99.99");
        assert_eq!(percent(0, 0, true), "100.00");
        assert_eq!(percent(0, 0, false), "99.99");
        assert_eq!(percent(0, 7, false), "0.00");
        assert_eq!(percent(1, 3, false), "33.33");
        assert_eq!(percent(u64::MAX, u64::MAX, true), "100.00");
    }
}
