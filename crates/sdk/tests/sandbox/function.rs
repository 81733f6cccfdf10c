//! The function that the tests call.

use std::process::ExitCode;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use throughline_sdk as throughline;

pub(crate) fn play() -> ExitCode {
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
    Wait,
}

#[derive(Deserialize)]
struct Event {
    r#do: Do,
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
