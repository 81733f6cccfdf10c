//! What CloudFormation calls the resources that functions work with, and the names and ARNs that they get here.

use serde_json::{Map, Value};

use crate::function::{ACCOUNT_ID, REGION};
use crate::source::Resource;

/// A kind of resource that is made at the AWS endpoint before anything runs.
#[derive(Debug)]
pub(super) struct Kind {
    /// CloudFormation's type.
    pub(super) name: &'static str,
    /// What a problem calls it.
    pub(super) noun: &'static str,
    /// The property that names the thing itself, if it has a name.
    pub(super) name_property: Option<&'static str>,
    /// The service's part of the ARN, and what stands before the name.
    arn: Option<(&'static str, &'static str)>,
    /// What its names may hold besides letters and digits, and how long they are.
    also: &'static str,
    name_max: usize,
}

pub(super) const QUEUE: &str = "AWS::SQS::Queue";
pub(super) const TOPIC: &str = "AWS::SNS::Topic";
pub(super) const SUBSCRIPTION: &str = "AWS::SNS::Subscription";
pub(super) const BUS: &str = "AWS::Events::EventBus";
pub(super) const RULE: &str = "AWS::Events::Rule";
pub(super) const STREAM: &str = "AWS::Kinesis::Stream";
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";
pub(super) const BUCKET: &str = "AWS::S3::Bucket";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: QUEUE,
        noun: "a queue",
        name_property: Some("QueueName"),
        arn: Some(("sqs", "")),
        also: "-_",
        name_max: 80,
    },
    Kind {
        name: TOPIC,
        noun: "a topic",
        name_property: Some("TopicName"),
        arn: Some(("sns", "")),
        also: "-_",
        name_max: 256,
    },
    Kind {
        name: SUBSCRIPTION,
        noun: "a subscription",
        name_property: None,
        arn: None,
        also: "",
        name_max: 255,
    },
    Kind {
        name: BUS,
        noun: "an event bus",
        name_property: Some("Name"),
        arn: Some(("events", "event-bus/")),
        also: "-_./",
        name_max: 256,
    },
    Kind {
        name: RULE,
        noun: "a rule",
        name_property: Some("Name"),
        arn: Some(("events", "rule/")),
        also: "-_.",
        name_max: 64,
    },
    Kind {
        name: STREAM,
        noun: "a stream",
        name_property: Some("Name"),
        arn: Some(("kinesis", "stream/")),
        also: "-_.",
        name_max: 128,
    },
    Kind {
        name: TABLE,
        noun: "a table",
        name_property: Some("TableName"),
        arn: Some(("dynamodb", "table/")),
        also: "-_.",
        name_max: 255,
    },
    Kind {
        name: BUCKET,
        noun: "a bucket",
        name_property: Some("BucketName"),
        arn: None,
        also: "-.",
        name_max: 63,
    },
];

impl Kind {
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The name the thing itself gets: what its properties say, or its name in the application made legal.
    pub(super) fn physical_name(
        &self,
        logical_id: &str,
        properties: &Map<String, Value>,
    ) -> String {
        let said = self
            .name_property
            .and_then(|property| properties.get(property))
            .and_then(Value::as_str);
        match said {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => self.legal(logical_id, properties),
        }
    }

    pub(super) fn arn(&self, name: &str) -> Option<String> {
        if self.name == BUCKET {
            return Some(format!("arn:aws:s3:::{name}"));
        }
        let (service, before) = self.arn?;
        Some(format!(
            "arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{before}{name}"
        ))
    }

    /// The resource with its name among its properties, so that whoever makes it gives it the name that others use.
    pub(super) fn resource(
        &self,
        logical_id: &str,
        mut properties: Map<String, Value>,
    ) -> Resource {
        if let Some(property) = self.name_property {
            let name = self.physical_name(logical_id, &properties);
            properties.insert(property.to_owned(), Value::String(name));
        }
        Resource {
            logical_id: logical_id.to_owned(),
            kind: self.name.to_owned(),
            properties: Value::Object(properties),
        }
    }

    fn legal(&self, logical_id: &str, properties: &Map<String, Value>) -> String {
        let mut name: String = logical_id
            .chars()
            .map(|letter| match letter {
                _ if letter.is_ascii_alphanumeric() || self.also.contains(letter) => letter,
                _ => '-',
            })
            .collect();
        if self.name == BUCKET {
            name = name.to_ascii_lowercase().replace('_', "-");
            name = name.trim_matches(['-', '.']).to_owned();
            while name.len() < BUCKET_NAME_LEAST {
                name.push_str("-bucket");
            }
        }
        let fifo = ["FifoQueue", "FifoTopic"]
            .iter()
            .any(|property| properties.get(*property) == Some(&Value::Bool(true)));
        let suffix = if fifo && !name.ends_with(".fifo") {
            ".fifo"
        } else {
            ""
        };
        name.truncate(self.name_max - suffix.len());
        name + suffix
    }
}

/// The shortest name that S3 takes.
const BUCKET_NAME_LEAST: usize = 3;
