//! CloudFormation's own types: what leads to a function becomes a source, what is a queue or a table is made at the
//! endpoint, the rest is left out.

use serde_json::{Map, Value, json};

use super::Translator;
use super::events::{input, is_disabled};
use super::names::kind_of;
use super::template::Declared;
use crate::application::reader::{Key, Section, place_of};
use crate::application::resource::{BUCKET, RULE, SUBSCRIPTION, TOPIC};
use crate::application::source::StreamKind;
use crate::source::{EventBridgeSource, EventSource, S3Source, Schedule};

impl<'t> Translator<'t> {
    /// `AWS::Lambda::EventSourceMapping`.
    pub(super) fn mapping(&mut self, declared: &'t Declared) {
        let properties = self.all_properties(declared);
        let section = Section {
            place: declared.properties_place(),
            map: &properties,
        };
        let Some(target) = self.needed(&section, "FunctionName", "the function to invoke") else {
            return;
        };
        let Some(source) = self.mapped(&section, &declared.name) else {
            return;
        };
        self.add_source(&section.place_of("FunctionName"), &target, source);
    }

    fn mapped(&mut self, section: &Section<'_>, name: &str) -> Option<EventSource> {
        if section.map.contains_key("SelfManagedEventSource") {
            return self.self_managed(section, name);
        }
        let what = "the ARN of a queue, a stream or a table's stream";
        let arn = self.needed(section, "EventSourceArn", what)?;
        match arn.split(':').nth(2) {
            Some("sqs") => Some(EventSource::Sqs(self.reader.sqs(section, arn))),
            Some("kinesis") => {
                let source = self.stream(section, arn, StreamKind::Kinesis);
                Some(EventSource::Kinesis(source))
            }
            Some("dynamodb") => {
                let table = self.table_of(&arn);
                let source = self.stream(section, table, StreamKind::DynamoDb);
                Some(EventSource::DynamoDb(source))
            }
            Some(service) => {
                let note = format!("event sources of {service} are not run here");
                self.note(&section.place, &note);
                None
            }
            None => {
                let place = section.place_of("EventSourceArn");
                self.reader.mismatch(&place, what, &json!(arn));
                None
            }
        }
    }

    fn self_managed(&mut self, section: &Section<'_>, name: &str) -> Option<EventSource> {
        let at = Key::only("SelfManagedEventSource");
        let managed = self.reader.section(section, at, "a map with Endpoints")?;
        let endpoints =
            self.reader
                .section(&managed, Key::only("Endpoints"), "a map of brokers")?;
        let brokers = Key::only("KafkaBootstrapServers");
        let brokers = self.reader.strings(&endpoints, brokers)?;
        let topics = self.reader.strings(section, Key::only("Topics"))?;
        let topic = topics.into_iter().next()?;
        let kafka = self.reader.kafka(section, topic, brokers, name.to_owned());
        Some(EventSource::Kafka(kafka))
    }

    /// `AWS::Scheduler::Schedule` whose target is a function.
    pub(super) fn scheduler(&mut self, declared: &'t Declared) {
        let properties = self.all_properties(declared);
        let section = Section {
            place: declared.properties_place(),
            map: &properties,
        };
        let Some(target) = self
            .reader
            .section(&section, Key::only("Target"), "a map with Arn")
        else {
            return;
        };
        let Some(arn) = self.needed(&target, "Arn", "what is invoked") else {
            return;
        };
        if !is_function_arn(&arn) {
            return self.not_run(&declared.kind, &declared.name);
        }
        let key = "ScheduleExpression";
        let Some(expression) = self.needed(&section, key, "such as rate(5 minutes)") else {
            return;
        };
        if self
            .schedule_expression(&section.place_of(key), &expression)
            .is_none()
        {
            return;
        }
        let source = EventSource::Schedule(Schedule {
            name: declared.name.clone(),
            expression,
            input: target.map.get("Input").and_then(input),
            enabled: !is_disabled(&section),
        });
        self.add_source(&target.place_of("Arn"), &arn, source);
    }

    /// Everything that no translation of its own is for.
    pub(super) fn other(&mut self, declared: &'t Declared) {
        let kind = declared.kind.as_str();
        if HANDLED.contains(&kind) || UNHEEDED.iter().any(|unheeded| kind.starts_with(unheeded)) {
            return;
        }
        let Some(kind) = kind_of(kind) else {
            return self.not_run(&declared.kind, &declared.name);
        };
        let mut properties = self.all_properties(declared);
        if let Some(property) = kind.name_property {
            properties.insert(property.to_owned(), json!(self.name_of(declared)));
        }
        let kept = match kind.name {
            RULE => self.rule_of(declared, &mut properties),
            SUBSCRIPTION => self.subscription_of(declared, &properties),
            TOPIC => self.topic_of(declared, &mut properties),
            BUCKET => self.bucket_of(declared, &mut properties),
            _ => Kept::AtEndpoint,
        };
        if kept == Kept::AtEndpoint {
            self.resources
                .push(kind.resource(&declared.name, properties));
        }
    }

    /// Targets that are functions become sources of theirs; a rule that has others stays for those.
    fn rule_of(&mut self, declared: &Declared, properties: &mut Map<String, Value>) -> Kept {
        let place = declared.properties_place();
        let Some(Value::Array(targets)) = properties.get("Targets").cloned() else {
            return Kept::AtEndpoint;
        };
        let (functions, others): (Vec<_>, Vec<_>) = targets
            .into_iter()
            .partition(|target| arn_of(target).is_some_and(is_function_arn));
        let name = properties.get("Name").and_then(Value::as_str);
        let name = name.unwrap_or(&declared.name).to_owned();
        let is_off = properties.get("State").and_then(Value::as_str) == Some("DISABLED");
        for target in &functions {
            let arn = arn_of(target).unwrap_or_default();
            let input = target.get("Input").and_then(input);
            if let Some(Value::String(expression)) = properties.get("ScheduleExpression") {
                let at = place_of(&place, "ScheduleExpression");
                if self.schedule_expression(&at, expression).is_some() {
                    let source = EventSource::Schedule(Schedule {
                        name: name.clone(),
                        expression: expression.clone(),
                        input: input.clone(),
                        enabled: !is_off,
                    });
                    self.add_source(&place, arn, source);
                }
            }
            let Some(pattern) = properties.get("EventPattern").filter(|_| !is_off) else {
                continue;
            };
            let pattern = self
                .reader
                .pattern(&place_of(&place, "EventPattern"), pattern);
            let Some(pattern) = pattern else { continue };
            let bus = properties.get("EventBusName").and_then(Value::as_str);
            let source = EventSource::EventBridge(EventBridgeSource {
                rule: name.clone(),
                bus: bus.unwrap_or("default").to_owned(),
                pattern,
                input,
                input_path: target
                    .get("InputPath")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            });
            self.add_source(&place, arn, source);
        }
        if others.is_empty() {
            return Kept::AsSources;
        }
        // The endpoint cannot reach the functions, and one name cannot stand for two rules there.
        properties.insert("Targets".to_owned(), Value::Array(others));
        if !functions.is_empty() {
            properties.insert("Name".to_owned(), json!(format!("{name}-others")));
        }
        Kept::AtEndpoint
    }

    fn subscription_of(&mut self, declared: &Declared, properties: &Map<String, Value>) -> Kept {
        let section = Section {
            place: declared.properties_place(),
            map: properties,
        };
        if properties.get("Protocol").and_then(Value::as_str) != Some("lambda") {
            return Kept::AtEndpoint;
        }
        let topic = self.needed(&section, "TopicArn", "the ARN of a topic");
        let function = self.needed(&section, "Endpoint", "the ARN of a function");
        if let (Some(topic), Some(function)) = (topic, function) {
            let source = EventSource::Sns(self.subscription(&section, topic));
            self.add_source(&section.place_of("Endpoint"), &function, source);
        }
        Kept::AsSources
    }

    /// A topic may list its subscriptions itself.
    fn topic_of(&mut self, declared: &Declared, properties: &mut Map<String, Value>) -> Kept {
        let Some(Value::Array(subscriptions)) = properties.remove("Subscription") else {
            return Kept::AtEndpoint;
        };
        let name = self.name_of(declared);
        let arn = kind_of(TOPIC).and_then(|kind| kind.arn(&name));
        let place = place_of(&declared.properties_place(), "Subscription");
        let mut others = Vec::new();
        for subscription in subscriptions {
            let protocol = subscription.get("Protocol").and_then(Value::as_str);
            let endpoint = subscription.get("Endpoint").and_then(Value::as_str);
            match (protocol, endpoint, &subscription) {
                (Some("lambda"), Some(function), Value::Object(map)) => {
                    let section = Section {
                        place: place.clone(),
                        map,
                    };
                    let topic = arn.clone().unwrap_or_default();
                    let source = EventSource::Sns(self.subscription(&section, topic));
                    self.add_source(&place, function, source);
                }
                _ => others.push(subscription),
            }
        }
        if !others.is_empty() {
            properties.insert("Subscription".to_owned(), Value::Array(others));
        }
        Kept::AtEndpoint
    }

    /// What a bucket tells functions of becomes sources of theirs.
    fn bucket_of(&mut self, declared: &Declared, properties: &mut Map<String, Value>) -> Kept {
        let name = self.name_of(declared);
        let place = place_of(&declared.properties_place(), "NotificationConfiguration");
        let Some(Value::Object(notifications)) = properties.get_mut("NotificationConfiguration")
        else {
            return Kept::AtEndpoint;
        };
        let Some(Value::Array(configurations)) = notifications.remove("LambdaConfigurations")
        else {
            return Kept::AtEndpoint;
        };
        if notifications.is_empty() {
            properties.remove("NotificationConfiguration");
        }
        for configuration in &configurations {
            let place = place_of(&place, "LambdaConfigurations");
            let Some(section) = self.reader.as_section(place, configuration, "a map") else {
                continue;
            };
            let event = self.needed(&section, "Event", "such as s3:ObjectCreated:*");
            let function = self.needed(&section, "Function", "the ARN of a function");
            let (prefix, suffix) = self.key_rules(&section, "Rules");
            if let (Some(event), Some(function)) = (event, function) {
                let events = vec![event];
                self.reader.s3_events(&section.place_of("Event"), &events);
                let source = EventSource::S3(S3Source {
                    bucket: name.clone(),
                    events,
                    prefix,
                    suffix,
                });
                self.add_source(&section.place_of("Function"), &function, source);
            }
        }
        Kept::AtEndpoint
    }

    fn add_source(&mut self, place: &str, function: &str, source: EventSource) {
        if let Some(function) = self.function_named(place, function) {
            function.sources.push(source);
        }
    }

    fn all_properties(&mut self, declared: &Declared) -> Map<String, Value> {
        let place = declared.properties_place();
        let properties = Value::Object(declared.properties.clone());
        match self.resolve(&place, &properties) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }
}

/// Whether a resource is made at the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    AtEndpoint,
    AsSources,
}

fn arn_of(target: &Value) -> Option<&str> {
    target.get("Arn").and_then(Value::as_str)
}

fn is_function_arn(arn: &str) -> bool {
    arn.starts_with("arn:aws:lambda:") && arn.contains(":function:")
}

/// Types with a translation of their own.
const HANDLED: &[&str] = &[
    "AWS::Serverless::Function",
    "AWS::Serverless::Api",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::LayerVersion",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
];
/// What allows, watches or describes, and so has no part in running.
const UNHEEDED: &[&str] = &[
    "AWS::IAM::",
    "AWS::Logs::",
    "AWS::CloudWatch::",
    "AWS::Lambda::Permission",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Version",
    "AWS::Lambda::Alias",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::Events::EventBusPolicy",
    "AWS::CDK::Metadata",
    "AWS::ApplicationInsights::",
    "AWS::ResourceGroups::",
    "AWS::Serverless::Connector",
];
