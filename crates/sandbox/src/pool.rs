//! The environments of one function: an invocation gets an idle one, a new one, or is throttled.

mod upkeep;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, mpsc};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use crate::code::{Code, Prepared};
use crate::control::{self, Group};
use crate::doors::Doors;
use crate::environment::{self, Caller, Host, Message, PortRange, ProcessGroups, Variables};
use crate::faults::Desk;
use crate::function::{Function, Initialization};
use crate::invoke::Activity;
use crate::lifecycle::{Invocation, Limits};
use crate::recording::Recording;
use crate::time::Clock;
use crate::world::{self, FileSystem, Folder, Place, Worlds};
use upkeep::Ahead;

/// What all functions of a sandbox share.
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) desk: Arc<Desk>,
    pub(crate) groups: Arc<ProcessGroups>,
    pub(crate) ports: PortRange,
    pub(crate) activity: broadcast::Sender<Activity>,
    pub(crate) recording: Option<Arc<Recording>>,
    pub(crate) extensions: Vec<PathBuf>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) inherited: BTreeMap<String, String>,
    pub(crate) lambda_api: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) idle_timeout: Duration,
    pub(crate) concurrency: usize,
    pub(crate) folder: Folder,
    /// What makes an environment's own world; without it all share one.
    pub(crate) worlds: Option<Arc<Worlds>>,
    pub(crate) doors: Doors,
    /// The folder that the sandbox was started in.
    pub(crate) project: Option<PathBuf>,
    pub(crate) memory_limited: bool,
    pub(crate) cpu_shared: bool,
    /// Shown as `/etc/hosts` where that can be.
    pub(crate) hosts: Option<PathBuf>,
}

/// The environments of one function.
pub(crate) struct Pool {
    pub(crate) function: Function,
    prepared: Mutex<Arc<Prepared>>,
    surroundings: Arc<Surroundings>,
    state: Mutex<State>,
    /// An environment became idle or ended.
    changed: Notify,
}

struct State {
    /// The most recently used last.
    slots: Vec<Slot>,
    tasks: JoinSet<()>,
    next_id: u64,
    closing: bool,
}

struct Slot {
    id: u64,
    /// How many invocations it has, or an init.
    taken: usize,
    /// It had an invocation.
    served: bool,
    /// Whose invocations it takes, and no one else's.
    tenant: Option<String>,
    /// Was started before its invocations.
    ahead: bool,
    /// The code has changed since it was started.
    outdated: bool,
    messages: mpsc::Sender<Message>,
}

impl Slot {
    fn is_idle(&self) -> bool {
        self.taken == 0
    }
}

impl State {
    /// Ends the environment that has slept longest, if one sleeps: another tenant needs its place.
    fn make_room(&mut self) -> bool {
        let Some(index) = self.slots.iter().position(Slot::is_idle) else {
            return false;
        };
        let slot = self.slots.remove(index);
        upkeep::end(&slot);
        true
    }
}

/// Why no environment took an invocation.
#[derive(Debug)]
pub(crate) enum NoEnvironment {
    Throttled,
    ShuttingDown,
    Failed(std::io::Error),
}

impl Pool {
    pub(crate) fn new(
        function: Function,
        prepared: Prepared,
        surroundings: Arc<Surroundings>,
    ) -> Arc<Self> {
        let state = State {
            slots: Vec::new(),
            tasks: JoinSet::new(),
            next_id: 0,
            closing: false,
        };
        Arc::new(Self {
            function,
            prepared: Mutex::new(Arc::new(prepared)),
            surroundings,
            state: Mutex::new(state),
            changed: Notify::new(),
        })
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.function
            .concurrency
            .unwrap_or(self.surroundings.concurrency)
    }

    /// Gives the invocation to an idle environment, the warmest first, or to a new one. Where environments have several
    /// at once, the one with the fewest gets it.
    pub(crate) fn invoke(
        self: &Arc<Self>,
        invocation: Invocation,
        caller: Caller,
    ) -> Result<(), NoEnvironment> {
        let mut state = self.state();
        if state.closing {
            return Err(NoEnvironment::ShuttingDown);
        }
        let tenant = invocation.tenant_id.clone();
        let at_once = self.function.initialization.invocations_at_once();
        let fits = |slot: &Slot| slot.taken < at_once && slot.tenant == tenant;
        let fewest = state.slots.iter().enumerate().rev();
        let fewest = fewest
            .filter(|(_, slot)| fits(slot))
            .min_by_key(|(_, slot)| slot.taken);
        let slot = match fewest.map(|(index, _)| index) {
            Some(index) => state.slots.remove(index),
            None if state.slots.len() >= self.concurrency() && !state.make_room() => {
                return Err(NoEnvironment::Throttled);
            }
            None => {
                let ahead = self.kept_or_not(&state);
                self.start_environment(&mut state, ahead)
                    .map_err(NoEnvironment::Failed)?
            }
        };
        let slot = Slot {
            tenant,
            taken: slot.taken + 1,
            served: true,
            ..slot
        };
        let sent = slot.messages.try_send(Message::Invoke(invocation, caller));
        state.slots.push(slot);
        // An idle environment's queue has room and its loop runs, unless the whole sandbox is being dropped.
        sent.map_err(|_| NoEnvironment::ShuttingDown)
    }

    /// Where the environments that there are take messages.
    pub(crate) fn mailboxes(&self) -> Vec<mpsc::Sender<Message>> {
        let state = self.state();
        state
            .slots
            .iter()
            .map(|slot| slot.messages.clone())
            .collect()
    }

    /// Waits until an environment may be free. Create the future first, then try.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Lets running invocations finish for a moment, then shuts all environments down and waits for their end.
    pub(crate) async fn shutdown(&self) {
        self.state().closing = true;
        let drained = tokio::time::timeout(DRAIN, self.drained()).await;
        debug!(function = %self.function.name, drained = drained.is_ok(), "shutting environments down");
        let (messages, mut tasks) = {
            let mut state = self.state();
            let messages: Vec<_> = state
                .slots
                .iter()
                .map(|slot| slot.messages.clone())
                .collect();
            (messages, std::mem::take(&mut state.tasks))
        };
        for messages in messages {
            // Not in the queue: it has ended.
            let _ = messages.send(Message::Shutdown).await;
        }
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_MAX, all).await.is_err() {
            warn!(function = %self.function.name, "environments did not end in time");
        }
    }

    /// Ends all loops at once; their processes die with them.
    pub(crate) fn abort(&self) {
        let mut state = self.state();
        state.closing = true;
        state.slots.clear();
        state.tasks.abort_all();
    }

    async fn drained(&self) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.state().slots.iter().all(Slot::is_idle) {
                return;
            }
            changed.await;
        }
    }

    fn start_environment(
        self: &Arc<Self>,
        state: &mut State,
        ahead: Ahead,
    ) -> std::io::Result<Slot> {
        let id = state.next_id;
        let (messages, run) = environment::start(self.host(id, ahead)?)?;
        state.next_id += 1;
        let forget = Forget {
            pool: Arc::downgrade(self),
            id,
        };
        while state.tasks.try_join_next().is_some() {}
        state.tasks.spawn(async move {
            let _forget = forget;
            run.await;
        });
        Ok(Slot {
            id,
            taken: 0,
            served: false,
            tenant: None,
            ahead: ahead == Ahead::Yes,
            outdated: false,
            messages,
        })
    }

    fn host(self: &Arc<Self>, id: u64, ahead: Ahead) -> std::io::Result<Host> {
        let prepared = self
            .prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut function = self.function.clone();
        if ahead == Ahead::No && matches!(function.initialization, Initialization::Provisioned(_)) {
            // More than were provisioned for start as they are needed.
            function.initialization = Initialization::OnDemand;
        }
        let surroundings = &self.surroundings;
        let place = self.place(&prepared)?;
        let otlp_port = if place.is_own() {
            OTLP_PORT
        } else {
            surroundings.ports.take()?
        };
        let variables = Variables {
            function: function.clone(),
            shared: surroundings.environment.clone(),
            inherited: surroundings.inherited.clone(),
            instance: self.instance_name(),
            runtime_api: SocketAddr::from(([127, 0, 0, 1], 0)),
            lambda_api: surroundings.lambda_api,
            otlp_port,
            metadata_token: uuid::Uuid::new_v4().to_string(),
            credentials_token: uuid::Uuid::new_v4().to_string(),
            code: if place.is_own() {
                Code::as_on_lambda()
            } else {
                prepared.code.clone()
            },
            place: place.clone(),
            doors: surroundings.doors.clone(),
        };
        let (on_idle, may_retire) = (Arc::downgrade(self), Arc::downgrade(self));
        let on_ending = Arc::downgrade(self);
        Ok(Host {
            function,
            extensions: self.extensions(&prepared),
            variables,
            place,
            group: self.group(),
            memory_limited: surroundings.memory_limited,
            prepared,
            limits: surroundings.limits,
            idle_timeout: surroundings.idle_timeout,
            clock: surroundings.clock.clone(),
            desk: surroundings.desk.clone(),
            groups: surroundings.groups.clone(),
            activity: surroundings.activity.clone(),
            recording: surroundings.recording.clone(),
            on_idle: Box::new(move || {
                if let Some(pool) = on_idle.upgrade() {
                    pool.release(id);
                }
            }),
            on_ending: Box::new(move || {
                if let Some(pool) = on_ending.upgrade() {
                    pool.replace(id);
                }
            }),
            may_retire: Box::new(move || may_retire.upgrade().is_none_or(|pool| pool.retire(id))),
        })
    }

    /// Those of the sandbox and those of the function's layers; of two with the same name the sandbox's.
    fn extensions(&self, prepared: &Prepared) -> Vec<PathBuf> {
        if prepared.extensions_off {
            return Vec::new();
        }
        let mut all = self.surroundings.extensions.clone();
        for path in &prepared.extensions {
            if !all
                .iter()
                .any(|other| other.file_name() == path.file_name())
            {
                all.push(path.clone());
            }
        }
        all
    }

    fn group(&self) -> Option<Group> {
        let surroundings = &self.surroundings;
        let memory_mb = self.function.memory_mb;
        let limits = control::Limits {
            memory_mb: surroundings.memory_limited.then_some(memory_mb),
            storage_mb: if surroundings.worlds.is_some() {
                self.function.ephemeral_storage_mb
            } else {
                0
            },
            cores: surroundings
                .cpu_shared
                .then(|| f64::from(memory_mb) / MEMORY_MB_OF_A_CORE),
        };
        let name = uuid::Uuid::new_v4().simple().to_string();
        surroundings.groups.control().group(&name, limits)
    }

    /// A new world, or a new place in the one that all share.
    fn place(&self, prepared: &Prepared) -> std::io::Result<Place> {
        let surroundings = &self.surroundings;
        match &surroundings.worlds {
            Some(worlds) => Place::own(worlds, &self.file_system(prepared), &surroundings.doors),
            None => {
                let name = format!("tmp-{}", uuid::Uuid::new_v4().simple());
                Place::shared(surroundings.folder.path().join(name))
            }
        }
    }

    fn file_system(&self, prepared: &Prepared) -> FileSystem {
        let code = &prepared.code;
        let surroundings = &self.surroundings;
        let own = surroundings.folder.path();
        let parts = [Some(&code.task), code.opt.as_ref(), code.runtime.as_ref()];
        let needed = parts.into_iter().flatten();
        let needed = needed
            .chain(&prepared.interpreter)
            .chain(&prepared.leads_to);
        let needed = needed
            .chain(&surroundings.extensions)
            .chain(&surroundings.project);
        FileSystem {
            code: Some(code.task.clone()).filter(|code| code.is_dir()),
            layers: code.opt.iter().cloned().collect(),
            runtime: code.runtime.clone(),
            extensions: surroundings.extensions.clone(),
            hosts: surroundings.hosts.clone(),
            kept: world::kept(
                needed
                    .map(PathBuf::as_path)
                    .filter(|path| !path.starts_with(own)),
            ),
            storage_mb: self.function.ephemeral_storage_mb,
        }
    }

    /// The name of the log stream that Lambda would write.
    fn instance_name(&self) -> String {
        let (year, month, day) = self.surroundings.clock.now().date();
        let random = uuid::Uuid::new_v4().simple();
        format!(
            "{year:04}/{month:02}/{day:02}/{}[{}]{random}",
            self.function.name,
            crate::function::VERSION
        )
    }

    fn release(&self, id: u64) {
        let mut state = self.state();
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == id) {
            slot.taken = slot.taken.saturating_sub(1);
        }
        state.end_outdated();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether the environment was idle and is not kept in any case; then it is no longer here.
    fn retire(&self, id: u64) -> bool {
        let mut state = self.state();
        let idle = state
            .slots
            .iter()
            .position(|slot| slot.id == id && slot.is_idle() && !slot.ahead);
        idle.map(|index| state.slots.remove(index)).is_some()
    }

    fn forget(&self, id: u64) {
        self.state().slots.retain(|slot| slot.id != id);
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes an environment from its pool however its loop ends.
struct Forget {
    pool: Weak<Pool>,
    id: u64,
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.forget(self.id);
        }
    }
}

/// Lambda gives a function a whole core with so much memory, and less with less.
const MEMORY_MB_OF_A_CORE: f64 = 1769.0;
/// Where extensions receive OTLP, in a world of their own.
const OTLP_PORT: u16 = 4318;
/// What invocations get to finish when the sandbox shuts down.
const DRAIN: Duration = Duration::from_secs(2);
/// Twice the two seconds that Lambda allows, and what its last resorts take.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);
