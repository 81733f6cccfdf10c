//! Sentences of the platform itself. The Telemetry API tells the same in events of its own; these
//! are in records of the older Logs API, in faults, and in what is read back from CloudWatch.

use throughline_telemetry::{Attributes, Value};

use super::{Level, Reading, RequestId, Tells, trace};
use crate::timestamp;

/// What a sentence of the platform says; `None` if it is none.
pub(super) fn read(line: &str) -> Option<Reading> {
    let mut reading = life(line).or_else(|| trouble(line))?;
    reading.body = Value::from(line);
    Some(reading)
}

/// Whether the text says that there was no more memory, in the words of one runtime or another.
pub(super) fn is_out_of_memory(text: &str) -> bool {
    // One search finds nearly all lines innocent.
    let suspect = text.contains("emory") || text.contains("signal: killed");
    suspect && OUT_OF_MEMORY.iter().any(|words| text.contains(words))
}

/// `START`, `END`, `REPORT`.
fn life(line: &str) -> Option<Reading> {
    let (word, rest) = line.split_once(" RequestId: ")?;
    if !matches!(word, "START" | "END" | "REPORT") {
        return None;
    }
    let id = rest.split_ascii_whitespace().next()?;
    let mut reading = Reading {
        level: Some(Level::Info),
        request_id: Some(RequestId::sure(id.to_owned())),
        attributes: if word == "REPORT" {
            report(rest)
        } else {
            Attributes::default()
        },
        ..Reading::default()
    };
    if let Some(at) = rest.find("XRAY TraceId: ") {
        let id = rest[at + 14..].split_ascii_whitespace().next();
        let mut fields = super::fields::Fields(serde_json::Map::new());
        fields.0.insert("xray_trace_id".to_owned(), id.into());
        reading.trace_id = trace::take(&mut fields).0;
    }
    if reading.attributes.get("error.type").is_some() {
        reading.level = Some(Level::Error);
    }
    Some(reading)
}

/// The numbers of a `REPORT`, by the names that the platform's own report is given here.
fn report(rest: &str) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in rest
        .split(['\t', '\n'])
        .filter_map(|part| part.split_once(": "))
    {
        if let "Status" | "Error Type" = name {
            let is_fine = value.trim() == "success";
            if !is_fine {
                attributes.set("error.type", value.trim());
            }
            continue;
        }
        let number = value
            .split(' ')
            .next()
            .and_then(|number| number.parse::<f64>().ok());
        let known = REPORT.iter().find(|(known, _)| *known == name);
        if let (Some(number), Some((_, key))) = (number, known) {
            let is_whole = key.ends_with("_mb") || key.ends_with("billed_ms");
            match value
                .split(' ')
                .next()
                .and_then(|number| number.parse::<i64>().ok())
            {
                Some(whole) if is_whole => attributes.set(*key, whole),
                _ => attributes.set(*key, number),
            }
        }
    }
    attributes
}

/// `Task timed out after 3.00 seconds`, `Error: Runtime exited with error: signal: killed`.
fn trouble(line: &str) -> Option<Reading> {
    let (time, id, rest) = match line.strip_prefix("RequestId: ") {
        Some(rest) => {
            let (id, rest) = rest.split_once(' ')?;
            (None, id, rest)
        }
        None => {
            let (time, rest) = line.split_once(' ')?;
            let (id, rest) = rest.split_once(' ')?;
            (Some(timestamp::parse(time)?), id, rest)
        }
    };
    let (kind, tells) = if rest.starts_with("Task timed out after ") {
        ("timeout", Some(Tells::TimedOut))
    } else if rest.starts_with("Error: Runtime exited ") {
        let killed = is_out_of_memory(rest).then_some(Tells::OutOfMemory);
        ("Runtime.ExitError", killed)
    } else if rest.starts_with("Process exited before completing request") {
        ("Runtime.ExitError", None)
    } else {
        return None;
    };
    Some(Reading {
        time,
        level: Some(Level::Error),
        request_id: Some(RequestId::sure(id.to_owned())),
        attributes: [("error.type", kind)].into_iter().collect(),
        tells,
        ..Reading::default()
    })
}

const OUT_OF_MEMORY: &[&str] = &[
    "JavaScript heap out of memory",
    "Runtime exited with error: signal: killed",
    "fatal error: runtime: out of memory",
    "java.lang.OutOfMemoryError",
    "System.OutOfMemoryException",
    "failed to allocate memory (NoMemoryError)",
    "memory allocation of ",
];
const REPORT: &[(&str, &str)] = &[
    ("Duration", "throughline.duration.total_ms"),
    ("Billed Duration", "throughline.duration.billed_ms"),
    ("Init Duration", "throughline.duration.init_ms"),
    ("Restore Duration", "throughline.duration.restore_ms"),
    ("Memory Size", "throughline.memory.size_mb"),
    ("Max Memory Used", "throughline.memory.max_used_mb"),
];
