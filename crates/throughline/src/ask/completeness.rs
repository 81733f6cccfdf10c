//! `throughline completeness`: what of each function never came, and why.

mod table;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Server, block_on, percent_encoded, words};
use crate::cli::Completeness;
use crate::output;

/// Asks for all pages and prints them. Failure if anything is missing.
pub(crate) fn run(arguments: &Completeness) -> anyhow::Result<ExitCode> {
    let (functions, truncated) = block_on(load(arguments))?;
    if arguments.json {
        let all = json!({"functions": functions, "total": functions.len(), "truncated": truncated, "next_cursor": null});
        output::print(format!("{all}\n"))?;
    } else {
        output::print(table::render(&functions, words::now().0))?;
    }
    let whole = functions
        .iter()
        .all(|function| function["complete"] == "100.00");
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn load(arguments: &Completeness) -> anyhow::Result<(Vec<Value>, bool)> {
    let server = Server::new(&arguments.target)?;
    let mut path = "/api/v1/completeness?limit=200".to_owned();
    if let Some(function) = &arguments.function {
        path += &format!("&function={}", percent_encoded(function));
    }
    let (mut functions, mut truncated) = (Vec::new(), false);
    let mut cursor = String::new();
    loop {
        let mut page = server.load(&format!("{path}{cursor}")).await?;
        truncated |= page["truncated"] == true;
        if let Some(more) = page["functions"].as_array_mut() {
            functions.append(more);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok((functions, truncated)),
        }
    }
}
