//! Every command and flag, declared once.

mod advice;
mod ask;
mod demo;
mod eval;
mod fault;
mod find;
mod graph;
mod investigate;
mod scrub;
mod store;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use advice::Advice;
pub(crate) use ask::{Completeness, Form, Mcp, Query, Replay, Target};
pub(crate) use demo::{Demo, DemoActions, Example, Users};
pub(crate) use eval::{Eval, EvalCommand, EvalPetshop, EvalRecorded};
pub(crate) use fault::{AddFault, Fault, FaultCommand};
pub(crate) use find::{Functions, LogFilter, Logs, Status, Tail, Times, Trace, Traces};
pub(crate) use graph::{GraphForm, GraphQuery};
pub(crate) use investigate::Investigate;
pub(crate) use scrub::Scrub;
pub(crate) use store::{Check, CheckForm, Export, ExportSignal, Sizes, Store, StoreCommand};

/// Observability for serverless applications: one user action, one story.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server: take telemetry in, keep it, show it
    Serve(Serve),
    /// Find user actions, newest first
    Traces(Traces),
    /// Show one user action as one story, by any id that belongs to it
    Trace(Trace),
    /// Find log records
    Logs(Logs),
    /// Follow logs as they arrive
    Tail(Tail),
    /// What functions did: calls, errors, times, cold starts, cost
    Functions(Functions),
    /// Which memory a function should have: time and cost with other sizes
    Advice(Advice),
    /// Ask why it was so: "payment was slow last night around 10PM"
    Investigate(Investigate),
    /// Ask who depends on whom, in openCypher
    Graph(GraphQuery),
    /// Ask in SQL about spans, logs and metrics
    Query(Query),
    /// Is anything missing: what extensions took in beside what the server has, and why
    Completeness(Completeness),
    /// Let an assistant ask a server, over the Model Context Protocol on stdin and stdout
    Mcp(Mcp),
    /// Read telemetry back that extensions printed because no server could be reached
    Replay(Replay),
    /// Look after a folder of data that no server has open
    Store(Store),
    /// Run functions as Lambda does, on this machine, without Docker or AWS
    Sandbox(Sandbox),
    /// Run the server and an example application with users
    Demo(Demo),
    /// Show what the extension would take out of telemetry or logs
    Scrub(Scrub),
    /// Measure how good the analysis is on incidents whose causes are known
    Eval(Eval),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Default, Args)]
#[command(after_long_help = PRECEDENCE)]
pub(crate) struct Serve {
    /// Folder for everything that is kept [default: $XDG_DATA_HOME/throughline]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Address for OTLP over gRPC [default: 127.0.0.1:4317]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) otlp_grpc: Option<String>,
    /// Address for OTLP over HTTP [default: 127.0.0.1:4318]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) otlp_http: Option<String>,
    /// Address of the page and the API [default: 127.0.0.1:4300]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<String>,
    /// Key that senders and readers must present
    ///
    /// Needed to listen beyond this machine. Sent as `Authorization: Bearer KEY`. Prefer the
    /// variable THROUGHLINE_API_KEY: a flag can be seen in the list of processes.
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// How to log to stderr: text or json [default: text]
    ///
    /// What is logged is chosen with RUST_LOG, `info` unless told.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// How long telemetry is kept, and how many bytes of each signal [default: 30d]
    ///
    /// Such as 30d, 50GB, 7d,50GB or forever. What is too old, or the oldest of what is too much, is
    /// deleted in the background, ten minutes' worth at a time.
    #[arg(long, value_name = "KEEP")]
    pub(crate) retention: Option<String>,
    /// The same for spans alone
    #[arg(long, value_name = "KEEP")]
    pub(crate) retention_traces: Option<String>,
    /// The same for log records alone
    #[arg(long, value_name = "KEEP")]
    pub(crate) retention_logs: Option<String>,
    /// The same for metric points alone
    #[arg(long, value_name = "KEEP")]
    pub(crate) retention_metrics: Option<String>,
    /// Who does what is confirmed in the account: off, local or lambda:NAME [default: off]
    ///
    /// `off`: nobody; findings can be ignored and people left alone. `local`: this server, with the
    /// credentials that it finds, as the AWS CLI does. `lambda:NAME`: the function of deploy/actuator,
    /// which has a role of its own; the server needs to be allowed to invoke it and nothing else.
    #[arg(long, value_name = "WHO")]
    pub(crate) actions: Option<String>,
    /// File with settings, in TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print every setting and where it came from, and stop
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Print the bound addresses as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    pub(crate) command: Option<SandboxCommand>,
    /// File that describes the application [default: throughline.toml, or else template.yaml]
    ///
    /// Our own language, or an AWS SAM template as it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) app: Option<PathBuf>,
    /// Value of a parameter of a SAM template; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) parameter: Vec<(String, String)>,
    /// Extension to start in every environment; may be given several times
    ///
    /// An executable, or a folder of executables like /opt/extensions.
    #[arg(long, value_name = "PATH")]
    pub(crate) extension: Vec<PathBuf>,
    /// Address of the AWS Lambda API (`Invoke`)
    #[arg(long, value_name = "ADDRESS", default_value_t = API_DEFAULT)]
    pub(crate) api: SocketAddr,
    /// Keep environments when the code of their function changes
    ///
    /// Unless told, a change of a code folder or a layer ends the function's environments, so that
    /// the next invocation runs what was just written.
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// Environment variable for every function; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) env: Vec<(String, String)>,
    /// Environments that a function may have at once [default: 10]
    ///
    /// A call beyond that is throttled. A function's own `concurrency` wins.
    #[arg(long, value_name = "N", value_parser = environments)]
    pub(crate) concurrency: Option<usize>,
    /// After how long an idle environment is shut down, such as 30s or 5m [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) idle_timeout: Option<Duration>,
    /// How long the first init of an environment may take [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) init_timeout: Option<Duration>,
    /// How much of the two seconds of a shutdown the runtime has [default: 300ms]
    ///
    /// Lambda's documentation says 300 ms, its own emulator grants 600 ms.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) runtime_shutdown_share: Option<Duration>,
    /// Where AWS's services are, such as http://127.0.0.1:5000 for moto; `aws` is AWS itself
    ///
    /// Queues, topics, streams and buckets are polled there, and the functions' own SDKs are led
    /// there.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) aws_endpoint: Option<String>,
    /// Where environments live: each in a world of its own, or all in this machine's [default: auto]
    ///
    /// Its own world is a loopback and a file system of its own, as on Lambda. `auto` takes it where
    /// the machine allows it, and says so; `own` does not start without.
    #[arg(long, value_name = "WORLD", value_enum)]
    pub(crate) world: Option<World>,
    /// Way out of every environment; may be given several times
    #[arg(long, value_name = "NAME=HOST:PORT", value_parser = pair)]
    pub(crate) door: Vec<(String, String)>,
    /// How long a connection at a door may be idle before it is reset [default: 350s]
    ///
    /// As behind AWS's NAT gateways and network load balancers. A frozen environment is idle.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) door_idle_timeout: Option<Duration>,
    /// Give each environment no more of a core than Lambda would: its memory / 1769 MB
    ///
    /// Small functions then take as long as on Lambda, and seconds to start. Takes control groups
    /// that this program may write to.
    #[arg(long)]
    pub(crate) cpu_share: bool,
    /// Answer subscriptions to the Telemetry API as places do that have none
    #[arg(long)]
    pub(crate) without_telemetry: bool,
    /// Print Lambda's own END and REPORT lines for each invocation
    #[arg(long, conflicts_with = "json")]
    pub(crate) report: bool,
    /// Print everything that happens as one line of JSON each, with its `type`
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    Auto,
    Own,
    Shared,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Call a function of a running sandbox and print its answer
    Invoke(Invoke),
    /// Have something go wrong in a running sandbox, and see how often it did
    Fault(Fault),
}

#[derive(Debug, Args)]
#[command(after_help = "Exits with 1 if the function failed, and with 2 if it was not called.")]
pub(crate) struct Invoke {
    /// The function's name
    pub(crate) function: String,
    /// The event: JSON, @FILE, or - for the standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) payload: String,
    /// Leave the event with the sandbox and do not wait; prints the request id
    #[arg(long)]
    pub(crate) event: bool,
    /// Print the last 4 KB of the invocation's log to stderr
    #[arg(long, conflicts_with = "event")]
    pub(crate) log: bool,
    /// Address of the sandbox's AWS Lambda API
    #[arg(long, value_name = "ADDRESS", default_value_t = API_DEFAULT)]
    pub(crate) api: SocketAddr,
}

/// Where a sandbox's AWS Lambda API is, and where it is looked for.
pub(crate) const API_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4301);
const PRECEDENCE: &str = "Each setting can also be given as a variable named like \
    THROUGHLINE_DATA_DIR or in the --config file; a flag beats a variable, and a variable beats \
    the file.";

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// A number and its unit, as in `300ms`, `30s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let millis_each = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("write it as 300ms, 30s, 5m or 1h".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write it as 300ms, 30s, 5m or 1h")?;
    let millis = number.checked_mul(millis_each).ok_or("too long")?;
    Ok(Duration::from_millis(millis))
}

fn endpoint(text: &str) -> Result<String, String> {
    let is_one = text == "aws" || text.starts_with("http://") || text.starts_with("https://");
    match is_one {
        true => Ok(text.to_owned()),
        false => Err("write it as http://HOST:PORT, or aws for AWS itself".to_owned()),
    }
}

fn environments(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| "a number from 1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use expect_test::expect_file;

    use super::*;

    #[test]
    fn help_reads_as_agreed() {
        let mut cli = Cli::command().term_width(100);
        cli.build();
        let mut text = cli.render_long_help().to_string();
        for command in cli.get_subcommands_mut() {
            let help = command.render_long_help();
            text += &format!("\n==== {} ====\n{help}", command.get_name());
            let name = command.get_name().to_owned();
            // What `help` says of every command is there already.
            let own = |inner: &&mut clap::Command| name != "help" && inner.get_name() != "help";
            for inner in command.get_subcommands_mut().filter(own) {
                let help = inner.render_long_help();
                text += &format!("\n==== {name} {} ====\n{help}", inner.get_name());
            }
        }
        let text: Vec<&str> = text.lines().map(str::trim_end).collect();
        expect_file!["../tests/golden/help.txt"].assert_eq(&(text.join("\n") + "\n"));
    }

    #[test]
    fn the_declarations_are_sound() {
        Cli::command().debug_assert();
        assert_eq!(pair("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for wrong in ["", "5", "s", "-1s", "1.5s", "99999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(endpoint("aws").is_ok() && endpoint("http://127.0.0.1:5000").is_ok());
        assert!(endpoint("127.0.0.1:5000").is_err());
        assert!(environments("0").is_err() && environments("8").is_ok());
        assert!(pair("=x").is_err() && pair("x").is_err());
    }
}
