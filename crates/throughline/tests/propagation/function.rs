//! The function in Rust: it sends what the event asks for by every medium there is, to the functions of all languages; or
//! tells which of these messages it got. As `node/index.mjs` and `python/app.py`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use amqprs::channel::BasicPublishArguments;
use amqprs::{BasicProperties, FieldTable, FieldValue};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use rskafka::client::ClientBuilder;
use rskafka::client::partition::{Compression, UnknownTopicHandling};
use rskafka::record::Record;
use serde_json::{Value, json};
use throughline_sdk::{in_span, traceparent};

use crate::media::{AMQP, LANGUAGES, cells_in};
use crate::rabbit;
use crate::redrive::REDRIVEN;
use crate::replay::{KEPT, REPLAYED};

/// Handles events until the environment ends.
pub(crate) fn play() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ran: Result<(), Error> = runtime.block_on(async {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(throughline_sdk::aws_client(http))
            .load()
            .await;
        throughline_sdk::run(service_fn(|event| handle(event, &config))).await
    });
    ExitCode::from(u8::from(ran.is_err()))
}

async fn handle(event: LambdaEvent<Value>, config: &SdkConfig) -> Result<Value, Error> {
    let event = event.payload;
    let text = |key: &str| event[key].as_str();
    if let (Some(medium), Some(cell)) = (text("send"), text("cell")) {
        let password = text("password").unwrap_or_default();
        let secret = variable("SECRET");
        println!("sending {cell} with password={password} and {secret}");
        let body = json!({"cell": cell, "password": password}).to_string();
        send(medium, cell, &body, config).await?;
        return Ok(json!({"sent": cell, "password": password}));
    }
    // What was put back comes by way of another queue.
    if event.to_string().contains(":poison-") {
        println!("POISON");
        return Err("cannot be worked on".into());
    }
    // What is replayed is worked on then, and not before.
    if event["source"] == KEPT && event["replay-name"].is_null() {
        return Ok(json!("not yet"));
    }
    println!("GOT {}", got(&event).join(" "));
    Ok(json!({"statusCode": 200, "body": "got"}))
}

/// What is in the event, also in records that come as base64.
fn got(event: &Value) -> Vec<String> {
    let text = event.to_string();
    let inner = text
        .split('"')
        .filter_map(|part| STANDARD.decode(part).ok());
    let inner = inner.filter_map(|bytes| String::from_utf8(bytes).ok());
    let all: Vec<_> = std::iter::once(text.clone()).chain(inner).collect();
    cells_in(&all.join(" ")).into_iter().collect()
}

async fn send(medium: &str, cell: &str, body: &str, config: &SdkConfig) -> Result<(), Error> {
    match medium {
        "url" => {
            let urls: BTreeMap<String, String> = serde_json::from_str(&variable("FUNCTION_URLS"))?;
            for to in LANGUAGES {
                in_span("GET", get(format!("{}/{cell}", urls[to]))).await?;
            }
        }
        "api" => {
            for to in LANGUAGES {
                let url = format!("{}/to-{to}/{cell}", variable("API"));
                in_span("GET", get(url)).await?;
            }
        }
        "invoke" => invoke(body, InvocationType::RequestResponse, config).await?,
        "event" => invoke(body, InvocationType::Event, config).await?,
        "sqs" | "ten" | REDRIVEN => queue(medium, cell, body, config).await?,
        "sns" => publish("told", body, config).await?,
        "sns-sqs" => publish("queued", body, config).await?,
        "bus" => put("default", "told", body, config).await?,
        "bus-sqs" => put("default", "queued", body, config).await?,
        REPLAYED => put(KEPT, KEPT, body, config).await?,
        "kafka" => in_span("send topic", kafka(body)).await?,
        AMQP => {
            for to in LANGUAGES {
                let queue = format!("cells-{to}");
                in_span(&format!("send {queue}"), amqp(&queue, body)).await?;
            }
        }
        _ => store(medium, cell, body, config).await?,
    }
    Ok(())
}

async fn get(url: String) -> Result<(), Error> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let secret = format!("Bearer {}", variable("SECRET"));
    let mut request = Request::get(url).header("authorization", secret);
    if let Some(here) = traceparent() {
        request = request.header("traceparent", here);
    }
    let answer = client.request(request.body(Empty::new())?).await?;
    answer.into_body().collect().await?;
    Ok(())
}

async fn invoke(body: &str, kind: InvocationType, config: &SdkConfig) -> Result<(), Error> {
    let lambda = aws_sdk_lambda::Client::new(config);
    for to in LANGUAGES {
        let payload = Blob::new(body);
        let invoke = lambda.invoke().function_name(format!("to-{to}"));
        let invoke = invoke.invocation_type(kind.clone()).payload(payload);
        invoke.send().await?;
    }
    Ok(())
}

async fn queue(medium: &str, cell: &str, body: &str, config: &SdkConfig) -> Result<(), Error> {
    let sqs = aws_sdk_sqs::Client::new(config);
    let url = |name: String| format!("{}/123456789012/{name}", variable("AWS_ENDPOINT_URL"));
    for to in LANGUAGES {
        if medium != "ten" {
            let name = if medium == REDRIVEN { "poison" } else { "one" };
            let send = sqs.send_message();
            let send = send.queue_url(url(format!("{name}-{to}")));
            send.message_body(body).send().await?;
            continue;
        }
        let mut batch = sqs.send_message_batch();
        for n in 0..10 {
            let entry = SendMessageBatchRequestEntry::builder().id(n.to_string());
            batch = batch.entries(entry.message_body(format!("{cell}.{n}")).build()?);
        }
        let batch = batch.queue_url(url(format!("ten-rust-{to}")));
        batch.send().await?;
    }
    Ok(())
}

async fn publish(topic: &str, body: &str, config: &SdkConfig) -> Result<(), Error> {
    let sns = aws_sdk_sns::Client::new(config);
    let arn = format!("arn:aws:sns:us-east-1:123456789012:{topic}");
    sns.publish().topic_arn(arn).message(body).send().await?;
    Ok(())
}

async fn put(bus: &str, source: &str, body: &str, config: &SdkConfig) -> Result<(), Error> {
    let events = aws_sdk_eventbridge::Client::new(config);
    let entry = PutEventsRequestEntry::builder().event_bus_name(bus);
    let entry = entry.source(source);
    let entry = entry.detail_type("cell").detail(body).build();
    events.put_events().entries(entry).send().await?;
    Ok(())
}

/// In a stream, a table or a bucket.
async fn store(medium: &str, cell: &str, body: &str, config: &SdkConfig) -> Result<(), Error> {
    match medium {
        "kinesis" => {
            let put = aws_sdk_kinesis::Client::new(config).put_record();
            let put = put.stream_name("stream").partition_key(cell);
            let data = aws_sdk_kinesis::primitives::Blob::new(body);
            put.data(data).send().await?;
        }
        "table" => {
            let put = aws_sdk_dynamodb::Client::new(config).put_item();
            let put = put.item("id", AttributeValue::S(cell.to_owned()));
            let told: Value = serde_json::from_str(body)?;
            let password = told["password"].as_str().unwrap_or_default();
            let put = put.item("password", AttributeValue::S(password.to_owned()));
            put.table_name("table").send().await?;
        }
        "bucket" => {
            let config = aws_sdk_s3::config::Builder::from(config);
            let s3 = aws_sdk_s3::Client::from_conf(config.force_path_style(true).build());
            for to in LANGUAGES {
                let put = s3.put_object().bucket("bucket");
                let put = put.key(format!("{to}/{cell}"));
                put.body(ByteStream::from(body.as_bytes().to_vec()))
                    .send()
                    .await?;
            }
        }
        other => return Err(format!("no such medium: {other}").into()),
    }
    Ok(())
}

async fn kafka(body: &str) -> Result<(), Error> {
    let client = ClientBuilder::new(vec![variable("KAFKA")]).build().await?;
    let topic = client.partition_client("topic", 0, UnknownTopicHandling::Retry);
    let topic = topic.await?;
    let record = Record {
        key: None,
        value: Some(body.as_bytes().to_vec()),
        headers: traceparent()
            .map(|here| ("traceparent".to_owned(), here.into_bytes()))
            .into_iter()
            .collect(),
        timestamp: rskafka::chrono::Utc::now(),
    };
    let sent = topic.produce(vec![record], Compression::default());
    sent.await?;
    Ok(())
}

async fn amqp(queue: &str, body: &str) -> Result<(), Error> {
    let (connection, channel) = rabbit::connect(&variable("RABBITMQ")).await?;
    let mut headers = FieldTable::new();
    if let Some(here) = traceparent() {
        headers.insert("traceparent".try_into()?, FieldValue::S(here.try_into()?));
    }
    let properties = BasicProperties::default().with_headers(headers).finish();
    let arguments = BasicPublishArguments::new("", queue);
    channel
        .basic_publish(properties, body.into(), arguments)
        .await?;
    connection.close().await?;
    Ok(())
}

/// A function is told by its variables.
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
