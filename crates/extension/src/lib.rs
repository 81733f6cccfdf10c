//! The pure core of `throughline-extension`, the program that runs beside a Lambda function, takes
//! in what the function and the platform emit, and delivers it.
//!
//! Three types to know:
//!
//! - [`Core`] is the whole extension without its sockets: [`Event`]s in, [`Action`]s out.
//! - [`lifecycle::State`] says what the extension waits for, and when it asks for the next event.
//! - [`join::Joiner`] makes spans and log records of the right invocation out of what it is told.
//!
//! ```
//! use std::sync::Arc;
//! use throughline_extension::{Action, Core, Event, Telemetry};
//! use throughline_extension::counters::Counters;
//! use throughline_extension::join::{Function, Invoked};
//! use throughline_extension::outbox::{Export, Order};
//! use throughline_scrub::Rules;
//! use throughline_telemetry::UnixNanos;
//!
//! let ms = UnixNanos::from_millis;
//! let function = Function { name: "checkout".into(), ..Function::default() };
//! let mut core = Core::new(function, "environment-1", Rules::default(), Export::On, Arc::new(Counters::default()));
//! assert_eq!(core.handle(Event::Subscribed(Telemetry::On), ms(1)), [Action::Next]);
//!
//! let invoked = Invoked { request_id: "r-1".into(), deadline_millis: 3000, ..Invoked::default() };
//! assert_eq!(core.handle(Event::Invoked(invoked), ms(10)), [], "the function runs");
//!
//! let done = r#"[{"type":"platform.runtimeDone","record":{"requestId":"r-1","status":"success"}}]"#;
//! let actions = core.handle(Event::Telemetry(done.into()), ms(60));
//! let [Action::Order(Order::Send(parcel))] = &actions[..] else { panic!("one span is sent") };
//! assert_eq!((parcel.batch.sequence, parcel.batch.items), (1, 1));
//! ```
//!
//! What it deliberately does not do: no I/O, no async, no clock (the binary has those), no sampling,
//! no payloads. And nothing in it can fail the function: what goes wrong is counted in [`counters`],
//! said on stderr, and the way to `/next` goes on.

pub mod aws;
pub mod config;
pub mod counters;
pub mod flavour;
pub mod grpc;
pub mod ids;
pub mod intake;
pub mod join;
pub mod lifecycle;
pub mod line;
pub mod outbox;
pub mod platform;
pub mod process;
pub mod room;
pub mod statsd;
pub mod timestamp;
pub mod unpack;
pub mod xray;

mod core;

pub use crate::core::{Action, Core, Delivery, Event, Place, Strategy};
pub use lifecycle::Telemetry;
