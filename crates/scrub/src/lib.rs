//! Takes secrets out of telemetry before it leaves the place where it arose.
//!
//! Three names to know: [`Rules`] say what is a secret, a [`Scrubber`] applies them, and [`Scrubbed`] is what has been
//! through one. Whoever sends or stores telemetry asks for `Scrubbed<Request>`, so that nothing gets there by accident:
//! only a scrubber can make one.
//!
//! Two kinds of rule work together. A *key* rule looks at names: the value of an attribute, of a JSON member, a query
//! parameter or a header called `password` goes, whatever it is. A *value* detector looks at the text itself: a card
//! number with a right check digit, a token with its vendor's prefix, a private key, wherever it stands. What goes is
//! replaced by a word that says what it was, and counted.
//!
//! ```
//! use throughline_scrub::{Rules, Scrubber};
//!
//! let mut scrubber = Scrubber::new(Rules::default());
//! let line = r#"{"user":"ann","password":"hunter2","card":"4111 1111 1111 1111"}"#;
//! assert_eq!(
//!     scrubber.text(line),
//!     r#"{"user":"ann","password":"[redacted]","card":"[card:…1111]"}"#
//! );
//! ```
//!
//! What a function was called with and what it answered is kept back or cut, too: [`Payloads`] says how much of it leaves.
//!
//! What it deliberately does not do: it does not look into compressed or encrypted bytes, and does not send
//! anything to ask whether it is secret.

mod counts;
mod finding;
mod keys;
mod known;
mod payload;
mod request;
mod rules;
mod scrubber;
mod settings;
mod text;

pub use counts::{Counts, Rule};
pub use finding::Finding;
pub use payload::{Fate, Origin, Payloads, is_payload};
pub use rules::{BadRule, Rules};
pub use scrubber::{Scrubbed, Scrubber};
pub use settings::{Setting, Settings};
