//! `throughline graph`: who depends on whom, in openCypher.

mod render;

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::investigate::local_offset_minutes;
use super::query::explained;
use super::{Server, block_on};
use crate::cli::{GraphForm, GraphQuery};
use crate::output;
use crate::terminal::{Paint, columns};

/// Asks, prints the rows to stdout, and what they took to stderr.
pub(crate) fn run(arguments: &GraphQuery) -> anyhow::Result<ExitCode> {
    let query = match arguments.query.as_deref() {
        None => return block_on(questions(arguments)),
        Some("-") => {
            let mut query = String::new();
            let read = std::io::stdin().read_to_string(&mut query);
            read.context("cannot read the query from the standard input")?;
            query
        }
        Some(query) => query.to_owned(),
    };
    block_on(ask(arguments, &query))
}

async fn ask(arguments: &GraphQuery, query: &str) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let offset = arguments.utc_offset.unwrap_or_else(local_offset_minutes);
    let question = json!({"query": query, "utc_offset_minutes": offset});
    let body = Bytes::from(question.to_string());
    let answer = server
        .send(Method::POST, "/api/v1/graph/query", body)
        .await?;
    if !answer.status.is_success() {
        // More than one line, unlike other errors: it shows where.
        let refusal = match answer.status {
            StatusCode::BAD_REQUEST => explained(&answer.message(), query),
            status => server.refusal(status, &answer.json),
        };
        eprintln!("throughline: {refusal}");
        return Ok(ExitCode::from(2));
    }
    let unreadable = "the server answers with what this version cannot read";
    let found = render::Found::read(&answer.json).context(unreadable)?;
    output::print(match arguments.format {
        GraphForm::Json => format!("{}\n", answer.json),
        GraphForm::Csv => found.csv()?,
        GraphForm::Table => found.table((Paint::of_stdout(), columns())),
    })?;
    if arguments.format != GraphForm::Json {
        eprintln!("{}", found.summary());
    }
    Ok(ExitCode::SUCCESS)
}

/// The questions that the page offers.
async fn questions(arguments: &GraphQuery) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let language = server.load("/api/v1/graph").await?;
    let none = Vec::new();
    let all = language["questions"].as_array().unwrap_or(&none);
    let text = |question: &Value, key: &str| question[key].as_str().unwrap_or_default().to_owned();
    let shown: Vec<String> = all
        .iter()
        .map(|question| {
            format!(
                "// {}\n{}\n",
                text(question, "title"),
                text(question, "query")
            )
        })
        .collect();
    output::print(match arguments.format {
        GraphForm::Json => format!("{}\n", language["questions"]),
        _ => shown.join("\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}
