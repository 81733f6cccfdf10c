//! Sockets, clocks, environment variables: everything that the core does not touch.

mod api;
mod blocking;
mod courier;
mod environment;
mod life;
mod listen;
mod otlp;
mod poller;
mod register;
mod telemetry;

pub(crate) use environment::{Environment, config_file, own_name, runtime_api, say};
pub(crate) use life::live;
pub(crate) use register::{EVENTS, Registration, idle, register};
