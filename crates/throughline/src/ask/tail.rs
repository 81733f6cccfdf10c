//! `throughline tail`: log records as they arrive.

use std::process::ExitCode;

use super::follow::{Before, Form, follow};
use super::logs::filters;
use super::{Server, block_on, with_query};
use crate::cli::Tail;

/// Prints what comes until nobody reads it any more.
pub(crate) fn run(arguments: &Tail) -> anyhow::Result<ExitCode> {
    let server = Server::new(&arguments.target)?;
    let path = path(arguments);
    let form = Form::of(arguments.json);
    block_on(follow(&server, &path, form, Before::Nothing))?;
    Ok(ExitCode::SUCCESS)
}

fn path(arguments: &Tail) -> String {
    with_query("/api/v1/logs/tail", filters(&arguments.filter))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn words_may_begin_with_a_dash_and_come_after_the_options() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        let error = parse("throughline tail timeout --json").unwrap_err();
        assert!(error.to_string().contains("options go before the words"));
        let line = "throughline tail --json --where a>=1 --min-severity warn timeout -retry /x/";
        let cli = parse(line).unwrap();
        let Command::Tail(arguments) = cli.command else {
            panic!("it is another command");
        };
        assert!(arguments.json);
        assert_eq!(
            path(&arguments),
            "/api/v1/logs/tail?min_severity=13&where=a%3E%3D1&q=timeout+-retry+%2Fx%2F"
        );
    }
}
