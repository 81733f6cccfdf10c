//! Telemetry of a serverless application that does not exist, as OTLP protobuf bodies.
//!
//! A hundred functions of twenty domains: HTTP APIs, workers of queues, consumers of buses and
//! streams, timers. A few of them do most of the work, a few of their routes get most requests, and a
//! few users send most of those (Zipf's law). A trace has 1 to 2,000 spans in nested and asynchronous
//! invocations; what waits in a queue is sent seconds or minutes after what sent it there. Spans have
//! 10 to 25 attributes with the names and the shapes that OpenTelemetry's and AWS's SDKs give them: few
//! have random values, many have one of a few. Errors have exception events with stack traces, cold
//! starts have init spans. There are as many log records as spans, from templates, joined to the spans
//! of the same traces, and each names the order that its trace is about.
//!
//! The same [`Options`] make the same bytes, in one pass and in memory that does not grow. Any trace
//! can be made again alone ([`Corpus::trace`]), so that whoever asks a store can know the answer.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers here are drawn from less than the type holds, or cut on purpose to make them look random"
)]

mod application;
mod group;
mod logs;
mod metrics;
mod plan;
mod proto;
mod random;
mod spans;
mod stream;
#[cfg(test)]
mod tests;

use std::time::Duration;

use throughline_telemetry::{Signal, TraceId, UnixNanos};

use application::Application;
use metrics::Metrics;
use plan::{Plan, SPANS_MEAN};
use random::{Random, mix};
use stream::{Schedule, Stream};

/// Which corpus.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Another seed is another application and other traces.
    pub seed: u64,
    /// When the first trace begins.
    pub start: UnixNanos,
    /// The time that `rows` spans, and as many log records, spread over.
    pub range: Duration,
    /// How many spans, and as many log records, there are in that time. More can be taken.
    pub rows: u64,
}

impl Options {
    /// So many rows over a day, from a time that is always the same.
    pub fn of(rows: u64) -> Self {
        Options {
            seed: 1,
            start: UnixNanos(1_795_132_800_000_000_000), // 2026-11-20T00:00:00Z
            range: Duration::from_secs(24 * 3600),
            rows,
        }
    }
}

/// Makes bodies of one signal.
#[derive(Debug)]
pub struct Corpus {
    options: Options,
    signal: Signal,
    application: Application,
    pace: Pace,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Stream(Box<Stream>),
    Metrics(Metrics),
}

/// What is known of a trace without having stored it.
#[derive(Clone, Debug)]
pub struct TraceFacts {
    /// Its id.
    pub id: TraceId,
    /// When its first span begins.
    pub start: UnixNanos,
    /// When its last function ends, and all of it has been sent.
    pub end: UnixNanos,
    /// How many spans, and as many log records, it has.
    pub spans: u64,
    /// The service of its first span.
    pub service: String,
    /// Value of `app.order.id` that no other trace has; a word of its log records.
    pub order: String,
    /// Value of `user.id`.
    pub user: String,
    /// Value of `app.tenant`.
    pub tenant: String,
}

impl Corpus {
    /// The beginning of the corpus.
    pub fn new(options: Options, signal: Signal) -> Self {
        let source = match signal {
            Signal::Traces => Source::Stream(Box::new(Stream::new(spans::encode))),
            Signal::Logs => Source::Stream(Box::new(Stream::new(logs::encode))),
            Signal::Metrics => Source::Metrics(Metrics::default()),
        };
        Corpus {
            options,
            signal,
            application: Application::build(options.seed),
            pace: Pace::of(&options),
            source,
        }
    }

    /// What its bodies are of.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Makes the next body, an `Export...ServiceRequest` with exactly so many spans, log records or
    /// points. There is always a next one.
    pub fn body(&mut self, items: usize, out: &mut Vec<u8>) {
        out.clear();
        let (application, seed) = (&self.application, self.options.seed);
        match &mut self.source {
            Source::Stream(stream) => stream.body(application, seed, &self.pace, items, out),
            Source::Metrics(metrics) => metrics.body(application, &self.pace, items, out),
        }
    }

    /// How many traces begin in the range of the options, about.
    pub fn traces(&self) -> u64 {
        (self.options.rows as f64 / SPANS_MEAN) as u64
    }

    /// When the last span is sent of the first part of the corpus, so large a share of it, or a little before.
    pub fn reached(&self, share: f64) -> UnixNanos {
        let traces = (self.traces() as f64 * share * 0.95) as u64;
        UnixNanos(self.pace.start(traces))
    }

    /// Trace number so and so, without those before it.
    pub fn trace(&self, number: u64) -> TraceFacts {
        let mut plan = Plan::default();
        let start = self.pace.start(number);
        plan.fill(&self.application, self.options.seed, number, start);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let first = usize::from(plan.invocations[0].function);
        TraceFacts {
            id: TraceId::from_slice(&plan.trace_id).expect("the second it began in is not 0"),
            start: UnixNanos(plan.first_start()),
            end: UnixNanos(plan.last_end()),
            spans: plan.spans(),
            service: self.application.functions[first].name.clone(),
            order: text(&plan.order),
            user: text(&plan.user),
            tenant: text(&plan.tenant),
        }
    }
}

/// Traces from all over the part of a corpus that has been taken whole: without those that begin in
/// its last twentieth, parts of which may still wait in a queue.
pub fn sample(corpus: &Corpus, count: u64) -> impl Iterator<Item = TraceFacts> + '_ {
    let traces = (corpus.traces() as f64 * 0.95) as u64;
    (0..count).map(move |number| corpus.trace(mix(number, count) % traces.max(1)))
}

/// How fast traces follow each other.
#[derive(Debug)]
struct Pace {
    seed: u64,
    start: u64,
    interval: f64,
}

impl Pace {
    fn of(options: &Options) -> Self {
        let traces = (options.rows as f64 / SPANS_MEAN).max(1.0);
        Pace {
            seed: options.seed,
            start: options.start.0,
            interval: options.range.as_nanos() as f64 / traces,
        }
    }
}

impl Schedule for Pace {
    /// One in each interval, somewhere in it: traces begin in the order of their numbers.
    fn start(&self, number: u64) -> u64 {
        let within = Random::new(mix(self.seed, number)).share();
        self.start + ((number as f64 + within) * self.interval) as u64
    }
}
