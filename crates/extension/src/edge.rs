//! Sockets, clocks, environment variables: everything that the core does not touch.

mod api;
mod courier;
mod environment;
mod life;
mod listen;
mod otlp;
mod poller;
mod telemetry;

pub(crate) use environment::{Environment, say};
pub(crate) use life::live;
