//! `throughline query`: rows for a statement in SQL.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Server, block_on};
use crate::cli::{Form, Query};
use crate::output;

/// Asks, prints the rows to stdout, and what they took to stderr.
pub(crate) fn run(arguments: &Query) -> anyhow::Result<ExitCode> {
    if arguments.format == Form::Arrow && std::io::stdout().is_terminal() {
        bail!("Arrow's bytes are not for a terminal: send them to a file or a pipe");
    }
    let sql = match arguments.sql.as_str() {
        "-" => {
            let mut sql = String::new();
            let read = std::io::stdin().read_to_string(&mut sql);
            read.context("cannot read the statement from the standard input")?;
            sql
        }
        sql => sql.to_owned(),
    };
    block_on(ask(arguments, &sql))
}

async fn ask(arguments: &Query, sql: &str) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let question = Bytes::from(json!({"sql": sql}).to_string());
    let accept = accept(arguments.format);
    let answer = server
        .ask(Method::POST, "/api/v1/sql", accept, question)
        .await?;
    if !answer.status.is_success() {
        // More than one line, unlike other errors: it shows where.
        let refusal = server.refusal(answer.status, &answer.json);
        let refusal = match answer.status {
            StatusCode::UNAUTHORIZED => refusal,
            _ => explained(&answer.message(), sql),
        };
        eprintln!("throughline: {refusal}");
        return Ok(ExitCode::from(2));
    }
    let mut rows = answer.body.to_vec();
    if arguments.format != Form::Arrow && !rows.ends_with(b"\n") {
        rows.push(b'\n');
    }
    output::print(&rows)?;
    let cost = answer.header("x-throughline-cost");
    let cost: Value = serde_json::from_str(cost).unwrap_or_default();
    if arguments.format != Form::Json {
        let truncated = answer.header("x-throughline-truncated") == "true";
        eprintln!("{}", took(&cost, truncated));
    }
    Ok(ExitCode::SUCCESS)
}

fn accept(form: Form) -> &'static str {
    match form {
        Form::Table => "text/plain",
        Form::Json => "application/json",
        Form::Csv => "text/csv",
        Form::Arrow => "application/vnd.apache.arrow.stream",
    }
}

/// What a query took, in a line.
fn took(cost: &Value, truncated: bool) -> String {
    let of = |name: &str| cost[name].as_u64().unwrap_or_default();
    let millis = cost["elapsed_ms"].as_f64().unwrap_or_default();
    let more = match truncated {
        true => "; there are more rows than an answer may have",
        false => "",
    };
    let rows = output::counted(of("rows"), "row", "rows");
    let parts = output::counted(of("segments"), "segment or buffer", "segments and buffers");
    format!("read {rows} of {parts} in {millis:.1} ms{more}")
}

/// The server's words, and the place in the statement if they name one.
pub(super) fn explained(message: &str, sql: &str) -> String {
    let Some((line, column)) = place(message) else {
        return message.to_owned();
    };
    let Some(text) = sql.lines().nth(line.saturating_sub(1)) else {
        return message.to_owned();
    };
    let indent: String = text
        .chars()
        .take(column.saturating_sub(1))
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    format!("{message}\n  {text}\n  {indent}^")
}

/// The line and the column of `... at line 1, column 8`.
fn place(message: &str) -> Option<(usize, usize)> {
    let (_, place) = message.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(", column ")?;
    let digits = column.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((line.parse().ok()?, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_mistake_is_shown() {
        let shown = explained(
            "cannot parse: found: fro at line 2, column 3",
            "select 1\n  fro spans",
        );
        assert_eq!(
            shown,
            "cannot parse: found: fro at line 2, column 3\n    fro spans\n    ^"
        );
        for plain in [
            "no such function",
            "x at line 9, column 1",
            "x at line 0, column 0",
        ] {
            assert!(explained(plain, "select 1").starts_with(plain));
        }
    }

    #[test]
    fn what_it_took_is_said_in_a_line() {
        let cost = json!({"rows": 5, "bytes": 1, "segments": 2, "elapsed_ms": 3.25});
        assert_eq!(
            took(&cost, false),
            "read 5 rows of 2 segments and buffers in 3.2 ms"
        );
        let one = json!({"rows": 1, "bytes": 1, "segments": 1, "elapsed_ms": 3});
        assert_eq!(
            took(&one, false),
            "read 1 row of 1 segment or buffer in 3.0 ms"
        );
        assert!(took(&cost, true).ends_with("more rows than an answer may have"));
    }
}
