//! Points in time as the platform tells them, and the one clock that reads them.

use std::fmt;
use std::ops::Add;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(u64);

impl UnixNanos {
    /// The point `nanos` after the epoch.
    pub const fn new(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The point `millis` after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * NANOS_PER_MILLI)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the epoch, as deadlines travel on the wire.
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Seconds since the epoch, as the X-Ray root spells them.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// The time from `earlier` to `self`, nothing when `earlier` is not earlier.
    pub fn since(self, earlier: UnixNanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Year, month and day in UTC.
    pub(crate) fn date(self) -> (i64, u32, u32) {
        civil_from_days(i64::try_from(self.as_secs() / 86_400).unwrap_or(0))
    }
}

impl Add<Duration> for UnixNanos {
    type Output = UnixNanos;

    fn add(self, duration: Duration) -> UnixNanos {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        UnixNanos(self.0.saturating_add(nanos))
    }
}

/// ISO 8601 in UTC with milliseconds: the form of every `time` in the Telemetry API.
impl fmt::Display for UnixNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second_of_day = self.as_secs() % 86_400;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
            self.as_millis() % 1000,
        )
    }
}

/// The wall clock, smoothed: counted monotonically between the moments when that and the system's time agree.
///
/// Small corrections of the system's time do not disturb durations. When the two are far apart the machine has slept
/// or its time was set, and the system's time counts, because deadlines are compared with it by other processes.
///
/// It can be set forward, for all who share it: that is how time passes that nobody has to wait for.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    anchor: Arc<Mutex<Anchor>>,
    /// How far it is ahead of the system's time.
    ahead: Arc<watch::Sender<Duration>>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    instant: Instant,
    unix: UnixNanos,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            anchor: Arc::new(Mutex::new(Anchor::now())),
            ahead: Arc::new(watch::Sender::new(Duration::ZERO)),
        }
    }

    pub(crate) fn now(&self) -> UnixNanos {
        self.smoothed() + *self.ahead.borrow()
    }

    fn smoothed(&self) -> UnixNanos {
        let current = Anchor::now();
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = anchor.unix + (current.instant - anchor.instant);
        let apart = counted.since(current.unix).max(current.unix.since(counted));
        if apart <= APART_MAX {
            return counted;
        }
        *anchor = current;
        current.unix
    }

    /// Sets it forward. Whoever waits for a time that has come with it goes on at once.
    pub(crate) fn jump(&self, duration: Duration) {
        self.ahead
            .send_modify(|ahead| *ahead = ahead.saturating_add(duration).min(AHEAD_MAX));
    }

    /// Waits until it shows `at`.
    pub(crate) async fn sleep_until(&self, at: UnixNanos) {
        let mut ahead = self.ahead.subscribe();
        loop {
            let wait = at.since(self.now());
            if wait == Duration::ZERO {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // `self` holds the sender.
                _ = ahead.changed() => {}
            }
        }
    }
}

impl Anchor {
    #[allow(clippy::disallowed_methods)] // the edge where the sandbox learns the time
    fn now() -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let unix = UnixNanos(u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX));
        Self {
            instant: Instant::now(),
            unix,
        }
    }
}

/// Milliseconds with three decimals, as all durations in platform events are.
pub(crate) fn millis(duration: Duration) -> f64 {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}

/// Whole milliseconds, rounded up: what is billed.
pub(crate) fn millis_rounded_up(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// Days since the epoch to a date of the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (
        year,
        u32::try_from(month).unwrap_or(1),
        u32::try_from(day).unwrap_or(1),
    )
}

/// A date of the proleptic Gregorian calendar to days since the epoch (Howard Hinnant's `days_from_civil`).
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const NANOS_PER_MILLI: u64 = 1_000_000;
/// A century: where time itself ends, whoever waits for a later time would never wait, and go round without end.
const AHEAD_MAX: Duration = Duration::from_secs(100 * 365 * 86_400);
const APART_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_iso_8601() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_791_460_800_123, "2026-10-08T12:00:00.123Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ];
        for (millis, expected) in cases {
            assert_eq!(UnixNanos::from_millis(millis).to_string(), expected);
        }
    }

    #[test]
    fn dates_and_days_are_one_to_one() {
        for days in (-800_000..800_000).step_by(7) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn clock_follows_the_system_when_the_machine_has_slept() {
        let clock = Clock::start();
        let before = clock.now();
        assert!(clock.now() >= before);
        // As after an hour's sleep, which the monotonic clock has not counted.
        clock.anchor.lock().unwrap().unix = UnixNanos::new(before.as_nanos() - 3_600_000_000_000);
        assert!(clock.now() >= before);
    }

    #[tokio::test]
    async fn clock_that_is_set_forward_wakes_who_waits() {
        let clock = Clock::start();
        let at = clock.now() + Duration::from_secs(3600);
        let waiting = {
            let clock = clock.clone();
            tokio::spawn(async move { clock.sleep_until(at).await })
        };
        tokio::task::yield_now().await;
        clock.jump(Duration::from_secs(3600));
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .unwrap()
            .unwrap();
        assert!(clock.now() >= at);
    }

    #[test]
    fn time_does_not_come_to_its_end() {
        let clock = Clock::start();
        clock.jump(Duration::MAX);
        clock.jump(Duration::MAX);
        let now = clock.now();
        assert!(now + AHEAD_MAX > now + AHEAD_MAX / 2);
    }

    #[test]
    fn billing_rounds_up_and_metrics_keep_microseconds() {
        assert_eq!(millis(Duration::from_nanos(1_233_960_400)), 1233.96);
        assert_eq!(millis_rounded_up(Duration::from_micros(1_072_145)), 1073);
        assert_eq!(millis_rounded_up(Duration::from_millis(5000)), 5000);
    }
}
