//! Sources that are polled, which both languages describe with the same settings, and Lambda's limits on them.

use std::time::Duration;

use serde_json::Value;

use super::reader::{Dialect, Key, Range, Reader, Section};
use crate::source::{KafkaSource, RabbitMqSource, SqsSource, StartingPosition, StreamSource};

/// Which stream is polled; they differ in where one may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    Kinesis,
    DynamoDb,
}

impl Reader {
    pub(super) fn sqs(&mut self, section: &Section<'_>, queue: String) -> SqsSource {
        let mut source = SqsSource::new(queue);
        let fifo = source.queue.ends_with(".fifo");
        self.batch(section, &mut source.batch_size, &mut source.window);
        let window_least = Duration::from_secs(1);
        if fifo && source.batch_size > SQS_BATCH_WITHOUT_WINDOW_MAX {
            self.problem(
                &section.place_of(self.name(BATCH_SIZE)),
                &format!(
                    "a FIFO queue gives at most {SQS_BATCH_WITHOUT_WINDOW_MAX} messages, found {}",
                    source.batch_size
                ),
            );
        } else if fifo && !source.window.is_zero() {
            self.problem(
                &section.place_of(self.name(WINDOW)),
                "a FIFO queue has no batching window",
            );
        } else if source.batch_size > SQS_BATCH_WITHOUT_WINDOW_MAX && source.window < window_least {
            self.problem(
                &section.place_of(self.name(BATCH_SIZE)),
                &format!(
                    "more than {SQS_BATCH_WITHOUT_WINDOW_MAX} messages need {} of at least 1",
                    self.name(WINDOW)
                ),
            );
        }
        source.concurrency_max = match self.dialect() {
            Dialect::Toml => self.integer(section, CONCURRENCY_MAX, CONCURRENCY),
            Dialect::Sam => self
                .section(section, SCALING, "a map with MaximumConcurrency")
                .and_then(|scaling| self.integer(&scaling, CONCURRENCY_MAX, CONCURRENCY)),
        };
        source.report_item_failures = self.report_item_failures(section);
        source.filters = self.filters(section);
        source.enabled = self.boolean(section, ENABLED).unwrap_or(true);
        source
    }

    pub(super) fn stream(
        &mut self,
        section: &Section<'_>,
        stream: String,
        kind: StreamKind,
    ) -> StreamSource {
        let position = self.starting_position(section, kind == StreamKind::Kinesis);
        let mut source = StreamSource::new(stream, position);
        self.batch(section, &mut source.batch_size, &mut source.window);
        if let Some(parallelization) = self.integer(section, PARALLELIZATION, PARALLEL) {
            source.parallelization = parallelization;
        }
        source.retries_max = self
            .integer_or_endless(section, RETRIES_MAX, RETRIES)
            .flatten();
        source.record_age_max = self
            .integer_or_endless(section, RECORD_AGE_MAX, RECORD_AGE)
            .flatten()
            .map(seconds);
        source.bisect = self.boolean(section, BISECT).unwrap_or(false);
        source.tumbling_window = self
            .integer(section, TUMBLING, TUMBLING_WINDOW)
            .filter(|window| *window > 0)
            .map(seconds);
        source.report_item_failures = self.report_item_failures(section);
        source.filters = self.filters(section);
        source.enabled = self.boolean(section, ENABLED).unwrap_or(true);
        source
    }

    /// Asynchronous invocations have more of them than streams.
    pub(super) fn stream_destination(&mut self, place: &str, arn: Option<&str>) {
        let services = ["arn:aws:sqs:", "arn:aws:sns:", "arn:aws:s3:"];
        if let Some(arn) =
            arn.filter(|arn| !services.iter().any(|service| arn.starts_with(service)))
        {
            self.problem(
                place,
                &format!("expected a queue, a topic or a bucket, found {arn}"),
            );
        }
    }

    pub(super) fn kafka(
        &mut self,
        section: &Section<'_>,
        topic: String,
        brokers: Vec<String>,
        group: String,
    ) -> KafkaSource {
        for broker in &brokers {
            if !is_host_and_port(broker) {
                self.problem(
                    &section.place,
                    &format!("expected brokers as host:port, found {broker:?}"),
                );
            }
        }
        let mut source = KafkaSource {
            brokers,
            topic,
            group,
            batch_size: BROKER_BATCH_SIZE,
            window: BROKER_WINDOW,
            starting_position: self.starting_position(section, true),
            enabled: self.boolean(section, ENABLED).unwrap_or(true),
        };
        self.batch(section, &mut source.batch_size, &mut source.window);
        source
    }

    pub(super) fn rabbitmq(
        &mut self,
        section: &Section<'_>,
        queue: String,
        broker: String,
    ) -> RabbitMqSource {
        if !is_host_and_port(&broker) {
            // As a URL it may hold a password, which shall be in no message.
            let place = section.place_of(BROKER.toml);
            self.problem(&place, "expected host:port, and user and password as keys");
        }
        let mut text = |key: Key, usual: &str| {
            let text = self.string(section, key);
            text.unwrap_or_else(|| usual.to_owned())
        };
        let mut source = RabbitMqSource {
            broker,
            virtual_host: text(VIRTUAL_HOST, "/"),
            user: text(USER, "guest"),
            password: text(PASSWORD, "guest"),
            queue,
            batch_size: BROKER_BATCH_SIZE,
            window: BROKER_WINDOW,
            enabled: self.boolean(section, ENABLED).unwrap_or(true),
        };
        self.batch(section, &mut source.batch_size, &mut source.window);
        source
    }

    fn batch(&mut self, section: &Section<'_>, batch_size: &mut u32, window: &mut Duration) {
        if let Some(size) = self.integer(section, BATCH_SIZE, BATCH) {
            *batch_size = size;
        }
        if let Some(length) = self.integer(section, WINDOW, BATCH_WINDOW) {
            *window = seconds(length);
        }
    }

    fn starting_position(
        &mut self,
        section: &Section<'_>,
        with_timestamp: bool,
    ) -> StartingPosition {
        let mut positions = vec![
            ("TRIM_HORIZON", StartingPosition::TrimHorizon),
            ("LATEST", StartingPosition::Latest),
        ];
        if with_timestamp {
            positions.push(("AT_TIMESTAMP", StartingPosition::AtTimestamp(0)));
        }
        if self.dialect() == Dialect::Sam && !self.has(section, STARTING_POSITION) {
            self.problem(
                &section.place,
                "missing StartingPosition, TRIM_HORIZON or LATEST",
            );
        }
        let position = self.choice(section, STARTING_POSITION, &positions);
        let timestamp = self.value(section, STARTING_TIMESTAMP).cloned();
        let timestamp_place = section.place_of(self.name(STARTING_TIMESTAMP));
        match (position, timestamp) {
            (Some(StartingPosition::AtTimestamp(_)), Some(value)) => {
                let at = self
                    .whole_number(&value)
                    .and_then(|at| u64::try_from(at).ok());
                if at.is_none() {
                    self.mismatch(&timestamp_place, "seconds since 1970", &value);
                }
                StartingPosition::AtTimestamp(at.unwrap_or(0))
            }
            (Some(StartingPosition::AtTimestamp(_)), None) => {
                self.problem(
                    &timestamp_place,
                    "missing: AT_TIMESTAMP begins there, in seconds since 1970",
                );
                StartingPosition::TrimHorizon
            }
            (position, Some(_)) => {
                self.problem(&timestamp_place, "only with AT_TIMESTAMP");
                position.unwrap_or(StartingPosition::TrimHorizon)
            }
            (position, None) => position.unwrap_or(StartingPosition::TrimHorizon),
        }
    }

    fn report_item_failures(&mut self, section: &Section<'_>) -> bool {
        if self.dialect() == Dialect::Toml {
            return self.boolean(section, RESPONSE_TYPES).unwrap_or(false);
        }
        let types = self.strings(section, RESPONSE_TYPES).unwrap_or_default();
        for unknown in types.iter().filter(|name| *name != REPORT_ITEM_FAILURES) {
            self.problem(
                &section.place_of(RESPONSE_TYPES.sam),
                &format!("expected {REPORT_ITEM_FAILURES}, found {unknown:?}"),
            );
        }
        !types.is_empty()
    }

    fn filters(&mut self, section: &Section<'_>) -> Vec<Value> {
        let (place, patterns) = match self.dialect() {
            Dialect::Toml => {
                let patterns = self.list(section, FILTERS, "a list of patterns");
                (section.place_of(FILTERS.toml), patterns.unwrap_or_default())
            }
            Dialect::Sam => {
                let expected = "a map with Filters";
                let Some(criteria) = self.section(section, FILTERS, expected) else {
                    return Vec::new();
                };
                let patterns = self.list(&criteria, Key::only("Filters"), "a list of filters");
                (criteria.place_of("Filters"), patterns.unwrap_or_default())
            }
        };
        if patterns.len() > FILTERS_MAX {
            self.problem(
                &place,
                &format!(
                    "{} filters are too many, Lambda takes {FILTERS_MAX}",
                    patterns.len()
                ),
            );
        }
        let mut found = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            let place = format!("{place}[{index}]");
            let pattern = match (self.dialect(), pattern) {
                (Dialect::Toml, pattern) => pattern,
                (Dialect::Sam, Value::Object(filter)) => {
                    filter.get("Pattern").unwrap_or(&Value::Null)
                }
                (Dialect::Sam, other) => other,
            };
            found.extend(self.pattern(&place, pattern));
        }
        found
    }

    /// A pattern is an object, which a template writes as JSON text.
    pub(super) fn pattern(&mut self, place: &str, value: &Value) -> Option<Value> {
        let parsed = match (self.dialect(), value) {
            (Dialect::Sam, Value::String(text)) => serde_json::from_str(text).ok(),
            (_, value) => Some(value.clone()),
        };
        match parsed {
            Some(pattern @ Value::Object(_)) => Some(pattern),
            _ => {
                let expected = match self.dialect() {
                    Dialect::Toml => "a table, the pattern",
                    Dialect::Sam => "a pattern, a JSON object",
                };
                self.mismatch(place, expected, value);
                None
            }
        }
    }
}

/// `host:port` or `[address]:port`.
pub(super) fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && !host.contains(['/', '@', ' '])
            && port.parse::<u16>().is_ok_and(|port| port != 0)
    })
}

pub(super) fn seconds(number: u32) -> Duration {
    Duration::from_secs(u64::from(number))
}

/// The settings of a queue that is polled, as `throughline.toml` names them.
pub(super) const SQS_KEYS: &[&str] = &[
    BATCH_SIZE.toml,
    WINDOW.toml,
    RESPONSE_TYPES.toml,
    CONCURRENCY_MAX.toml,
    FILTERS.toml,
    ENABLED.toml,
];
/// The settings of a stream.
pub(super) const STREAM_KEYS: &[&str] = &[
    BATCH_SIZE.toml,
    WINDOW.toml,
    STARTING_POSITION.toml,
    STARTING_TIMESTAMP.toml,
    PARALLELIZATION.toml,
    RETRIES_MAX.toml,
    RECORD_AGE_MAX.toml,
    BISECT.toml,
    RESPONSE_TYPES.toml,
    TUMBLING.toml,
    ON_FAILURE.toml,
    FILTERS.toml,
    ENABLED.toml,
];
/// The settings of a Kafka topic.
pub(super) const KAFKA_KEYS: &[&str] = &[
    "brokers",
    "group",
    BATCH_SIZE.toml,
    WINDOW.toml,
    STARTING_POSITION.toml,
    STARTING_TIMESTAMP.toml,
    ENABLED.toml,
];
/// The settings of a queue of RabbitMQ.
pub(super) const RABBITMQ_KEYS: &[&str] = &[
    BROKER.toml,
    VIRTUAL_HOST.toml,
    USER.toml,
    PASSWORD.toml,
    BATCH_SIZE.toml,
    WINDOW.toml,
    ENABLED.toml,
];

pub(super) const ON_FAILURE: Key = key("on_failure", "DestinationConfig");
pub(super) const ENABLED: Key = key("enabled", "Enabled");
pub(super) const BROKER: Key = Key::only("broker");
const VIRTUAL_HOST: Key = Key::only("virtual_host");
const USER: Key = Key::only("user");
const PASSWORD: Key = Key::only("password");
const BATCH_SIZE: Key = key("batch_size", "BatchSize");
const WINDOW: Key = key("window_seconds", "MaximumBatchingWindowInSeconds");
const CONCURRENCY_MAX: Key = key("concurrency_max", "MaximumConcurrency");
const SCALING: Key = Key::only("ScalingConfig");
const RESPONSE_TYPES: Key = key("report_item_failures", "FunctionResponseTypes");
const FILTERS: Key = key("filters", "FilterCriteria");
const STARTING_POSITION: Key = key("starting_position", "StartingPosition");
const STARTING_TIMESTAMP: Key = key("starting_timestamp", "StartingPositionTimestamp");
const PARALLELIZATION: Key = key("parallelization", "ParallelizationFactor");
const RETRIES_MAX: Key = key("retries_max", "MaximumRetryAttempts");
const RECORD_AGE_MAX: Key = key("record_age_max_seconds", "MaximumRecordAgeInSeconds");
const BISECT: Key = key("bisect", "BisectBatchOnFunctionError");
const TUMBLING: Key = key("tumbling_window_seconds", "TumblingWindowInSeconds");

const fn key(toml: &'static str, sam: &'static str) -> Key {
    Key { toml, sam }
}

const fn range(least: u32, most: u32, unit: &'static str) -> Range {
    Range { least, most, unit }
}

/// Lambda's own limits, all of them.
const BATCH: Range = range(1, 10_000, "records");
const BATCH_WINDOW: Range = range(0, 300, "seconds");
const CONCURRENCY: Range = range(2, 1_000, "batches");
const PARALLEL: Range = range(1, 10, "batches");
const RETRIES: Range = range(0, 10_000, "retries");
const RECORD_AGE: Range = range(60, 604_800, "seconds");
const TUMBLING_WINDOW: Range = range(0, 900, "seconds");
const SQS_BATCH_WITHOUT_WINDOW_MAX: u32 = 10;
const FILTERS_MAX: usize = 10;
const REPORT_ITEM_FAILURES: &str = "ReportBatchItemFailures";
/// Lambda's defaults.
const BROKER_BATCH_SIZE: u32 = 100;
const BROKER_WINDOW: Duration = Duration::from_millis(500);
