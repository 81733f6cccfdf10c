//! Event sources of a sandbox, at any endpoint that speaks AWS.
//!
//! What Lambda's pollers do on AWS is done here for a [sandbox](throughline_sandbox): queues and streams are polled,
//! topics, rules and buckets are subscribed to, each by Lambda's rules for batches, retries and failures. The endpoint
//! is moto's server, LocalStack or AWS itself. Resources that the application declares are made where they are not
//! there, but never at AWS.
//!
//! # Types to know
//!
//! - [`Sources`]: what is polled for whom, not yet started; [`RunningSources`]: the same at work.
//! - [`Endpoint`]: where AWS's services are.
//! - [`SourceCounts`] and [`SourceEvent`]: what a source did, in sum and one by one.
//! - [`DeclaredQueues`]: what tells how much lies in queues.
//! - [`Pattern`]: the language of EventBridge rules and of the filters of event sources.
//!
//! # Inside
//!
//! What to do next is decided by pure values: `sqs::batch` gathers messages, `report` reads what a function says of its
//! batch, `stream::lane` keeps the order of a shard through failures, `rabbitmq::message` tells a message, `pattern`
//! matches. The rest waits, calls and counts.

mod aws;
mod clock;
mod deliver;
mod depths;
mod destination;
mod kafka;
mod names;
mod pattern;
mod queue;
mod rabbitmq;
mod report;
mod reporter;
mod resources;
mod sources;
mod sqs;
mod stream;
mod subscribed;

pub use aws::{Aws, Endpoint};
pub use depths::{DeclaredQueues, QueueDepth};
pub use pattern::{BadPattern, Pattern};
pub use reporter::{SourceCounts, SourceEvent, What};
pub use sources::{RunningSources, SourceError, Sources};
