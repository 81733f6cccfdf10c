//! What the tests share: builders, a simulated clock and a fake intake.

pub mod builders;
pub mod clock;
pub mod intake;

pub use builders::{log, moment, span, span_id, trace_id};
pub use clock::SimClock;
pub use intake::{Answer, FakeIntake, Post, Received};
