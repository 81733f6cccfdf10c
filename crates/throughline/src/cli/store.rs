//! What can be done with a data folder.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use throughline_store::parse_time;
use throughline_telemetry::UnixNanos;

#[derive(Debug, Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Is everything as it was written: verify each checksum and reference, and change nothing
    Check(Check),
    /// Write spans, log records or metric points to a Parquet file that other programs open
    Export(Export),
    /// What takes the room: each column and each index, with bytes a row
    Sizes(Sizes),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 if something is wrong, and with 2 if the folder cannot be checked."
)]
pub(crate) struct Check {
    /// The data folder, as in `throughline serve --data-dir`
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(crate) format: CheckForm,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckForm {
    /// For people
    Table,
    /// One object on one line
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Reads no rows, and changes nothing. No server may have the folder open.")]
pub(crate) struct Sizes {
    /// The data folder, as in `throughline serve --data-dir`
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(crate) format: CheckForm,
}

#[derive(Debug, Args)]
#[command(after_help = "Opens the folder as a server does, so none may have it open.")]
pub(crate) struct Export {
    /// The data folder, as in `throughline serve --data-dir`
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// What to write
    #[arg(long, value_name = "SIGNAL", value_enum)]
    pub(crate) signal: ExportSignal,
    /// The file to write, which must not be there
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Rows of then or later, such as 2026-11-21 or 2026-11-21T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) from: Option<UnixNanos>,
    /// Rows of before then
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) to: Option<UnixNanos>,
    /// Rows of this service
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
}

/// What an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportSignal {
    /// Spans
    Traces,
    /// Log records
    Logs,
    /// Metric points
    Metrics,
}
