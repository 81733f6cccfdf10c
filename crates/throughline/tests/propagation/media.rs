//! The rows of the table: by what a message travels from function to function.

use std::collections::BTreeSet;

use crate::redrive::REDRIVEN;
use crate::replay::REPLAYED;

/// Of producers and of consumers.
pub(crate) const LANGUAGES: [&str; 3] = ["node", "python", "rust"];

/// A way from function to function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Medium {
    /// How functions are told to use it.
    pub(crate) name: &'static str,
    /// How the page calls it.
    pub(crate) title: &'static str,
    /// Messages that one sends at once to another.
    pub(crate) messages: usize,
}

pub(crate) const MEDIA: &[Medium] = &[
    one("url", "HTTP, to a function URL"),
    one("api", "HTTP, by way of API Gateway"),
    one("invoke", "`Invoke`"),
    one("event", "`Invoke`, asynchronous"),
    one("sqs", "SQS"),
    Medium {
        messages: 10,
        ..one("ten", "SQS, ten at once")
    },
    one(REDRIVEN, "SQS, put back from a dead-letter queue"),
    one("sns", "SNS"),
    one("sns-sqs", "SNS to SQS"),
    one("bus", "EventBridge"),
    one("bus-sqs", "EventBridge to SQS"),
    one(REPLAYED, "EventBridge, replayed from an archive"),
    one("kinesis", "Kinesis"),
    one("table", "DynamoDB stream"),
    one("bucket", "S3"),
    one("kafka", "Kafka"),
    one(AMQP, "AMQP, at RabbitMQ"),
];

/// How functions are told to send a message to RabbitMQ.
pub(crate) const AMQP: &str = "amqp";

/// A medium that is not run here, and why.
pub(crate) struct Elsewhere {
    pub(crate) title: &'static str,
    pub(crate) why: &'static str,
}

pub(crate) const ELSEWHERE: &[Elsewhere] = &[
    elsewhere(
        "HTTP, by way of ALB or VPC Lattice",
        "neither moto nor the sandbox hands a balancer's request to a function. The headers that such an event has are the sender's, which the rows of HTTP show to be there.",
    ),
    elsewhere("AppSync", "nothing here speaks GraphQL for functions."),
    elsewhere("WebSocket API", "the sandbox has none."),
    elsewhere("Firehose", "moto's has no functions that transform."),
    elsewhere(
        "Step Functions",
        "moto's machines call functions in containers, not in the sandbox.",
    ),
    elsewhere(
        "IoT Core rules",
        "moto has the rules and follows none of them. What a rule gives a function is read like what any program gives it.",
    ),
    elsewhere(
        "gRPC",
        "no function is called by it. What arrives at a server is looked at by the layers' own tests, with `@grpc/grpc-js` and `grpcio`.",
    ),
    elsewhere(
        "Redis publish and subscribe, change streams of MongoDB",
        "no function is called by the first, and by the second only DocumentDB, which nobody plays.",
    ),
    elsewhere(
        "Celery, Bull, Temporal",
        "who works their tasks off is no function; the messages that they send are Redis' or RabbitMQ's.",
    ),
];

const fn elsewhere(title: &'static str, why: &'static str) -> Elsewhere {
    Elsewhere { title, why }
}

const fn one(name: &'static str, title: &'static str) -> Medium {
    Medium {
        name,
        title,
        messages: 1,
    }
}

/// What a message says of itself: `cell.MEDIUM.PRODUCER`, and its number if there are several.
pub(crate) fn cell(medium: &str, producer: &str) -> String {
    format!("cell.{medium}.{producer}")
}

/// The messages that are named in a text.
pub(crate) fn cells_in(text: &str) -> BTreeSet<String> {
    let stop = |letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '-';
    let words = text
        .split(stop)
        .filter_map(|word| word.find("cell.").map(|at| &word[at..]));
    words
        .filter(|word| word.matches('.').count() >= 2)
        .map(str::to_owned)
        .collect()
}
