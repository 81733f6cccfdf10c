//! `throughline replay`: log lines from a file to the server, which stores the envelopes in them.

mod lines;

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use hyper::Method;
use serde_json::{Value, json};

use self::lines::{Chunk, Chunks};
use super::{Server, block_on};
use crate::cli::Replay;
use crate::output;

/// What became of all chunks.
#[derive(Default)]
struct Summary {
    lines: u64,
    envelopes: u64,
    stored: u64,
    duplicates: u64,
    items: u64,
    problems: Vec<Value>,
    problems_total: u64,
}

/// Sends all lines and says what became of them. Failure if something in them was not stored.
pub(crate) fn run(arguments: &Replay) -> anyhow::Result<ExitCode> {
    let input: Box<dyn BufRead> = match arguments.file.to_str() {
        Some("-") => Box::new(BufReader::new(std::io::stdin())),
        _ => {
            let path = arguments.file.display();
            let file =
                File::open(&arguments.file).with_context(|| format!("cannot read {path}"))?;
            Box::new(BufReader::new(file))
        }
    };
    let summary = block_on(replay(arguments, input))?;
    output::print(match arguments.json {
        true => summary.json(),
        false => summary.text(),
    })?;
    Ok(match summary.problems_total {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

async fn replay(arguments: &Replay, input: Box<dyn BufRead>) -> anyhow::Result<Summary> {
    let server = Server::new(&arguments.target)?;
    let watched = std::io::stderr().is_terminal();
    let mut summary = Summary::default();
    let mut chunks = Chunks::new(input)?;
    while let Some(chunk) = chunks.next()? {
        let answer = send(&server, &chunk).await.with_context(|| {
            let Summary { lines, stored, .. } = &summary;
            format!(
                "stopped after line {lines}, {stored} envelopes stored; send the same file again"
            )
        })?;
        summary.add(&chunk, &answer);
        if watched {
            let Summary {
                lines,
                envelopes,
                stored,
                ..
            } = &summary;
            eprint!("\r{lines} lines, {envelopes} envelopes, {stored} stored");
        }
    }
    if watched {
        eprintln!();
    }
    Ok(summary)
}

/// Sends a chunk until the server takes it. One that cannot take it now says when to come back.
async fn send(server: &Server<'_>, chunk: &Chunk) -> anyhow::Result<Value> {
    if chunk.numbers.is_empty() {
        return Ok(Value::Null);
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        let answer = server
            .send(Method::POST, PATH, chunk.text.clone().into())
            .await?;
        let again = [429, 503].contains(&answer.status.as_u16());
        if answer.status.is_success() {
            return Ok(answer.json);
        }
        if !again || attempt == ATTEMPTS_MAX {
            bail!(server.refusal(answer.status, &answer.json));
        }
        let wait = answer.retry_after.unwrap_or(WAIT).min(WAIT_MAX);
        tokio::time::sleep(wait).await;
    }
}

impl Summary {
    fn add(&mut self, chunk: &Chunk, answer: &Value) {
        let count = |key: &str| answer[key].as_u64().unwrap_or(0);
        self.lines += chunk.lines;
        self.envelopes += count("envelopes");
        self.stored += count("stored");
        self.duplicates += count("duplicates");
        self.items += answer["items"]
            .as_str()
            .and_then(|items| items.parse().ok())
            .unwrap_or(0);
        self.problems_total += count("problems_total");
        for problem in answer["problems"].as_array().into_iter().flatten() {
            if self.problems.len() < PROBLEMS_MAX {
                // The server counts the lines that it got.
                let at = problem["line"]
                    .as_u64()
                    .and_then(|line| usize::try_from(line).ok());
                let line = at.and_then(|at| chunk.numbers.get(at.saturating_sub(1)));
                self.problems.push(
                    json!({"line": line, "code": problem["code"], "message": problem["message"]}),
                );
            }
        }
    }

    fn json(&self) -> String {
        let summary = json!({
            "lines": self.lines, "envelopes": self.envelopes, "stored": self.stored, "duplicates": self.duplicates,
            "items": self.items.to_string(), "problems": self.problems, "problems_total": self.problems_total,
        });
        format!("{summary}\n")
    }

    fn text(&self) -> String {
        let Summary {
            lines,
            envelopes,
            stored,
            duplicates,
            items,
            ..
        } = self;
        let mut text = format!(
            "{lines} lines, {envelopes} envelopes: {stored} stored with {items} items, {duplicates} were there already\n"
        );
        for problem in &self.problems {
            let message = problem["message"].as_str().unwrap_or_default();
            text += &format!("line {}: {message}\n", problem["line"]);
        }
        let more = self
            .problems_total
            .saturating_sub(self.problems.len() as u64);
        if more > 0 {
            text += &format!("and {more} more\n");
        }
        text
    }
}

const PATH: &str = "/api/v1/cloudwatch";

/// How often a chunk is sent that the server cannot take now.
const ATTEMPTS_MAX: u32 = 20;

/// What a server that does not say when to come back gets.
const WAIT: Duration = Duration::from_secs(1);

/// The longest that a server may ask for.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Problems that are told; the others are counted.
const PROBLEMS_MAX: usize = 100;
