//! `throughline trace`: one user action as one story, by any id that belongs to it.

mod failure;
mod header;
mod logs;
mod path;
mod story;
mod waterfall;

use std::process::ExitCode;

use anyhow::{Context, bail};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;

use super::{Server, block_on, percent_encoded, words};
use crate::cli::Trace;
use crate::output;
use crate::terminal::{Paint, columns};
use story::Story;

/// Prints what is known of it. Failure if there is no such id.
pub(crate) fn run(arguments: &Trace) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let path = format!(
        "/api/v1/traces/{}?anywhere=true",
        percent_encoded(&arguments.id)
    );
    let answer = block_on(server.send(Method::GET, &path, Bytes::new()))?;
    if answer.status == StatusCode::NOT_FOUND && answer.json["code"].is_string() {
        eprintln!(
            "throughline: {}: it may not have arrived yet, or be older than what is kept; \
             `throughline traces` lists what there is",
            answer.message()
        );
        return Ok(ExitCode::FAILURE);
    }
    if !answer.status.is_success() {
        bail!(server.refusal(answer.status, &answer.json));
    }
    if arguments.json {
        output::print(format!("{}\n", answer.json))?;
        return Ok(ExitCode::SUCCESS);
    }
    let story = Story::deserialize(&answer.json);
    let story = story.context("the server answers with a trace that this version cannot read")?;
    let (paint, width) = (Paint::of_stdout(), columns());
    let header = header::render(&story, words::now(), (paint, width));
    let between = match arguments.logs {
        true => logs::placed(&story),
        false => Vec::new(),
    };
    let waterfall = waterfall::render(&story, &between, (paint, width));
    output::print(format!("{header}\n{waterfall}"))?;
    Ok(ExitCode::SUCCESS)
}
