//! How fast an answer may be streamed: a bucket of tokens, in the caller's time.

use std::time::Duration;

use crate::time::UnixNanos;

/// Bytes pass freely until the bucket is empty, and then as fast as it fills.
#[derive(Debug)]
pub(super) struct Bandwidth {
    bytes_per_second: u64,
    burst: Duration,
    /// When all bytes so far would have passed at the steady rate.
    paid_until: Option<UnixNanos>,
}

impl Bandwidth {
    /// The first 6 MiB at once, then 2 MiB per second.
    pub(super) fn of_lambda() -> Self {
        Self::new(2 * MIB, 6 * MIB)
    }

    fn new(bytes_per_second: u64, burst_bytes: u64) -> Self {
        Self {
            bytes_per_second,
            burst: time_for(burst_bytes, bytes_per_second),
            paid_until: None,
        }
    }

    /// How long these bytes have to wait.
    pub(super) fn take(&mut self, bytes: u64, now: UnixNanos) -> Duration {
        let from = self.paid_until.map_or(now, |paid| paid.max(now));
        let paid_until = from + time_for(bytes, self.bytes_per_second);
        self.paid_until = Some(paid_until);
        paid_until.since(now).saturating_sub(self.burst)
    }
}

fn time_for(bytes: u64, bytes_per_second: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_second.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

const MIB: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes at a time in milliseconds, and for how many milliseconds they wait.
    fn check(takes: &[(u64, u64, u128)]) {
        let mut bandwidth = Bandwidth::of_lambda();
        for (index, (at, bytes, wait)) in takes.iter().enumerate() {
            let waits = bandwidth.take(*bytes, UnixNanos::from_millis(*at));
            assert_eq!(waits.as_millis(), *wait, "take {index}");
        }
    }

    #[test]
    fn first_six_mebibytes_pass_at_once_and_the_rest_at_two_per_second() {
        check(&[
            (5, 6 * MIB, 0),
            (5, MIB, 500),
            (505, MIB, 500),
            (1005, 2 * MIB, 1000),
        ]);
    }

    #[test]
    fn bucket_fills_while_nothing_passes_and_never_overflows() {
        check(&[(0, 6 * MIB, 0), (1000, 2 * MIB, 0), (1000, MIB, 500)]);
        check(&[(0, MIB, 0), (60_000, 6 * MIB, 0), (60_000, 2 * MIB, 1000)]);
    }

    #[test]
    fn all_of_two_hundred_mebibytes_takes_ninety_seven_seconds() {
        let mut bandwidth = Bandwidth::of_lambda();
        let mut now = UnixNanos::new(0);
        for _ in 0..200 * 16 {
            now = now + bandwidth.take(MIB / 16, now);
        }
        assert_eq!(now.as_millis(), 97_000);
    }
}
