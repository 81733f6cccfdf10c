//! Follows a Rust function on AWS Lambda: each invocation, what it calls, and what goes wrong in it.
//!
//! Take `throughline::run` in place of `lambda_runtime::run`, and the extension beside the function is told of each
//! invocation: a span in the trace of whoever called it, wherever that trace came in, with the keys that join it to
//! what was sent to it.
//!
//! ```no_run
//! use lambda_runtime::{Error, LambdaEvent, service_fn};
//! use serde_json::Value;
//! use throughline_sdk as throughline; // or name it so in Cargo.toml
//!
//! async fn order(event: LambdaEvent<Value>) -> Result<Value, Error> {
//!     throughline::attribute("order", 7);
//!     throughline::in_span("charge the card", async { /* ... */ }).await;
//!     Ok(event.payload)
//! }
//!
//! # #[allow(clippy::needless_doctest_main)]
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     throughline::run(service_fn(order)).await
//! }
//! ```
//!
//! Or let [`macro@lambda`] make the `main`:
//!
//! ```no_run
//! # use lambda_runtime::{Error, LambdaEvent};
//! # use serde_json::Value;
//! # use throughline_sdk as throughline;
//! #[throughline::lambda]
//! async fn order(event: LambdaEvent<Value>) -> Result<Value, Error> {
//!     Ok(event.payload)
//! }
//! ```
//!
//! The functions to know are [`run`], [`records`] for batches, and [`attribute`]; `layer` for `tracing` and `aws_client`
//! for the AWS SDK stand behind features of their names.
//!
//! What it deliberately does not do: it sends nothing anywhere but to the extension on this machine, waits for nobody,
//! and has no type of OpenTelemetry in its interface. A function's errors, panics, answers and log lines are what they
//! would be without it.

#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __lambda;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "bodies")]
mod bodies;
mod carriers;
mod clock;
mod current;
mod deadline;
mod digest;
mod failure;
mod http;
mod ids;
mod invocation;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
mod payload;
mod records;
mod runtime;
mod sdk;
mod sender;
mod settings;
mod sources;
mod span;
#[cfg(feature = "tracing")]
mod tracing;
#[cfg(test)]
mod trial;
mod user;

#[cfg(feature = "macros")]
pub use throughline_sdk_macros::lambda;
pub use throughline_telemetry::Value;

#[cfg(feature = "aws")]
pub use aws::aws_client;
pub use http::{HttpClient, HttpLayer, http_layer};
#[cfg(feature = "reqwest")]
pub use http::{ReqwestMiddleware, reqwest_client};
pub use records::{BatchFailures, ItemFailure, records, records_in_order};
#[cfg(feature = "concurrency-tokio")]
pub use runtime::run_concurrent;
pub use runtime::{Handler, Invocations, InvocationsLayer, invocations, run};
#[cfg(feature = "tracing")]
pub use tracing::{TracingLayer, layer};
pub use user::{attribute, in_span, traceparent};
