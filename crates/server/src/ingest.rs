//! Taking telemetry in: OTLP over gRPC and HTTP down to one function, [`Intake::take`].
//!
//! A body is read within limits and inflated as it arrives ([`body`]), checked field by field,
//! and handed to the store as the bytes it came as. The sender hears "done" only after the store has it on
//! disk. A batch whose sender numbers it ([`origin`]) is stored once. What the sender hears otherwise is one table ([`Refusal`]) for both protocols.

mod body;
mod budget;
mod encoding;
mod grpc;
mod http;
mod intake;
mod origin;
mod refusal;
mod refusals;
mod status;
mod weight;

pub(crate) use body::read as read_body;
pub(crate) use budget::{Budget, Charge};
pub(crate) use encoding::{Encoding, InflateError, Inflater};
pub(crate) use grpc::router as grpc_router;
pub(crate) use http::router as http_router;
pub(crate) use intake::{Format, Intake, Taken};
pub(crate) use refusal::Refusal;
pub(crate) use refusals::Refusals;
