//! `throughline sandbox`: the sandbox alone, and what a person sees of it.

mod announcement;
mod fault;
mod invoke;
mod tell;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use throughline_sandbox::{
    Application, ApplicationError, Overrides, RunningSandbox, Sandbox, StartError, World,
};
use throughline_sources::{Endpoint, RunningSources, SourceError, Sources};
use tokio::sync::broadcast::error::RecvError;

use crate::cli;
use crate::logging::{self, LogFormat};
use crate::output::{self, Reader};
use crate::signals::Signals;
use crate::terminal::Paint;
use tell::Teller;

pub(crate) fn run(arguments: cli::Sandbox) -> anyhow::Result<ExitCode> {
    logging::start(LogFormat::Text, "warn");
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    match &arguments.command {
        Some(cli::SandboxCommand::Invoke(invoke)) => runtime.block_on(invoke::run(invoke)),
        Some(cli::SandboxCommand::Fault(fault)) => runtime.block_on(fault::run(fault)),
        None => {
            runtime.block_on(serve(&arguments))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn serve(arguments: &cli::Sandbox) -> anyhow::Result<()> {
    let application = load(arguments)?;
    let resources = application.resources().to_vec();
    for note in application.notes() {
        eprintln!("throughline: {note}");
    }
    let endpoint = arguments.aws_endpoint.as_deref();
    let endpoint = endpoint.or(application.aws_endpoint()).map(str::to_owned);
    let mut signals = Signals::listen()?;
    let starting = described(arguments, application).start_with_activity();
    let (running, mut activity) = signals
        .unless_stopped(starting)
        .await
        .map_err(with_next_step)?;
    let endpoint = match endpoint {
        Some(text) => text.parse::<Endpoint>().ok(),
        None => None,
    };
    let starting = Sources::new(running.invoker(), running.activity())
        .endpoint(endpoint.clone())
        .resources(resources)
        .start();
    let sources = match signals.unless_stopped(starting).await {
        Ok(sources) => sources,
        Err(error) => {
            running.shutdown().await;
            return Err(sources_next_step(error));
        }
    };

    let names = running.functions();
    let mut teller = match (arguments.json, arguments.report) {
        (true, _) => Teller::json(),
        (false, true) => Teller::report(Paint::of_stdout(), &names),
        (false, false) => Teller::lines(Paint::of_stdout(), &names),
    };
    let started = if arguments.json {
        announcement::as_json(&running).to_string() + "\n"
    } else {
        announcement::as_text(
            &running,
            &sources.counts(),
            endpoint.as_ref(),
            Paint::of_stdout(),
        )
    };
    let told = match output::print(started)? {
        Reader::Gone => Ok(()),
        Reader::Listens => tokio::select! {
            told = tell_all(&mut activity, &mut teller) => told,
            () = signals.first() => Ok(()),
        },
    };
    stop(running, sources, arguments.json).await;
    told
}

fn load(arguments: &cli::Sandbox) -> anyhow::Result<Application> {
    let app = match &arguments.app {
        Some(app) => app.clone(),
        None => APPLICATION_FILES
            .iter()
            .map(PathBuf::from)
            .find(|file| file.exists())
            .with_context(|| {
                let files = APPLICATION_FILES.join(" or ");
                format!("cannot find {files} here: write one, or name another with --app FILE")
            })?,
    };
    let overrides = Overrides {
        parameters: arguments.parameter.iter().cloned().collect(),
        aws_endpoint: arguments.aws_endpoint.clone(),
    };
    Application::load_with(app, &overrides).map_err(line_by_line)
}

/// Of several problems each has a line of its own.
fn line_by_line(error: ApplicationError) -> anyhow::Error {
    match &error {
        ApplicationError::Invalid { path, problems } if problems.sentences().len() > 1 => {
            for problem in problems.sentences() {
                eprintln!("throughline: {problem}");
            }
            let count = problems.sentences().len();
            anyhow::anyhow!("cannot use {}: {count} problems", path.display())
        }
        _ => error.into(),
    }
}

fn described(arguments: &cli::Sandbox, application: Application) -> Sandbox {
    let mut sandbox = Sandbox::new()
        .application(application)
        .api(arguments.api)
        .watch(!arguments.no_watch)
        .on_notice(|notice| eprintln!("throughline: {notice}"));
    for path in &arguments.extension {
        sandbox = sandbox.extension(path);
    }
    for (key, value) in &arguments.env {
        sandbox = sandbox.env(key, value);
    }
    for (name, target) in &arguments.door {
        sandbox = sandbox.door(name, target);
    }
    if let Some(environments) = arguments.concurrency {
        sandbox = sandbox.concurrency(environments);
    }
    if let Some(timeout) = arguments.idle_timeout {
        sandbox = sandbox.idle_timeout(timeout);
    }
    if let Some(timeout) = arguments.init_timeout {
        sandbox = sandbox.init_timeout(timeout);
    }
    if let Some(timeout) = arguments.door_idle_timeout {
        sandbox = sandbox.door_idle_timeout(timeout);
    }
    if let Some(share) = arguments.runtime_shutdown_share {
        sandbox = sandbox.shutdown_timeout(SHUTDOWN, share);
    }
    if let Some(url) = arguments
        .aws_endpoint
        .as_deref()
        .filter(|url| *url != "aws")
    {
        sandbox = sandbox.aws_endpoint(url);
    }
    if let Some(world) = arguments.world {
        sandbox = sandbox.world(match world {
            cli::World::Auto => World::Auto,
            cli::World::Own => World::Own,
            cli::World::Shared => World::Shared,
        });
    }
    if arguments.cpu_share {
        sandbox = sandbox.cpu_share();
    }
    if arguments.without_telemetry {
        sandbox = sandbox.without_telemetry();
    }
    sandbox
}

/// Prints what happens until the sandbox ends or nobody reads on.
async fn tell_all(
    activity: &mut tokio::sync::broadcast::Receiver<throughline_sandbox::Activity>,
    teller: &mut Teller,
) -> anyhow::Result<()> {
    loop {
        match activity.recv().await {
            Ok(activity) => {
                if let Some(line) = teller.tell(&activity)
                    && output::print(line + "\n")? == Reader::Gone
                {
                    return Ok(());
                }
            }
            Err(RecvError::Lagged(missed)) => eprintln!("throughline: {missed} lines not shown"),
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

async fn stop(running: RunningSandbox, sources: RunningSources, quiet: bool) {
    if !quiet {
        eprintln!("\nstopping: extensions have two seconds to send what they have");
    }
    sources.shutdown().await;
    let given_up = running.events_given_up();
    running.shutdown().await;
    if given_up > 0 && !quiet {
        eprintln!("throughline: {given_up} asynchronous invocations were given up");
    }
}

/// What to do about it, where the library cannot know which flag or key it was.
fn with_next_step(error: StartError) -> anyhow::Error {
    let step = match &error {
        StartError::CannotListen { .. } => {
            "; stop what listens there, or choose another: --api for the AWS Lambda API, `url` and `listen` in the application file"
        }
        StartError::NotLoopback { .. } => "; choose an address such as 127.0.0.1:4301",
        _ => "",
    };
    anyhow::anyhow!("{error}{step}")
}

fn sources_next_step(error: SourceError) -> anyhow::Error {
    let step = match &error {
        SourceError::NoEndpoint { .. } => {
            ": say so with --aws-endpoint, such as http://127.0.0.1:5000 for moto's server (pip install 'moto[server]'; moto_server) or `aws` for AWS"
        }
        SourceError::CannotConnect { reason, .. } | SourceError::Lacking { reason, .. }
            if reason.contains("Connection refused") =>
        {
            "; nobody listens there: start what should, such as moto's server (moto_server -p PORT), or say another place"
        }
        _ => "",
    };
    anyhow::anyhow!("{error}{step}")
}

/// Lambda's, for all processes of an environment together.
const SHUTDOWN: Duration = Duration::from_secs(2);
const APPLICATION_FILES: &[&str] = &["throughline.toml", "template.yaml", "template.yml"];
