//! The flags of `throughline demo`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

/// What the demo runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Example {
    /// Seven functions of a restaurant service, over AWS's services on this machine
    BigMouth,
    /// Three functions that call each other, and nothing else
    Checkout,
}

/// Whether what can be done about an incident is done in the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoActions {
    /// Nothing is done but ignoring and muting
    Off,
    /// The server acts in the account that moto pretends, and never in yours
    Local,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The application
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Example::BigMouth)]
    pub(crate) example: Example,
    /// File that describes it [default: examples/NAME/throughline.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) app: Option<PathBuf>,
    /// Folder for everything that is kept [default: $XDG_DATA_HOME/throughline-demo]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Orders a minute, in the mean of a day; 0 sends none
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=6000))]
    pub(crate) rate: u32,
    /// Who does what is confirmed about an incident of big-mouth
    #[arg(long, value_name = "WHO", value_enum, default_value_t = DemoActions::Off)]
    pub(crate) actions: DemoActions,
    /// Listen on free ports instead of the usual ones
    #[arg(long)]
    pub(crate) any_port: bool,
    /// Print the bound addresses as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) users: Users,
}

/// How the users of big-mouth behave.
#[derive(Debug, Args)]
#[command(next_help_heading = "Users of big-mouth")]
pub(crate) struct Users {
    /// How many minutes a day of theirs takes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(crate) day_minutes: u32,
    /// What users do, and when what goes wrong, follows from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u32,
    /// What goes wrong; several go wrong one after the other
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(MISBEHAVIOURS))]
    pub(crate) misbehave: Vec<String>,
    /// About how many seconds pass before each of them
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) misbehave_after: u32,
    /// About how many seconds each of them lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) misbehave_for: u32,
}

/// As `examples/big-mouth/traffic/misbehave.py` has them.
const MISBEHAVIOURS: [&str; 11] = [
    "slow-payment",
    "throttled-user-table",
    "poison-message",
    "bad-deploy",
    "cold-start-storm",
    "memory-leak",
    "unexpected-write",
    "cost-leak",
    "timeout",
    "retry-storm",
    "silent-consumer",
];

#[cfg(test)]
mod tests {
    use super::MISBEHAVIOURS;

    #[test]
    fn every_misbehaviour_is_one_that_the_traffic_knows() {
        let traffic = include_str!("../../../../examples/big-mouth/traffic/misbehave.py");
        let known: Vec<&str> = traffic
            .lines()
            .skip_while(|line| *line != "ALL = {")
            .filter_map(|line| line.strip_prefix("    \"")?.split_once("\": "))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(known, MISBEHAVIOURS);
    }
}
