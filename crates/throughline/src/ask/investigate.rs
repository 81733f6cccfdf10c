//! `throughline investigate`: why was it slow, last night around ten?

mod render;

use std::process::ExitCode;

use anyhow::Context;
use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::{Server, block_on};
use crate::cli::Investigate;
use crate::output;
use crate::terminal::{Paint, columns};

/// Prints what was found, or that nothing was.
pub(crate) fn run(arguments: &Investigate) -> anyhow::Result<ExitCode> {
    let offset = arguments.utc_offset.unwrap_or_else(local_offset_minutes);
    let answer = block_on(ask(arguments, offset))?;
    if arguments.json {
        output::print(format!("{answer}\n"))?;
    } else {
        let unreadable = "the server answers with what this version cannot read";
        let text = render::render(&answer, offset, (Paint::of_stdout(), columns()));
        output::print(text.context(unreadable)?)?;
        eprintln!("{}", render::summary(&answer));
    }
    Ok(match answer["state"] == "found" {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

async fn ask(arguments: &Investigate, offset: i32) -> anyhow::Result<Value> {
    let server = Server::new(&arguments.target)?;
    let time = |time: Option<throughline_telemetry::UnixNanos>| time.map(|it| it.0.to_string());
    let question = json!({
        "question": arguments.question.join(" "),
        "symptom": arguments.symptom,
        "node": arguments.node,
        "from": time(arguments.from),
        "to": time(arguments.to),
        "utc_offset_minutes": offset,
    });
    let body = Bytes::from(question.to_string());
    let answer = server
        .send(Method::POST, "/api/v1/investigations", body)
        .await?;
    if !answer.status.is_success() {
        anyhow::bail!(server.refusal(answer.status, &answer.json));
    }
    Ok(answer.json)
}

/// How far this machine's clock is ahead of UTC.
pub(super) fn local_offset_minutes() -> i32 {
    chrono::Local::now().offset().local_minus_utc() / 60
}
