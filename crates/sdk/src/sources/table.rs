//! The event sources, each with how its events are recognised and read. The first that recognises an event reads it.

use serde_json::Value;

use super::enclosed::{is_scheduled, is_there, text_of};
use super::{Found, batch, http, single};

/// One source.
pub(super) struct Row {
    /// `throughline.trigger.type`
    pub(super) kind: &'static str,
    /// `faas.trigger`
    pub(super) trigger: &'static str,
    pub(super) is: fn(&Value) -> bool,
    pub(super) read: for<'a> fn(&'a Value) -> Found<'a>,
}

const fn row(
    kind: &'static str,
    trigger: &'static str,
    is: fn(&Value) -> bool,
    read: for<'a> fn(&'a Value) -> Found<'a>,
) -> Row {
    Row {
        kind,
        trigger,
        is,
        read,
    }
}

#[rustfmt::skip] // a row a line
pub(super) const TABLE: &[Row] = &[
    row("sqs", "pubsub", |event| is_from(event, "aws:sqs"), batch::sqs),
    row("sns", "pubsub", |event| is_from(event, "aws:sns"), batch::sns),
    row("kinesis", "datasource", |event| is_from(event, "aws:kinesis"), batch::kinesis),
    row("dynamodb", "datasource", |event| is_from(event, "aws:dynamodb"), batch::dynamodb),
    row("s3", "datasource", |event| is_from(event, "aws:s3"), batch::s3),
    row("ses", "other", |event| is_from(event, "aws:ses"), batch::ses),
    row("cloudfront", "http", |event| event["Records"][0]["cf"].is_object(), batch::cloudfront),
    row("kafka", "pubsub", |event| text_of(&event["eventSource"]).to_lowercase().contains("kafka") && event["records"].is_object(), batch::kafka),
    row("rabbitmq", "pubsub", |event| is_there(&event["rmqMessagesByQueue"]), batch::rabbitmq),
    row("activemq", "pubsub", |event| event["eventSource"] == "aws:mq" && event["messages"].is_array(), batch::activemq),
    row("firehose", "datasource", |event| is_there(&event["deliveryStreamArn"]) && event["records"].is_array(), batch::firehose),
    row("documentdb", "datasource", |event| event["eventSource"] == "aws:docdb", batch::documentdb),
    row("authorizer", "http", |event| is_there(&event["methodArn"]) || is_there(&event["routeArn"]), http::authorizer),
    row("lattice", "http", |event| is_there(&event["requestContext"]["serviceNetworkArn"]), http::lattice),
    row("alb", "http", |event| is_there(&event["requestContext"]["elb"]), http::alb),
    row("websocket", "http", |event| is_there(&event["requestContext"]["connectionId"]), http::websocket),
    row("http-api", "http", |event| is_there(&event["requestContext"]["http"]), http::v2),
    row("rest-api", "http", |event| event["requestContext"].is_object() && is_there(&event["httpMethod"]), http::v1),
    row("appsync", "http", |event| http::resolved(event).is_some(), http::appsync),
    row("s3-object-lambda", "http", |event| is_there(&event["userRequest"]) && is_there(&event["getObjectContext"]), http::object_lambda),
    row("cognito", "other", |event| is_there(&event["triggerSource"]) && is_there(&event["userPoolId"]), single::cognito),
    row("schedule", "timer", is_scheduled, single::schedule),
    row("eventbridge", "pubsub", |event| is_there(&event["detail-type"]) && is_there(&event["source"]), single::eventbridge),
    row("logs", "datasource", |event| event["awslogs"]["data"].is_string(), |_| Found::default()),
    row("durable", "other", |event| is_there(&event["DurableExecutionArn"]), single::durable),
    row("destination", "pubsub", |event| is_there(&event["requestContext"]["condition"]), single::destination),
    row("step-functions", "other", |event| single::execution_of(event).is_some(), single::step_functions),
];

fn is_from(event: &Value, source: &str) -> bool {
    let first = &event["Records"][0];
    first["eventSource"] == source || first["EventSource"] == source
}
