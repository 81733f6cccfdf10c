//! How the platform runs the environment, where that changes what the extension asks of it.

use crate::core::{PERIOD, Strategy};

/// The two ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// One invocation at a time, announced by INVOKE, and a freeze after each.
    #[default]
    Classic,
    /// Managed Instances: many at once, never frozen. Extensions may ask for SHUTDOWN only, and nothing says that the
    /// runtime is done: an invocation is known from its start to its report.
    Managed,
}

impl Flavour {
    /// By the value of `AWS_LAMBDA_INITIALIZATION_TYPE`.
    pub fn of(initialization: Option<&str>) -> Self {
        match initialization {
            Some("lambda-managed-instances") => Flavour::Managed,
            _ => Flavour::Classic,
        }
    }

    /// What to register for. With an event too many the platform refuses.
    pub fn events(self) -> &'static [&'static str] {
        match self {
            Flavour::Classic => &["INVOKE", "SHUTDOWN"],
            Flavour::Managed => &["SHUTDOWN"],
        }
    }

    /// The schema of the telemetry to ask for: the newest that is everywhere, or the only one that is taken.
    pub fn schema(self) -> &'static str {
        match self {
            Flavour::Classic => "2022-12-13",
            Flavour::Managed => "2025-01-29",
        }
    }

    /// When to deliver. Where no end of an invocation is to be seen there is nothing to wait for.
    pub fn strategy(self, wanted: Strategy) -> Strategy {
        match (self, wanted) {
            (Flavour::Managed, Strategy::Auto | Strategy::End) => Strategy::Periodic(PERIOD),
            (_, wanted) => wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn managed_instances_are_told_by_their_initialization() {
        for (word, flavour) in [
            (Some("lambda-managed-instances"), Flavour::Managed),
            (Some("on-demand"), Flavour::Classic),
            (Some("snap-start"), Flavour::Classic),
            (Some(""), Flavour::Classic),
            (None, Flavour::Classic),
        ] {
            assert_eq!(Flavour::of(word), flavour, "{word:?}");
        }
    }

    #[test]
    fn where_nothing_says_when_an_invocation_ends_delivery_is_periodic() {
        let own = Strategy::Periodic(Duration::from_millis(250));
        for (wanted, managed) in [
            (Strategy::Auto, Strategy::Periodic(PERIOD)),
            (Strategy::End, Strategy::Periodic(PERIOD)),
            (own, own),
        ] {
            assert_eq!(Flavour::Managed.strategy(wanted), managed);
            assert_eq!(Flavour::Classic.strategy(wanted), wanted);
        }
    }
}
