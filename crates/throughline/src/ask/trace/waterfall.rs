//! The spans of a story below each other: when, how long, a bar for both, and what it was.

use std::time::Duration;

use serde_json::Value;
use throughline_telemetry::UnixNanos;

use super::super::line::level;
use super::super::text::{clipped, first_line, right, width};
use super::super::words::{dollars, duration};
use super::failure::{Failure, failure};
use super::logs::{Row, rows};
use super::story::{Log, Step, Story, Tree, between};
use crate::terminal::Paint;

/// The waterfall, with records between the spans, each with the place of its span.
pub(super) fn render(
    story: &Story,
    logs: &[(Option<usize>, &Log)],
    (paint, columns): (Paint, usize),
) -> String {
    let tree = Tree::of(&story.spans);
    let drawing = Drawing::new(story, (&tree, logs), (paint, columns));
    let mut text = String::new();
    for row in rows(&story.spans, &tree, logs) {
        match row {
            Row::Span(place) => {
                text += &drawing.span(place);
                if tree.is_origin(&story.spans, place) {
                    text += &drawing.why(place);
                }
            }
            Row::Log(log) => text += &drawing.log(log),
        }
    }
    text + &drawing.legend()
}

struct Drawing<'a> {
    story: &'a Story,
    tree: &'a Tree,
    paint: Paint,
    /// In columns of the terminal: of a time, of the bars, and of all.
    time: usize,
    bar: usize,
    all: usize,
    begin: UnixNanos,
    whole: Duration,
}

impl<'a> Drawing<'a> {
    fn new(
        story: &'a Story,
        (tree, logs): (&'a Tree, &[(Option<usize>, &Log)]),
        (paint, all): (Paint, usize),
    ) -> Self {
        let spans = &story.spans;
        let starts = spans.iter().map(|span| span.start);
        let begin = starts
            .min()
            .map_or(story.start, |first| first.min(story.start));
        let end = spans.iter().map(Step::end).max().unwrap_or(begin);
        let starts = spans.iter().map(|span| span.start);
        let offsets = starts.chain(logs.iter().map(|(_, log)| log.time));
        let offsets = offsets.map(|at| 1 + width(&duration(between(begin, at))));
        let lengths = spans.iter().map(|span| width(&duration(span.duration)));
        let time = offsets.chain(lengths).max().unwrap_or(0);
        Drawing {
            story,
            tree,
            paint,
            time,
            bar: ((all - 2 * time).saturating_sub(GAPS) / 3).clamp(BAR_MIN, BAR_MAX),
            all,
            begin,
            whole: between(begin, end),
        }
    }

    fn span(&self, place: usize) -> String {
        let span = &self.story.spans[place];
        let mark = match span.has_failed() {
            true => self.paint.bad("│"),
            false => self.paint.faint("│"),
        };
        let bar = self.bar(place);
        let took = right(&duration(span.duration), self.time);
        let took = match span.inferred {
            true => self.paint.faint(took),
            false => took,
        };
        let offset = self.paint.faint(self.offset(span.start));
        format!("{offset} {took} {mark}{bar}{mark} {}\n", self.what(place))
    }

    /// When it began, from the beginning of all.
    fn offset(&self, at: UnixNanos) -> String {
        let offset = between(self.begin, at);
        let sign = if offset.is_zero() { "" } else { "+" };
        right(&format!("{sign}{}", duration(offset)), self.time)
    }

    fn bar(&self, place: usize) -> String {
        let span = &self.story.spans[place];
        let from = self.column(span.start).min(self.bar - 1);
        let to = self.column(span.end()).clamp(from + 1, self.bar);
        let waited_from = match self.waited(place) {
            Some(waited) => self.column(UnixNanos(
                span.start.0.saturating_sub(super::super::nanos(waited)),
            )),
            None => from,
        };
        let waited_from = waited_from.min(from);
        let waited = self.paint.faint("·".repeat(from - waited_from));
        let ink = match (span.inferred, span.has_failed()) {
            (true, _) => self.paint.faint("·".repeat(to - from)),
            (_, true) => self.paint.bad("━".repeat(to - from)),
            _ => self.ink(span, "━".repeat(to - from)),
        };
        let (before, behind) = (" ".repeat(waited_from), " ".repeat(self.bar - to));
        match from - waited_from {
            0 => format!("{before}{ink}{behind}"),
            _ => format!("{before}{waited}{ink}{behind}"),
        }
    }

    /// Where a moment is among the columns of the bars.
    fn column(&self, at: UnixNanos) -> usize {
        let share = match self.whole.is_zero() {
            true => 0.0,
            false => between(self.begin, at).div_duration_f64(self.whole),
        };
        #[allow(clippy::cast_precision_loss)] // some hundreds at most
        let column = (share * self.bar as f64).round();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 on, and cut
        let column = column as usize;
        column.min(self.bar)
    }

    /// The services of a story each have a colour.
    fn ink(&self, span: &Step, text: String) -> String {
        let services = &self.story.services;
        let number = services
            .iter()
            .position(|service| service.name == span.service);
        self.paint.ink(number.unwrap_or(services.len()), text)
    }

    /// The branch, the name and what is to be known, as much as there is room for.
    fn what(&self, place: usize) -> String {
        let span = &self.story.spans[place];
        let room = self.all.saturating_sub(2 * self.time + self.bar + GAPS);
        let branch = self.branch(place, room / 2);
        let mut room = room - width(&branch);
        let name = self.name(place);
        let name_least = width(&name).min(NAME_MIN);
        let mut marks = String::new();
        for (mark, tone) in self.marks(place) {
            let needed = width(&mark) + 2;
            if room < name_least + needed {
                break;
            }
            room -= needed;
            marks += "  ";
            marks += &match tone {
                Tone::Faint => self.paint.faint(mark),
                Tone::Bad => self.paint.bad(mark),
                Tone::Notable => self.paint.notable(mark),
                Tone::Warning => self.paint.warning(mark),
            };
        }
        let name = clipped(&name, room);
        let is_aside = span.inferred || span.is_platform();
        let name = match (is_aside, span.is_invocation()) {
            (true, _) => self.paint.faint(name),
            (_, true) => self.paint.strong(name),
            _ => name,
        };
        format!("{}{name}{marks}", self.paint.faint(branch))
    }

    /// Whose it is is said where that is another than of the span above.
    fn name(&self, place: usize) -> String {
        let span = &self.story.spans[place];
        let name = first_line(&span.name);
        let above = self.tree.parents[place].map(|above| &self.story.spans[above].service);
        if span.inferred || above == Some(&span.service) || span.name == span.service {
            return name;
        }
        format!("{}: {name}", first_line(&span.service))
    }

    /// Lines to whoever is above and below, in so many columns at most.
    fn branch(&self, place: usize, columns: usize) -> String {
        if self.tree.parents[place].is_none() {
            return String::new();
        }
        let is_guess = self.story.spans[place]
            .join
            .as_ref()
            .is_some_and(|join| join.how == "inferred");
        let mut parts = vec![match (self.tree.has_next(place), is_guess) {
            (true, false) => "├─ ",
            (false, false) => "└─ ",
            (true, true) => "├┄ ",
            (false, true) => "└┄ ",
        }];
        for above in self.tree.above(place) {
            if self.tree.parents[above].is_some() {
                parts.push(if self.tree.has_next(above) {
                    "│ "
                } else {
                    "  "
                });
            }
        }
        parts.reverse();
        let branch = parts.concat();
        let over = width(&branch).saturating_sub(columns.max(4));
        match over {
            0 => branch,
            over => format!("…{}", branch.chars().skip(over + 1).collect::<String>()),
        }
    }

    /// What is to be known of it, what matters most first.
    fn marks(&self, place: usize) -> Vec<(String, Tone)> {
        let span = &self.story.spans[place];
        let mut marks = Vec::new();
        let mut mark = |text: &str, tone: Tone| marks.push((text.to_owned(), tone));
        if span.has_failed() {
            mark("FAILED", Tone::Bad);
        }
        if self.says_cold_start(place) {
            mark("cold start", Tone::Notable);
        }
        if let Some(attempt) = span.attempt.filter(|attempt| *attempt > 1) {
            mark(&format!("attempt {attempt}"), Tone::Warning);
        }
        if span.inferred && !span.duration.is_zero() {
            mark("waited there", Tone::Faint);
        }
        if let Some(waited) = self.waited(place) {
            mark(&format!("waited {}", duration(waited)), Tone::Faint);
        }
        match span.join.as_ref().map(|join| join.how.as_str()) {
            Some("inferred") => mark("probably", Tone::Faint),
            Some(_) if !span.inferred => mark("joined", Tone::Faint),
            _ => {}
        }
        if span.parent_missing && !self.is_entry(place) {
            mark("parent missing", Tone::Faint);
        }
        let usd = span.cost.as_ref().and_then(|cost| cost.usd);
        if let Some(usd) = usd.filter(|_| self.all >= WIDE) {
            mark(&dollars(usd), Tone::Faint);
        }
        marks
    }

    /// Said once: the init phase of the invocation and its handler carry the attribute too.
    fn says_cold_start(&self, place: usize) -> bool {
        let span = &self.story.spans[place];
        let above = self.tree.parents[place].map(|above| &self.story.spans[above]);
        let is_said = above.is_some_and(|above| above.is_invocation() && above.is_cold());
        span.is_cold() && !span.is_platform() && !is_said
    }

    /// How long nothing is known of between two services: from the end of the call, or from when it was made where
    /// the caller waits for it.
    fn waited(&self, place: usize) -> Option<Duration> {
        let span = &self.story.spans[place];
        let above = &self.story.spans[self.tree.parents[place]?];
        if span.inferred || above.inferred || span.service == above.service {
            return None;
        }
        let from = match above.end() < span.start {
            true => above.end(),
            false => above.start,
        };
        let waited = between(from, span.start);
        let counts = waited >= WAIT_MIN && waited * WAIT_SHARE >= self.whole;
        counts.then_some(waited)
    }

    /// Where the story comes in. Lambda gives even the first invocation a parent that nobody ever sees.
    fn is_entry(&self, place: usize) -> bool {
        let spans = &self.story.spans;
        let has_root = spans.iter().any(|span| span.parent_span_id.is_none());
        place == 0 && !has_root && spans[0].is_invocation()
    }

    /// Why it failed and where, below its bar.
    fn why(&self, place: usize) -> String {
        let logs: Vec<&Log> = self
            .story
            .logs
            .iter()
            .filter(|log| log.span_id.as_deref() == Some(&self.story.spans[place].span_id))
            .collect();
        let Some(Failure { what, place }) = failure(&self.story.spans[place], &logs) else {
            return String::new();
        };
        let indent = " ".repeat(2 * self.time + 4);
        let room = self.all.saturating_sub(width(&indent) + 2);
        let at = place.map(|place| format!("at {place}")).unwrap_or_default();
        let mark = self.paint.bad("✗");
        if width(&what) + 1 + width(&at) <= room {
            let (what, at) = (self.paint.bad(what), self.paint.faint(at));
            return format!("{indent}{mark} {what} {at}").trim_end().to_owned() + "\n";
        }
        let what = self.paint.bad(clipped(&what, room));
        let what = format!("{indent}{mark} {what}\n");
        match at.is_empty() {
            true => what,
            false => format!("{what}{indent}  {}\n", self.paint.faint(clipped(&at, room))),
        }
    }

    /// A record: when, how severe, whose, and the first line of it.
    fn log(&self, log: &Log) -> String {
        let offset = self.paint.faint(self.offset(log.time));
        let level = level(log.severity_number, self.paint);
        let indent = " ".repeat(self.time.saturating_sub(5));
        let service = first_line(&log.service);
        let room = self
            .all
            .saturating_sub(2 * self.time + 4 + width(&service) + 1);
        let said = clipped(&message(log), room);
        let service = self.paint.notable(service);
        format!("{offset} {indent}{level}   {service} {said}\n")
    }

    /// What dots mean, where there are some.
    fn legend(&self) -> String {
        let spans = &self.story.spans;
        let is_guess = |span: &Step| {
            span.join
                .as_ref()
                .is_some_and(|join| join.how == "inferred")
        };
        let mut parts = Vec::new();
        if (0..spans.len()).any(|place| spans[place].inferred || self.waited(place).is_some()) {
            parts.push("··· waiting");
        }
        if spans.iter().any(is_guess) {
            parts.push("└┄ probably goes on from the step above it");
        }
        match parts.is_empty() {
            true => String::new(),
            false => format!("{}\n", self.paint.faint(parts.join("   "))),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Faint,
    Bad,
    Notable,
    Warning,
}

/// What a record says: a body with fields is read for its message.
fn message(log: &Log) -> String {
    let field = |name: &&str| log.body.get(*name).and_then(Value::as_str);
    match &log.body {
        Value::Null => first_line(&log.event_name),
        Value::String(text) => first_line(text),
        body => match ["message", "msg", "errorMessage"].iter().find_map(field) {
            Some(message) => first_line(message),
            None => first_line(&body.to_string()),
        },
    }
}

/// Spaces and lines between the columns.
const GAPS: usize = 5;
const BAR_MIN: usize = 10;
const BAR_MAX: usize = 60;
/// So much of a name is shown before anything behind it.
const NAME_MIN: usize = 20;
/// From so many columns on there is room for costs.
const WIDE: usize = 116;
/// Shorter waits are the way through the network.
const WAIT_MIN: Duration = Duration::from_millis(1);
/// A wait is told that is this part of the whole, or more.
const WAIT_SHARE: u32 = 100;

#[cfg(test)]
mod tests;
