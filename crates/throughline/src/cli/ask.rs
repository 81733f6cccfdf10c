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
#[command(after_long_help = ASSISTANTS)]
pub(crate) struct Mcp {
    #[command(flatten)]
    pub(crate) target: Target,
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

const ASSISTANTS: &str = "Give an assistant the command `throughline mcp` as a server that it starts \
    itself, with THROUGHLINE_API_KEY in its environment where the server asks for a key. An assistant that \
    speaks HTTP needs no command: the server answers at /mcp. It can ask, and change nothing.";
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

const EXAMPLES: &str = "\
Examples:
  aws logs filter-log-events --log-group-name /aws/lambda/checkout \\
      --filter-pattern __otel_otlp_stdout --output json | throughline replay -
  zcat export/*.gz | throughline replay -

What is stored already is not stored again, so the same lines may be sent as often as is convenient.
Exits with 1 if a line had something that could not be stored, and with 2 if not all lines were sent.";
