//! `throughline advice`: which memory a function should have.

mod render;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use throughline_telemetry::UnixNanos;

use super::{Server, block_on, nanos, percent_encoded, with_query, words};
use crate::cli::Advice;
use crate::output;
use crate::terminal::{Paint, columns};
use render::Told;

/// Prints what is said of it, and a table of sizes.
pub(crate) fn run(arguments: &Advice) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let answer = block_on(server.load(&path(arguments, words::now())))?;
    let unreadable = "the server answers with what this version cannot read";
    let told = Told::deserialize(&answer).context(unreadable)?;
    output::print(match arguments.json {
        true => format!("{answer}\n"),
        false => told.render(&page(arguments), (Paint::of_stdout(), columns())),
    })?;
    Ok(ExitCode::from(told.exit_code()))
}

/// Where a size is applied: by a person, who sees before what it does.
fn page(arguments: &Advice) -> String {
    let server = arguments.target.server.trim_end_matches('/');
    let scheme = if server.contains("://") {
        ""
    } else {
        "http://"
    };
    let function = percent_encoded(&arguments.function);
    format!("{scheme}{server}/functions/{function}#memory")
}

fn path(arguments: &Advice, now: UnixNanos) -> String {
    let from = now.0.saturating_sub(nanos(arguments.since));
    let millis = |time: Duration| (time.as_secs_f64() * 1e3).to_string();
    let parameters = [
        ("from", Some(from.to_string())),
        ("to", Some(now.0.to_string())),
        ("environment", arguments.environment.clone()),
        ("slow_ms_max", arguments.slow_max.map(millis)),
    ];
    let given = parameters.into_iter();
    let given = given.filter_map(|(name, value)| Some((name, value?)));
    let function = percent_encoded(&arguments.function);
    with_query(&format!("/api/v1/functions/{function}/advice"), given)
}
