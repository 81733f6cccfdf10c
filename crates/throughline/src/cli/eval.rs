//! How good the analysis is.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(subcommand)]
    pub(crate) command: EvalCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Look for the causes of the incidents of the PetShop data set, or of another of its layout
    Petshop(EvalPetshop),
}

#[derive(Debug, Args)]
#[command(after_long_help = LAYOUT)]
pub(crate) struct EvalPetshop {
    /// Folder with a folder for each scenario
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Put the numbers straight into the analysis, which takes seconds
    ///
    /// Unless told, each call is sent as a span to a server in a temporary folder, which is then asked over its API:
    /// as it would be with such an application. With the PetShop data set that takes minutes, and 1 GB of disk.
    #[arg(long)]
    pub(crate) direct: bool,
    /// Print the scores as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const LAYOUT: &str = "\
What is read, by five minutes:
  SCENARIO/graph.csv                who calls whom, 0 or 1: rows call columns
  SCENARIO/noissue/metrics.csv      when all was well
  SCENARIO/*/issue_N/metrics.csv    an incident
  SCENARIO/*/issue_N/target.json    its symptom, and its cause, which is only read to count hits

https://github.com/amazon-science/petshop-root-cause-analysis has the data, docs/insight.md what came of
it. Exits with 2 if it cannot be read.";
