//! What invokes functions besides their callers, and the resources around them, as an application declares them.
//!
//! These are declarations only. Routes and schedules are served by the sandbox itself; everything that needs an endpoint
//! that speaks AWS, or a Kafka broker, is polled by the crate `throughline-sources`. Names are those of AWS's
//! `CreateEventSourceMapping` and of the SAM events.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

/// Something that invokes a function by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum EventSource {
    /// A route of an API.
    Http(HttpRoute),
    /// A schedule.
    Schedule(Schedule),
    /// A queue that is polled.
    Sqs(SqsSource),
    /// A subscription to a topic.
    Sns(SnsSource),
    /// A rule on an event bus.
    EventBridge(EventBridgeSource),
    /// A Kinesis stream that is polled.
    Kinesis(StreamSource),
    /// The stream of a DynamoDB table that is polled.
    DynamoDb(StreamSource),
    /// Notifications of a bucket.
    S3(S3Source),
    /// A Kafka topic that is polled.
    Kafka(KafkaSource),
    /// A queue of RabbitMQ that is consumed.
    RabbitMq(RabbitMqSource),
}

/// One route of an API Gateway API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// Which event the function gets.
    pub kind: HttpApiKind,
    /// The API that the route belongs to; routes of one API share a listener.
    pub api: String,
    /// The method in capitals, or `ANY`.
    pub method: String,
    /// The path with `{name}` for one segment and `{name+}` for the rest; `$default` for whatever no other route takes.
    pub path: String,
    /// The authorizer of the API that is asked first, by its name.
    pub authorizer: Option<String>,
}

/// The two kinds of API Gateway API, which differ in the event and in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpApiKind {
    /// REST API: payload format 1.0.
    Rest,
    /// HTTP API: payload format 2.0.
    Http,
}

/// An API and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpApi {
    /// Its name, as routes call it.
    pub name: String,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The stage, which is told in events and is not part of the path.
    pub stage: String,
    /// The variables of the stage, which events tell.
    pub stage_variables: BTreeMap<String, String>,
    /// The media types whose bodies a REST API passes on as base64, such as `image/*`; any that is no text, unless told.
    pub binary_media_types: Option<Vec<String>>,
    /// Those that its routes may name.
    pub authorizers: Vec<Authorizer>,
}

/// A function that is asked whether a request may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// Its name, as routes call it.
    pub name: String,
    /// The name of the function.
    pub function: String,
    /// What it is asked, and how it answers.
    pub event: AuthorizerEvent,
    /// What of a request says who it is from; a request without is refused. The token, where it gets one.
    pub identity: Vec<Identity>,
    /// For how long an answer holds for requests with the same identity.
    pub keep: Duration,
}

/// What an authorizer is asked, and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizerEvent {
    /// A token and the ARN of the method; it answers with a policy.
    Token,
    /// The request in payload format 1.0; it answers with a policy.
    Request1,
    /// The request in payload format 2.0.
    Request2 {
        /// Whether it answers with `isAuthorized` and not with a policy.
        simple: bool,
    },
}

/// What of a request says who it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The header of this name.
    Header(String),
    /// The parameter of this name in the query.
    Query(String),
    /// The variable of this name of the stage.
    StageVariable(String),
    /// Something of the `requestContext`, such as `identity.sourceIp`.
    Context(String),
}

impl HttpApi {
    /// An API without anything special.
    pub fn new(name: impl Into<String>, listen: SocketAddr, stage: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            listen,
            stage: stage.into(),
            stage_variables: BTreeMap::new(),
            binary_media_types: None,
            authorizers: Vec::new(),
        }
    }
}

/// An invocation at fixed times.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The name of the rule.
    pub name: String,
    /// `rate(5 minutes)` or `cron(0 10 * * ? *)`.
    pub expression: String,
    /// The event, if it is not EventBridge's own `Scheduled Event`.
    pub input: Option<Value>,
    /// Whether it fires.
    pub enabled: bool,
}

/// How a queue is polled.
#[derive(Debug, Clone, PartialEq)]
pub struct SqsSource {
    /// The queue, by name or ARN.
    pub queue: String,
    /// Messages an invocation gets at most.
    pub batch_size: u32,
    /// How long to gather a batch.
    pub window: Duration,
    /// Whether the function says which messages failed (`ReportBatchItemFailures`).
    pub report_item_failures: bool,
    /// Batches that may be worked on at once.
    pub concurrency_max: Option<u32>,
    /// Patterns of which a message must match one, unless there are none.
    pub filters: Vec<Value>,
    /// Whether it is polled.
    pub enabled: bool,
}

/// A subscription to a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct SnsSource {
    /// The topic, by name or ARN.
    pub topic: String,
    /// What SNS filters by, if anything.
    pub filter_policy: Option<Value>,
    /// `MessageAttributes` or `MessageBody`.
    pub filter_policy_scope: Option<String>,
}

/// A rule on an event bus.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBridgeSource {
    /// The name of the rule.
    pub rule: String,
    /// The bus, by name or ARN; `default` unless told.
    pub bus: String,
    /// The pattern that events match.
    pub pattern: Value,
    /// A fixed event instead of the matched one.
    pub input: Option<Value>,
    /// The part of the event that the function gets, such as `$.detail`.
    pub input_path: Option<String>,
}

/// How a stream is polled, of Kinesis or of a DynamoDB table.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamSource {
    /// The Kinesis stream or the DynamoDB table, by name or ARN (of the stream, too).
    pub stream: String,
    /// Records an invocation gets at most.
    pub batch_size: u32,
    /// How long to gather a batch.
    pub window: Duration,
    /// Where a shard is read from.
    pub starting_position: StartingPosition,
    /// Batches of one shard that may be worked on at once, by partition key.
    pub parallelization: u32,
    /// How often a failed batch is tried again; for ever unless told.
    pub retries_max: Option<u32>,
    /// How old a record may be; without end unless told.
    pub record_age_max: Option<Duration>,
    /// Whether a failed batch is cut in half.
    pub bisect: bool,
    /// Whether the function says which record failed (`ReportBatchItemFailures`).
    pub report_item_failures: bool,
    /// The tumbling window, if there is one.
    pub tumbling_window: Option<Duration>,
    /// Where a batch is told that was given up: the ARN of a queue, a topic or a bucket.
    pub on_failure: Option<String>,
    /// Patterns of which a record must match one, unless there are none.
    pub filters: Vec<Value>,
    /// Whether it is polled.
    pub enabled: bool,
}

/// Where a stream or a topic is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// The oldest record there is.
    TrimHorizon,
    /// What comes from now on.
    Latest,
    /// The first record after this time, in seconds since 1970.
    AtTimestamp(u64),
}

/// Notifications of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Source {
    /// The bucket's name.
    pub bucket: String,
    /// Such as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// The beginning that keys must have.
    pub prefix: Option<String>,
    /// The end that keys must have.
    pub suffix: Option<String>,
}

/// How a Kafka topic is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaSource {
    /// `host:port` of brokers to begin with.
    pub brokers: Vec<String>,
    /// The topic.
    pub topic: String,
    /// The consumer group that is told in errors and lines.
    pub group: String,
    /// Records an invocation gets at most.
    pub batch_size: u32,
    /// How long to gather a batch.
    pub window: Duration,
    /// Where a partition is read from.
    pub starting_position: StartingPosition,
    /// Whether it is polled.
    pub enabled: bool,
}

/// How a queue of RabbitMQ is consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitMqSource {
    /// `host:port` of the broker, which is spoken to without TLS.
    pub broker: String,
    /// The virtual host that the queue is in.
    pub virtual_host: String,
    /// Who consumes it.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// The queue, which must be there.
    pub queue: String,
    /// Messages an invocation gets at most.
    pub batch_size: u32,
    /// How long to gather a batch.
    pub window: Duration,
    /// Whether it is consumed.
    pub enabled: bool,
}

/// What becomes of the asynchronous invocations of a function that end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventDestinations {
    /// The ARN of what is told of each success: a function, queue, topic, bus or bucket.
    pub on_success: Option<String>,
    /// The ARN of what is told of each event that was given up.
    pub on_failure: Option<String>,
    /// The ARN of the queue or topic that gets an event that was given up, as it was.
    pub dead_letter: Option<String>,
}

/// A resource that must be there before anything runs: a queue, a topic, a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name within the application.
    pub logical_id: String,
    /// CloudFormation's type, such as `AWS::SQS::Queue`.
    pub kind: String,
    /// CloudFormation's properties, with every reference resolved.
    pub properties: Value,
}

/// A way out of an environment: an address of the host, or of the world, that is reached from inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// What faults and lines call it.
    pub name: String,
    /// `host:port` outside.
    pub target: String,
}

impl SqsSource {
    /// A source with Lambda's defaults.
    pub fn new(queue: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            batch_size: 10,
            window: Duration::ZERO,
            report_item_failures: false,
            concurrency_max: None,
            filters: Vec::new(),
            enabled: true,
        }
    }
}

impl StreamSource {
    /// A source with Lambda's defaults.
    pub fn new(stream: impl Into<String>, starting_position: StartingPosition) -> Self {
        Self {
            stream: stream.into(),
            batch_size: 100,
            window: Duration::ZERO,
            starting_position,
            parallelization: 1,
            retries_max: None,
            record_age_max: None,
            bisect: false,
            report_item_failures: false,
            tumbling_window: None,
            on_failure: None,
            filters: Vec::new(),
            enabled: true,
        }
    }
}
