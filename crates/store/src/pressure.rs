//! What waits to be sealed and merged, and what senders are told because of it: the more there is, the longer their
//! answers are held back; and to come again later, once the budget is used up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::{
    ACK_DELAY_FROM_PERCENT, ACK_DELAY_MAX, ACK_DELAY_UNMERGED, RETRY_AFTER_MAX, RETRY_AFTER_MIN,
};

#[derive(Debug)]
pub(crate) struct Pressure {
    unsealed_bytes: AtomicU64,
    unsealed_bytes_max: u64,
    unmerged_segments: AtomicU64,
    last_seal_millis: AtomicU64,
}

impl Pressure {
    /// With what waits to be sealed at the start.
    pub(crate) fn new(unsealed_bytes: u64, unsealed_bytes_max: u64) -> Self {
        Pressure {
            unsealed_bytes: AtomicU64::new(unsealed_bytes),
            unsealed_bytes_max,
            unmerged_segments: AtomicU64::new(0),
            last_seal_millis: AtomicU64::new(0),
        }
    }

    /// Takes from the budget, if there is room.
    pub(crate) fn charge(&self, cost: u64) -> bool {
        let before = self.unsealed_bytes.fetch_add(cost, Ordering::Relaxed);
        // An empty store takes anything: a body larger than the budget would never fit otherwise.
        let fits = before == 0 || before + cost <= self.unsealed_bytes_max;
        if !fits {
            self.release(cost);
        }
        fits
    }

    /// Gives back to the budget.
    pub(crate) fn release(&self, cost: u64) {
        self.unsealed_bytes.fetch_sub(cost, Ordering::Relaxed);
    }

    pub(crate) fn unsealed_bytes(&self) -> u64 {
        self.unsealed_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn note_unmerged(&self, segments: u64) {
        self.unmerged_segments.store(segments, Ordering::Relaxed);
    }

    /// As last counted.
    pub(crate) fn unmerged_segments(&self) -> u64 {
        self.unmerged_segments.load(Ordering::Relaxed)
    }

    /// Remembers how long a seal took, which is how long a sender should wait for room.
    pub(crate) fn note_seal(&self, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.last_seal_millis.store(millis, Ordering::Relaxed);
    }

    /// How long a sender should wait for room.
    pub(crate) fn retry_after(&self) -> Duration {
        let last_seal = Duration::from_millis(self.last_seal_millis.load(Ordering::Relaxed));
        last_seal.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }

    /// How long an answer is to be held back.
    pub(crate) fn ack_delay(&self) -> Option<Duration> {
        let unsealed_max = self.unsealed_bytes_max;
        let unsealed_from = unsealed_max / 100 * ACK_DELAY_FROM_PERCENT;
        let for_seals = ack_delay(self.unsealed_bytes(), [unsealed_from, unsealed_max]);
        let for_merges = ack_delay(self.unmerged_segments(), ACK_DELAY_UNMERGED);
        for_seals.max(for_merges)
    }
}

/// None up to the first of two bounds, and from there on more and more, up to the second.
fn ack_delay(waiting: u64, [from, to]: [u64; 2]) -> Option<Duration> {
    let over = waiting.min(to).checked_sub(from)?;
    let part = over as f64 / (to - from).max(1) as f64;
    (over > 0).then(|| ACK_DELAY_MAX.mul_f64(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_waits_longer_says_how_long_answers_are_held_back() {
        let pressure = Pressure::new(0, 1000);
        assert_eq!(pressure.ack_delay(), None);
        assert!(pressure.charge(900));
        assert_eq!(pressure.ack_delay(), Some(ACK_DELAY_MAX / 2));
        assert!(!pressure.charge(101));
        assert_eq!(pressure.unsealed_bytes(), 900);
        let [from, to] = ACK_DELAY_UNMERGED;
        pressure.note_unmerged(from);
        assert_eq!(pressure.ack_delay(), Some(ACK_DELAY_MAX / 2));
        pressure.note_unmerged(to + 1);
        assert_eq!(pressure.ack_delay(), Some(ACK_DELAY_MAX));
        pressure.release(900);
        pressure.note_unmerged(from);
        assert_eq!(pressure.ack_delay(), None);
    }
}
