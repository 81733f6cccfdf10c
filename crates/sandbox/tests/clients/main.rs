//! The real clients of Lambda against the sandbox: runtimes in five languages, an extension, and AWS's SDKs.
//!
//! `scripts/clients` installs what is not built with this crate; a test whose client is not there says so and ends.
//! Each function does what its event's `do` says, the same in every language, and [`matrix`] asks each for the same.
//! What a client does in a way of its own is told by its [`Client`], which the tests hold it to and which
//! `docs/clients.md` is made from.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

mod client;
mod extension;
mod go;
#[path = "../story/http.rs"]
#[allow(dead_code)] // the other tests that use it need all of it
mod http;
mod java;
mod managed;
mod matrix;
mod node;
mod python;
mod rust;
mod sdk;
mod streaming;
mod table;

use client::{Client, Code};
