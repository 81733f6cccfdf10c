//! Of what the time of traces is made, and how that differs: self times on the way to what is asked about, and what is
//! lost between two spans.

use std::collections::{BTreeMap, HashMap};

use throughline_telemetry::{Span, SpanKind, SpanStatus};

use super::path::waited_for;
use crate::question::Symptom;

/// Of what the traces of two times are made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelfTimes {
    /// How many traces there are, before and now.
    pub traces: [usize; 2],
    /// Steps that are waited for longer by themselves, without what is below them; those that add most first.
    pub steps: Vec<SelfTime>,
    /// Calls that take longer for whoever calls than for whoever is called; those that add most first.
    pub gaps: Vec<Gap>,
}

/// A step of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct SelfTime {
    /// The service whose it is.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its own time in a trace as far as it was waited for, before and now, in milliseconds.
    pub ms: [f64; 2],
}

/// A call between two services.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The service that calls.
    pub from: String,
    /// The one that is called.
    pub to: String,
    /// What is lost between them in a trace, before and now, in milliseconds.
    pub ms: [f64; 2],
}

/// Holds traces of before against those of now. Of a step counts what is on the critical path to the end of the spans
/// that are asked about, or of a trace without any to its answer: what ran beside that made nobody wait.
#[allow(clippy::cast_precision_loss)] // some traces
pub fn self_times(
    before: &[Vec<Span>],
    now: &[Vec<Span>],
    is_asked: impl Fn(&Span) -> bool,
) -> SelfTimes {
    let mut steps: BTreeMap<(&str, &str), SelfTime> = BTreeMap::new();
    let mut gaps: BTreeMap<(&str, &str), Gap> = BTreeMap::new();
    let sides = [before, now];
    for (side, traces) in sides.into_iter().enumerate() {
        let part = 1.0 / traces.len() as f64;
        for spans in traces {
            for (span, ms) in waited_for(spans, &is_asked) {
                let step = steps.entry((span.service(), span.name.as_str()));
                let step = step.or_insert_with(|| SelfTime {
                    service: span.service().to_owned(),
                    name: span.name.clone(),
                    ms: [0.0; 2],
                });
                step.ms[side] += ms * part;
            }
            add_gaps(spans, (side, part), &mut gaps);
        }
    }
    let mut found = SelfTimes {
        traces: sides.map(<[_]>::len),
        steps: steps.into_values().collect(),
        gaps: gaps.into_values().collect(),
    };
    let more = |ms: &[f64; 2]| ms[1] - ms[0];
    found.steps.retain(|it| more(&it.ms) > LEAST_MS);
    found.gaps.retain(|it| more(&it.ms) > LEAST_MS);
    found
        .steps
        .sort_by(|a, b| more(&b.ms).total_cmp(&more(&a.ms)));
    found
        .gaps
        .sort_by(|a, b| more(&b.ms).total_cmp(&more(&a.ms)));
    found.steps.truncate(TOLD_MAX);
    found.gaps.truncate(TOLD_MAX);
    found
}

/// How much of what traces have more than before is in spans like these, 0 to 1: of the time that is waited for longer to
/// the ends of the spans that are asked about, which each span has by itself, or of the traces that failed.
#[allow(clippy::cast_precision_loss)] // some traces
pub fn part_in(
    before: &[Vec<Span>],
    now: &[Vec<Span>],
    symptom: Symptom,
    is_asked: impl Fn(&Span) -> bool,
    is_like: impl Fn(&Span) -> bool,
) -> f64 {
    if symptom != Symptom::Slow {
        let has = |spans: &[Span], is: &dyn Fn(&Span) -> bool| {
            spans
                .iter()
                .any(|span| span.status == SpanStatus::Error && is(span))
        };
        let failed = now.iter().filter(|spans| has(spans, &|_| true));
        let (failed, like) = failed.fold((0.0, 0.0), |(failed, like), spans| {
            let is_one = has(spans, &is_like);
            (failed + 1.0, like + f64::from(u8::from(is_one)))
        });
        return like / f64::max(failed, 1.0);
    }
    let mean = |traces: &[Vec<Span>]| {
        let times = traces.iter().flat_map(|spans| waited_for(spans, &is_asked));
        let (all, like) = times.fold((0.0, 0.0), |(all, like), (span, ms)| {
            (all + ms, if is_like(span) { like + ms } else { like })
        });
        let of = (traces.len() as f64).max(1.0);
        (all / of, like / of)
    };
    let ((all_before, like_before), (all, like)) = (mean(before), mean(now));
    if before.is_empty() || all - all_before <= LEAST_MS {
        return 0.0;
    }
    ((like - like_before) / (all - all_before)).clamp(0.0, 1.0)
}

fn children(spans: &[Span]) -> Vec<Vec<&Span>> {
    let places: HashMap<_, usize> = spans.iter().map(|span| span.span_id).zip(0..).collect();
    let mut children: Vec<Vec<&Span>> = vec![Vec::new(); spans.len()];
    for span in spans {
        let parent = span.parent_id.and_then(|parent| places.get(&parent));
        if let Some(parent) = parent.filter(|at| spans[**at].span_id != span.span_id) {
            children[*parent].push(span);
        }
    }
    children
}

fn add_gaps<'a>(
    spans: &'a [Span],
    (side, part): (usize, f64),
    gaps: &mut BTreeMap<(&'a str, &'a str), Gap>,
) {
    for (span, children) in spans.iter().zip(children(spans)) {
        let called = children.into_iter().filter(|child| {
            span.kind == SpanKind::Client
                && child.kind == SpanKind::Server
                && child.service() != span.service()
        });
        for child in called {
            let gap = gaps.entry((span.service(), child.service()));
            let gap = gap.or_insert_with(|| Gap {
                from: span.service().to_owned(),
                to: child.service().to_owned(),
                ms: [0.0; 2],
            });
            gap.ms[side] += (millis(span) - millis(child)).max(0.0) * part;
        }
    }
}

fn millis(span: &Span) -> f64 {
    span.duration().as_secs_f64() * 1e3
}

/// Less is not told.
const LEAST_MS: f64 = 1.0;
const TOLD_MAX: usize = 5;

#[cfg(test)]
mod tests;
