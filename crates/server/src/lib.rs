//! The server: takes telemetry in, answers questions about it, shows the page.
//!
//! [`Config`] says where to listen and where to keep data, [`Server::bind`] opens all of it, and
//! [`Server::run`] serves until it is told to stop, then finishes what is in flight and closes the
//! store. Bound ports can be asked for, so several servers fit into one test process:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use throughline_server::{Config, Listen, Server};
//!
//! let config = Config::try_new("/tmp/throughline-example".into(), Listen::on_free_ports(), None)?;
//! let server = Server::bind(config).await?;
//! println!("the page is at http://{}/", server.addresses().http);
//! server.run(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A request to keep something is answered only after the store has it on disk. What this crate
//! deliberately does not do: read files or environment variables for its configuration (the
//! binary does), keep anything itself (the store does), or understand traces (`insight` does).

mod access;
mod actions;
mod advising;
mod alerts;
mod api;
mod cloudwatch;
pub mod codes;
mod config;
mod detection;
mod ingest;
mod listen;
mod mcp;
mod page;
mod server;
mod story;
mod telling;
mod verifying;

pub use access::{ApiKey, BadKey};
pub use actions::{Actuation, Actuator, Following};
pub use config::{
    Clock, Config, ConfigError, DEFAULT_HTTP, DEFAULT_OTLP_GRPC, DEFAULT_OTLP_HTTP, Limits, Listen,
};
pub use server::{Addresses, Server, StartError, StopError};
pub use throughline_store::{Keep, Retention};

/// The description of the HTTP API, as the server also serves it: OpenAPI 3.1 in JSON.
pub const OPENAPI: &str = include_str!("../openapi.json");
