//! Lambda's behaviour, row by row, and the page that lists it.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

mod rows;
mod table;

#[path = "../story/http.rs"]
mod http;
mod stage;

mod extensions;
mod lifecycle;
mod listener;
mod logs_api;
mod managed;
mod runtime_api;
mod snapshots;
mod telemetry;
mod variables;
