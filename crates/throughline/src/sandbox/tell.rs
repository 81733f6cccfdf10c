//! How what happens is told: a line for each invocation, Lambda's own lines, or JSON.

use serde_json::{Value, json};
use throughline_sandbox::{
    Activity, EventEnd, EventEnded, Finished, Line, Outcome, Status, UnixNanos,
};

use crate::terminal::Paint;

/// Turns activity into lines.
#[derive(Debug)]
pub(super) struct Teller {
    form: Form,
    paint: Paint,
    /// Of the column with the function's name.
    name_width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Report,
    Json,
}

impl Teller {
    /// A line for each invocation.
    pub(super) fn lines(paint: Paint, functions: &[String]) -> Self {
        Self::new(Form::Lines, paint, functions)
    }

    /// Lambda's own lines.
    pub(super) fn report(paint: Paint, functions: &[String]) -> Self {
        Self::new(Form::Report, paint, functions)
    }

    /// An object for everything.
    pub(super) fn json() -> Self {
        Self::new(Form::Json, Paint::Plain, &[])
    }

    fn new(form: Form, paint: Paint, functions: &[String]) -> Self {
        let longest = functions.iter().map(|name| name.chars().count()).max();
        Self {
            form,
            paint,
            name_width: longest.unwrap_or(0).min(NAME_WIDTH_MAX),
        }
    }

    /// The line, or `None` where this form has nothing to say.
    pub(super) fn tell(&self, activity: &Activity) -> Option<String> {
        if self.form == Form::Json {
            return Some(as_json(activity).to_string());
        }
        match activity {
            Activity::Finished(finished) if self.form == Form::Report => {
                Some(self.reported(finished))
            }
            Activity::Finished(finished) => Some(self.finished(finished)),
            Activity::Line(line) => Some(self.line(line)),
            Activity::EventEnded(ended) => self.event_ended(ended),
            Activity::Reloaded { function } => {
                let text = "changed; the next invocation gets a new environment";
                Some(format!(
                    "{} {}",
                    self.name(function),
                    self.paint.notable(text)
                ))
            }
            Activity::NotReloaded { function, problem } => {
                let text = format!("changed, but the old code stays: {problem}");
                Some(format!("{} {}", self.name(function), self.paint.bad(text)))
            }
            Activity::Fault(fault) => {
                let name = match &fault.function {
                    Some(function) => self.name(function),
                    None => format!("{:<width$}", "sandbox", width = self.name_width),
                };
                let text = format!("fault {}: {}", fault.id, fault.what);
                Some(format!("{name} {}", self.paint.notable(text)))
            }
        }
    }

    /// `checkout    ok       12.3 ms  billed    13 ms   41/256 MB  cold 8.2 ms`
    fn finished(&self, finished: &Finished) -> String {
        let verdict = format!("{:<7}", verdict(finished));
        let verdict = match finished.outcome {
            Outcome::Returned if finished.status == Status::Success => self.paint.good(verdict),
            _ => self.paint.bad(verdict),
        };
        let billed = match finished.managed {
            true => "–".to_owned(),
            false => finished.billed.as_millis().to_string(),
        };
        let mut line = format!(
            "{} {verdict} {:>9.1} ms  billed {billed:>5} ms  {:>4}/{} MB",
            self.name(&finished.function),
            millis(finished.duration),
            finished.memory_max_used_mb,
            finished.memory_mb,
        );
        let starts = [("cold", finished.init), ("restored", finished.restore)];
        for (word, duration) in starts {
            if let Some(duration) = duration {
                let text = format!("{word} {:.1} ms", millis(duration));
                line += &format!("  {}", self.paint.notable(text));
            }
        }
        if let Some(error_type) = &finished.error_type {
            line += &format!("  {}", self.paint.bad(error_type));
        }
        line
    }

    fn reported(&self, finished: &Finished) -> String {
        let name = self.name(&finished.function);
        let lines = finished.report_lines();
        let lines: Vec<_> = lines
            .lines()
            .map(|line| format!("{name} {}", line.trim_end()))
            .collect();
        lines.join("\n")
    }

    /// The function and the beginning of the request id, so that lines of parallel invocations can be told apart.
    fn line(&self, line: &Line) -> String {
        let id = line.request_id.as_deref().unwrap_or_default();
        let id = id.get(..SHORT_ID).unwrap_or(id);
        let from = match &line.extension {
            Some(extension) => format!("[{extension}] "),
            None => String::new(),
        };
        let head = format!("{} {id:<SHORT_ID$} │", self.name(&line.function));
        let head = self.paint.faint(head);
        let text = line.text.replace('\n', &format!("\n{head} "));
        format!("{head} {}{text}", self.paint.faint(from))
    }

    fn event_ended(&self, ended: &EventEnded) -> Option<String> {
        let why = match &ended.end {
            EventEnd::Success => return None,
            EventEnd::RetriesExhausted => format!("all {} attempts failed", ended.attempts),
            EventEnd::EventAgeExceeded => "the event grew too old".to_owned(),
            EventEnd::NotInvoked(reason) => reason.clone(),
        };
        let text = format!("event given up, {why} ({})", ended.request_id);
        Some(format!(
            "{} {}",
            self.name(&ended.function),
            self.paint.bad(text)
        ))
    }

    /// A name that is longer than its column keeps both ends, where names differ.
    fn name(&self, name: &str) -> String {
        let count = name.chars().count();
        if count <= self.name_width {
            return format!("{name:<width$}", width = self.name_width);
        }
        let head = self.name_width.saturating_sub(1) / 2;
        let tail = self.name_width.saturating_sub(head + 1);
        let start: String = name.chars().take(head).collect();
        let end: String = name.chars().skip(count - tail).collect();
        format!("{start}…{end}")
    }
}

fn as_json(activity: &Activity) -> Value {
    match activity {
        Activity::Finished(finished) => json!({
            "type": "invocation",
            "function": finished.function,
            "environment": finished.environment,
            "request_id": finished.request_id,
            "verdict": verdict(finished),
            "status": finished.status.as_str(),
            "error_type": finished.error_type,
            "error_cause": finished.error_cause,
            "started_unix_nanos": nanos(finished.started),
            "duration_ms": millis(finished.duration),
            "billed_ms": (!finished.managed).then_some(finished.billed.as_millis()),
            "init_ms": finished.init.map(millis),
            "restore_ms": finished.restore.map(millis),
            "cold_start": finished.cold_start,
            "memory_mb": finished.memory_mb,
            "memory_max_used_mb": finished.memory_max_used_mb,
            "trace_header": finished.trace_header,
        }),
        Activity::Line(line) => json!({
            "type": "line",
            "function": line.function,
            "extension": line.extension,
            "request_id": line.request_id,
            "text": line.text,
        }),
        Activity::Reloaded { function } => json!({"type": "reloaded", "function": function}),
        Activity::NotReloaded { function, problem } => {
            json!({"type": "not_reloaded", "function": function, "problem": problem})
        }
        Activity::Fault(fault) => json!({
            "type": "fault",
            "id": fault.id,
            "what": fault.what,
            "function": fault.function,
            "environment": fault.environment,
        }),
        Activity::EventEnded(ended) => json!({
            "type": "event_ended",
            "function": ended.function,
            "request_id": ended.request_id,
            "condition": ended.end.condition(),
            "reason": match &ended.end {
                EventEnd::NotInvoked(reason) => Some(reason),
                _ => None,
            },
            "attempts": ended.attempts,
            "trace_header": ended.trace_header,
        }),
    }
}

/// The platform calls an invocation whose function reported an error a success; people do not.
fn verdict(finished: &Finished) -> &'static str {
    match (finished.status, finished.outcome) {
        (Status::Success, Outcome::Returned) => "ok",
        (Status::Success, Outcome::FunctionError) => "failed",
        (status, _) => status.as_str(),
    }
}

fn nanos(time: UnixNanos) -> String {
    time.as_nanos().to_string()
}

fn millis(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Longer names would push the figures off a terminal of 80 columns.
const NAME_WIDTH_MAX: usize = 20;
const SHORT_ID: usize = 8;

#[cfg(test)]
mod tests;
