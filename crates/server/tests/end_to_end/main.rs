//! The server over real sockets: what senders, readers and browsers see.

mod access;
mod actions;
mod advice;
mod api;
mod cloudwatch;
mod completeness;
mod contrast;
mod graph;
mod harness;
mod health;
mod incidents;
mod ingest;
mod investigations;
mod live;
mod mcp;
mod metrics;
mod notifications;
mod openapi;
mod page;
mod queries;
mod refusals;
mod samples;
mod search;
mod stop;
mod story;
mod tail;
