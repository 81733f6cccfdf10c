//! What an assistant can ask of a server, over the Model Context Protocol.
//!
//! [`over_http`] and [`over_stdio`] speak the protocol with [`Tools`]. Each tool asks the HTTP API through
//! an [`Api`], which is all that differs between a server that answers itself and a program that asks one:
//! an assistant sees what the page sees, with the same key, and no more. Answers are [fitted](answer) to
//! [`ANSWER_BYTES_MAX`], and say how many there are, whether something was left out and where the page shows
//! it.
//!
//! What it deliberately does not do: it changes nothing (it proposes what a person may confirm elsewhere), keeps nothing
//! and opens no socket. What functions and
//! their users wrote is data, and is marked as such: see [`answer`].

pub mod answer;
mod api;
mod ask;
mod time;
mod tools;
mod transports;

pub use answer::ANSWER_BYTES_MAX;
pub use api::{Api, Failure, Method, Question};
pub use tools::Tools;
pub use transports::{OverHttp, over_http, over_stdio};
