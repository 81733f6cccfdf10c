//! Sockets, clocks, environment variables: everything that the core does not touch.

mod api;
mod blocking;
mod client;
mod code;
mod courier;
mod datagrams;
mod environment;
mod fault;
mod grpc;
mod inbox;
mod intake;
mod keeper;
mod life;
mod listen;
mod listeners;
mod otlp;
mod poller;
mod process;
mod register;
mod seats;
mod spill;
mod statsd;
mod stdout;
mod telemetry;
mod xray;

pub(crate) use environment::{Environment, config_file, flavour, own_name, runtime_api, say};
pub(crate) use life::live;
pub(crate) use register::{Registration, idle, register};
