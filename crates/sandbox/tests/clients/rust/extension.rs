//! An extension of the crate that AWS publishes for them. It writes down what it is told, each thing in a line.

use std::fs::OpenOptions;
use std::io::Write;

use lambda_extension::{
    Error, Extension, LambdaEvent, LambdaLog, LambdaTelemetry, NextEvent, SharedService,
    service_fn, tracing,
};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    // Where all environments share the machine's loopback, the port that is known to be free in this one.
    let port = variable("THROUGHLINE_OTLP_LISTEN")
        .and_then(|listen| listen.rsplit_once(':')?.1.parse().ok())
        .ok_or("no port")?;
    let extension =
        Extension::new().with_events_processor(service_fn(async |event: LambdaEvent| {
            write(&match event.next {
                NextEvent::Invoke(invoke) => json!({
                    "event": "INVOKE",
                    "request": invoke.request_id,
                    "arn": invoke.invoked_function_arn,
                    "trace": invoke.tracing.value,
                }),
                NextEvent::Shutdown(shutdown) => {
                    json!({"event": "SHUTDOWN", "reason": shutdown.shutdown_reason})
                }
            })
        }));
    if variable("LOGS_API").is_some() {
        let logs = SharedService::new(service_fn(async |logs: Vec<LambdaLog>| {
            logs.iter()
                .try_for_each(|log| write(&json!({"log": format!("{:?}", log.record)})))
        }));
        extension
            .with_logs_processor(logs)
            .with_log_port_number(port)
            .run()
            .await
    } else {
        let telemetry = SharedService::new(service_fn(async |batch: Vec<LambdaTelemetry>| {
            batch
                .iter()
                .try_for_each(|one| write(&json!({"telemetry": one})))
        }));
        extension
            .with_telemetry_processor(telemetry)
            .with_telemetry_port_number(port)
            .run()
            .await
    }
}

fn write(what: &Value) -> Result<(), Error> {
    let path = variable("RECORD_FILE").ok_or("no file to write to")?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    // At once, since several environments write to it.
    file.write_all(format!("{what}\n").as_bytes())?;
    Ok(())
}

#[allow(clippy::disallowed_methods)] // an extension is told by its variables what to do
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
