//! Every command and flag, declared once.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Run functions as Lambda does, on this machine, without Docker or AWS
    Sandbox(Sandbox),
    /// Run the server and the example application under steady traffic
    Demo(Demo),
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
pub(crate) struct Sandbox {
    /// File that describes the application
    #[arg(long, value_name = "FILE", default_value = "throughline.toml")]
    pub(crate) app: PathBuf,
    /// Extension to start in every environment; may be given several times
    ///
    /// An executable, or a folder of executables like /opt/extensions.
    #[arg(long, value_name = "PATH")]
    pub(crate) extension: Vec<PathBuf>,
    /// Address of the AWS Lambda API (`Invoke`)
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4301")]
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
    /// Print a line of JSON for each invocation
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// File that describes the application
    #[arg(
        long,
        value_name = "FILE",
        default_value = "examples/checkout/throughline.toml"
    )]
    pub(crate) app: PathBuf,
    /// Folder for everything that is kept [default: $XDG_DATA_HOME/throughline-demo]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Orders a minute; 0 sends none
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=6000))]
    pub(crate) rate: u32,
    /// Listen on free ports instead of the usual ones
    #[arg(long)]
    pub(crate) any_port: bool,
    /// Print the bound addresses as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const PRECEDENCE: &str = "Each setting can also be given as a variable named like \
    THROUGHLINE_DATA_DIR or in the --config file; a flag beats a variable, and a variable beats \
    the file.";

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
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
        }
        let text: Vec<&str> = text.lines().map(str::trim_end).collect();
        expect_file!["../tests/golden/help.txt"].assert_eq(&(text.join("\n") + "\n"));
    }

    #[test]
    fn the_declarations_are_sound() {
        Cli::command().debug_assert();
        assert_eq!(pair("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(pair("=x").is_err() && pair("x").is_err());
    }
}
