//! Queues that are polled for a function.

mod batch;
mod poller;
mod record;

pub(crate) use poller::Poller;
