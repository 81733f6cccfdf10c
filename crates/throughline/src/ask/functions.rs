//! `throughline functions`: what each function did in a time.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_telemetry::UnixNanos;

use super::table::{Cell, Column, Side, Tone, table};
use super::text::first_line;
use super::{Server, block_on, nanos, with_query, words};
use crate::cli::Functions;
use crate::output;
use crate::terminal::{Paint, columns};

/// Prints a table, and below it all of them together.
pub(crate) fn run(arguments: &Functions) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let to = words::now();
    let from = UnixNanos(to.0.saturating_sub(nanos(arguments.since)));
    let (functions, truncated) = block_on(load(&server, from, to))?;
    if arguments.json {
        let all = json!({"from_unix_nanos": from.0.to_string(), "to_unix_nanos": to.0.to_string(),
            "functions": functions, "total": functions.len(), "truncated": truncated});
        output::print(format!("{all}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !functions.is_empty() {
        output::print(render(&functions, (Paint::of_stdout(), columns())))?;
    }
    eprintln!("{}", summary(&functions, truncated, arguments.since));
    Ok(ExitCode::SUCCESS)
}

/// What a function did.
#[derive(Debug, Serialize)]
struct Function {
    function: String,
    calls: u64,
    errors: u64,
    cold_starts: u64,
    p50_ms: f64,
    p99_ms: f64,
    /// Null where no report says it.
    cost_usd: Option<f64>,
    /// Of how many invocations that is.
    cost_reports: u64,
}

async fn load(
    server: &Server<'_>,
    from: UnixNanos,
    to: UnixNanos,
) -> anyhow::Result<(Vec<Function>, bool)> {
    let question = Bytes::from(json!({"sql": sql(from, to)}).to_string());
    let answer = server.send(Method::POST, "/api/v1/sql", question).await?;
    if !answer.status.is_success() {
        anyhow::bail!(server.refusal(answer.status, &answer.json));
    }
    let bounds = [("from", from), ("to", to)].map(|(name, at)| (name, at.0.to_string()));
    let costs = with_query("/api/v1/costs", bounds);
    let costs = server.load(&format!("{costs}&limit=10000")).await?;
    let unreadable = "the server answers with functions that this version cannot read";
    let functions = read(&answer.json, &costs).context(unreadable)?;
    Ok((
        functions,
        answer.json["truncated"] == true || costs["truncated"] == true,
    ))
}

/// Calls as the page of a function counts them: what the platform tells, or else what handlers do.
fn sql(from: UnixNanos, to: UnixNanos) -> String {
    let time = |at: UnixNanos| format!("timestamp '{}Z'", words::moment(at).replace(' ', "T"));
    let (from, to) = (time(from), time(to));
    format!(
        "select function, calls, count(*) as n, count(*) filter (where status = 'error') as errors, \
         count(*) filter (where cold = 'true') as cold, approx_percentile_cont(duration_ms, 0.5) as p50, \
         approx_percentile_cont(duration_ms, 0.99) as p99 \
         from (select cast(\"faas.name\" as varchar) as function, status, duration_ms, \
         cast(\"faas.coldstart\" as varchar) as cold, \
         case when \"throughline.phase\" = 'invoke' then 'invocation' else 'handler' end as calls \
         from spans where time >= {from} and time < {to} and \"faas.name\" is not null \
         and (\"throughline.phase\" = 'invoke' or kind in ('server', 'consumer'))) as found \
         group by function, calls"
    )
}

type Row = (String, String, u64, u64, u64, Option<f64>, Option<f64>);

/// The functions with the most calls first.
fn read(calls: &Value, costs: &Value) -> Result<Vec<Function>, serde_json::Error> {
    let mut reported: BTreeMap<String, (f64, u64)> = BTreeMap::new();
    for cost in Vec::<Cost>::deserialize(&costs["functions"])? {
        let entry = reported.entry(cost.function).or_default();
        entry.0 += cost.usd;
        entry.1 += cost.report_count;
    }
    let mut functions: BTreeMap<String, (bool, Function)> = BTreeMap::new();
    for row in Vec::<Row>::deserialize(&calls["rows"])? {
        let (function, kind, calls, errors, cold_starts, p50, p99) = row;
        let is_invocation = kind == "invocation";
        let known = functions.get(&function);
        if known.is_some_and(|(is_told, _)| *is_told && !is_invocation) {
            continue;
        }
        let cost = reported.get(&function);
        let told = Function {
            function: function.clone(),
            calls,
            errors,
            cold_starts,
            p50_ms: p50.unwrap_or_default(),
            p99_ms: p99.unwrap_or_default(),
            cost_usd: cost.map(|cost| cost.0),
            cost_reports: cost.map_or(0, |cost| cost.1),
        };
        functions.insert(function, (is_invocation, told));
    }
    let mut functions: Vec<Function> = functions.into_values().map(|(_, told)| told).collect();
    functions.sort_by(|a, b| {
        b.calls
            .cmp(&a.calls)
            .then_with(|| a.function.cmp(&b.function))
    });
    Ok(functions)
}

#[derive(Deserialize)]
struct Cost {
    function: String,
    report_count: u64,
    usd: f64,
}

fn render(functions: &[Function], (paint, width): (Paint, usize)) -> String {
    let right = ["CALLS", "ERRORS", "P50", "P99", "COLD", "COST"];
    let right = right.map(|name| (name, Side::Right));
    let columns: Vec<Column> = [("FUNCTION", Side::Cut)]
        .into_iter()
        .chain(right)
        .map(|(name, side)| Column { name, side })
        .collect();
    let rows: Vec<Vec<Cell>> = functions.iter().map(row).collect();
    table(&columns, &rows, (paint, width))
}

fn row(function: &Function) -> Vec<Cell> {
    let share = |count: u64| words::share(count, function.calls);
    let marked = |count: u64, tone: Tone| match count {
        0 => Cell::new(share(0), Tone::Faint),
        count => Cell::new(share(count), tone),
    };
    let cost = function.cost_usd.map(words::dollars);
    vec![
        Cell::new(first_line(&function.function), Tone::Strong),
        Cell::new(words::number(function.calls), Tone::Plain),
        marked(function.errors, Tone::Bad),
        Cell::new(words::millis(function.p50_ms), Tone::Plain),
        Cell::new(words::millis(function.p99_ms), Tone::Plain),
        marked(function.cold_starts, Tone::Notable),
        match cost {
            Some(cost) => Cell::new(cost, Tone::Plain),
            None => Cell::new("–", Tone::Faint),
        },
    ]
}

fn summary(functions: &[Function], truncated: bool, since: Duration) -> String {
    let since = humantime::format_duration(since);
    if functions.is_empty() {
        return format!("no function was called within {since}; --since looks further back");
    }
    let sum = |of: fn(&Function) -> u64| functions.iter().map(of).sum::<u64>();
    let (calls, reports) = (
        sum(|function| function.calls),
        sum(|function| function.cost_reports),
    );
    let usd: f64 = functions
        .iter()
        .filter_map(|function| function.cost_usd)
        .sum();
    let cost = match reports {
        0 => String::new(),
        reports => format!(
            ", {} estimated of {}",
            words::dollars(usd),
            words::counted(reports, "report")
        ),
    };
    let more = match truncated {
        true => "; there are others that are not listed",
        false => "",
    };
    format!(
        "{} within {since}: {}, {} failed{cost}{more}",
        words::counted(functions.len() as u64, "function"),
        words::counted(calls, "call"),
        words::number(sum(|function| function.errors)),
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn functions() -> Vec<Function> {
        let rows = json!({"rows": [
            ["small", "handler", 3, 0, 0, 12.5, 40.0],
            ["checkout", "handler", 1300, 9, 0, 1.0, 2.0],
            ["checkout", "invocation", 1234, 5, 12, 41.24, 1850.0],
            ["checkout", "handler", 1300, 9, 0, 1.0, 2.0],
            ["a-function-with-quite-a-long-name-in-production", "invocation", 1, 1, 1, 3.0, 3.0],
        ]});
        let cost = |service: &str, usd: f64, count: u64| json!({"service": service, "function": "checkout", "report_count": count, "usd": usd});
        let costs = json!({"functions": [cost("v1", 0.001, 1000), cost("v2", 0.000_31, 230)]});
        read(&rows, &costs).unwrap()
    }

    #[test]
    fn what_the_platform_tells_counts_and_not_what_the_handler_says_of_the_same() {
        expect![[r#"
            FUNCTION                        CALLS  ERRORS      P50      P99   COLD      COST
            checkout                        1,234   0.4 %  41.2 ms   1.85 s  1.0 %  $0.00131
            small                               3     0 %  12.5 ms  40.0 ms    0 %         –
            a-function-with-quite-a-long-…      1   100 %  3.00 ms  3.00 ms  100 %         –
        "#]]
        .assert_eq(&render(&functions(), (Paint::Plain, 80)));
        let told = summary(&functions(), false, Duration::from_secs(3600));
        assert_eq!(
            told,
            "3 functions within 1h: 1,238 calls, 6 failed, $0.00131 estimated of 1,230 reports"
        );
    }

    #[test]
    fn where_nothing_was_called_that_is_said() {
        assert_eq!(
            summary(&[], false, Duration::from_secs(60)),
            "no function was called within 1m; --since looks further back"
        );
    }
}
