//! `throughline traces`: user actions, newest first.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use throughline_telemetry::UnixNanos;

use super::found::summary;
use super::table::{Cell, Column, Side, Tone, table};
use super::text::first_line;
use super::{Server, block_on, bounds, length, moment, with_query, words};
use crate::cli::{Status, Traces};
use crate::output;
use crate::terminal::{Paint, columns};

/// Prints a table, and below it how much of all it is.
pub(crate) fn run(arguments: &Traces) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let now = words::now();
    let page = block_on(server.load(&path(arguments, now)))?;
    if arguments.json {
        output::print(format!("{page}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let traces = Vec::<Summary>::deserialize(&page["traces"]);
    let traces = traces.context("the server answers with traces that this version cannot read")?;
    if !traces.is_empty() {
        output::print(render(&traces, now, (Paint::of_stdout(), columns())))?;
    }
    eprintln!("{}", told(&page, traces.len()));
    Ok(ExitCode::SUCCESS)
}

fn path(arguments: &Traces, now: UnixNanos) -> String {
    let mut pairs = Vec::new();
    let names = [
        ("service", &arguments.service),
        ("operation", &arguments.operation),
    ];
    for (name, value) in names {
        pairs.extend(value.iter().map(|value| (name, value.clone())));
    }
    pairs.extend(arguments.status.iter().map(|status| {
        let status = match status {
            Status::Ok => "ok",
            Status::Error => "error",
        };
        ("status", status.to_owned())
    }));
    let least = arguments.min_duration.iter();
    pairs.extend(least.map(|least| ("min_duration_ms", (least.as_secs_f64() * 1e3).to_string())));
    let function = arguments.function.iter();
    let function = function.map(|function| format!("faas.name={function}"));
    let attributes = function.chain(arguments.attributes.iter().cloned());
    pairs.extend(attributes.map(|attribute| ("attribute", attribute)));
    pairs.extend(bounds(&arguments.times, now));
    pairs.push(("limit", arguments.limit.to_string()));
    with_query("/api/v1/traces", pairs)
}

/// One line of the list, as the API has it.
#[derive(Deserialize)]
struct Summary {
    trace_id: String,
    root_service: Option<String>,
    root_name: Option<String>,
    #[serde(rename = "start_unix_nanos", deserialize_with = "moment")]
    start: UnixNanos,
    #[serde(rename = "duration_nanos", deserialize_with = "length")]
    duration: Duration,
    span_count: u64,
    error_count: u64,
    cold_start_count: u64,
    services: Vec<Service>,
    continues: bool,
}

#[derive(Deserialize)]
struct Service {
    name: String,
}

fn render(traces: &[Summary], now: UnixNanos, (paint, width): (Paint, usize)) -> String {
    let is_wide = width >= WIDE;
    let mut columns = vec![
        ("STARTED", Side::Left),
        ("DURATION", Side::Right),
        ("TRACE", Side::Left),
        ("WHAT", Side::Cut),
    ];
    if is_wide {
        let counts = ["SPANS", "ERRORS", "COLD"].map(|name| (name, Side::Right));
        columns.splice(2..2, counts);
    }
    let columns: Vec<Column> = columns
        .into_iter()
        .map(|(name, side)| Column { name, side })
        .collect();
    let rows: Vec<Vec<Cell>> = traces
        .iter()
        .map(|trace| row(trace, now, is_wide))
        .collect();
    table(&columns, &rows, (paint, width))
}

fn row(trace: &Summary, now: UnixNanos, is_wide: bool) -> Vec<Cell> {
    let started = match is_wide {
        true => words::moment(trace.start),
        false => words::ago(trace.start, now),
    };
    let has_failed = trace.error_count > 0;
    let mark = if has_failed { "✗ " } else { "" };
    let tone = if has_failed { Tone::Bad } else { Tone::Plain };
    let mut what = format!(
        "{mark}{}",
        title(trace.root_service.as_deref(), trace.root_name.as_deref())
    );
    if trace.continues {
        what += " (goes on from another)";
    }
    if is_wide {
        what += &others(trace);
    }
    let mut cells = vec![
        Cell::new(started, Tone::Faint),
        Cell::new(words::duration(trace.duration), Tone::Plain),
    ];
    if is_wide {
        let count = |count: u64, tone: Tone| match count {
            0 => Cell::new("–", Tone::Faint),
            count => Cell::new(words::number(count), tone),
        };
        cells.push(count(trace.span_count, Tone::Plain));
        cells.push(count(trace.error_count, Tone::Bad));
        cells.push(count(trace.cold_start_count, Tone::Notable));
    }
    cells.push(Cell::new(trace.trace_id.clone(), Tone::Faint));
    cells.push(Cell::new(what, tone));
    cells
}

/// What a trace is called: its first operation, and whose it is.
pub(super) fn title(service: Option<&str>, name: Option<&str>) -> String {
    match (service, name) {
        (_, None) => "only log records so far".to_owned(),
        (Some(service), Some(name)) if service != name => {
            format!("{} {}", first_line(service), first_line(name))
        }
        (_, Some(name)) => first_line(name),
    }
}

/// The services after the one that it began with.
fn others(trace: &Summary) -> String {
    let names = trace.services.iter().map(|service| service.name.as_str());
    let others: Vec<String> = names
        .filter(|name| Some(*name) != trace.root_service.as_deref())
        .map(first_line)
        .collect();
    match others.is_empty() {
        true => String::new(),
        false => format!(" → {}", others.join(", ")),
    }
}

fn told(page: &Value, shown: usize) -> String {
    match shown {
        0 => summary(page, shown, "trace"),
        _ => format!(
            "{}; throughline trace ID shows one",
            summary(page, shown, "trace")
        ),
    }
}

/// From so many columns on there is room for more than the least.
const WIDE: usize = 116;

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Command};

    const NOW: UnixNanos = UnixNanos(1_795_228_860_000_000_000);

    fn traces() -> Vec<Summary> {
        let trace = |id: &str, service: Value, name: Value, errors: u64, others: &[&str]| {
            let services: Vec<Value> = [&["gateway"], others]
                .concat()
                .iter()
                .map(|name| json!({"name": name, "span_count": 3, "error_count": errors}))
                .collect();
            json!({"trace_id": id.repeat(16), "root_service": service, "root_name": name,
                "start_unix_nanos": "1795228801042000000", "duration_nanos": "42000000", "span_count": 1234,
                "error_count": errors, "cold_start_count": errors, "status": "ok", "services": services,
                "continues": errors > 1})
        };
        let list = json!([
            trace(
                "5b",
                json!("gateway"),
                json!("POST /orders/{id}/confirmations"),
                0,
                &["orders", "mail"]
            ),
            trace("0a", json!("gateway"), json!("gateway"), 2, &[]),
            trace("ff", Value::Null, Value::Null, 0, &[]),
        ]);
        Deserialize::deserialize(&list).unwrap()
    }

    #[test]
    fn a_narrow_terminal_has_what_matters_most() {
        expect![[r#"
            STARTED   DURATION  TRACE                             WHAT
            58 s ago   42.0 ms  5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b  gateway POST /orders/{id}…
            58 s ago   42.0 ms  0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a  ✗ gateway (goes on from a…
            58 s ago   42.0 ms  ffffffffffffffffffffffffffffffff  only log records so far
        "#]]
        .assert_eq(&render(&traces(), NOW, (Paint::Plain, 80)));
    }

    #[test]
    fn a_wide_terminal_has_counts_and_who_took_part() {
        expect![[r#"
            STARTED                  DURATION  SPANS  ERRORS  COLD  TRACE                             WHAT
            2026-11-21 02:40:01.042   42.0 ms  1,234       –     –  5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b  gateway POST /orders/{id}/confirmations → orders, mail
            2026-11-21 02:40:01.042   42.0 ms  1,234       2     2  0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a  ✗ gateway (goes on from another)
            2026-11-21 02:40:01.042   42.0 ms  1,234       –     –  ffffffffffffffffffffffffffffffff  only log records so far → gateway
        "#]].assert_eq(&render(&traces(), NOW, (Paint::Plain, 160)));
    }

    #[test]
    fn what_failed_is_red_where_there_are_colours() {
        let text = render(&traces()[1..2], NOW, (Paint::Coloured, 80));
        assert!(text.contains("\x1b[31m✗ gateway"), "{text:?}");
    }

    #[test]
    fn what_is_asked_for_is_what_was_said() {
        let line = "throughline traces --service a --function f --operation o --status error \
            --min-duration 1500ms --attribute k=v=w --from 1970-01-01T00:00:01Z --to 1970-01-01T00:00:02Z";
        let words = line.split_whitespace().filter(|word| !word.is_empty());
        let Command::Traces(arguments) = Cli::parse_from(words).command else {
            panic!("it is another command");
        };
        assert_eq!(
            path(&arguments, NOW),
            "/api/v1/traces?service=a&operation=o&status=error&min_duration_ms=1500\
             &attribute=faas.name%3Df&attribute=k%3Dv%3Dw&from=1000000000&to=2000000000&limit=20"
        );
        for wrong in [
            "--attribute =v",
            "--limit 0",
            "--limit 201",
            "--since 1h --from 2026-01-01",
        ] {
            let words = format!("throughline traces {wrong}");
            assert!(Cli::try_parse_from(words.split(' ')).is_err(), "{wrong}");
        }
    }
}
