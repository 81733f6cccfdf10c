//! The platform events of the Telemetry API, as JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::effect::Report;
use super::event::{Invocation, Spec};
use super::extension::Extension;
use super::subscription::LogsOrTelemetry;
use crate::function::{Initialization, REGION, VERSION};
use crate::invoke::Status;
use crate::time::{UnixNanos, millis, millis_rounded_up};

/// A `platform.*` event that lacks only its time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlatformEvent {
    pub(crate) kind: &'static str,
    pub(crate) record: Value,
}

/// In which phase an init happens: the environment's own, or inside an invocation after a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitPhase {
    Init,
    Invoke,
}

impl InitPhase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Invoke => "invoke",
        }
    }
}

/// One of the `spans` inside an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) start: UnixNanos,
    pub(crate) duration: Duration,
}

pub(crate) fn init_start(spec: &Spec, phase: InitPhase) -> PlatformEvent {
    let mut record = json!({
        "initializationType": spec.initialization.as_str(),
        "phase": phase.as_str(),
        "functionName": spec.function,
        "functionVersion": VERSION,
        "instanceId": spec.instance,
        "instanceMaxMemory": memory_bytes(spec),
    });
    add_runtime_version(&mut record, spec);
    PlatformEvent {
        kind: "platform.initStart",
        record,
    }
}

pub(crate) fn init_runtime_done(
    initialization: Initialization,
    phase: InitPhase,
    status: Status,
    error_type: Option<&str>,
) -> PlatformEvent {
    let mut record = json!({
        "initializationType": initialization.as_str(),
        "phase": phase.as_str(),
        "status": status.as_str(),
    });
    add_error_type(&mut record, error_type);
    PlatformEvent {
        kind: "platform.initRuntimeDone",
        record,
    }
}

pub(crate) fn init_report(
    initialization: Initialization,
    phase: InitPhase,
    status: Status,
    error_type: Option<&str>,
    duration: Duration,
) -> PlatformEvent {
    let mut record = json!({
        "initializationType": initialization.as_str(),
        "phase": phase.as_str(),
        "status": status.as_str(),
        "metrics": {"durationMs": millis(duration)},
    });
    add_error_type(&mut record, error_type);
    PlatformEvent {
        kind: "platform.initReport",
        record,
    }
}

pub(crate) fn restore_start(spec: &Spec) -> PlatformEvent {
    let mut record = json!({
        "functionName": spec.function,
        "functionVersion": VERSION,
        "instanceId": spec.instance,
        "instanceMaxMemory": memory_bytes(spec),
    });
    add_runtime_version(&mut record, spec);
    PlatformEvent {
        kind: "platform.restoreStart",
        record,
    }
}

pub(crate) fn restore_runtime_done(status: Status, error_type: Option<&str>) -> PlatformEvent {
    let mut record = json!({"status": status.as_str()});
    add_error_type(&mut record, error_type);
    PlatformEvent {
        kind: "platform.restoreRuntimeDone",
        record,
    }
}

pub(crate) fn restore_report(
    status: Status,
    error_type: Option<&str>,
    duration: Duration,
) -> PlatformEvent {
    let mut record =
        json!({"status": status.as_str(), "metrics": {"durationMs": millis(duration)}});
    add_error_type(&mut record, error_type);
    PlatformEvent {
        kind: "platform.restoreReport",
        record,
    }
}

pub(crate) fn extension(extension: &Extension) -> PlatformEvent {
    let mut record = json!({
        "name": extension.name,
        "state": extension.state.name(),
        "events": extension.events(),
    });
    add_error_type(&mut record, extension.error_type.as_deref());
    PlatformEvent {
        kind: "platform.extension",
        record,
    }
}

pub(crate) fn subscription(api: LogsOrTelemetry, extension: &str, types: &[&str]) -> PlatformEvent {
    let record = json!({"name": extension, "state": "Subscribed", "types": types});
    PlatformEvent {
        kind: match api {
            LogsOrTelemetry::Telemetry => "platform.telemetrySubscription",
            LogsOrTelemetry::Logs => "platform.logsSubscription",
        },
        record,
    }
}

pub(crate) fn start(invocation: &Invocation) -> PlatformEvent {
    let mut record = json!({
        "requestId": invocation.request_id,
        "version": VERSION,
        "functionArn": invocation.arn,
        "tracing": tracing(invocation),
    });
    add_tenant(&mut record, invocation);
    PlatformEvent {
        kind: "platform.start",
        record,
    }
}

/// What is known when the runtime is done with an invocation.
pub(crate) struct RuntimeDone<'a> {
    pub(crate) status: Status,
    pub(crate) error_type: Option<&'a str>,
    pub(crate) duration: Duration,
    pub(crate) produced_bytes: usize,
    pub(crate) spans: Vec<Span>,
}

pub(crate) fn runtime_done(invocation: &Invocation, done: &RuntimeDone<'_>) -> PlatformEvent {
    let mut record = json!({
        "requestId": invocation.request_id,
        "status": done.status.as_str(),
        "tracing": tracing(invocation),
        "spans": done.spans.iter().map(span).collect::<Vec<_>>(),
        "metrics": {"durationMs": millis(done.duration), "producedBytes": done.produced_bytes},
    });
    add_error_type(&mut record, done.error_type);
    add_tenant(&mut record, invocation);
    PlatformEvent {
        kind: "platform.runtimeDone",
        record,
    }
}

pub(crate) fn report(report: &Report, memory_mb: u32, memory_max_used_mb: u64) -> PlatformEvent {
    let mut metrics = Map::new();
    metrics.insert("durationMs".to_owned(), json!(millis(report.duration)));
    if !report.managed {
        metrics.insert(
            "billedDurationMs".to_owned(),
            json!(u64::try_from(report.billed().as_millis()).unwrap_or(u64::MAX)),
        );
        metrics.insert("memorySizeMB".to_owned(), json!(memory_mb));
        metrics.insert("maxMemoryUsedMB".to_owned(), json!(memory_max_used_mb));
    }
    if let Some(init) = report.init {
        metrics.insert("initDurationMs".to_owned(), json!(millis(init)));
    }
    if let Some(restore) = report.restore {
        metrics.insert("restoreDurationMs".to_owned(), json!(millis(restore)));
        metrics.insert(
            "billedRestoreDurationMs".to_owned(),
            json!(millis_rounded_up(restore)),
        );
    }
    let mut record = json!({
        "requestId": report.invocation.request_id,
        "status": report.status.as_str(),
        "metrics": metrics,
        "spans": report.spans.iter().map(span).collect::<Vec<_>>(),
        "tracing": tracing(&report.invocation),
    });
    add_error_type(&mut record, report.error_type.as_deref());
    add_tenant(&mut record, &report.invocation);
    PlatformEvent {
        kind: "platform.report",
        record,
    }
}

fn tracing(invocation: &Invocation) -> Value {
    json!({"spanId": invocation.span_id, "type": "X-Amzn-Trace-Id", "value": invocation.trace_header})
}

fn span(span: &Span) -> Value {
    json!({"name": span.name, "start": span.start.to_string(), "durationMs": millis(span.duration)})
}

fn add_error_type(record: &mut Value, error_type: Option<&str>) {
    if let Some(error_type) = error_type {
        record["errorType"] = json!(error_type);
    }
}

fn add_tenant(record: &mut Value, invocation: &Invocation) {
    if let Some(tenant_id) = &invocation.tenant_id {
        record["tenantId"] = json!(tenant_id);
    }
}

fn add_runtime_version(record: &mut Value, spec: &Spec) {
    if let Some(version) = &spec.runtime_version {
        record["runtimeVersion"] = json!(version);
        record["runtimeVersionArn"] = json!(format!("arn:aws:lambda:{REGION}::runtime:sandbox"));
    }
}

fn memory_bytes(spec: &Spec) -> u64 {
    u64::from(spec.memory_mb) * 1024 * 1024
}
