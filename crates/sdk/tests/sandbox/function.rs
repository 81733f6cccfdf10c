//! The function that the tests call.

use std::process::ExitCode;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use throughline_sdk as throughline;

pub(crate) fn play() -> ExitCode {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    tracing_subscriber::registry()
        .with(throughline::layer())
        .init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match runtime.block_on(throughline::run(service_fn(handle))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Do {
    Order,
    Fail,
    Panic,
    Records,
    Send,
    Trace,
    Wait,
}

#[derive(Deserialize)]
struct Event {
    r#do: Do,
    #[serde(default, rename = "Records")]
    records: Vec<Value>,
}

async fn handle(event: LambdaEvent<Event>) -> Result<Value, Error> {
    match event.payload.r#do {
        Do::Order => Ok(order().await),
        Do::Fail => {
            println!("about to fail");
            let cause = "x".parse::<u32>().unwrap_err();
            Err(Box::new(Payment { cause }))
        }
        Do::Panic => look_up(9),
        Do::Records => {
            let id = |record: &Value| record["messageId"].as_str().unwrap().to_owned();
            let failed = throughline::records(event.payload.records, id, take).await;
            Ok(serde_json::to_value(failed).unwrap())
        }
        Do::Send => send().await,
        Do::Trace => trace().await,
        Do::Wait => {
            let wait = async { std::thread::sleep(Duration::from_secs(60)) };
            throughline::in_span("waits for ever", wait).await;
            Ok(Value::Null)
        }
    }
}

async fn order() -> Value {
    throughline::attribute("order", 7);
    println!("an order");
    let charge = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        throughline::attribute("card", "visa");
    };
    throughline::in_span("charge the card", charge).await;
    let spawned = tokio::spawn(async { throughline::in_span("spawned", async {}).await });
    spawned.await.unwrap();
    json!({"batchItemFailures": [{"itemIdentifier": "m1"}], "z": 1, "a": 1.50})
}

async fn take(record: Value) -> Result<(), std::num::ParseIntError> {
    let number: u32 = record["body"].as_str().unwrap().parse()?;
    if number == 0 {
        look_up(number)
    }
    Ok(())
}

/// Sends a message, and takes it from the queue again.
async fn send() -> Result<Value, Error> {
    let region = aws_sdk_sqs::config::Region::new("us-east-1");
    let credentials = aws_sdk_sqs::config::Credentials::new("AKID", "SECRET", None, None, "test");
    let client = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .endpoint_url(std::env::var("AWS_ENDPOINT_URL")?)
        .http_client(throughline::aws_client(client));
    let sqs = aws_sdk_sqs::Client::from_conf(config.build());
    let queue = sqs.create_queue().queue_name("orders").send().await?;
    let url = queue.queue_url.unwrap();
    sqs.send_message()
        .queue_url(&url)
        .message_body("7")
        .send()
        .await?;
    let name = aws_sdk_sqs::types::MessageSystemAttributeName::All;
    let taken = sqs.receive_message().queue_url(&url);
    let taken = taken.message_system_attribute_names(name).send().await?;
    let message = &taken.messages()[0];
    let header = &message.attributes().unwrap()[&"AWSTraceHeader".into()];
    let missing = sqs
        .send_message()
        .queue_url(format!("{url}x"))
        .message_body("7");
    missing.send().await.unwrap_err();
    Ok(json!({"id": message.message_id(), "header": header}))
}

/// Says things through `tracing`.
async fn trace() -> Result<Value, Error> {
    let span = tracing::info_span!("traced", customer = 7, said = tracing::field::Empty);
    let inner = async {
        tracing::Span::current().record("said", "yes");
        tracing::info!(items = 2_u64, "cart is full");
        tracing::debug!("nobody hears this");
        tokio::task::yield_now().await;
        throughline::in_span("below it", async {}).await;
        let cause = "x".parse::<u32>().unwrap_err();
        let error = Payment { cause };
        tracing::error!(error = &error as &dyn std::error::Error, "not paid");
    };
    tracing::Instrument::instrument(inner, span).await;
    tracing::warn!("after it");
    Ok(Value::Null)
}

fn look_up(order: u32) -> ! {
    panic!("no such order: {order}")
}

#[derive(Debug)]
struct Payment {
    cause: std::num::ParseIntError,
}

impl std::fmt::Display for Payment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("payment failed")
    }
}

impl std::error::Error for Payment {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}
