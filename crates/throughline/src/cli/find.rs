//! What is looked for in a running server: traces, logs, functions.

use std::time::Duration;

use clap::{Args, ValueEnum};
use throughline_store::parse_time;
use throughline_telemetry::UnixNanos;

use super::Target;

#[derive(Debug, Args)]
#[command(after_long_help = TRACES)]
pub(crate) struct Traces {
    /// Only traces with a span of this service
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only traces with a span of this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Only traces with a span of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,
    /// Only traces in which some span failed, or none did
    #[arg(long, value_name = "STATUS", value_enum)]
    pub(crate) status: Option<Status>,
    /// Only traces that took at least so long, such as 500ms or 2s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) min_duration: Option<Duration>,
    /// Only traces with a span that has this attribute; as often as needed
    ///
    /// The span's own or that of its resource, as in http.route=/pay.
    #[arg(long = "attribute", value_name = "KEY=VALUE", value_parser = attribute)]
    pub(crate) attributes: Vec<String>,
    /// How many traces to show
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) times: Times,
    /// Print what the API answers, as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What became of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    Ok,
    Error,
}

/// From when to when.
#[derive(Debug, Default, Args)]
pub(crate) struct Times {
    /// Only what is not older than this, such as 15m, 1h or 7d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "from")]
    pub(crate) since: Option<Duration>,
    /// Only what is of then or later, such as 2026-11-21 or 2026-11-21T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) from: Option<UnixNanos>,
    /// Only what is of before then
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) to: Option<UnixNanos>,
}

#[derive(Debug, Args)]
#[command(after_long_help = TRACE)]
pub(crate) struct Trace {
    /// Of a trace, a request or a message, or any value that only this action has, such as an order's
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Put the log records between the spans
    #[arg(long)]
    pub(crate) logs: bool,
    /// Print what the API answers, as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
#[command(after_long_help = LOGS)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) filter: LogFilter,
    /// Only lines of this trace
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// Only lines of this invocation
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// How many lines to show, the newest
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Go on with lines as they arrive
    #[arg(long, conflicts_with = "to")]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) times: Times,
    /// Print what the API answers, as one line of JSON; with --follow a line for each record
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
#[command(after_long_help = TAIL)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) filter: LogFilter,
    /// Print what the API sends, a line for each record
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Which lines.
#[derive(Debug, Args)]
pub(crate) struct LogFilter {
    /// Words that the lines have
    ///
    /// A phrase in quotes, a regular expression between slashes, -word for what they have not. They come last.
    #[arg(value_name = "WORDS", allow_hyphen_values = true, value_parser = word)]
    pub(crate) words: Vec<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Only lines that are at least this severe
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) min_severity: Option<Severity>,
    /// Only lines for which this holds, as often as needed: user.id=42, code>=500, error.type exists
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<String>,
}

/// How severe a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Severity {
    /// The least number of OTLP.
    pub(crate) fn number(self) -> u8 {
        self as u8 * 4 + 1
    }
}

#[derive(Debug, Args)]
#[command(after_long_help = FUNCTIONS)]
pub(crate) struct Functions {
    /// How far to look back, such as 15m, 1h or 7d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "1h")]
    pub(crate) since: Duration,
    /// Print the functions as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// A word may begin with a dash, so an option behind words would be one.
fn word(text: &str) -> Result<String, String> {
    match text.starts_with("--") {
        true => Err("options go before the words".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn attribute(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(text.to_owned()),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

const TRACES: &str = "\
Examples:
  throughline traces --since 1h --status error
  throughline traces --function checkout --min-duration 2s --attribute user.tier=gold

Service, function, operation and attributes must hold on one span. Exits with 2 if there is no answer.";

const TRACE: &str = "\
Examples:
  throughline trace 5b8efff798038103d269b633813fc60c
  throughline trace ord-1b2c --logs | less -R

Each line has when the step began, how long it took, and a bar for both; dots are waiting. A step whose
branch is dotted probably goes on from the one above it: nothing says so for certain.
Times are UTC. Exits with 1 if nothing has the id, and with 2 if there is no answer.";

const LOGS: &str = "\
Examples:
  throughline logs --since 15m --min-severity error
  throughline logs --function checkout --where 'order.total>=100' timeout \"card declined\" -retry
  throughline logs --follow --service payment

The newest line is the last one. Times are UTC. Exits with 2 if there is no answer.";

const TAIL: &str = "\
Examples:
  throughline tail
  throughline tail --function checkout --min-severity warn
  throughline tail --where order.total>=100 timeout -retry

Times are UTC. A connection that breaks is made again, and goes on after the last line.";

const FUNCTIONS: &str = "\
A call is an invocation as the platform tells it; of a function without the extension, what its handler
says. Percentiles are approximate, to about 1 %, and the cost is the extension's estimate of those
invocations whose report has come. Exits with 2 if there is no answer.";
