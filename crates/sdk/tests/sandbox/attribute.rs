//! A function whose `main` is made by the attribute.

use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};
use throughline_sdk as throughline;

/// What the function has for all of its events.
pub(crate) struct Shop {
    name: String,
}

#[throughline::lambda(init = open)]
pub(crate) async fn sell(event: LambdaEvent<Value>, shop: &Shop) -> Result<Value, Error> {
    tracing::info!(shop = shop.name, "open");
    throughline::in_span("sell", async {}).await;
    match event.payload["cups"].as_u64() {
        Some(cups) => Ok(json!({"shop": shop.name, "cups": cups})),
        None => Err("how many".into()),
    }
}

async fn open() -> Result<Shop, std::io::Error> {
    tokio::task::yield_now().await;
    let name = "tea".to_owned();
    Ok(Shop { name })
}
