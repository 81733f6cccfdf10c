//! What the Telemetry API tells: bytes of a POST to [`PlatformEvent`]s.
//!
//! Tolerant per event, because the platform resends a batch that is refused and because new types
//! and fields appear without notice: what is unknown is counted and left out, what is malformed
//! never spoils its neighbours, and a record that was cut in the middle keeps its text.

mod census;
mod split;

use std::time::Duration;

use serde_json::Value as Json;
use throughline_telemetry::UnixNanos;

use crate::timestamp;
use split::{Fragment, fragments};

pub use census::Census;

/// One event of the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct PlatformEvent {
    /// When the platform made the event; zero if it does not say.
    pub time: UnixNanos,
    /// What happened.
    pub kind: Kind,
}

impl PlatformEvent {
    /// When it happened; `now` if the platform does not say.
    pub fn time_or(&self, now: UnixNanos) -> UnixNanos {
        Some(self.time)
            .filter(|time| time.is_known())
            .unwrap_or(now)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Initialisation began.
    InitStart {
        /// Name of the log stream, where the platform says it.
        instance: Option<String>,
        /// `on-demand`, `provisioned-concurrency`, `snap-start`.
        initialization_type: Option<String>,
        /// `nodejs:22.v50`; custom runtimes have none.
        runtime: Option<String>,
    },
    /// The runtime asked for its first event.
    InitRuntimeDone(Ended),
    /// Initialisation is over, for the extensions as well.
    InitReport(Ended),
    /// A snapshot is being restored.
    RestoreStart {
        /// Name of the log stream, where the platform says it: a restored environment has another one
        /// than the one that the snapshot was taken of.
        instance: Option<String>,
    },
    /// The runtime is restored.
    RestoreRuntimeDone(Ended),
    /// The restore is over.
    RestoreReport(Ended),
    /// An invocation began.
    Start(Started),
    /// The runtime is done with an invocation.
    RuntimeDone {
        /// Which.
        request_id: String,
        /// How it ended.
        ended: Ended,
        /// Size of the response.
        produced_bytes: Option<i64>,
    },
    /// The summary of an invocation; it arrives during the next one or at shutdown.
    Report {
        /// Which.
        request_id: String,
        /// How it ended.
        ended: Ended,
        /// What it took.
        used: Used,
    },
    /// The platform threw telemetry away because it was not taken fast enough.
    LogsDropped {
        /// How many records.
        records: u64,
        /// How many bytes.
        bytes: u64,
        /// Why, in the platform's words.
        reason: String,
    },
    /// The process ended before the invocation was over.
    Fault(String),
    /// Something was written by the function or by an extension.
    Line(Line),
    /// A known event that says nothing that is used here.
    Unused,
}

/// What is said when an invocation begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Started {
    /// Which.
    pub request_id: String,
    /// The ARN of the function, since schema 2025-01-29.
    pub function_arn: Option<String>,
    /// The X-Ray header, if there is a trace.
    pub tracing: Option<String>,
    /// For whom, of functions that keep their tenants apart.
    pub tenant_id: Option<String>,
    /// The durable execution that it is a part of, if the platform says so.
    pub execution: Option<String>,
}

/// How a phase ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// `success`, `failure`, `error` or `timeout`; empty if not said.
    pub status: String,
    /// `Runtime.ExitError` for instance.
    pub error_type: Option<String>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// Its measured steps.
    pub steps: Vec<Step>,
}

impl Ended {
    /// Whether it says that something went wrong.
    pub fn failed(&self) -> bool {
        !matches!(self.status.as_str(), "" | "success")
    }
}

/// A measured step: `responseLatency`, `extensionOverhead` and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name, as the platform writes it.
    pub name: String,
    /// When it began.
    pub start: UnixNanos,
    /// How long it took.
    pub duration: Duration,
}

/// The numbers of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Used {
    /// Billed milliseconds.
    pub billed_ms: Option<i64>,
    /// Memory that the function has.
    pub memory_size_mb: Option<i64>,
    /// Memory that it used at most.
    pub max_memory_used_mb: Option<i64>,
    /// Duration of the initialisation, on a cold start.
    pub init_ms: Option<f64>,
    /// Duration of the restore, with SnapStart.
    pub restore_ms: Option<f64>,
    /// Billed milliseconds of the restore.
    pub billed_restore_ms: Option<i64>,
}

/// Something written by the function or by an extension.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// By whom.
    pub stream: Stream,
    /// Text, or an object when the function logs in JSON.
    pub record: Json,
    /// Whether the record was cut and only a part of it is here.
    pub cut: bool,
}

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The function.
    Function,
    /// An extension.
    Extension,
}

/// What a POST held.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    /// The events that could be read, in order.
    pub events: Vec<PlatformEvent>,
    /// How many events were of a type that nobody here knows.
    pub unknown: u64,
    /// How many could not be read at all.
    pub malformed: u64,
}

impl Parsed {
    /// Whether the environment was made from a snapshot just now.
    pub fn tells_of_restore(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| matches!(event.kind, Kind::RestoreStart { .. }))
    }
}

/// Reads the body of one POST of the Telemetry API.
pub fn parse(body: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for fragment in fragments(body) {
        match read(&fragment) {
            Ok(Some(event)) => parsed.events.push(event),
            Ok(None) => parsed.unknown += 1,
            Err(Malformed) => parsed.malformed += 1,
        }
    }
    parsed
}

struct Malformed;

fn read(fragment: &Fragment<'_>) -> Result<Option<PlatformEvent>, Malformed> {
    let Ok(mut json) = serde_json::from_slice::<Json>(fragment.bytes()) else {
        return split::salvage(fragment.bytes()).map(Some).ok_or(Malformed);
    };
    let time = json["time"].as_str().and_then(timestamp::parse);
    let mut record = json.get_mut("record").map_or(Json::Null, Json::take);
    let kind = json["type"].as_str().ok_or(Malformed)?;
    let kind = kind_of(kind, &mut record)?;
    Ok(kind.map(|kind| PlatformEvent {
        time: time.unwrap_or_default(),
        kind,
    }))
}

fn kind_of(kind: &str, record: &mut Json) -> Result<Option<Kind>, Malformed> {
    // Lines are most of all events and may be long: they are moved, not copied.
    match kind {
        "function" => return Ok(Some(line(Stream::Function, record.take()))),
        "extension" => return Ok(Some(line(Stream::Extension, record.take()))),
        _ => {}
    }
    let record = &*record;
    let request_id = || text(&record["requestId"]).ok_or(Malformed);
    Ok(Some(match kind {
        "platform.initStart" => Kind::InitStart {
            instance: text(&record["instanceId"]),
            initialization_type: text(&record["initializationType"]),
            runtime: text(&record["runtimeVersion"]),
        },
        "platform.initRuntimeDone" => Kind::InitRuntimeDone(ended(record)),
        "platform.initReport" => Kind::InitReport(ended(record)),
        "platform.restoreStart" => Kind::RestoreStart {
            instance: text(&record["instanceId"]),
        },
        "platform.restoreRuntimeDone" => Kind::RestoreRuntimeDone(ended(record)),
        "platform.restoreReport" => Kind::RestoreReport(ended(record)),
        "platform.start" => Kind::Start(Started {
            request_id: request_id()?,
            function_arn: text(&record["functionArn"]),
            tracing: text(&record["tracing"]["value"]),
            tenant_id: text(&record["tenantId"]),
            execution: text(&record["durableExecutionArn"]),
        }),
        "platform.runtimeDone" => Kind::RuntimeDone {
            request_id: request_id()?,
            ended: ended(record),
            produced_bytes: record["metrics"]["producedBytes"].as_i64(),
        },
        "platform.report" => Kind::Report {
            request_id: request_id()?,
            ended: ended(record),
            used: used(&record["metrics"]),
        },
        "platform.logsDropped" => Kind::LogsDropped {
            records: record["droppedRecords"].as_u64().unwrap_or(0),
            bytes: record["droppedBytes"].as_u64().unwrap_or(0),
            reason: text(&record["reason"]).unwrap_or_default(),
        },
        "platform.fault" => Kind::Fault(match record {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }),
        "platform.end" | "platform.extension" | "platform.telemetrySubscription" => Kind::Unused,
        _ => return Ok(None),
    }))
}

fn line(stream: Stream, record: Json) -> Kind {
    Kind::Line(Line {
        stream,
        record,
        cut: false,
    })
}

fn ended(record: &Json) -> Ended {
    let steps = record["spans"].as_array().map_or(&[][..], Vec::as_slice);
    Ended {
        status: text(&record["status"]).unwrap_or_default(),
        error_type: text(&record["errorType"]),
        duration: duration(&record["metrics"]["durationMs"]),
        steps: steps.iter().filter_map(step).collect(),
    }
}

fn step(json: &Json) -> Option<Step> {
    Some(Step {
        name: text(&json["name"])?,
        start: timestamp::parse(json["start"].as_str()?)?,
        duration: duration(&json["durationMs"])?,
    })
}

fn used(metrics: &Json) -> Used {
    Used {
        billed_ms: metrics["billedDurationMs"].as_i64(),
        memory_size_mb: metrics["memorySizeMB"].as_i64(),
        max_memory_used_mb: metrics["maxMemoryUsedMB"].as_i64(),
        init_ms: metrics["initDurationMs"].as_f64(),
        restore_ms: metrics["restoreDurationMs"].as_f64(),
        billed_restore_ms: metrics["billedRestoreDurationMs"].as_i64(),
    }
}

/// Milliseconds with a fraction. Negative and absurd ones are not known.
fn duration(millis: &Json) -> Option<Duration> {
    Duration::try_from_secs_f64(millis.as_f64()? / 1e3).ok()
}

fn text(json: &Json) -> Option<String> {
    json.as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests;
