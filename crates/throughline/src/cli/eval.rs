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
    /// Play incidents that were recorded in an application, and look whether they are noticed and explained
    Recorded(EvalRecorded),
}

#[derive(Debug, Args)]
#[command(after_long_help = RECORDED)]
pub(crate) struct EvalRecorded {
    /// Folder with a folder for each take
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// At how many times each incident is played
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) seeds: u32,
    /// Days in which all is well and that are judged, between which the incidents are
    #[arg(long, value_name = "COUNT", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) days: u32,
    /// Print the scores as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const RECORDED: &str = "\
What is read:
  normal/traces.binpb     requests of OTLP, in protobuf, one after the other, while all was well
  normal/logs.binpb       the same of log records
  normal/take.json        {\"from_unix_millis\": 0, \"to_unix_millis\": 0, \"causes\": []}: when that was
  NAME/...                the same of an incident that began with the take; its causes are nodes as on the map,
                          any of them, and are only read to count hits. `minutes`: how long it is played (30);
                          `everywhere`: it goes wrong in the whole application, not in a part of it

`make record-incidents` makes such a folder of Big Mouth; docs/insight.md has what came of it. Cells that do what
was recorded are put together by the hour of the day, with other times and ids. After three such days, incidents
are played from different times on, each on a copy. That takes minutes to an hour, and some GB of disk. Exits with
2 if the folder cannot be read.";

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
