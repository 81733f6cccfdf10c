//! Streams that are polled: Kinesis, and the streams of DynamoDB's tables.
//!
//! `coordinator` keeps a task for each shard, parents before children; `shard` reads one and deals its records out to
//! lanes; `lane` is the pure order of one lane, through batches, failures and windows; `worker` does what it says.

mod client;
mod coordinator;
mod dynamodb;
mod kinesis;
pub(crate) mod lane;
mod record;
mod shard;
pub(crate) mod window;
mod worker;

pub(crate) use client::StreamClient;
pub(crate) use coordinator::{Coordinator, Shared};
