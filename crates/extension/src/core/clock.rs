//! A clock that never goes back, made of one that may.
//!
//! Deadlines are told in wall time, and only the wall clock goes on while the environment is frozen.
//! But it may be set, and a wait that it ended in the past would hold the function. So waits are
//! counted in a time of our own: a jump backward counts as no time at all.

use throughline_telemetry::UnixNanos;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Clock {
    wall: UnixNanos,
    /// How much of our time is ahead of the wall's.
    ahead: u64,
}

impl Clock {
    /// Our time, when the wall says so.
    pub(super) fn at(&mut self, wall: UnixNanos) -> UnixNanos {
        self.ahead = self
            .ahead
            .saturating_add(self.wall.0.saturating_sub(wall.0));
        self.wall = wall;
        self.ours(wall)
    }

    /// A point in time that was told in wall time, in ours.
    pub(super) fn ours(&self, wall: UnixNanos) -> UnixNanos {
        UnixNanos(wall.0.saturating_add(self.ahead))
    }

    /// A point of our time, in wall time.
    pub(super) fn walls(&self, ours: UnixNanos) -> UnixNanos {
        UnixNanos(ours.0.saturating_sub(self.ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back() {
        let ms = UnixNanos::from_millis;
        let mut clock = Clock::default();
        assert_eq!(clock.at(ms(1000)), ms(1000));
        assert_eq!(clock.at(ms(400)), ms(1000), "set back");
        assert_eq!(clock.at(ms(450)), ms(1050));
        assert_eq!(clock.ours(ms(500)), ms(1100));
        assert_eq!(clock.walls(ms(1100)), ms(500));
        assert_eq!(clock.at(ms(9000)), ms(9600), "set forward");
    }
}
