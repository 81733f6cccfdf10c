//! `throughline logs`: log records that were stored, and those that arrive.

use std::process::ExitCode;

use throughline_telemetry::UnixNanos;

use super::follow::{Before, Form, follow};
use super::found::summary;
use super::words::now;
use super::{Answer, Server, block_on, bounds, with_query};
use crate::cli::{LogFilter, Logs};
use crate::output;

/// Prints the newest records, the newest last, and what comes after them if somebody wants that.
pub(crate) fn run(arguments: &Logs) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let form = Form::of(arguments.json);
    let page = page(arguments, now());
    if arguments.follow {
        let tail = with_query("/api/v1/logs/tail", of_all(arguments));
        block_on(follow(&server, &tail, form, Before::Page(&page)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer = block_on(server.load_answer(&page))?;
    print(&answer, form)?;
    Ok(ExitCode::SUCCESS)
}

fn page(arguments: &Logs, now: UnixNanos) -> String {
    let mut pairs = of_all(arguments);
    pairs.extend(bounds(&arguments.times, now));
    pairs.push(("limit", arguments.limit.to_string()));
    with_query("/api/v1/logs", pairs)
}

fn of_all(arguments: &Logs) -> Vec<(&'static str, String)> {
    let mut pairs = filters(&arguments.filter);
    let ids = [
        ("trace_id", &arguments.trace),
        ("request_id", &arguments.request),
    ];
    for (name, id) in ids {
        pairs.extend(id.iter().map(|id| (name, id.clone())));
    }
    pairs
}

/// Which records, as the API takes it.
pub(super) fn filters(filter: &LogFilter) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    for (name, value) in [("service", &filter.service), ("function", &filter.function)] {
        pairs.extend(value.iter().map(|value| (name, value.clone())));
    }
    if let Some(severity) = filter.min_severity {
        pairs.push(("min_severity", severity.number().to_string()));
    }
    let conditions = filter.conditions.iter();
    pairs.extend(conditions.map(|condition| ("where", condition.clone())));
    if !filter.words.is_empty() {
        pairs.push(("q", filter.words.join(" ")));
    }
    pairs
}

fn print(answer: &Answer, form: Form) -> anyhow::Result<()> {
    if form == Form::Json {
        output::print(format!("{}\n", answer.json))?;
        return Ok(());
    }
    let newest_first = answer.json["logs"].as_array().map(Vec::as_slice);
    let newest_first = newest_first.unwrap_or_default();
    let lines = newest_first.iter().rev().map(|log| form.text(log));
    output::print(lines.collect::<String>())?;
    eprintln!(
        "{}",
        summary(&answer.json, newest_first.len(), "log record")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn what_is_asked_for_is_what_was_said() {
        let line =
            "throughline logs --trace 5b --request r-1 --function pay --since 1m --limit 5 a b";
        let Command::Logs(arguments) = Cli::parse_from(line.split(' ')).command else {
            panic!("it is another command");
        };
        assert_eq!(
            page(&arguments, UnixNanos(90_000_000_000)),
            "/api/v1/logs?function=pay&q=a+b&trace_id=5b&request_id=r-1&from=30000000000&limit=5"
        );
    }
}
