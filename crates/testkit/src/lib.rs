//! What the tests share: builders, a simulated clock, a fake intake, servers that keep what they are
//! sent, and a look at what a test leaves behind.

pub mod builders;
pub mod clock;
pub mod hook;
pub mod intake;
pub mod leftovers;
pub mod mailbox;

pub use builders::{log, moment, span, span_id, trace_id};
pub use clock::SimClock;
pub use hook::{Hook, Hooked};
pub use intake::{Answer, FakeIntake, Post, Received};
pub use mailbox::{Mail, Mailbox};
