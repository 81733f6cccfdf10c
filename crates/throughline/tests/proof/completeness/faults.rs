//! What goes wrong on the way, chosen by the seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use throughline_sandbox::{DoorState, Fault, RunningSandbox, Victim};

use super::FUNCTIONS;
use super::workers::Work;
use crate::backend::DOOR;
use crate::server::Server;
use crate::stage::EXTENSION;

/// Strikes from time to time.
pub(super) struct Troublemaker {
    random: Rng,
    sandbox: Arc<RunningSandbox>,
    counts: BTreeMap<&'static str, u64>,
}

impl Troublemaker {
    pub(super) fn new(random: Rng, sandbox: &Arc<RunningSandbox>) -> Self {
        Troublemaker {
            random,
            sandbox: sandbox.clone(),
            counts: BTreeMap::new(),
        }
    }

    /// Makes trouble until all work is done; then everything is well again.
    pub(super) async fn trouble(&mut self, work: &Work, server: &mut Server) -> Result<(), String> {
        let mut count = 0;
        loop {
            count += self.random.u64(10..50);
            if !work.reaches(count).await {
                break;
            }
            match self.random.u32(0..10) {
                0 => {
                    *self.counts.entry("server killed").or_default() += 1;
                    server.kill_and_start();
                }
                1..=3 => self.turn_door(),
                _ => self.strike()?,
            }
        }
        self.open_door();
        Ok(())
    }

    /// What happened.
    pub(super) fn outline(&self) -> String {
        let counts = self.counts.iter();
        let counts = counts.map(|(what, count)| format!("{what} {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    fn turn_door(&mut self) {
        let slow = DoorState::Slow {
            delay: Duration::from_millis(20),
            bytes_per_second: Some(100_000),
        };
        let (name, state) = match self.random.u32(0..6) {
            0 => ("door shut", DoorState::Refuse),
            1 => ("door black", DoorState::BlackHole),
            2 => ("door slow", slow),
            _ => ("door open", DoorState::Open),
        };
        *self.counts.entry(name).or_default() += 1;
        self.set_door(state);
    }

    fn open_door(&self) {
        self.set_door(DoorState::Open);
    }

    fn set_door(&self, state: DoorState) {
        let doors = self.sandbox.doors();
        doors.set(DOOR, state).expect("there is the door");
    }

    fn strike(&mut self) -> Result<(), String> {
        let extension = || Victim::Extension(EXTENSION.to_owned());
        let function = FUNCTIONS[self.random.usize(0..FUNCTIONS.len())];
        let into = Duration::from_micros(self.random.u64(0..5000));
        let (name, fault) = match self.random.u32(0..6) {
            0 => ("runtime killed", Fault::kill(Victim::Runtime)),
            1 => ("out of memory", Fault::out_of_memory()),
            2 => ("extension killed", Fault::kill(extension())),
            3 => ("extension hung", Fault::hang(extension())),
            4 => ("environment dropped", Fault::drop_environment()),
            _ => ("runtime hung", Fault::hang(Victim::Runtime)),
        };
        *self.counts.entry(name).or_default() += 1;
        let fault = fault.of(function).times(1).into_invocation(into);
        let added = self.sandbox.fault(fault);
        added.map(drop).map_err(|error| error.to_string())
    }
}
