//! `checkout`: takes an order over its function URL, reserves the items with `inventory`, charges the card and has
//! `notify` confirm by e-mail.
//!
//! ```text
//! GET /?order=7                      an order that goes through
//! GET /?order=7&slow=inventory       the same, but `inventory` takes its time
//! GET /?order=7&fail=inventory       sold out: 409, and an exception in `inventory`
//! GET /?order=7&fail=notify          200, and an exception in `notify`, which runs on its own
//! GET /?order=7&fail=checkout        the payment gateway is down: this function fails, 502
//! ```
//!
//! What is bought follows from the order number; who misbehaves is said in the request, so that a test can ask for it
//! and traffic can mix it. `slow` and `fail` take `checkout`, `inventory` or `notify` each.

mod failure;
mod functions;
mod handler;
mod order;
mod payment;
mod settings;
mod telemetry;
mod trace_header;

use lambda_runtime::{Error, service_fn};

use crate::functions::Functions;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

#[tokio::main]
async fn main() -> Result<(), Error> {
    telemetry::init_logs();
    let telemetry = Telemetry::start()?;
    let functions = Functions::new(Settings::from_env()?);
    lambda_runtime::run(service_fn(async |event| {
        handler::handle(event, &functions, &telemetry).await
    }))
    .await
}
