//! How many bodies were refused, by reason.

use std::sync::atomic::{AtomicU64, Ordering};

use super::refusal::Refusal;

/// Counts refusals. All listeners share one.
#[derive(Debug, Default)]
pub(crate) struct Refusals([AtomicU64; REASONS.len()]);

/// The reasons, as they are called in metrics.
const REASONS: [&str; 12] = [
    "malformed",
    "unknown_content_type",
    "unknown_encoding",
    "bad_delivery",
    "too_large",
    "not_read",
    "overloaded",
    "not_stored",
    "key_required",
    "foreign_origin",
    "no_such_path",
    "protocol",
];

impl Refusals {
    pub(crate) fn count(&self, refusal: &Refusal) {
        self.add(match refusal {
            Refusal::Malformed(_) => 0,
            Refusal::UnknownContentType(_) => 1,
            Refusal::UnknownEncoding(_) => 2,
            Refusal::BadDelivery(_) => 3,
            Refusal::TooLarge { .. } | Refusal::TooHeavy { .. } => 4,
            Refusal::NotRead(_) => 5,
            Refusal::Overloaded { .. } => OVERLOADED,
            Refusal::NotStored { .. } => 7,
            Refusal::KeyRequired => 8,
            Refusal::ForeignOrigin(_) => 9,
            Refusal::NoSuchPath(_) | Refusal::NotPost(_) => 10,
        });
    }

    /// A gRPC call that is refused for how it was made; while its body arrives it may be that the
    /// server is full.
    pub(crate) fn count_protocol(&self, status: &tonic::Status) {
        self.add(match status.code() {
            tonic::Code::Unavailable => OVERLOADED,
            _ => 11,
        });
    }

    /// Each reason with how often it was given.
    pub(crate) fn read(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        REASONS.into_iter().zip(counts)
    }

    fn add(&self, place: usize) {
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }
}

const OVERLOADED: usize = 6;
