//! Which faults strike when: nothing here waits, reads a clock or throws dice but with the fault's own seed.

use std::collections::BTreeMap;

use crate::doors::DoorState;

use super::fault::{Fault, FaultError, Start, What};
use crate::time::UnixNanos;

/// All faults of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    faults: BTreeMap<u64, Planned>,
    last_id: u64,
}

#[derive(Debug)]
struct Planned {
    fault: Fault,
    added: UnixNanos,
    started: Option<UnixNanos>,
    /// What [`Start::AtInvocation`] counts.
    invocations: u64,
    /// When it could have struck.
    occasions: u64,
    struck: u64,
    /// What it does once, at its start, was done.
    done: bool,
}

/// When a part of the sandbox asks whether something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion<'a> {
    /// Somebody calls the function.
    Call,
    /// An environment gets an invocation.
    Invocation,
    /// A batch is to go to the subscriber of this extension.
    Delivery(&'a str),
    /// A report is to be told.
    Report,
    /// An asynchronous event was taken.
    Event,
    /// A process asks for metadata.
    Metadata,
}

/// Something goes wrong now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strike {
    pub(crate) id: u64,
    pub(crate) fault: Fault,
}

/// A fault, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultTold {
    /// By which it is removed.
    pub id: u64,
    /// What was asked for.
    pub fault: Fault,
    /// How often it has struck.
    pub struck: u64,
    /// Whether it has begun.
    pub started: bool,
    /// Whether it strikes no more.
    pub over: bool,
}

impl FaultPlan {
    /// Takes a fault in. Those that are over make room for it if there is none.
    pub(crate) fn add(&mut self, fault: Fault, now: UnixNanos) -> Result<u64, FaultError> {
        if self.faults.len() >= FAULTS_MAX {
            self.faults.retain(|_, planned| {
                planned.start_by_time(now);
                !planned.is_over(now)
            });
        }
        if self.faults.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany { limit: FAULTS_MAX });
        }
        self.last_id += 1;
        let planned = Planned {
            fault,
            added: now,
            started: None,
            invocations: 0,
            occasions: 0,
            struck: 0,
            done: false,
        };
        self.faults.insert(self.last_id, planned);
        Ok(self.last_id)
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        self.faults.remove(&id).is_some()
    }

    /// How many there were.
    pub(crate) fn remove_all(&mut self) -> usize {
        std::mem::take(&mut self.faults).len()
    }

    /// In the order in which they were added.
    pub(crate) fn list(&mut self, now: UnixNanos) -> Vec<FaultTold> {
        let told = |(id, planned): (&u64, &mut Planned)| {
            planned.start_by_time(now);
            FaultTold {
                id: *id,
                fault: planned.fault.clone(),
                struck: planned.struck,
                started: planned.started.is_some(),
                over: planned.is_over(now),
            }
        };
        self.faults.iter_mut().map(told).collect()
    }

    /// How often a fault has struck; `None` if it was removed.
    pub(crate) fn struck(&self, id: u64) -> Option<u64> {
        self.faults.get(&id).map(|planned| planned.struck)
    }

    /// What goes wrong at this occasion.
    pub(crate) fn decide(
        &mut self,
        function: &str,
        occasion: Occasion<'_>,
        now: UnixNanos,
    ) -> Vec<Strike> {
        let mut strikes = Vec::new();
        for (id, planned) in &mut self.faults {
            let fault = &planned.fault;
            if fault.environments || fault.function.as_deref().is_some_and(|own| own != function) {
                continue;
            }
            planned.start_by_time(now);
            if occasion == planned.fault.what.counted() {
                planned.start_by_count(now);
            }
            if planned.fault.what.is_struck_at(occasion) && planned.strikes(now) {
                let fault = planned.fault.clone();
                strikes.push(Strike { id: *id, fault });
            }
        }
        strikes
    }

    /// Faults that strike environments and whose time has come; each is returned once.
    pub(crate) fn due(&mut self, now: UnixNanos) -> Vec<Strike> {
        let mut due = Vec::new();
        for (id, planned) in &mut self.faults {
            planned.start_by_time(now);
            if planned.fault.environments && planned.started.is_some() && !planned.done {
                planned.done = true;
                let fault = planned.fault.clone();
                due.push(Strike { id: *id, fault });
            }
        }
        due
    }

    /// How the doors are to behave that a fault has struck; of two faults the later one decides. What strikes a door for the
    /// first time is also returned.
    pub(crate) fn doors(&mut self, now: UnixNanos) -> (BTreeMap<String, DoorState>, Vec<Strike>) {
        let mut doors = BTreeMap::new();
        let mut new = Vec::new();
        for (id, planned) in &mut self.faults {
            planned.start_by_time(now);
            let What::Door(name, state) = &planned.fault.what else {
                continue;
            };
            if planned.started.is_none() {
                continue;
            }
            if planned.is_over(now) {
                planned.done = true;
                continue;
            }
            doors.insert(name.clone(), *state);
            if planned.struck == 0 {
                planned.struck = 1;
                let fault = planned.fault.clone();
                new.push(Strike { id: *id, fault });
            }
        }
        (doors, new)
    }

    /// When [`FaultPlan::due`] or [`FaultPlan::doors`] has something new to say.
    pub(crate) fn next_due(&self) -> Option<UnixNanos> {
        let times = self.faults.values().filter_map(|planned| {
            let is_door = matches!(planned.fault.what, What::Door(..));
            if planned.fault.environments && !planned.done || is_door && planned.started.is_none() {
                planned.starts_at()
            } else if is_door && !planned.done {
                Some(planned.started? + planned.fault.lasts?)
            } else {
                None
            }
        });
        times.min()
    }

    /// Whether the fault strikes this environment, one of those that there are.
    pub(crate) fn strikes_environment(&mut self, id: u64, now: UnixNanos) -> bool {
        self.faults
            .get_mut(&id)
            .is_some_and(|planned| planned.strikes(now))
    }
}

impl Planned {
    fn starts_at(&self) -> Option<UnixNanos> {
        match self.fault.start {
            Start::AtOnce => Some(self.added),
            Start::After(wait) => Some(self.added + wait),
            Start::AtInvocation(_) => self.started,
        }
    }

    fn start_by_time(&mut self, now: UnixNanos) {
        if self.started.is_none() {
            self.started = self.starts_at().filter(|at| now >= *at);
        }
    }

    fn start_by_count(&mut self, now: UnixNanos) {
        self.invocations += 1;
        if let Start::AtInvocation(number) = self.fault.start
            && self.invocations >= number
        {
            self.started.get_or_insert(now);
        }
    }

    fn is_over(&self, now: UnixNanos) -> bool {
        let by_time = self.fault.lasts.zip(self.started);
        by_time.is_some_and(|(lasts, started)| now >= started + lasts)
            || self.fault.times.is_some_and(|times| self.struck >= times)
            || self.fault.environments && self.done
    }

    fn strikes(&mut self, now: UnixNanos) -> bool {
        // Those that strike environments are over as a whole, not between two of them.
        let over = !self.fault.environments && self.is_over(now);
        let enough = self.fault.times.is_some_and(|times| self.struck >= times);
        if self.started.is_none() || over || enough {
            return false;
        }
        let drawn = draw(self.fault.seed, self.occasions);
        self.occasions += 1;
        let strikes = drawn < self.fault.share;
        self.struck += u64::from(strikes);
        strikes
    }
}

impl What {
    fn is_struck_at(&self, occasion: Occasion<'_>) -> bool {
        match (self, occasion) {
            (Self::Door(..), _) => false,
            (Self::Telemetry(_, wanted), Occasion::Delivery(extension)) => {
                wanted.as_deref().is_none_or(|wanted| wanted == extension)
            }
            (Self::Telemetry(..), _) | (_, Occasion::Delivery(_)) => false,
            (Self::Metadata(_), occasion) => occasion == Occasion::Metadata,
            (Self::LoseReport, occasion) => occasion == Occasion::Report,
            (what, occasion) => occasion == what.counted(),
        }
    }

    /// What [`Start::AtInvocation`] counts for it.
    fn counted(&self) -> Occasion<'static> {
        match self {
            Self::Throttle => Occasion::Call,
            Self::DuplicateEvent | Self::PoisonEvent(_) => Occasion::Event,
            _ => Occasion::Invocation,
        }
    }
}

/// A number from 0 to below 1 that depends on nothing but these two (Steele's and Vigna's `splitmix64`).
fn draw(seed: u64, occasion: u64) -> f64 {
    let step = occasion.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bits = seed.wrapping_add(step);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    let upper = u32::try_from(bits >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / (f64::from(u32::MAX) + 1.0)
}

/// More than anybody looks through.
pub(crate) const FAULTS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::faults::{Delivery, Victim};

    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: u64) -> UnixNanos {
        UnixNanos::from_millis(second * 1000)
    }

    fn plan(fault: Fault) -> FaultPlan {
        let mut plan = FaultPlan::default();
        plan.add(fault, at(0)).unwrap();
        plan
    }

    /// At which of twelve occasions, one each second, the fault strikes.
    fn struck(fault: Fault, occasion: Occasion<'_>) -> Vec<u64> {
        let mut plan = plan(fault);
        let strikes = |second: &u64| !plan.decide("f", occasion, at(*second)).is_empty();
        (0..12).filter(strikes).collect()
    }

    #[test]
    fn fault_strikes_from_its_start_to_its_end() {
        let kill = || Fault::kill(Victim::Runtime);
        let cases = [
            (kill(), (0..12).collect()),
            (kill().of("g"), vec![]),
            (kill().after(SECOND * 9), vec![9, 10, 11]),
            (kill().at_invocation(11), vec![10, 11]),
            (kill().times(2), vec![0, 1]),
            (kill().lasting(SECOND * 3), vec![0, 1, 2]),
            (kill().after(SECOND * 2).lasting(SECOND * 2), vec![2, 3]),
            (kill().at_invocation(4).lasting(SECOND * 2), vec![3, 4]),
            (kill().at_invocation(4).times(1).of("f"), vec![3]),
        ];
        for (fault, expected) in cases {
            assert_eq!(
                struck(fault.clone(), Occasion::Invocation),
                expected,
                "{fault:?}"
            );
        }
    }

    #[test]
    fn fault_strikes_at_its_own_occasion() {
        let slow = || Delivery::Delay(SECOND);
        let cases = [
            (Fault::kill(Victim::Runtime), Occasion::Invocation),
            (Fault::throttle(), Occasion::Call),
            (Fault::lose_report(), Occasion::Report),
            (Fault::duplicate_event(), Occasion::Event),
            (Fault::telemetry(slow()), Occasion::Delivery("ext")),
            (
                Fault::telemetry_of("ext", slow()),
                Occasion::Delivery("ext"),
            ),
        ];
        let occasions = [
            Occasion::Call,
            Occasion::Invocation,
            Occasion::Delivery("ext"),
            Occasion::Report,
            Occasion::Event,
        ];
        for (fault, own) in cases {
            for occasion in occasions {
                let expected = if occasion == own { 12 } else { 0 };
                assert_eq!(
                    struck(fault.clone(), occasion).len(),
                    expected,
                    "{fault} at {occasion:?}"
                );
            }
        }
        let other = Fault::telemetry_of("other", slow());
        assert!(struck(other, Occasion::Delivery("ext")).is_empty());
    }

    #[test]
    fn telemetry_is_counted_by_invocations_too() {
        let mut plan = plan(Fault::telemetry(Delivery::Lose).at_invocation(2));
        let mut lost = |occasion| plan.decide("f", occasion, at(1)).len();
        let seen = [
            Occasion::Delivery("e"),
            Occasion::Invocation,
            Occasion::Delivery("e"),
        ]
        .map(&mut lost);
        assert_eq!(seen, [0, 0, 0]);
        assert_eq!(
            [Occasion::Invocation, Occasion::Delivery("e")].map(lost),
            [0, 1]
        );
    }

    #[test]
    fn share_is_kept_and_repeats_with_its_seed() {
        let strikes = |seed| {
            let mut plan = plan(Fault::throttle().share(0.3).seed(seed));
            let strikes = |second: &u64| !plan.decide("f", Occasion::Call, at(*second)).is_empty();
            (0..10_000).filter(strikes).collect::<Vec<_>>()
        };
        let first = strikes(1);
        assert!((2_800..3_200).contains(&first.len()), "{}", first.len());
        assert_eq!(first, strikes(1));
        assert_ne!(first, strikes(2));
    }

    #[test]
    fn environments_are_struck_once_when_the_time_has_come() {
        let mut plan = plan(
            Fault::drop_environment()
                .on_environments()
                .after(SECOND * 5)
                .times(2),
        );
        assert_eq!(plan.next_due(), Some(at(5)));
        assert!(plan.due(at(4)).is_empty());
        assert_eq!(plan.due(at(5)).len(), 1);
        let struck = [(); 3].map(|()| plan.strikes_environment(1, at(5)));
        assert_eq!(struck, [true, true, false]);
        assert!(plan.due(at(6)).is_empty() && plan.next_due().is_none());
        let told = &plan.list(at(6))[0];
        assert_eq!((told.struck, told.started, told.over), (2, true, true));
    }

    #[test]
    fn door_is_shut_from_the_start_of_its_fault_to_the_end() {
        let door = |name: &str| Fault::door(name, DoorState::Refuse);
        let mut plan = plan(door("a").after(SECOND * 2).lasting(SECOND * 3));
        plan.add(door("b").at_invocation(1), at(0)).unwrap();
        let shut = |plan: &mut FaultPlan, second| {
            let (doors, new) = plan.doors(at(second));
            (doors.into_keys().collect::<Vec<_>>().concat(), new.len())
        };
        assert_eq!(shut(&mut plan, 0), (String::new(), 0));
        assert_eq!(plan.next_due(), Some(at(2)));
        assert_eq!(shut(&mut plan, 2), ("a".to_owned(), 1));
        assert_eq!(plan.next_due(), Some(at(5)));
        plan.decide("f", Occasion::Invocation, at(4));
        assert_eq!(shut(&mut plan, 4), ("ab".to_owned(), 1));
        assert_eq!(shut(&mut plan, 5), ("b".to_owned(), 0));
        assert_eq!(plan.next_due(), None);
        plan.remove(2);
        assert_eq!(shut(&mut plan, 6), (String::new(), 0));
    }

    #[test]
    fn list_has_an_end_and_what_is_over_makes_room() {
        let mut plan = FaultPlan::default();
        for _ in 0..FAULTS_MAX {
            plan.add(Fault::throttle().lasting(SECOND), at(0)).unwrap();
        }
        plan.list(at(0));
        let limit = FAULTS_MAX;
        assert_eq!(
            plan.add(Fault::throttle(), at(0)),
            Err(FaultError::TooMany { limit })
        );
        assert_eq!(plan.add(Fault::throttle(), at(1)), Ok(101));
        assert_eq!(plan.list(at(1)).len(), 1);
        assert!(plan.remove(101) && !plan.remove(101));
        assert_eq!(plan.remove_all(), 0);
    }
}
