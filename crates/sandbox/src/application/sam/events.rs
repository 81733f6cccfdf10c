//! The events of a SAM function, each a source.

use serde_json::{Map, Value, json};

use super::Translator;
use super::api::is_api_event;
use super::template::Declared;
use crate::application::reader::{Key, Section, place_of};
use crate::application::resource::{Kind, QUEUE, SUBSCRIPTION, TABLE};
use crate::application::source::{ENABLED, StreamKind};
use crate::function::Function;
use crate::source::{EventBridgeSource, EventSource, S3Source, Schedule, SnsSource, StreamSource};

impl Translator<'_> {
    pub(super) fn events(&mut self, declared: &Declared, events: &Value, function: &mut Function) {
        let place = place_of(&declared.properties_place(), "Events");
        if events.is_null() {
            return;
        }
        let Some(events) = self.reader.as_section(place, events, "a map of events") else {
            return;
        };
        for (name, value) in events.map {
            let place = events.place_of(name);
            let Some(event) = self.reader.as_section(place, value, "a map, the event") else {
                continue;
            };
            let Some(kind) = event.map.get("Type").and_then(Value::as_str) else {
                self.reader
                    .problem(&event.place, "missing Type, such as SQS");
                continue;
            };
            if !READ.contains(&kind) {
                self.unread(&event, kind);
                continue;
            }
            let own = Value::Object(Map::new());
            let raw = event.map.get("Properties").filter(|value| !value.is_null());
            let place = event.place_of("Properties");
            let resolved = self.resolve(&place, raw.unwrap_or(&own));
            let Some(resolved) = resolved else { continue };
            let Some(section) = self.reader.as_section(place, &resolved, "a map") else {
                continue;
            };
            let event = Event {
                kind,
                logical_id: format!("{}{name}", declared.name),
                section,
            };
            let source = self.source(&event);
            function.sources.extend(source);
        }
    }

    fn unread(&mut self, event: &Section<'_>, kind: &str) {
        if ELSEWHERE.contains(&kind) {
            return self.note(
                &event.place,
                &format!("events of type {kind} are not run here"),
            );
        }
        let message = match crate::application::reader::nearest(kind, READ) {
            Some(near) => format!("no event type {kind}, did you mean {near}"),
            None => format!("no event type {kind}, expected one of {}", READ.join(", ")),
        };
        self.reader.problem(&event.place_of("Type"), &message);
    }

    fn source(&mut self, event: &Event<'_>) -> Option<EventSource> {
        let section = &event.section;
        if let Some(kind) = is_api_event(event.kind) {
            return self.route(section, kind);
        }
        match event.kind {
            "SQS" => {
                let queue = self.needed(section, "Queue", "the ARN of a queue")?;
                let queue = self.arn(&section.place_of("Queue"), queue)?;
                Some(EventSource::Sqs(self.reader.sqs(section, queue)))
            }
            "SNS" => self.topic(event),
            "Kinesis" => {
                let stream = self.needed(section, "Stream", "the ARN of a stream")?;
                let source = self.stream(section, stream, StreamKind::Kinesis);
                Some(EventSource::Kinesis(source))
            }
            "DynamoDB" => {
                let stream = self.needed(section, "Stream", "the ARN of a table's stream")?;
                let table = self.table_of(&stream);
                let source = self.stream(section, table, StreamKind::DynamoDb);
                Some(EventSource::DynamoDb(source))
            }
            "Schedule" | "ScheduleV2" => self.schedule(event).map(EventSource::Schedule),
            "S3" => self.bucket(section).map(EventSource::S3),
            "EventBridgeRule" | "CloudWatchEvent" => self.rule(event),
            _ => {
                let brokers = Key::only("KafkaBootstrapServers");
                let brokers = self.reader.strings(section, brokers).unwrap_or_default();
                if brokers.is_empty() {
                    self.reader
                        .problem(&section.place, "missing KafkaBootstrapServers");
                }
                let topics = Key::only("Topics");
                let topic = self.reader.strings(section, topics)?.into_iter().next()?;
                let group = self.reader.string(section, Key::only("ConsumerGroupId"));
                let group = group.unwrap_or_else(|| event.logical_id.clone());
                Some(EventSource::Kafka(
                    self.reader.kafka(section, topic, brokers, group),
                ))
            }
        }
    }

    pub(super) fn needed(
        &mut self,
        section: &Section<'_>,
        key: &str,
        what: &str,
    ) -> Option<String> {
        match section.map.get(key) {
            None => {
                self.reader
                    .problem(&section.place, &format!("missing {key}, {what}"));
                None
            }
            // A reference that led nowhere has been told.
            Some(Value::Null) => None,
            Some(value) => self.reader.text(&section.place_of(key), value),
        }
    }

    pub(super) fn stream(
        &mut self,
        section: &Section<'_>,
        stream: String,
        kind: StreamKind,
    ) -> StreamSource {
        let mut source = self.reader.stream(section, stream, kind);
        let config = Key::only("DestinationConfig");
        if let Some(config) = self.reader.section(section, config, "a map with OnFailure")
            && let Some(failure) =
                self.reader
                    .section(&config, Key::only("OnFailure"), "a map with Destination")
        {
            let place = failure.place_of("Destination");
            let arn = self.needed(&failure, "Destination", "the ARN of a queue or topic");
            source.on_failure = arn.and_then(|arn| self.arn(&place, arn));
            self.reader
                .stream_destination(&place, source.on_failure.as_deref());
        }
        source
    }

    /// The stream of a table of this template is found by the table, since its ARN is known only when it is made.
    pub(super) fn table_of(&self, stream: &str) -> String {
        let label = format!("/stream/{}", super::names::STREAM_LABEL);
        match stream
            .strip_suffix(&label)
            .and_then(|arn| arn.split_once(":table/"))
        {
            Some((_, table)) => table.to_owned(),
            None => stream.to_owned(),
        }
    }

    /// A topic invokes the function itself, or through a queue that SAM makes for it.
    fn topic(&mut self, event: &Event<'_>) -> Option<EventSource> {
        let section = &event.section;
        let topic = self.needed(section, "Topic", "the ARN of a topic")?;
        let topic = self.arn(&section.place_of("Topic"), topic)?;
        let direct = self.subscription(section, topic);
        let through = match section.map.get("SqsSubscription") {
            None | Some(Value::Null | Value::Bool(false)) => return Some(EventSource::Sns(direct)),
            Some(Value::Object(settings)) => settings.clone(),
            Some(_) => match self.reader.boolean(section, Key::only("SqsSubscription")) {
                Some(true) => Map::new(),
                _ => return Some(EventSource::Sns(direct)),
            },
        };
        let through = Section {
            place: section.place_of("SqsSubscription"),
            map: &through,
        };
        let queue = match through.map.get("QueueArn") {
            Some(value) => self.reader.text(&through.place_of("QueueArn"), value)?,
            None => {
                let kind = Kind::of(QUEUE)?;
                let logical_id = format!("{}Queue", event.logical_id);
                self.resources.push(kind.resource(&logical_id, Map::new()));
                kind.arn(&kind.physical_name(&logical_id, &Map::new()))?
            }
        };
        let mut subscription = Map::new();
        subscription.insert("TopicArn".to_owned(), json!(direct.topic));
        subscription.insert("Protocol".to_owned(), json!("sqs"));
        subscription.insert("Endpoint".to_owned(), json!(queue));
        if let Some(policy) = direct.filter_policy {
            subscription.insert("FilterPolicy".to_owned(), policy);
        }
        if let Some(scope) = direct.filter_policy_scope {
            subscription.insert("FilterPolicyScope".to_owned(), json!(scope));
        }
        let kind = Kind::of(SUBSCRIPTION)?;
        self.resources
            .push(kind.resource(&event.logical_id, subscription));
        let source = self.reader.sqs(&through, queue);
        Some(EventSource::Sqs(source))
    }

    /// What SNS filters by, as SAM events and `AWS::SNS::Subscription` write it.
    pub(super) fn subscription(&mut self, section: &Section<'_>, topic: String) -> SnsSource {
        let policy = section.map.get("FilterPolicy").cloned();
        let policy = policy
            .filter(|policy| !policy.is_null())
            .and_then(|policy| {
                self.reader
                    .pattern(&section.place_of("FilterPolicy"), &policy)
            });
        let scopes = [
            ("MessageAttributes", "MessageAttributes"),
            ("MessageBody", "MessageBody"),
        ];
        let scope = self
            .reader
            .choice(section, Key::only("FilterPolicyScope"), &scopes);
        SnsSource {
            topic,
            filter_policy: policy,
            filter_policy_scope: scope.map(str::to_owned),
        }
    }

    fn schedule(&mut self, event: &Event<'_>) -> Option<Schedule> {
        let section = &event.section;
        let key = match event.kind {
            "Schedule" => "Schedule",
            _ => "ScheduleExpression",
        };
        let expression = self.needed(section, key, "such as rate(5 minutes)")?;
        self.schedule_expression(&section.place_of(key), &expression)?;
        if section.map.contains_key("ScheduleExpressionTimezone") {
            let place = section.place_of("ScheduleExpressionTimezone");
            self.note(&place, "schedules run by UTC here");
        }
        let enabled =
            self.reader.boolean(section, ENABLED).unwrap_or(true) && !is_disabled(section);
        Some(Schedule {
            name: self
                .reader
                .string(section, Key::only("Name"))
                .unwrap_or_else(|| event.logical_id.clone()),
            expression,
            input: section.map.get("Input").and_then(input),
            enabled,
        })
    }

    /// One time in the future is nothing that a test waits for.
    pub(super) fn schedule_expression(&mut self, place: &str, expression: &str) -> Option<()> {
        if expression.starts_with("at(") {
            self.note(place, "at(…) is not run here");
            return None;
        }
        self.reader.schedule_expression(place, expression);
        Some(())
    }

    fn bucket(&mut self, section: &Section<'_>) -> Option<S3Source> {
        let bucket = self.needed(section, "Bucket", "a bucket of this template")?;
        let key = Key::only("Events");
        let Some(events) = self.reader.strings(section, key) else {
            if !self.reader.has(section, key) {
                self.reader
                    .problem(&section.place, "missing Events, such as s3:ObjectCreated:*");
            }
            return None;
        };
        self.reader.s3_events(&section.place_of(key.sam), &events);
        let (prefix, suffix) = self.key_rules(section, "Rules");
        Some(S3Source {
            bucket,
            events,
            prefix,
            suffix,
        })
    }

    /// `Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}]}}`.
    pub(super) fn key_rules(
        &mut self,
        section: &Section<'_>,
        rules: &'static str,
    ) -> (Option<String>, Option<String>) {
        let (mut prefix, mut suffix) = (None, None);
        let filter = self
            .reader
            .section(section, Key::only("Filter"), "a map with S3Key");
        let key = filter.and_then(|filter| {
            self.reader
                .section(&filter, Key::only("S3Key"), "a map with Rules")
        });
        let Some(key) = key else {
            return (None, None);
        };
        let rules = self.reader.list(&key, Key::only(rules), "a list of rules");
        for (index, rule) in rules.unwrap_or_default().iter().enumerate() {
            let place = format!("{}[{index}]", key.place_of("Rules"));
            let Some(rule) = self
                .reader
                .as_section(place, rule, "a map with Name and Value")
            else {
                continue;
            };
            let value = self.reader.string(&rule, Key::only("Value"));
            let name = self.needed(&rule, "Name", "prefix or suffix");
            match name.map(|name| name.to_ascii_lowercase()).as_deref() {
                Some("prefix") => prefix = value,
                Some("suffix") => suffix = value,
                Some(_) => self
                    .reader
                    .problem(&rule.place_of("Name"), "expected prefix or suffix"),
                None => {}
            }
        }
        (prefix, suffix)
    }

    fn rule(&mut self, event: &Event<'_>) -> Option<EventSource> {
        let section = &event.section;
        let Some(pattern) = section.map.get("Pattern").cloned() else {
            self.reader
                .problem(&section.place, "missing Pattern, which events match");
            return None;
        };
        let pattern = self
            .reader
            .pattern(&section.place_of("Pattern"), &pattern)?;
        let name = self.reader.string(section, Key::only("RuleName"));
        let bus = self.reader.string(section, Key::only("EventBusName"));
        if section.map.contains_key("InputTransformer") {
            let message = "is not done here, the function gets the event as it is";
            self.note(&section.place_of("InputTransformer"), message);
        }
        let disabled = is_disabled(section) || self.reader.boolean(section, ENABLED) == Some(false);
        if disabled {
            self.note(&section.place, "a rule that is disabled is left out");
            return None;
        }
        Some(EventSource::EventBridge(EventBridgeSource {
            rule: name.unwrap_or_else(|| event.logical_id.clone()),
            bus: bus.unwrap_or_else(|| "default".to_owned()),
            pattern,
            input: section.map.get("Input").and_then(input),
            input_path: self.reader.string(section, Key::only("InputPath")),
        }))
    }

    /// `AWS::Serverless::SimpleTable`: a table with one key.
    pub(super) fn simple_table(&mut self, declared: &Declared) {
        let properties = self.properties(declared, &["PrimaryKey", "ProvisionedThroughput"]);
        let mut table = Map::new();
        table.insert("TableName".to_owned(), json!(self.name_of(declared)));
        let key = properties.get("PrimaryKey");
        let of_key = |name: &str| key.and_then(|key| key.get(name)).and_then(Value::as_str);
        let name = of_key("Name").unwrap_or("id");
        let kind = match of_key("Type") {
            Some("Number") => "N",
            Some("Binary") => "B",
            _ => "S",
        };
        let attributes = json!([{ "AttributeName": name, "AttributeType": kind }]);
        table.insert("AttributeDefinitions".to_owned(), attributes);
        let keys = json!([{ "AttributeName": name, "KeyType": "HASH" }]);
        table.insert("KeySchema".to_owned(), keys);
        match properties.get("ProvisionedThroughput") {
            Some(throughput) => {
                table.insert("ProvisionedThroughput".to_owned(), throughput.clone());
            }
            None => {
                table.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
            }
        }
        if let Some(kind) = Kind::of(TABLE) {
            self.resources.push(kind.resource(&declared.name, table));
        }
    }
}

/// An event with its references resolved.
struct Event<'e> {
    kind: &'e str,
    /// What SAM calls what it makes of the event.
    logical_id: String,
    section: Section<'e>,
}

pub(super) fn is_disabled(section: &Section<'_>) -> bool {
    section.map.get("State").and_then(Value::as_str) == Some("DISABLED")
}

/// A fixed event is JSON in a text; what is no JSON is a text.
pub(super) fn input(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| value.clone())),
        other => Some(other.clone()),
    }
}

const READ: &[&str] = &[
    "Api",
    "HttpApi",
    "SQS",
    "SNS",
    "Schedule",
    "ScheduleV2",
    "Kinesis",
    "DynamoDB",
    "S3",
    "EventBridgeRule",
    "CloudWatchEvent",
    "SelfManagedKafka",
];
/// SAM's other events.
const ELSEWHERE: &[&str] = &[
    "AlexaSkill",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "IoTRule",
    "MQ",
    "MSK",
];
