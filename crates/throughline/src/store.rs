//! `throughline store`: what is done with a data folder that no server has open.

mod check;
mod export;
mod sizes;

use std::path::Path;
use std::process::ExitCode;

use throughline_store::OpenError;

use crate::cli::StoreCommand;

pub(crate) fn run(command: &StoreCommand) -> anyhow::Result<ExitCode> {
    match command {
        StoreCommand::Check(arguments) => check::run(arguments),
        StoreCommand::Export(arguments) => export::run(arguments),
        StoreCommand::Sizes(arguments) => sizes::run(arguments),
    }
}

/// Why a folder cannot be opened, and what to do.
fn unopened(error: OpenError, directory: &Path) -> anyhow::Error {
    match error {
        OpenError::Locked { .. } => anyhow::anyhow!(
            "{} is in use: stop the server that has it open, or make a copy of the folder and look at that",
            directory.display()
        ),
        error => error.into(),
    }
}
