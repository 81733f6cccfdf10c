//! Tells restaurants of their orders: from the queue `notifications`, which the topic of placed orders fills, to the bus,
//! where the restaurants' tablets listen.

mod failure;
mod order;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use failure::Failure;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use order::Order;
use serde::Deserialize;

/// What this function needs of a queue's event.
#[derive(Deserialize)]
struct Messages {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    body: String,
}

#[allow(clippy::disallowed_methods)] // the edge where a function reads its variables
#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let bus = std::env::var("BUS")?;
    let client = aws_smithy_http_client::Builder::new().build_http();
    let aws = aws_config::from_env()
        .http_client(throughline::aws_client(client))
        .load()
        .await;
    let events = Client::new(&aws);
    throughline::run(service_fn(async |event| notify(event, &events, &bus).await)).await
}

/// A message that fails comes again, and after three times goes to the queue of undeliverable ones.
async fn notify(event: LambdaEvent<Messages>, events: &Client, bus: &str) -> Result<(), Failure> {
    for message in event.payload.records {
        let order = Order::from_notification(&message.body)?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source("big-mouth")
            .detail_type("restaurant notified")
            .detail(&order.json)
            .build();
        let put = events.put_events().entries(entry).send().await?;
        if let Some(reason) = put.entries().iter().find_map(|entry| entry.error_message()) {
            return Err(Failure::Refused {
                reason: reason.to_owned(),
                order: order.id,
            });
        }
        tracing::info!(
            order = order.id,
            restaurant = order.restaurant,
            "restaurant notified"
        );
    }
    Ok(())
}
