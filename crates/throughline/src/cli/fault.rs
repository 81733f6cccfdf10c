//! `throughline sandbox fault`: what can be said.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::duration;

#[derive(Debug, Args)]
pub(crate) struct Fault {
    #[command(subcommand)]
    pub(crate) command: FaultCommand,
    /// Address of the sandbox's AWS Lambda API, beside which faults are controlled
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        default_value_t = super::API_DEFAULT
    )]
    pub(crate) api: SocketAddr,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Have something go wrong, from now on and until it is removed unless told; prints its number
    Add(Box<AddFault>),
    /// Show all faults, and how often each has struck
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// End a fault, or all of them
    Remove {
        /// The number that `add` printed
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<u64>,
        /// End all of them
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AddFault {
    /// What goes wrong
    #[arg(value_parser = throughline_sandbox::FAULT_NAMES)]
    pub(crate) what: String,
    /// Only for this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Which process to kill or hang: runtime, or extension:NAME [default: runtime]
    #[arg(long, value_name = "PROCESS")]
    pub(crate) process: Option<String>,
    /// Only telemetry for this extension
    #[arg(long, value_name = "NAME")]
    pub(crate) extension: Option<String>,
    /// How much later telemetry comes, or how long a connection waits at a slow door, such as 500ms
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) delay: Option<Duration>,
    /// The door that is slow or shut
    #[arg(long, value_name = "NAME")]
    pub(crate) door: Option<String>,
    /// How much goes through a slow door each way of each connection
    #[arg(long, value_name = "N")]
    pub(crate) bytes_per_second: Option<u64>,
    /// What a subscriber answers to telemetry [default: 500], or the metadata endpoint [default: 503]
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<u16>,
    /// For how long an environment finds that it was frozen
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) frozen: Option<Duration>,
    /// What a poisoned event becomes
    #[arg(long, value_name = "JSON")]
    pub(crate) payload: Option<String>,
    /// Strike only this share of all occasions, from 0 to 1
    #[arg(long, value_name = "SHARE")]
    pub(crate) share: Option<f64>,
    /// Which share: the same seed strikes the same occasions
    #[arg(long, value_name = "N", requires = "share")]
    pub(crate) seed: Option<u64>,
    /// Not before so long from now
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) after: Option<Duration>,
    /// Not before the so-manieth invocation from now
    #[arg(long, value_name = "N", conflicts_with = "after")]
    pub(crate) at_invocation: Option<u64>,
    /// Over so long after it began
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) lasting: Option<Duration>,
    /// Over when it has struck so often
    #[arg(long, value_name = "N")]
    pub(crate) times: Option<u64>,
    /// Strike a process so long after its invocation began
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) into_invocation: Option<Duration>,
    /// Strike the environments that there are, once and whatever they do, instead of invocations
    #[arg(long)]
    pub(crate) on_environments: bool,
}

const EXAMPLES: &str = "Examples:
  throughline sandbox fault add kill --function checkout --share 0.1 --into-invocation 50ms
  throughline sandbox fault add hang --process extension:throughline-extension --at-invocation 3 --times 1
  throughline sandbox fault add drop-environment --on-environments
  throughline sandbox fault add throttle --function checkout --lasting 30s
  throughline sandbox fault add delay-telemetry --delay 2s
  throughline sandbox fault add jump-clock --frozen 20m --times 1";
