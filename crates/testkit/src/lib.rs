//! What the tests share: builders, a simulated clock, a fake intake, and a look at what a test leaves behind.

pub mod builders;
pub mod clock;
pub mod intake;
pub mod leftovers;

pub use builders::{log, moment, span, span_id, trace_id};
pub use clock::SimClock;
pub use intake::{Answer, FakeIntake, Post, Received};
