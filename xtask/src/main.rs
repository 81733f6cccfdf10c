//! The project's own checks: `cargo xtask tidy`.

mod tidy;

use std::process::ExitCode;

use anyhow::Context;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy::run().context("tidy could not look"),
        _ => {
            eprintln!("usage: cargo xtask tidy");
            return ExitCode::from(2);
        }
    };
    match run {
        Ok(findings) if findings.is_empty() => {
            println!("tidy: all in order");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            findings
                .iter()
                .for_each(|finding| eprintln!("tidy: {finding}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
