//! Managed Instances: many invocations at once, and no INVOKE that announces them.

use throughline_telemetry::UnixNanos;

use super::Joiner;
use super::invocation::{Ending, Invocation};
use super::lines::CLOCK_TOLERANCE;
use crate::platform::Started;

impl Joiner {
    /// Many run at once, and what the platform tells is all that is known of them.
    pub fn expect_a_crowd(&mut self) {
        self.crowded = true;
    }

    /// The platform says that one begins; nothing else will.
    pub(super) fn announced(&mut self, told: &Started, time: UnixNanos, now: UnixNanos) {
        let function_arn = told.function_arn.clone().unwrap_or_default();
        self.learn_account(&function_arn);
        self.running(&told.request_id, time, now).announced(
            &function_arn,
            told.tracing.as_deref(),
            time,
        );
    }

    /// The only one that ran at this time; who of several wrote something, only it can say.
    pub(super) fn alone_at(&self, at: UnixNanos) -> Option<usize> {
        let ran = |known: &Invocation| {
            known.is_invoked()
                && known.start() <= at.plus(CLOCK_TOLERANCE)
                && known
                    .end_told()
                    .is_none_or(|end| at <= end.plus(CLOCK_TOLERANCE))
        };
        let mut running = (0..self.invocations.len()).filter(|at| ran(&self.invocations[*at]));
        running.next().filter(|_| running.next().is_none())
    }

    /// Which to forget for a new one: of those that are over the oldest, and one that runs only when there are more of
    /// them than the platform has at once.
    pub(super) fn least_needed(&self) -> Option<usize> {
        let over = self
            .invocations
            .iter()
            .filter(|known| known.is_over())
            .count();
        if over >= OVER_MAX {
            return self.invocations.iter().position(Invocation::is_over);
        }
        (self.invocations.len() - over >= RUNNING_MAX)
            .then(|| self.invocations.iter().position(|known| !known.is_over()))?
    }
}

impl Invocation {
    fn end_told(&self) -> Option<UnixNanos> {
        match self.ending()? {
            Ending::RuntimeDone { time, .. } | Ending::Report { time, .. } => Some(*time),
            Ending::ShutDown(_) | Ending::Unknown => None,
        }
    }
}

/// As many as one environment takes at once.
const RUNNING_MAX: usize = 1600;
/// So many are remembered for what arrives late.
const OVER_MAX: usize = 256;
