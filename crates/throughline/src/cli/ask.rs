//! What can be asked of a running server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where the server is, and the key to it.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Address of the server's page and API
    ///
    /// HOST:PORT, or http:// or https:// before it. Over https the server's certificate must be one
    /// that this machine trusts; SSL_CERT_FILE names others.
    #[arg(long, value_name = "SERVER", default_value = "127.0.0.1:4300", value_parser = server)]
    pub(crate) server: String,
    /// Key to the server, if it asks for one
    ///
    /// Prefer the variable: a flag can be seen in the list of processes.
    #[arg(
        long,
        value_name = "KEY",
        env = "THROUGHLINE_API_KEY",
        hide_env_values = true
    )]
    pub(crate) api_key: Option<String>,
}

/// An address without what follows it.
fn server(text: &str) -> Result<String, String> {
    let address = text.trim_end_matches('/');
    let (scheme, authority) = address.split_once("://").unwrap_or(("http", address));
    if !matches!(scheme, "http" | "https") {
        return Err(format!("{scheme} is not spoken; http and https are"));
    }
    if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
        return Err("want HOST:PORT, or a URL without a path".to_owned());
    }
    Ok(address.to_owned())
}

#[derive(Debug, Args)]
#[command(after_long_help = REASONS)]
pub(crate) struct Completeness {
    /// Only this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Print what the API answers, all pages as one, as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
#[command(after_long_help = QUERIES)]
pub(crate) struct Query {
    /// One statement that reads, or - for the standard input
    ///
    /// The tables are spans, logs and metrics. Every attribute is a column by its key, with or without
    /// quotes.
    #[arg(value_name = "SQL")]
    pub(crate) sql: String,
    /// How to print the rows
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "table")]
    pub(crate) format: Form,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Table,
    /// What the API answers, as one line
    Json,
    /// RFC 4180, with a line of names
    Csv,
    /// Arrow's IPC stream, for a file or a pipe
    Arrow,
}

#[derive(Debug, Args)]
#[command(after_long_help = TAILS)]
pub(crate) struct Tail {
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
    /// Print what the API sends, a line for each record
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
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Replay {
    /// File with log lines, or - for the standard input
    ///
    /// Plain lines, or what `aws logs filter-log-events` prints.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print the summary as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

const REASONS: &str = "\
Why something is missing:
  on its way   the environment still has it, in memory or in /tmp
  vanished     it had it, and was not heard of for a day: it ended without a word
  printed      it is in CloudWatch Logs: read it back with `throughline replay`
  unknown      nothing says why
  any other    the extension gave it up for this reason

Exits with 1 if anything is missing, and with 2 if nobody could be asked.";

const QUERIES: &str = "\
Examples:
  throughline query \"select service, count(*) as n, approx_percentile_cont(duration_ms, 0.99) as p99
      from spans where time > now() - interval '1 hour' group by service order by n desc\"
  throughline query --format csv \"select time, service, body from logs
      where severity_number >= 17 order by time desc limit 100\" > errors.csv

`select * from information_schema.columns` lists the columns that every row has.
What the query took goes to stderr. Exits with 2 if there is no answer.";

const TAILS: &str = "\
Examples:
  throughline tail
  throughline tail --function checkout --min-severity warn
  throughline tail --where order.total>=100 timeout -retry

Times are UTC. A connection that breaks is made again, and goes on after the last line.";

const EXAMPLES: &str = "\
Examples:
  aws logs filter-log-events --log-group-name /aws/lambda/checkout \\
      --filter-pattern __otel_otlp_stdout --output json | throughline replay -
  zcat export/*.gz | throughline replay -

What is stored already is not stored again, so the same lines may be sent as often as is convenient.
Exits with 1 if a line had something that could not be stored, and with 2 if not all lines were sent.";
