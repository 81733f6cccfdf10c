//! What is measured of an invocation: when its span leaves, and when its report has come.

use throughline_prices::{Architecture, Billed, Day, Terms, estimate};
use throughline_telemetry::{Attributes, Span, SpanStatus, UnixNanos, Value};

use super::Joiner;
use super::invocation::Invocation;
use super::lines::Line;
use super::metrics::{Of, Point, Points};
use crate::counters::Counter;
use crate::line::Numbers;
use crate::platform::Used;
use crate::process::Usage;

impl Joiner {
    /// The points of a span that leaves now: of an invocation, an initialisation or a restore.
    pub(super) fn measure_span(&self, span: &Span, points: &mut Points) {
        let of = Of {
            start: span.start,
            time: span.end,
            trace: Some((span.trace_id, span.span_id)),
            request_id: span
                .attributes
                .text("faas.invocation_id")
                .map(str::to_owned),
        };
        let took = Numbers::Values(vec![span.duration().as_secs_f64()]);
        let mut add = |name: &'static str, unit: &'static str, numbers, attributes| {
            let point = Point {
                name,
                unit,
                numbers,
                attributes,
            };
            points.add(point, &of);
        };
        match span.attributes.text("throughline.phase") {
            Some("invoke") => {
                measure_invocation(span, took, &mut add);
                let mut known = self.invocations.iter();
                let known = known.rfind(|known| known.span_id == span.span_id);
                if let Some(usage) = known.and_then(|known| known.usage.as_ref()) {
                    measure_usage(usage, &mut add);
                }
            }
            Some("init") => add("faas.init_duration", "s", took, Attributes::default()),
            Some("restore") => {
                add(
                    "throughline.duration.restore",
                    "s",
                    took,
                    Attributes::default(),
                );
            }
            _ => {}
        }
    }

    /// The points of a report, at the time of its own invocation however late it comes, and what it
    /// cost as an attribute of its record.
    pub(super) fn measure_report(
        &mut self,
        line: &mut Line,
        at: Option<usize>,
        points: &mut Points,
    ) {
        let Some(used) = line.used.take() else {
            return;
        };
        let of = self.of(at, line);
        let billed = Billed {
            billed_ms: used.billed_ms,
            memory_mb: used.memory_size_mb,
        };
        let cost = estimate(billed, self.terms(of.time));
        if let Some(cost) = &cost {
            line.record.attributes.set("throughline.cost.usd", cost.usd);
        }
        if !self.signals.metrics {
            return;
        }
        let mut add = |name, unit, numbers: Option<Numbers>, attributes| {
            if let Some(numbers) = numbers {
                points.add(
                    Point {
                        name,
                        unit,
                        numbers,
                        attributes,
                    },
                    &of,
                );
            }
        };
        let megabytes = |number: Option<i64>| number.map(|number| as_double(number << 20));
        let values = |number: Option<f64>| number.map(|number| Numbers::Values(vec![number]));
        let none = Attributes::default;
        let billed = used.billed_ms.map(|billed| as_double(billed) / 1e3);
        add("throughline.duration.billed", "s", values(billed), none());
        add(
            "faas.mem_usage",
            "By",
            values(megabytes(used.max_memory_used_mb)),
            none(),
        );
        let size = megabytes(used.memory_size_mb).map(Numbers::Gauge);
        add("throughline.memory.size", "By", size, none());
        if let Some(cost) = cost {
            let region = [("throughline.price.region", cost.region)]
                .into_iter()
                .collect();
            add(
                "throughline.cost",
                "{USD}",
                Some(Numbers::Count(cost.usd)),
                region,
            );
        }
        if line.record.attributes.get(OUT_OF_MEMORY).is_some() {
            add(
                OUT_OF_MEMORY,
                "{invocation}",
                Some(Numbers::Count(1.0)),
                none(),
            );
        }
    }

    /// The points of the numbers in a log line.
    pub(super) fn measure_line(&mut self, line: &mut Line, at: Option<usize>, points: &mut Points) {
        let measures = std::mem::take(&mut line.measures);
        if measures.is_empty() || !self.signals.metrics {
            return;
        }
        let of = self.of(at, line);
        for measure in measures {
            if !self.series.admits(&measure.name, &measure.attributes) {
                self.counters.add(Counter::MeasureLimit, 1);
                continue;
            }
            let time = measure.time.unwrap_or(line.record.sort_time());
            let of = Of { time, ..of.clone() };
            let point = Point {
                name: &measure.name,
                unit: &measure.unit,
                numbers: measure.numbers,
                attributes: measure.attributes,
            };
            points.add(point, &of);
        }
    }

    fn of(&self, at: Option<usize>, line: &Line) -> Of {
        let owner = at.map(|at| &self.invocations[at]);
        let request_id = line.request_id.as_ref().map(|id| id.id.clone());
        let written = line.record.sort_time();
        Of {
            start: owner.map_or(written, Invocation::start),
            time: owner.map_or(written, |owner| owner.end().unwrap_or(written)),
            trace: owner.map(|owner| (owner.context.trace_id, owner.span_id)),
            request_id: owner.map(|owner| owner.request_id.clone()).or(request_id),
        }
    }

    fn terms(&self, time: UnixNanos) -> Terms<'_> {
        Terms {
            region: &self.function.region,
            architecture: Architecture::OURS,
            initialization: self.initialization.as_deref().unwrap_or_default(),
            ephemeral_bytes: self.ephemeral_bytes,
            day: Some(Day::of_unix_seconds(time.0 / 1_000_000_000)),
        }
    }
}

/// Takes one point: its name, unit, numbers and attributes.
type Add<'a> = &'a mut dyn FnMut(&'static str, &'static str, Numbers, Attributes);

/// Success or failure, its kinds, and the time it took.
fn measure_invocation(span: &Span, took: Numbers, add: Add<'_>) {
    let is = |key| span.attributes.get(key) == Some(&Value::Bool(true));
    let cold: Attributes = [("faas.coldstart", is("faas.coldstart"))]
        .into_iter()
        .collect();
    let one = || Numbers::Count(1.0);
    let kind = span.attributes.text("error.type").unwrap_or("_OTHER");
    if span.status == SpanStatus::Error && !is_http_status(kind) {
        let kind = [("error.type", kind)].into_iter().collect();
        add("faas.errors", "{error}", one(), kind);
    } else {
        add("faas.invocations", "{invocation}", one(), cold.clone());
    }
    for (key, name, unit) in [
        ("faas.coldstart", "faas.coldstarts", "{coldstart}"),
        ("throughline.timeout", "faas.timeouts", "{timeout}"),
        (OUT_OF_MEMORY, OUT_OF_MEMORY, "{invocation}"),
    ] {
        if is(key) {
            add(name, unit, one(), Attributes::default());
        }
    }
    if span.attributes.get("throughline.end").is_none() {
        add("faas.invoke_duration", "s", took, cold);
    }
    if let Some(Value::Int(bytes)) = span.attributes.get("throughline.response.bytes") {
        let bytes = Numbers::Values(vec![as_double(*bytes)]);
        add(
            "throughline.response.size",
            "By",
            bytes,
            Attributes::default(),
        );
    }
}

/// A function that answers 500 has not failed for the platform, which counts it among the others;
/// its span says that the request failed.
fn is_http_status(error_type: &str) -> bool {
    error_type.len() == 3 && error_type.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the kernel said.
#[expect(
    clippy::cast_precision_loss,
    reason = "bytes and files of one environment are small"
)]
fn measure_usage(usage: &Usage, add: Add<'_>) {
    for (state, time) in [("user", usage.user), ("system", usage.system)] {
        if let Some(time) = time {
            let state = [("cpu.mode", state)].into_iter().collect();
            add(
                "faas.cpu_usage",
                "s",
                Numbers::Values(vec![time.as_secs_f64()]),
                state,
            );
        }
    }
    for (direction, bytes) in [
        ("receive", usage.received_bytes),
        ("transmit", usage.sent_bytes),
    ] {
        if let Some(bytes) = bytes {
            let direction = [("network.io.direction", direction)].into_iter().collect();
            add(
                "faas.net_io",
                "By",
                Numbers::Values(vec![bytes as f64]),
                direction,
            );
        }
    }
    for (name, unit, number) in [
        (
            "throughline.memory.resident",
            "By",
            usage.end.resident_bytes,
        ),
        ("throughline.files.open", "{file}", usage.end.open_files),
        ("throughline.threads", "{thread}", usage.end.threads),
        ("throughline.tmp.used", "By", usage.end.tmp_used_bytes),
    ] {
        if let Some(number) = number {
            add(
                name,
                unit,
                Numbers::Gauge(number as f64),
                Attributes::default(),
            );
        }
    }
}

/// Whether a report says that all memory was taken when the process ended.
pub(super) fn is_full(used: &Used) -> bool {
    match (used.max_memory_used_mb, used.memory_size_mb) {
        (Some(used), Some(size)) => size > 0 && used >= size,
        _ => false,
    }
}

/// The end of an invocation, if it is known.
impl Invocation {
    pub(super) fn end(&self) -> Option<UnixNanos> {
        let (time, took) = self.told_end()?;
        Some(took.map_or(time, |took| self.start().plus(took)))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds and bytes of one invocation are small"
)]
fn as_double(number: i64) -> f64 {
    number as f64
}

/// The attribute and the metric of an invocation that ran out of memory.
pub(super) const OUT_OF_MEMORY: &str = "throughline.out_of_memory";
