//! Tells people what was found: mails, Slack, PagerDuty, Alertmanager, webhooks.
//!
//! A [`Notice`] says in words and numbers what has happened to one incident. [`Settings`] say who is told what, and
//! when. An [`Outbox`] takes notices, [decides](decide) what becomes of each at every receiver, and keeps what waits;
//! it has no clock and sends nothing. [`format()`] makes the message that a receiver understands. [`Teller`] is
//! the edge: it has both on disk, asks for the links at which a reader can [choose](Choices), and sends what is due.
//!
//! ```
//! use throughline_notify::{Fate, Notice, Outbox, RawSettings, Settings};
//! use throughline_telemetry::UnixNanos;
//!
//! let raw: RawSettings = serde_json::from_str(r#"{
//!     "receivers": [{"name": "chat", "channel": {"type": "slack", "url": "${NOTIFY_SLACK}"}}],
//!     "routes": [{"name": "all", "receivers": ["chat"], "severity": "note"}]
//! }"#)?;
//! let settings = Settings::try_new(raw)?;
//! let now = UnixNanos(1_795_356_120_000_000_000);
//! let notice = Notice::sample("https://throughline.example.com", "production", now);
//!
//! let mut outbox = Outbox::default();
//! assert_eq!(outbox.take(&settings, &notice, now)[0].fate, Fate::Deliver);
//! assert_eq!(outbox.due(&settings, now).len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it deliberately does not do: it finds nothing, stores no telemetry, and knows no HTTP API of its own.

mod choices;
mod decide;
pub mod format;
mod incident;
pub mod keep;
mod letter;
pub mod noise;
mod notice;
mod outbox;
mod outer;
pub mod send;
pub mod settings;
pub mod stop;
mod teller;
#[cfg(test)]
mod testing;

pub use choices::{Addressee, CHOICES_MAX, Choices, Choosing};
pub use decide::{Decision, Fate, Reason, decide};
pub use format::{format, words::iso};
pub use incident::{Besides, about, concerns, notice as notice_of};
pub use keep::KeepError;
pub use letter::{Item, Letter};
pub use notice::{Concern, Likely, Line, Link, Matter, Notice, Phase, Whose};
pub use outbox::{Content, Counters, Job, Outbox, Outcome, Record, Thread, Told, ToldAll};
pub use outer::{Nodes, OuterError, Received, parse as parse_alerts};
pub use send::{Answer, Sender};
pub use settings::{RawSettings, Settings};
pub use teller::{Now, SetError, Teller, TellerHealth};
