//! `throughline-extension`: the external Lambda extension. See the library of this crate for its
//! core; what is here talks to the world.

mod edge;

use std::process::ExitCode;

use throughline_extension::config::{KEYS, RawConfig};

use edge::{Environment, say};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    match argument.as_deref() {
        None => run(),
        Some("--print-config") => print_config(),
        Some("--help" | "-h") => print(&help()),
        Some("--version" | "-V") => print(&format!("{NAME} {}\n", env!("CARGO_PKG_VERSION"))),
        Some(other) => {
            say(&format!("unknown argument {other}; try --help"));
            ExitCode::from(2)
        }
    }
}

/// One thread: on a small function a second one only makes the two wait for each other.
fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(edge::live()),
        Err(error) => {
            say(&format!("cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn print_config() -> ExitCode {
    let raw = RawConfig::read(&Environment);
    let (_, problems) = raw.resolve();
    problems
        .iter()
        .for_each(|problem| say(&problem.to_string()));
    print(&raw.to_string())
}

fn help() -> String {
    let keys: String = KEYS
        .iter()
        .map(|key| format!("  {:32} {}\n", key.name, key.what))
        .collect();
    format!("{ABOUT}\nEnvironment variables:\n{keys}{OPTIONS}")
}

fn print(text: &str) -> ExitCode {
    use std::io::Write;
    // A reader that went away wants no more.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

const NAME: &str = "throughline-extension";

const ABOUT: &str = "\
throughline-extension takes in what a Lambda function and the platform emit,
and delivers it to a Throughline server.

It is started by Lambda (from /opt/extensions) or by `throughline sandbox`,
without arguments, and is told what to do through environment variables.
";

const OPTIONS: &str = "
Options:
      --print-config  show the resolved values and where each came from
  -h, --help          show this
  -V, --version       show the version
";
