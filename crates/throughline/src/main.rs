//! `throughline`: the server, the sandbox and the demo in one binary.

mod actuator;
mod ask;
mod cli;
mod demo;
mod eval;
mod logging;
mod output;
mod progress;
mod sandbox;
mod scrub;
mod serve;
mod settings;
mod signals;
mod store;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = match cli.command {
        Command::Serve(arguments) => serve::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Sandbox(arguments) => sandbox::run(arguments),
        Command::Traces(arguments) => ask::traces::run(&arguments),
        Command::Trace(arguments) => ask::trace::run(&arguments),
        Command::Logs(arguments) => ask::logs::run(&arguments),
        Command::Tail(arguments) => ask::tail::run(&arguments),
        Command::Functions(arguments) => ask::functions::run(&arguments),
        Command::Advice(arguments) => ask::advice::run(&arguments),
        Command::Investigate(arguments) => ask::investigate::run(&arguments),
        Command::Graph(arguments) => ask::graph::run(&arguments),
        Command::Query(arguments) => ask::query::run(&arguments),
        Command::Completeness(arguments) => ask::completeness::run(&arguments),
        Command::Mcp(arguments) => ask::mcp::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Replay(arguments) => ask::replay::run(&arguments),
        Command::Demo(arguments) => demo::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Store(arguments) => store::run(&arguments.command),
        Command::Scrub(arguments) => scrub::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Completions { shell } => completions(shell).map(|()| ExitCode::SUCCESS),
    };
    match run {
        Ok(code) => code,
        Err(error) => {
            eprintln!("throughline: {}", output::one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// Written to memory first, because `clap_complete` panics where its reader goes away early.
fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "throughline", &mut script);
    output::print(&script)?;
    Ok(())
}
