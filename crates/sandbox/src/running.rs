//! A sandbox at work.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use crate::doors::Doors;
use crate::environment::ProcessGroups;
use crate::faults::{Desk, Fault, FaultError, FaultHandle, FaultTold};
use crate::front::http_api::{Plan, Route};
use crate::function::Function;
use crate::gateway::Gateway;
use crate::invoke::{Activity, Answer, Finished, Invoke, InvokeError};
use crate::recording::{Exchange, Recording};
use crate::schedule::{self, Rule};
use crate::source::{HttpApiKind, Schedule};
use crate::time::{Clock, UnixNanos};
use crate::world::WorldUsed;

/// A sandbox that serves.
///
/// [`RunningSandbox::shutdown`] ends every environment as Lambda does; dropping it kills all processes at once.
pub struct RunningSandbox {
    gateway: Arc<Gateway>,
    groups: Arc<ProcessGroups>,
    activity: broadcast::Sender<Activity>,
    clock: Clock,
    desk: Arc<Desk>,
    api: SocketAddr,
    urls: BTreeMap<String, SocketAddr>,
    pub(crate) recording: Option<Arc<Recording>>,
    apis: Vec<RunningApi>,
    schedules: Vec<RunningSchedule>,
    world: WorldUsed,
    doors: Doors,
    tasks: JoinSet<()>,
}

/// An API that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningApi {
    /// Its name, as routes call it.
    pub name: String,
    /// REST or HTTP.
    pub kind: HttpApiKind,
    /// Where it listens, such as `http://127.0.0.1:4320/`.
    pub url: String,
    /// Its routes, the most specific first.
    pub routes: Vec<RunningRoute>,
}

/// A route of an API that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningRoute {
    /// Such as `GET /orders/{id}`.
    pub key: String,
    /// The function behind it.
    pub function: String,
}

/// A schedule that fires, unless it is switched off.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningSchedule {
    /// The function it invokes.
    pub function: String,
    /// As it was declared.
    pub schedule: Schedule,
}

/// Invokes the functions of a running sandbox from wherever it is needed. Cheap to clone.
#[derive(Clone)]
pub struct Invoker {
    gateway: Arc<Gateway>,
}

impl Invoker {
    /// Makes a call and waits for its answer.
    ///
    /// # Errors
    /// The call was not made; an error of the function is an answer.
    pub async fn call(&self, invoke: Invoke) -> Result<Answer, InvokeError> {
        self.gateway.start(invoke)?.answer().await
    }

    /// Takes a call for later, as `Invoke` does with `InvocationType: Event`; the answer is the request id.
    ///
    /// # Errors
    /// The call was not taken.
    pub fn queue(&self, invoke: Invoke) -> Result<String, InvokeError> {
        self.gateway.queue(invoke)
    }

    /// The functions, in the order of their names.
    pub fn functions(&self) -> Vec<Function> {
        self.gateway
            .pools()
            .map(|pool| pool.function.clone())
            .collect()
    }
}

impl RunningSandbox {
    pub(crate) fn new(
        gateway: Arc<Gateway>,
        groups: Arc<ProcessGroups>,
        activity: broadcast::Sender<Activity>,
        clock: Clock,
        desk: Arc<Desk>,
        api: SocketAddr,
        (world, doors): (WorldUsed, Doors),
    ) -> Self {
        Self {
            gateway,
            groups,
            activity,
            clock,
            desk,
            api,
            urls: BTreeMap::new(),
            recording: None,
            apis: Vec::new(),
            schedules: Vec::new(),
            world,
            doors,
            tasks: JoinSet::new(),
        }
    }

    pub(crate) fn add_url(&mut self, function: String, bound: SocketAddr) {
        self.urls.insert(function, bound);
    }

    pub(crate) fn add_api(&mut self, plan: &Plan, bound: SocketAddr) {
        let route = |route: &Route| RunningRoute {
            key: route.key(),
            function: route.function.clone(),
        };
        self.apis.push(RunningApi {
            name: plan.api.name.clone(),
            kind: plan.kind,
            url: format!("http://{bound}/"),
            routes: plan.routes.iter().map(route).collect(),
        });
    }

    pub(crate) fn add_schedule(&mut self, rule: Rule, clock: Clock) {
        let running = RunningSchedule {
            function: rule.function,
            schedule: rule.schedule,
        };
        self.schedules.push(running.clone());
        if running.schedule.enabled {
            let gateway = self.gateway.clone();
            let now = {
                let clock = clock.clone();
                move || clock.now()
            };
            let sleep_until = move |at| {
                let clock = clock.clone();
                async move { clock.sleep_until(at).await }
            };
            self.run(schedule::run(rule.when, now, sleep_until, move |at| {
                // What cannot be queued is lost, as it is when EventBridge's own retries end.
                if let Err(error) = fire(&gateway, &running, at) {
                    tracing::warn!(%error, schedule = %running.schedule.name, "schedule did not fire");
                }
            }));
        }
    }

    pub(crate) fn run(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    pub(crate) fn serve(&mut self, listener: TcpListener, router: Router) {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.run(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "listener failed");
            }
        });
    }

    /// Where environments live, and why.
    pub fn world(&self) -> &WorldUsed {
        &self.world
    }

    /// Whether freezing takes all processes of an environment, as control groups can, or only those that stay in the process
    /// groups they were started in.
    pub fn freezes_all(&self) -> bool {
        self.groups.control().freezes()
    }

    /// Whether control groups hold functions to their memory. Elsewhere it is looked at now and then, and a function that
    /// takes and gives back more in between is not noticed.
    pub fn limits_memory(&self) -> bool {
        self.groups.control().limits_memory()
    }

    /// The ways out of the environments, which can be made slow or shut.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }

    /// Where the AWS API listens.
    pub fn api_addr(&self) -> SocketAddr {
        self.api
    }

    /// Where the function's URL listens, if it has one.
    pub fn url_addr(&self, function: &str) -> Option<SocketAddr> {
        self.urls.get(function).copied()
    }

    /// The function's URL, if it has one.
    pub fn url_of(&self, function: &str) -> Option<String> {
        self.url_addr(function)
            .map(|address| format!("http://{address}/"))
    }

    /// The APIs and their routes, in the order of their names.
    pub fn apis(&self) -> &[RunningApi] {
        &self.apis
    }

    /// The schedules of all functions.
    pub fn schedules(&self) -> &[RunningSchedule] {
        &self.schedules
    }

    /// Fires every schedule of this name as though its time had come, also one that is switched off. The answers are
    /// the request ids; there are none where no schedule has the name.
    ///
    /// # Errors
    /// A call was not taken.
    pub fn fire_schedule(&self, name: &str) -> Result<Vec<String>, InvokeError> {
        let named = |running: &&RunningSchedule| running.schedule.name == name;
        let now = self.clock.now();
        let schedules = self.schedules.iter().filter(named);
        schedules
            .map(|running| fire(&self.gateway, running, now))
            .collect()
    }

    /// Where each API listens, by its name.
    pub fn api_urls(&self) -> BTreeMap<String, String> {
        let pair = |api: &RunningApi| (api.name.clone(), api.url.clone());
        self.apis.iter().map(pair).collect()
    }

    /// The names of all functions, in order.
    pub fn functions(&self) -> Vec<String> {
        self.gateway
            .pools()
            .map(|pool| pool.function.name.clone())
            .collect()
    }

    /// A handle for whoever invokes functions beside the owner of the sandbox.
    pub fn invoker(&self) -> Invoker {
        Invoker {
            gateway: self.gateway.clone(),
        }
    }

    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// The call was not made; an error of the function is an answer.
    pub async fn invoke(
        &self,
        function: &str,
        payload: impl Into<Bytes>,
    ) -> Result<Answer, InvokeError> {
        self.call(Invoke::new(function).payload(payload)).await
    }

    /// Makes a call with all its settings and waits for its answer.
    ///
    /// The environment may still be busy then, with the runtime's and the extensions' work after the answer.
    ///
    /// # Errors
    /// The call was not made; an error of the function is an answer.
    pub async fn call(&self, invoke: Invoke) -> Result<Answer, InvokeError> {
        self.gateway.start(invoke)?.answer().await
    }

    /// Makes a call and waits until all of its work is done and the environment is frozen or ended.
    ///
    /// # Errors
    /// The call was not made, or the sandbox ended before it was over.
    pub async fn call_to_end(&self, invoke: Invoke) -> Result<(Answer, Finished), InvokeError> {
        let function = invoke.function.clone();
        let mut ticket = self.gateway.start(invoke)?;
        let answer = ticket.answer().await?;
        let ended = ticket
            .ended()
            .await
            .ok_or(InvokeError::ShuttingDown { function })?;
        Ok((answer, ended.finished))
    }

    /// How many asynchronous invocations were given up: all attempts failed, or the event was too old.
    pub fn events_given_up(&self) -> u64 {
        self.gateway.given_up()
    }

    pub(crate) fn activity_sender(&self) -> broadcast::Sender<Activity> {
        self.activity.clone()
    }

    /// Everything that happens from now on. A slow reader misses what it was too slow for, and is told how much.
    pub fn activity(&self) -> broadcast::Receiver<Activity> {
        self.activity.subscribe()
    }

    /// What processes have asked of the APIs of their environments, in the order in which they called, if the sandbox
    /// was started with [`Sandbox::record`](crate::Sandbox::record). At most 4096 exchanges are kept, the newest.
    pub fn recorded(&self) -> Vec<Exchange> {
        let recording = self.recording.as_ref();
        recording.map_or_else(Vec::new, |recording| recording.exchanges())
    }

    /// How many older exchanges were forgotten.
    pub fn recorded_dropped(&self) -> u64 {
        let recording = self.recording.as_ref();
        recording.map_or(0, |recording| recording.dropped())
    }

    /// Waits until what is recorded is as wanted, and returns it. Without a recording it waits for ever.
    pub async fn recorded_until(&self, wanted: impl Fn(&[Exchange]) -> bool) -> Vec<Exchange> {
        match &self.recording {
            Some(recording) => recording.until(wanted).await,
            None => std::future::pending().await,
        }
    }

    /// Has something go wrong, as [`Fault`] says, until it is over or removed.
    ///
    /// # Errors
    /// It makes no sense, names what is not here, or there are a hundred already.
    pub fn fault(&self, fault: Fault) -> Result<FaultHandle, FaultError> {
        let id = self.desk.add(fault)?;
        Ok(FaultHandle::new(id, self.desk.clone()))
    }

    /// All faults that were added and not removed, those that are over among them.
    pub fn faults(&self) -> Vec<FaultTold> {
        self.desk.list()
    }

    /// Lets so much time pass at once, for all of the sandbox: deadlines come, events age, retries and idle environments
    /// are due. What the processes themselves see on their clocks does not change. All jumps together are a century at most.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use throughline_sandbox::{Function, Sandbox};
    /// # async fn a_function_that_hangs_times_out() -> Result<(), Box<dyn std::error::Error>> {
    /// let function = Function::new("report", "bin").timeout(Duration::from_secs(900));
    /// let sandbox = Sandbox::new().function(function).start().await?;
    /// let call = sandbox.invoke("report", "{}");
    /// // ... once the function is known to hang:
    /// sandbox.advance(Duration::from_secs(900));
    /// assert!(call.await?.text().contains("Task timed out after 900.00 seconds"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance(&self, duration: Duration) {
        self.clock.jump(duration);
    }

    /// Stops taking calls and shuts every environment down as Lambda does, with time for extensions to flush.
    pub async fn shutdown(mut self) {
        let mut pools = JoinSet::new();
        for pool in self.gateway.pools() {
            let pool = pool.clone();
            pools.spawn(async move { pool.shutdown().await });
        }
        while pools.join_next().await.is_some() {}
        self.tasks.shutdown().await;
    }
}

fn fire(
    gateway: &Gateway,
    running: &RunningSchedule,
    at: UnixNanos,
) -> Result<String, InvokeError> {
    let event = schedule::event(&running.schedule, at).to_string();
    gateway.queue(Invoke::new(&running.function).payload(event))
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        for pool in self.gateway.pools() {
            pool.abort();
        }
        self.groups.kill_all();
    }
}
