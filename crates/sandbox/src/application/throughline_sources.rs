//! `[[functions.NAME.sources]]`: what invokes a function, one table each, whose first key says what it is and of what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api::AUTHORIZER;
use super::reader::{Key, Reader, Section, nearest};
use super::resource::{BUCKET, BUS, Kind, QUEUE, STREAM, TABLE, TOPIC};
use super::route;
use super::source::{
    BROKER, KAFKA_KEYS, ON_FAILURE, RABBITMQ_KEYS, SQS_KEYS, STREAM_KEYS, StreamKind,
};
use super::throughline_toml::SOURCES;
use crate::schedule::When;
use crate::source::{
    EventBridgeSource, EventSource, HttpApiKind, HttpRoute, Resource, S3Source, Schedule, SnsSource,
};

/// What the tables of a file call each other by.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) functions: BTreeSet<String>,
    pub(super) resources: BTreeMap<String, Named>,
    pub(super) apis: BTreeMap<String, HttpApiKind>,
}

/// A resource of the file, and how the world knows it.
#[derive(Debug)]
pub(super) struct Named {
    kind: &'static Kind,
    physical_name: String,
    pub(super) arn: Option<String>,
}

impl Names {
    pub(super) fn add(&mut self, resource: &Resource) {
        if let (Some(kind), Value::Object(properties)) =
            (Kind::of(&resource.kind), &resource.properties)
        {
            let physical_name = kind.physical_name(&resource.logical_id, properties);
            let named = Named {
                kind,
                arn: kind.arn(&physical_name),
                physical_name,
            };
            self.resources.insert(resource.logical_id.clone(), named);
        }
    }
}

impl Reader {
    pub(super) fn sources(
        &mut self,
        function: &Section<'_>,
        name: &str,
        names: &Names,
    ) -> Vec<EventSource> {
        let expected = "a list of tables, [[functions.NAME.sources]]";
        let items = self.list(function, SOURCES, expected).unwrap_or_default();
        if items.len() > SOURCES_MAX {
            self.problem(
                &function.place_of(SOURCES.toml),
                &format!(
                    "{} sources are too many, {SOURCES_MAX} at most",
                    items.len()
                ),
            );
            return Vec::new();
        }
        let mut sources = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = format!("{}[{index}]", function.place_of(SOURCES.toml));
            if let Some(section) = self.as_section(place, item, "a table") {
                let named = Naming {
                    function: name,
                    index,
                    names,
                };
                sources.extend(self.source(&section, &named));
            }
        }
        sources
    }

    fn source(&mut self, section: &Section<'_>, naming: &Naming<'_>) -> Option<EventSource> {
        let kinds: Vec<_> = SOURCE_KINDS
            .iter()
            .filter(|kind| section.map.contains_key(kind.key.toml))
            .collect();
        let kind = match kinds.as_slice() {
            [kind] => *kind,
            [] => {
                let known: Vec<_> = SOURCE_KINDS.iter().map(|kind| kind.key.toml).collect();
                let meant = section.map.keys().find_map(|key| nearest(key, &known));
                let message = match meant {
                    Some(near) => format!("does not say what it is, did you mean {near}"),
                    None => format!("does not say what it is, with one of {}", known.join(", ")),
                };
                self.problem(&section.place, &message);
                return None;
            }
            [one, other, ..] => {
                let message = format!(
                    "is {} and {}, make two sources of it",
                    one.key.toml, other.key.toml
                );
                self.problem(&section.place, &message);
                return None;
            }
        };
        let known: Vec<_> = [kind.key.toml]
            .iter()
            .chain(kind.settings)
            .copied()
            .collect();
        self.reject_unknown(section, &known);
        let text = self.string(section, kind.key)?;
        let place = section.place_of(kind.key.toml);
        let target = match kind.resource {
            Some(wanted) => self.target(&place, &text, wanted, naming.names),
            None => text,
        };
        self.source_of(kind.key, section, target, naming)
    }

    fn source_of(
        &mut self,
        key: Key,
        section: &Section<'_>,
        target: String,
        naming: &Naming<'_>,
    ) -> Option<EventSource> {
        Some(match key.toml {
            "http" => EventSource::Http(self.route(section, &target, naming.names)?),
            "schedule" => EventSource::Schedule(self.schedule(section, target, naming)),
            "sqs" => EventSource::Sqs(self.sqs(section, target)),
            "sns" => EventSource::Sns(self.sns(section, target)),
            "event_bridge" => EventSource::EventBridge(self.event_bridge(section, target, naming)?),
            "kinesis" | "dynamodb" => {
                let dynamo_db = key.toml == "dynamodb";
                let kind = match dynamo_db {
                    true => StreamKind::DynamoDb,
                    false => StreamKind::Kinesis,
                };
                let mut source = self.stream(section, target, kind);
                source.on_failure = self.destination(section, ON_FAILURE, naming.names);
                let place = section.place_of(ON_FAILURE.toml);
                self.stream_destination(&place, source.on_failure.as_deref());
                match dynamo_db {
                    true => EventSource::DynamoDb(source),
                    false => EventSource::Kinesis(source),
                }
            }
            "s3" => EventSource::S3(self.s3(section, target)),
            "rabbitmq" => {
                let Some(broker) = self.string(section, BROKER) else {
                    let place = section.place_of(BROKER.toml);
                    self.problem(&place, "missing, such as \"127.0.0.1:5672\"");
                    return None;
                };
                EventSource::RabbitMq(self.rabbitmq(section, target, broker))
            }
            _ => {
                let brokers = self.strings(section, BROKERS).unwrap_or_default();
                if brokers.is_empty() {
                    self.problem(
                        &section.place_of(BROKERS.toml),
                        "missing, such as [\"127.0.0.1:9092\"]",
                    );
                }
                let group = self.string(section, GROUP);
                let group = group.unwrap_or_else(|| naming.function.to_owned());
                EventSource::Kafka(self.kafka(section, target, brokers, group))
            }
        })
    }

    /// The thing's own name, if the file declares it; what is written otherwise, a name or an ARN of what is there.
    fn target(&mut self, place: &str, text: &str, wanted: &str, names: &Names) -> String {
        let Some(named) = names.resources.get(text) else {
            return text.to_owned();
        };
        if named.kind.name != wanted {
            let message = format!(
                "[resources.{text}] is {}, expected {}",
                named.kind.noun,
                Kind::of(wanted).map_or("another", |kind| kind.noun)
            );
            self.problem(place, &message);
        }
        named.physical_name.clone()
    }

    fn route(&mut self, section: &Section<'_>, text: &str, names: &Names) -> Option<HttpRoute> {
        let api = self.string(section, API);
        let (api, kind) = match (api, names.apis.len()) {
            (Some(api), _) => match names.apis.get(&api) {
                Some(kind) => (api, *kind),
                None => {
                    let known: Vec<_> = names.apis.keys().map(String::as_str).collect();
                    let message = match nearest(&api, &known) {
                        Some(near) => format!("no [apis.{api}], did you mean {near}"),
                        None => format!("no [apis.{api}] in this file"),
                    };
                    self.problem(&section.place_of(API.toml), &message);
                    return None;
                }
            },
            (None, 0) => (API_DEFAULT.to_owned(), HttpApiKind::Http),
            (None, 1) => {
                let (name, kind) = names.apis.first_key_value()?;
                (name.clone(), *kind)
            }
            (None, _) => {
                self.problem(
                    &section.place,
                    "missing key api: this file has several APIs",
                );
                return None;
            }
        };
        match route::parse(text, kind) {
            Ok((method, path)) => Some(HttpRoute {
                kind,
                api,
                method,
                path,
                authorizer: self.string(section, AUTHORIZER),
            }),
            Err(message) => {
                self.problem(&section.place_of("http"), &message);
                None
            }
        }
    }

    fn schedule(
        &mut self,
        section: &Section<'_>,
        expression: String,
        naming: &Naming<'_>,
    ) -> Schedule {
        self.schedule_expression(&section.place_of("schedule"), &expression);
        Schedule {
            name: self.rule_name(section, NAME, naming),
            expression,
            input: self.value(section, INPUT).cloned(),
            enabled: self
                .boolean(section, super::source::ENABLED)
                .unwrap_or(true),
        }
    }

    pub(super) fn schedule_expression(&mut self, place: &str, expression: &str) {
        if let Err(message) = When::parse(expression) {
            self.problem(place, &format!("{expression:?}: {message}"));
        }
    }

    fn sns(&mut self, section: &Section<'_>, topic: String) -> SnsSource {
        let scopes = [
            ("MessageAttributes", "MessageAttributes"),
            ("MessageBody", "MessageBody"),
        ];
        let filter_policy = self
            .value(section, FILTER_POLICY)
            .cloned()
            .and_then(|policy| self.pattern(&section.place_of(FILTER_POLICY.toml), &policy));
        let scope = self.choice(section, FILTER_POLICY_SCOPE, &scopes);
        if scope.is_some() && !self.has(section, FILTER_POLICY) {
            self.problem(
                &section.place_of(FILTER_POLICY_SCOPE.toml),
                "only with filter_policy",
            );
        }
        SnsSource {
            topic,
            filter_policy,
            filter_policy_scope: scope.map(str::to_owned),
        }
    }

    fn event_bridge(
        &mut self,
        section: &Section<'_>,
        bus: String,
        naming: &Naming<'_>,
    ) -> Option<EventBridgeSource> {
        let place = section.place_of(PATTERN.toml);
        let Some(pattern) = self.value(section, PATTERN).cloned() else {
            self.problem(&place, "missing, such as { source = [\"shop\"] }");
            return None;
        };
        if self.has(section, INPUT) && self.has(section, INPUT_PATH) {
            self.problem(
                &section.place_of(INPUT_PATH.toml),
                "not together with input",
            );
        }
        Some(EventBridgeSource {
            rule: self.rule_name(section, RULE, naming),
            bus,
            pattern: self.pattern(&place, &pattern)?,
            input: self.value(section, INPUT).cloned(),
            input_path: self.string(section, INPUT_PATH),
        })
    }

    fn rule_name(&mut self, section: &Section<'_>, key: Key, naming: &Naming<'_>) -> String {
        self.string(section, key)
            .unwrap_or_else(|| format!("{}-{}", naming.function, naming.index + 1))
    }

    fn s3(&mut self, section: &Section<'_>, bucket: String) -> S3Source {
        let place = section.place_of(EVENTS.toml);
        let events = self.strings(section, EVENTS);
        let events = events.unwrap_or_else(|| vec!["s3:ObjectCreated:*".to_owned()]);
        self.s3_events(&place, &events);
        S3Source {
            bucket,
            events,
            prefix: self.string(section, PREFIX),
            suffix: self.string(section, SUFFIX),
        }
    }

    pub(super) fn s3_events(&mut self, place: &str, events: &[String]) {
        if events.is_empty() {
            self.problem(place, "empty");
        }
        for event in events.iter().filter(|event| !event.starts_with("s3:")) {
            self.problem(
                place,
                &format!("expected events such as s3:ObjectCreated:*, found {event:?}"),
            );
        }
    }
}

/// Where a source is, from which it gets a name if it has none.
struct Naming<'n> {
    function: &'n str,
    index: usize,
    names: &'n Names,
}

/// A kind of source by the key that says so.
struct SourceKind {
    key: Key,
    /// The kind of resource whose name the key has, if that.
    resource: Option<&'static str>,
    settings: &'static [&'static str],
}

const SOURCE_KINDS: &[SourceKind] = &[
    kind("http", None, &["api", "authorizer"]),
    kind("schedule", None, &["name", "input", "enabled"]),
    kind("sqs", Some(QUEUE), SQS_KEYS),
    kind(
        "sns",
        Some(TOPIC),
        &["filter_policy", "filter_policy_scope"],
    ),
    kind(
        "event_bridge",
        Some(BUS),
        &["pattern", "rule", "input", "input_path"],
    ),
    kind("kinesis", Some(STREAM), STREAM_KEYS),
    kind("dynamodb", Some(TABLE), STREAM_KEYS),
    kind("s3", Some(BUCKET), &["events", "prefix", "suffix"]),
    kind("kafka", None, KAFKA_KEYS),
    kind("rabbitmq", None, RABBITMQ_KEYS),
];

const fn kind(
    key: &'static str,
    resource: Option<&'static str>,
    settings: &'static [&'static str],
) -> SourceKind {
    SourceKind {
        key: Key::only(key),
        resource,
        settings,
    }
}

/// What routes are on when no API is declared.
const API_DEFAULT: &str = "default";
/// More than any function has; each one is a poller or a rule.
const SOURCES_MAX: usize = 1_000;
const API: Key = Key::only("api");
const NAME: Key = Key::only("name");
const INPUT: Key = Key::only("input");
const INPUT_PATH: Key = Key::only("input_path");
const PATTERN: Key = Key::only("pattern");
const RULE: Key = Key::only("rule");
const FILTER_POLICY: Key = Key::only("filter_policy");
const FILTER_POLICY_SCOPE: Key = Key::only("filter_policy_scope");
const EVENTS: Key = Key::only("events");
const PREFIX: Key = Key::only("prefix");
const SUFFIX: Key = Key::only("suffix");
const BROKERS: Key = Key::only("brokers");
const GROUP: Key = Key::only("group");
