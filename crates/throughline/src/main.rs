//! `throughline`: the server, the sandbox and the demo in one binary.

mod cli;
mod demo;
mod logging;
mod sandbox;
mod serve;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = match cli.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Sandbox(arguments) => sandbox::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "throughline",
                &mut std::io::stdout(),
            );
            Ok(())
        }
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("throughline: {error:#}");
            ExitCode::from(2)
        }
    }
}
