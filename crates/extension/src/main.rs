//! `throughline-extension`: the external Lambda extension. See the library of this crate for its
//! core; what is here talks to the world.

mod edge;

use std::process::ExitCode;

use throughline_extension::config::{KEYS, RawConfig};

use edge::{Environment, Registration, say};

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

/// Registers before all else: until every extension has, the platform does not start the function's
/// runtime, and what comes after runs beside the runtime's own start.
fn run() -> ExitCode {
    let Some(address) = edge::runtime_api() else {
        say(
            "AWS_LAMBDA_RUNTIME_API is not set: this is started by Lambda or by `throughline sandbox`",
        );
        return ExitCode::from(2);
    };
    let events = edge::flavour().events();
    match edge::register(&address, &edge::own_name(), events) {
        Ok(who) => {
            // Denied or not, the function runs.
            let _ = rustix::process::nice(NICE);
            live(&address, &who)
        }
        Err(error) => {
            say(&format!("cannot register: {error}"));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Where the processor is short the function goes first: its answer is waited for, ours is not. A
/// tenth of its share is left, enough to take in what it sends.
const NICE: i32 = 10;

/// One thread: on a small function a second one only makes the two wait for each other. Once
/// registered nothing may end the process but SHUTDOWN, so where there is no runtime to be had, or
/// it panics, there is still someone who asks for the next event.
fn live(address: &str, who: &Registration) {
    let lived = std::panic::catch_unwind(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.map(|runtime| runtime.block_on(edge::live(address, who.clone())))
    });
    match lived {
        Ok(Ok(())) => return,
        Ok(Err(error)) => say(&format!("cannot start: {error}; the function goes on")),
        Err(_) => say("a fault of ours was caught; the function goes on without telemetry"),
    }
    edge::idle(address, who);
}

fn print_config() -> ExitCode {
    let raw = RawConfig::read_with(&Environment, &edge::config_file());
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
