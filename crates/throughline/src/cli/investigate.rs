//! What is asked about the past, in a sentence.

use clap::Args;
use throughline_store::parse_time;
use throughline_telemetry::UnixNanos;

use super::Target;

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Investigate {
    /// What is asked, with or without quotes around it
    #[arg(value_name = "QUESTION")]
    pub(crate) question: Vec<String>,
    /// What is wrong, instead of what the question says of it
    #[arg(long, value_name = "SYMPTOM", value_parser = SYMPTOMS)]
    pub(crate) symptom: Option<String>,
    /// Of what, by its id on the map: function:payment, table:users
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// From when on, such as 2026-11-21T22:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) from: Option<UnixNanos>,
    /// Up to when
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) to: Option<UnixNanos>,
    /// Minutes that the clock of the question is ahead of UTC [default: as this machine's is]
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-1440..=1440))]
    pub(crate) utc_offset: Option<i32>,
    /// Print what the API answers, as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

const SYMPTOMS: [&str; 9] = [
    "slow",
    "error",
    "throttle",
    "timeout",
    "cold_start",
    "expensive",
    "silent",
    "waiting",
    "changed",
];

const EXAMPLES: &str = "\
Examples:
  throughline investigate \"payment was slow last night around 10PM\"
  throughline investigate \"what else is affected by the throttling on user-table?\"
  throughline investigate --symptom slow --node function:payment --from 2026-11-21T22:00:00Z

Without a time the last hour is looked at, without a name whatever shows. Exits with 1 if nothing was
found, and with 2 if there is no answer.";
