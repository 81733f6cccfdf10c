//! A clock that never goes back, made of one that may.
//!
//! Deadlines are told in wall time, and only the wall clock goes on while the environment is frozen.
//! But it may be set, and a wait that it ended in the past would hold the function. So waits are
//! counted in a time of our own. How long it took until a jump backward was seen is not known, so it
//! counts as if the next thing that is waited for were due: a wait may end early, never late.

use throughline_telemetry::UnixNanos;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Clock {
    wall: UnixNanos,
    /// How much of our time is ahead of the wall's.
    ahead: u64,
}

impl Clock {
    /// Our time, when the wall says so and something is due then, in our time.
    pub(super) fn at(&mut self, wall: UnixNanos, due: Option<UnixNanos>) -> UnixNanos {
        if wall < self.wall {
            let before = self.ours(self.wall);
            let now = due.map_or(before, |due| due.max(before));
            self.ahead = now.0.saturating_sub(wall.0);
        }
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
        assert_eq!(clock.at(ms(1000), None), ms(1000));
        assert_eq!(clock.at(ms(400), None), ms(1000), "set back");
        assert_eq!(clock.at(ms(450), None), ms(1050));
        assert_eq!(clock.ours(ms(500)), ms(1100));
        assert_eq!(clock.walls(ms(1100)), ms(500));
        assert_eq!(clock.at(ms(9000), None), ms(9600), "set forward");
        assert_eq!(
            clock.at(ms(100), Some(ms(9650))),
            ms(9650),
            "what waits ends"
        );
        assert_eq!(clock.at(ms(50), Some(ms(9000))), ms(9650), "and was due");
    }
}
