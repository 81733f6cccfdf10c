//! What stands above the waterfall: the story in words, as on the page.

use std::collections::BTreeSet;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use super::super::text::{first_line, wrapped};
use super::super::traces::title;
use super::super::words::{ago, counted, dollars, duration, moment, number};
use super::path::{self, Path};
use super::story::{FoundBy, Step, Story, Tree, between};
use crate::terminal::Paint;

/// Title, the sentence, where the time went, who took part, when.
pub(super) fn render(story: &Story, now: UnixNanos, (paint, width): (Paint, usize)) -> String {
    let title = title(story.root_service.as_deref(), story.root_name.as_deref());
    let title = match story.error_count {
        0 => paint.strong(title),
        _ => format!("{} {}", paint.bad("✗"), paint.strong(title)),
    };
    let (at, ago) = (moment(story.start), ago(story.start, now));
    let found = found(&story.found_by);
    let when = format!("Trace {}{found}, began {at} UTC ({ago}).", story.trace_id);
    let paths = path::paths(&story.spans);
    let mut sentence = words(story, &paths).join(", ") + ".";
    if story.left_out.partial || story.left_out.trace_count > 0 {
        sentence += " Not all of it is here.";
    }
    let mut text = format!("{title}\n");
    if !story.spans.is_empty() {
        text += &wrapped(&sentence, width);
    }
    for path in &paths {
        text += &wrapped(&path.sentence(), width);
    }
    for block in [who(story), when] {
        for line in wrapped(&block, width).lines() {
            text += &format!("{}\n", paint.faint(line));
        }
    }
    text
}

/// `11 steps across 2 functions`, `147 ms until the answer`, `4.40 s until the end`, `failed in notify`.
fn words(story: &Story, paths: &[Path]) -> Vec<String> {
    let invoked = story.spans.iter().filter(|span| span.is_invocation());
    let functions: BTreeSet<&str> = invoked.map(|span| span.service.as_str()).collect();
    let across = match functions.len() as u64 {
        0 => counted(story.services.len() as u64, "service"),
        functions => counted(functions, "function"),
    };
    let steps = counted(story.span_count, "step");
    let mut words = vec![format!("{steps} across {across}")];
    words.extend(paths.iter().map(Path::words));
    // Spans that lost what they belong to are on no path, and may be long after it.
    let told = paths.iter().map(|path| path.duration).max();
    if told.is_none_or(|told| story.duration * 20 > told * 21) {
        words.push(format!("{} in all", duration(story.duration)));
    }
    let waited = waited(&story.spans);
    if !waited.is_zero() {
        words.push(format!("waited {} in services between", duration(waited)));
    }
    if story.trace_ids.len() > 1 {
        words.push(format!("{} traces joined", story.trace_ids.len()));
    }
    if let Some(cost) = &story.cost {
        words.push(match (cost.reported, cost.missing) {
            (_, 0) => dollars(cost.usd),
            // The platform reports seconds after the answer; until then nobody says that it was free.
            (0, _) => "cost not reported yet".to_owned(),
            (_, missing) => format!("{} and {} not reported", dollars(cost.usd), number(missing)),
        });
    }
    let origins = origins(&story.spans);
    if !origins.is_empty() {
        words.push(format!("failed in {}", origins.join(", ")));
    }
    words
}

/// Stretches in which something lay in a queue or the like, counted once where they overlap.
fn waited(spans: &[Step]) -> Duration {
    let waits = spans.iter().filter(|span| span.inferred);
    let mut stretches: Vec<(UnixNanos, UnixNanos)> =
        waits.map(|span| (span.start, span.end())).collect();
    stretches.sort();
    let (mut waited, mut until) = (Duration::ZERO, UnixNanos(0));
    for (from, to) in stretches {
        waited += between(from.max(until), to);
        until = until.max(to);
    }
    waited
}

/// The services in which a failure began.
fn origins(spans: &[Step]) -> Vec<String> {
    let tree = Tree::of(spans);
    let mut origins: Vec<String> = Vec::new();
    for place in 0..spans.len() {
        let service = first_line(&spans[place].service);
        if tree.is_origin(spans, place) && !origins.contains(&service) {
            origins.push(service);
        }
    }
    origins
}

fn who(story: &Story) -> String {
    let each = story.services.iter().map(|service| {
        let failed = match service.error_count {
            0 => String::new(),
            failed => format!(" ({} failed)", number(failed)),
        };
        let name = first_line(&service.name);
        format!("{name} {}{failed}", number(service.span_count))
    });
    let each: Vec<String> = each.collect();
    let cold = match story.cold_start_count {
        0 => "no cold start".to_owned(),
        cold => counted(cold, "cold start"),
    };
    let errors = match story.error_count {
        0 => "no errors".to_owned(),
        errors => counted(errors, "error"),
    };
    let services = match each.is_empty() {
        true => String::new(),
        false => format!("Spans of {}; ", each.join(", ")),
    };
    let logs = counted(story.logs.len() as u64, "log record");
    format!("{services}{errors}, {cold}, {logs}.")
}

/// How the id led here, where it is not the trace's own.
fn found(found_by: &FoundBy) -> String {
    let name = first_line(found_by.name.as_deref().unwrap_or_default());
    match found_by.what.as_str() {
        "request" => " (found by a request of it)".to_owned(),
        "key" => format!(" (found by {name})"),
        "attribute" => format!(" (found by the attribute {name})"),
        "log" => " (found by words of a log record)".to_owned(),
        _ => String::new(),
    }
}
