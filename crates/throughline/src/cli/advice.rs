//! What is asked about the memory of a function.

use std::time::Duration;

use clap::Args;

use super::Target;

#[derive(Debug, Args)]
#[command(after_long_help = ABOUT)]
pub(crate) struct Advice {
    /// The function
    #[arg(value_name = "NAME")]
    pub(crate) function: String,
    /// How far to look back
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = humantime::parse_duration)]
    pub(crate) since: Duration,
    /// Only invocations in this environment, such as production
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// What the 99th percentile may be; without it hardly longer than now
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) slow_max: Option<Duration>,
    /// Print what the API answers, as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

const ABOUT: &str = "\
Time and cost with other sizes are predicted from the newest 2,000 invocations with the size that
it has, of which the extension has told the processor time. Nothing is deployed for it.

Exits with 0 if a change is worth it, with 1 if not, and with 2 if nothing can be said.";
