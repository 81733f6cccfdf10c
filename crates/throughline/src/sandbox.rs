//! `throughline sandbox`, and how an invocation is told on a terminal.

use anyhow::Context;
use throughline_sandbox::{
    Activity, Application, EventEnd, FaultStruck, Finished, Outcome, RunningSandbox, Sandbox,
    Status,
};
use tokio::sync::broadcast::error::RecvError;

use crate::cli;
use crate::logging::{self, LogFormat};
use crate::output::{self, Reader};
use crate::signals::Signals;

pub(crate) fn run(arguments: cli::Sandbox) -> anyhow::Result<()> {
    logging::start(LogFormat::Text, "warn");
    let application = Application::load(&arguments.app)?;
    let mut sandbox = Sandbox::new()
        .application(application)
        .api(arguments.api)
        .watch(!arguments.no_watch)
        .on_notice(|text| eprintln!("{text}"));
    for path in &arguments.extension {
        sandbox = sandbox.extension(path);
    }
    for (key, value) in &arguments.env {
        sandbox = sandbox.env(key, value);
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(async {
        let signals = Signals::listen()?;
        let running = sandbox.start().await?;
        if !arguments.json {
            output::print(announcement(&running))?;
        }
        let told = tokio::select! {
            told = tell(&running, arguments.json) => told,
            () = signals.first() => Ok(()),
        };
        running.shutdown().await;
        told
    })
}

fn announcement(running: &RunningSandbox) -> String {
    let mut text = format!("AWS Lambda API  http://{}\n", running.api_addr());
    let doors = running.doors().told();
    let doors: Vec<_> = doors.iter().map(|door| door.name.as_str()).collect();
    text += &format!(
        "Environments    {} (doors: {})\n",
        running.world(),
        doors.join(", ")
    );
    for function in running.functions() {
        text += &match running.url_of(&function) {
            Some(url) => format!("{function:<15} {url}\n"),
            None => format!("{function:<15} (no URL; invoke it through the API)\n"),
        };
    }
    text
}

/// Prints a line for each invocation, and what functions and extensions write, until the sandbox
/// ends or nobody reads on.
async fn tell(running: &RunningSandbox, json: bool) -> anyhow::Result<()> {
    let mut activity = running.activity();
    loop {
        match activity.recv().await {
            Ok(Activity::Finished(finished)) => {
                let line = if json {
                    as_json(&finished).to_string()
                } else {
                    as_line(&finished)
                };
                if output::print(line + "\n")? == Reader::Gone {
                    return Ok(());
                }
            }
            Ok(Activity::Line(line)) => {
                let from = line.extension.as_deref().unwrap_or(&line.function);
                eprintln!("{from}: {}", line.text);
            }
            Ok(Activity::EventEnded(ended)) if ended.end != EventEnd::Success => {
                eprintln!(
                    "{}: asynchronous invocation {} given up after {} attempts: {}",
                    ended.function,
                    ended.request_id,
                    ended.attempts,
                    ended.end.condition()
                );
            }
            Ok(Activity::EventEnded(_)) => {}
            Ok(Activity::Fault(fault)) => eprintln!("{}", struck(&fault)),
            Ok(Activity::Reloaded { function }) => {
                eprintln!("{function}: changed; the next invocation gets a new environment");
            }
            Ok(Activity::NotReloaded { function, problem }) => {
                eprintln!("{function}: changed, but the old code stays: {problem}");
            }
            Err(RecvError::Lagged(missed)) => eprintln!("throughline: {missed} lines not shown"),
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// `checkout: fault 3: kill the runtime`
fn struck(fault: &FaultStruck) -> String {
    let whom = fault.function.as_deref().unwrap_or("sandbox");
    format!("{whom}: fault {}: {}", fault.id, fault.what)
}

/// `checkout     ok       12.3 ms  billed   13 ms   41/256 MB  cold 8.2 ms`
pub(crate) fn as_line(finished: &Finished) -> String {
    let init = finished
        .init
        .map(|init| format!("  cold {:.1} ms", millis(init)));
    let error = finished
        .error_type
        .as_deref()
        .map(|error| format!("  {error}"));
    format!(
        "{:<12} {:<8} {:>9.1} ms  billed {:>6} ms  {:>4}/{} MB{}{}",
        finished.function,
        verdict(finished),
        millis(finished.duration),
        finished.billed.as_millis(),
        finished.memory_max_used_mb,
        finished.memory_mb,
        init.unwrap_or_default(),
        error.unwrap_or_default(),
    )
}

fn as_json(finished: &Finished) -> serde_json::Value {
    serde_json::json!({
        "function": finished.function,
        "environment": finished.environment,
        "request_id": finished.request_id,
        "verdict": verdict(finished),
        "status": finished.status.as_str(),
        "error_type": finished.error_type,
        "started_unix_nanos": finished.started.as_nanos().to_string(),
        "duration_ms": millis(finished.duration),
        "billed_ms": finished.billed.as_millis(),
        "init_ms": finished.init.map(millis),
        "cold_start": finished.cold_start,
        "memory_mb": finished.memory_mb,
        "memory_max_used_mb": finished.memory_max_used_mb,
        "trace_header": finished.trace_header,
    })
}

/// The platform calls an invocation whose function reported an error a success; people do not.
fn verdict(finished: &Finished) -> &'static str {
    match (finished.status, finished.outcome) {
        (Status::Success, Outcome::Returned) => "ok",
        (Status::Success, Outcome::FunctionError) => "failed",
        (status, _) => status.as_str(),
    }
}

fn millis(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
