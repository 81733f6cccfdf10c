//! Where faults are asked for, decided and told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, broadcast};

use super::fault::{Fault, FaultError, Victim, What};
use super::plan::{FaultPlan, FaultTold, Occasion, Strike};
use crate::doors::{DoorState, Doors};
use crate::function::Function;
use crate::gateway::Gateway;
use crate::invoke::{Activity, FaultStruck};
use crate::time::Clock;

/// The faults of a sandbox, and whom they can name.
#[derive(Debug)]
pub(crate) struct Desk {
    plan: Mutex<FaultPlan>,
    /// How many there are, so that nobody waits for a lock while there is none.
    count: AtomicUsize,
    changed: Notify,
    clock: Clock,
    activity: broadcast::Sender<Activity>,
    functions: Vec<String>,
    extensions: Vec<String>,
    doors: Doors,
}

impl Desk {
    pub(crate) fn new(
        clock: Clock,
        activity: broadcast::Sender<Activity>,
        functions: &[Function],
        extensions: &[PathBuf],
        doors: &Doors,
    ) -> Self {
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        Self {
            plan: Mutex::default(),
            count: AtomicUsize::new(0),
            changed: Notify::new(),
            clock,
            activity,
            functions: functions
                .iter()
                .map(|function| function.name.clone())
                .collect(),
            extensions: extensions.iter().map(name).collect(),
            doors: doors.clone(),
        }
    }

    pub(crate) fn add(&self, fault: Fault) -> Result<u64, FaultError> {
        fault.check()?;
        self.check_names(&fault)?;
        let mut plan = self.plan();
        let id = plan.add(fault, self.clock.now())?;
        self.count.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        Ok(id)
    }

    /// Whether there was one.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let removed = self.plan().remove(id);
        self.changed.notify_one();
        removed
    }

    /// How many there were.
    pub(crate) fn remove_all(&self) -> usize {
        let removed = self.plan().remove_all();
        self.count.store(0, Ordering::Relaxed);
        self.changed.notify_one();
        removed
    }

    pub(crate) fn list(&self) -> Vec<FaultTold> {
        self.plan().list(self.clock.now())
    }

    /// What goes wrong with this function at this occasion. Nothing is told yet.
    pub(crate) fn decide(&self, function: &str, occasion: Occasion<'_>) -> Vec<Strike> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let now = self.clock.now();
        let strikes = self.plan().decide(function, occasion, now);
        if occasion == Occasion::Invocation {
            self.changed.notify_one(); // a door may have waited for this one
        }
        strikes
    }

    /// The same, told at once.
    pub(crate) fn strike(
        &self,
        function: &str,
        environment: Option<&str>,
        occasion: Occasion<'_>,
    ) -> Vec<What> {
        let strikes = self.decide(function, occasion);
        let told = strikes.into_iter().map(|strike| {
            self.tell(&strike, Some(function), environment);
            strike.fault.what
        });
        told.collect()
    }

    pub(crate) fn tell(&self, strike: &Strike, function: Option<&str>, environment: Option<&str>) {
        // Nobody has to watch.
        let _ = self.activity.send(Activity::Fault(FaultStruck {
            id: strike.id,
            what: strike.fault.what.to_string(),
            function: function.map(str::to_owned),
            environment: environment.map(str::to_owned),
        }));
    }

    fn check_names(&self, fault: &Fault) -> Result<(), FaultError> {
        if let Some(function) = &fault.function
            && !self.functions.contains(function)
        {
            let function = function.clone();
            return Err(FaultError::UnknownFunction { function });
        }
        match &fault.what {
            What::Kill(Victim::Extension(extension)) | What::Hang(Victim::Extension(extension))
                if !self.extensions.contains(extension) =>
            {
                let extension = extension.clone();
                Err(FaultError::UnknownExtension { extension })
            }
            What::Door(door, _) if !self.doors.told().iter().any(|told| told.name == *door) => {
                let door = door.clone();
                Err(FaultError::UnknownDoor { door })
            }
            // Whoever subscribes may also be an internal extension, which nobody knows before it registers.
            _ => Ok(()),
        }
    }

    fn plan(&self) -> MutexGuard<'_, FaultPlan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault that was added to a running sandbox. Dropping this does not remove it.
#[derive(Debug, Clone)]
pub struct FaultHandle {
    id: u64,
    desk: Arc<Desk>,
}

impl FaultHandle {
    pub(crate) fn new(id: u64, desk: Arc<Desk>) -> Self {
        Self { id, desk }
    }

    /// By which the control API and the command line know it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How often it has struck; `None` once it was removed.
    pub fn struck(&self) -> Option<u64> {
        self.desk.plan().struck(self.id)
    }

    /// Ends it. What it did stays done.
    pub fn remove(&self) {
        self.desk.remove(self.id);
    }
}

/// Strikes environments when the time has come, as long as the sandbox lives.
pub(crate) async fn drive(desk: Arc<Desk>, gateway: Weak<Gateway>) {
    let mut held = BTreeMap::new();
    loop {
        let (due, doors, new, next) = {
            let mut plan = desk.plan();
            let now = desk.clock.now();
            let due = plan.due(now);
            let (doors, new) = plan.doors(now);
            (due, doors, new, plan.next_due())
        };
        for strike in new {
            desk.tell(&strike, None, None);
        }
        set_doors(&desk.doors, &held, &doors);
        held = doors;
        for strike in due {
            let Some(gateway) = gateway.upgrade() else {
                return;
            };
            strike_environments(&desk, &gateway, &strike).await;
        }
        let wake = async {
            match next {
                Some(at) => desk.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wake => {}
            () = desk.changed.notified() => {}
        }
    }
}

/// Only what changes is set, so that a door that somebody else has set stays so.
fn set_doors(
    doors: &Doors,
    before: &BTreeMap<String, DoorState>,
    now: &BTreeMap<String, DoorState>,
) {
    let opened = before.keys().filter(|name| !now.contains_key(*name));
    let opened = opened.map(|name| (name, DoorState::Open));
    let changed = now
        .iter()
        .filter(|(name, state)| before.get(*name) != Some(state));
    for (name, state) in opened.chain(changed.map(|(name, state)| (name, *state))) {
        // The names were checked when the faults were added.
        let _ = doors.set(name, state);
    }
}

async fn strike_environments(desk: &Desk, gateway: &Gateway, strike: &Strike) {
    let strikes = || desk.plan().strikes_environment(strike.id, desk.clock.now());
    if let What::ClockJump(frozen) = strike.fault.what {
        if strikes() {
            desk.tell(strike, None, None);
            desk.clock.jump(frozen);
        }
        return;
    }
    for pool in gateway.pools() {
        let wanted = strike.fault.function.as_deref();
        if wanted.is_some_and(|wanted| wanted != pool.function.name) {
            continue;
        }
        for environment in pool.mailboxes() {
            if strikes() {
                // One that has just ended needs no fault.
                let _ = environment.send(strike.clone().into()).await;
            }
        }
    }
}
