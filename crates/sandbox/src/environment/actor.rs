//! The loop of one environment.

mod callers;
mod resources;
mod troubles;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use nix::sys::signal::Signal as UnixSignal;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tracing::debug;

use super::groups::ProcessGroups;
use super::listener::{self, Api};
use super::memory;
use super::process::{Program, Running};
use super::standing::Standing;
use super::strays;
use super::stream::Answered;
use super::variables::Variables;
use crate::code::Prepared;
use crate::control::Group;
use crate::faults::{Desk, Strike};
use crate::function::{Function, Initialization};
use crate::invoke::{Activity, Finished, Line};
use crate::lifecycle::{
    ApiCall, CallId, Effect, Environment, Event, Exit, Fault, Invocation, Limits, PlatformEvent,
    Process, Refusal, Reply, Report, Role, Signal, Spec, platform_report,
};
use crate::log_tail::LogTail;
use crate::recording::{Recorder, Recording};
use crate::telemetry_api::Hub;
use crate::time::Clock;
use crate::world::{Place, RUNTIME_API};

use callers::Waiting;
use troubles::Troubles;

/// Something for the environment's loop.
#[derive(Debug)]
pub(crate) enum Message {
    Invoke(Invocation, Caller),
    Call(ApiCall, oneshot::Sender<Reply>),
    /// A call whose body comes in pieces and bypasses the machine.
    Stream(ApiCall, oneshot::Sender<Reply>, mpsc::Receiver<Bytes>),
    Exited(Process, Exit),
    /// A fault, and the invocation it is for, if it is for one.
    Strike(Strike, Option<String>),
    /// Be ready before there is an invocation.
    Init,
    /// The telemetry that was to be flushed is delivered.
    Flushed,
    Shutdown,
}

impl From<Strike> for Message {
    fn from(strike: Strike) -> Self {
        Self::Strike(strike, None)
    }
}

/// Whoever waits for an invocation.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) answer: oneshot::Sender<Answered>,
    pub(crate) ended: oneshot::Sender<Ended>,
}

/// An invocation that is over, and the last of its log.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) finished: Finished,
    pub(crate) log_tail: String,
}

/// What an environment needs to know of the sandbox around it.
pub(crate) struct Host {
    pub(crate) function: Function,
    pub(crate) extensions: Vec<PathBuf>,
    pub(crate) variables: Variables,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) place: Place,
    /// What holds its processes together, where the machine allows it.
    pub(crate) group: Option<Group>,
    pub(crate) memory_limited: bool,
    pub(crate) limits: Limits,
    pub(crate) idle_timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) desk: Arc<Desk>,
    pub(crate) groups: Arc<ProcessGroups>,
    pub(crate) activity: broadcast::Sender<Activity>,
    /// Where calls on the APIs are written down.
    pub(crate) recording: Option<Arc<Recording>>,
    /// The environment can take another invocation.
    pub(crate) on_idle: Box<dyn Fn() + Send>,
    /// The environment takes no more invocations.
    pub(crate) on_ending: Box<dyn Fn() + Send>,
    /// Asks whether the environment, idle for long, may end. After a yes it gets no more invocations.
    pub(crate) may_retire: Box<dyn Fn() -> bool + Send>,
}

/// Starts the loop of a new environment on a port of its own.
pub(crate) fn start(
    mut host: Host,
) -> io::Result<(mpsc::Sender<Message>, impl Future<Output = ()> + Send)> {
    let listener = host.place.listen(RUNTIME_API)?;
    host.variables.runtime_api = listener.local_addr()?;
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let snapshot = host.function.initialization == Initialization::SnapStart;
    let standing = watch::Sender::new(Standing::new(snapshot));
    let recorder = host.recording.clone().map(|recording| Recorder {
        recording,
        function: host.function.name.clone(),
        environment: host.variables.instance.clone(),
        standing: standing.subscribe(),
    });
    let api = Api {
        messages: sender.clone(),
        clock: host.clock.clone(),
        identity: listener::identity(&host.function),
        metadata_token: host.variables.metadata_token.clone(),
        credentials_token: host.variables.credentials_token(),
        standing: standing.subscribe(),
        extensions_off: host.prepared.extensions_off,
        desk: host.desk.clone(),
        recorder: recorder.clone(),
    };
    let serving = tokio::spawn(listener::serve(listener, api)).abort_handle();
    let actor = Actor::new(host, sender.clone(), serving, standing, recorder);
    Ok((sender, actor.run(receiver)))
}

struct Actor {
    host: Host,
    environment: Environment,
    hub: Arc<Hub>,
    log_tail: Arc<Mutex<LogTail>>,
    messages: mpsc::Sender<Message>,
    serving: AbortHandle,
    standing: watch::Sender<Standing>,
    processes: HashMap<Process, Running>,
    calls: HashMap<CallId, oneshot::Sender<Reply>>,
    next_call: u64,
    /// The bodies of calls that have not been allowed to stream yet.
    streams: HashMap<CallId, mpsc::Receiver<Bytes>>,
    /// By the request id of the invocation.
    callers: HashMap<String, Waiting>,
    troubles: Troubles,
    /// What effects brought about, to be fed before anything from outside.
    consequences: VecDeque<Event>,
    memory_max_mb: u64,
    /// How often that was looked for.
    measured: u32,
    /// The process that was killed for using up the memory.
    out_of_memory: Option<i32>,
    frozen: bool,
    gone: bool,
}

impl Actor {
    fn new(
        host: Host,
        messages: mpsc::Sender<Message>,
        serving: AbortHandle,
        standing: watch::Sender<Standing>,
        recorder: Option<Recorder>,
    ) -> Self {
        let file_name = |path: &PathBuf| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let spec = Spec {
            function: host.function.name.clone(),
            memory_mb: host.function.memory_mb,
            timeout: host.function.timeout,
            initialization: host.function.initialization,
            runtime_version: host.function.runtime.version(),
            instance: host.variables.instance.clone(),
            extensions: host.extensions.iter().map(file_name).collect(),
            limits: host.limits,
        };
        Self {
            environment: Environment::new(spec),
            hub: Arc::new(
                Hub::new(
                    host.clock.clone(),
                    host.function.logging.format,
                    host.place.clone(),
                )
                .troubled_by(host.desk.clone(), &host.function.name)
                .recorded_by(recorder),
            ),
            log_tail: Arc::new(Mutex::new(LogTail::new(host.function.logging))),
            messages,
            serving,
            standing,
            processes: HashMap::new(),
            calls: HashMap::new(),
            next_call: 0,
            streams: HashMap::new(),
            callers: HashMap::new(),
            troubles: Troubles::default(),
            consequences: VecDeque::new(),
            memory_max_mb: 0,
            measured: 0,
            out_of_memory: None,
            frozen: false,
            gone: false,
            host,
        }
    }

    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut effects = Vec::new();
        while !self.gone {
            let event = match self.consequences.pop_front() {
                Some(event) => event,
                None => self.next_event(&mut messages).await,
            };
            self.environment
                .step(event, self.host.clock.now(), &mut effects);
            for effect in effects.drain(..) {
                self.perform(effect);
            }
            self.strike_released();
        }
        debug!(function = %self.host.function.name, instance = %self.host.variables.instance, "environment ended");
    }

    async fn next_event(&mut self, messages: &mut mpsc::Receiver<Message>) -> Event {
        let deadline = self.environment.next_deadline();
        let idle = self.host.clock.now() + self.host.idle_timeout;
        let wake = deadline.unwrap_or(idle);
        loop {
            tokio::select! {
                // `self` holds a sender, so the queue never ends before the loop does.
                Some(message) = messages.recv() => return self.event_of(message),
                () = self.host.clock.sleep_until(wake) => {
                    let retires = deadline.is_none() && (self.host.may_retire)();
                    return if retires { Event::Shutdown } else { Event::Tick };
                }
                () = tokio::time::sleep(self.memory_pause()), if self.watches_memory() => self.watch_memory(),
            }
        }
    }

    fn event_of(&mut self, message: Message) -> Event {
        match message {
            Message::Invoke(invocation, caller) => {
                self.log_tail().start(&invocation.request_id);
                self.expect_troubles(&invocation.request_id);
                self.callers
                    .insert(invocation.request_id.clone(), Waiting::from(caller));
                Event::Invoke(invocation)
            }
            Message::Call(ApiCall::Subscribe { api, .. }, reply)
                if !self.host.function.telemetry =>
            {
                let (api, message) = (api.name(), format!("{} API is not supported", api.name()));
                let refusal = Refusal::new(202, &format!("{api}.NotSupported"), message);
                // A client that has hung up does not need it.
                let _ = reply.send(Reply::Refused(refusal));
                Event::Tick
            }
            Message::Call(call, reply) => Event::Call(self.admit(reply), call),
            Message::Stream(call, reply, chunks) => {
                let id = self.admit(reply);
                self.streams.insert(id, chunks);
                Event::Call(id, call)
            }
            Message::Exited(process, exit) => {
                self.processes.remove(&process);
                if self.processes.is_empty() {
                    self.kill_group();
                }
                let killed = process.role == Role::Runtime && exit == Exit::Signal(9);
                match self.out_of_memory {
                    Some(_) if killed => Event::Exited(process, Exit::OutOfMemory),
                    _ => Event::Exited(process, exit),
                }
            }
            Message::Strike(strike, invocation) => self.strike_if_still(&strike, invocation),
            Message::Init => Event::Init,
            Message::Flushed => Event::Flushed,
            Message::Shutdown => Event::Shutdown,
        }
    }

    fn admit(&mut self, reply: oneshot::Sender<Reply>) -> CallId {
        let id = CallId(self.next_call);
        self.next_call += 1;
        // Calls whose client has hung up are forgotten here at the latest.
        self.calls.retain(|_, reply| !reply.is_closed());
        self.calls.insert(id, reply);
        id
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Reply(call, reply) => {
                if matches!(reply, Reply::Restored | Reply::Invocation { .. }) {
                    self.standing.send_if_modified(Standing::settle);
                }
                self.streams.remove(&call);
                let delivered = self
                    .calls
                    .remove(&call)
                    .is_some_and(|caller| caller.send(reply).is_ok());
                if !delivered {
                    self.consequences.push_back(Event::Undelivered(call));
                }
            }
            Effect::Spawn(process) => self.spawn(process),
            Effect::Signal(process, signal) => {
                if let Some(running) = self.processes.get(&process) {
                    running.signal(match signal {
                        Signal::Terminate => UnixSignal::SIGTERM,
                        Signal::Kill => UnixSignal::SIGKILL,
                    });
                }
            }
            Effect::KillAll => {
                self.signal_all(UnixSignal::SIGKILL);
                self.kill_group();
                self.kill_strays();
            }
            Effect::Freeze => {
                self.hub.freeze();
                self.freeze();
            }
            Effect::Thaw => {
                self.thaw();
                self.hub.thaw();
            }
            Effect::FlushTelemetry => {
                self.measure_memory(Look::Everywhere);
                self.hub.flush();
                self.tell_when_flushed();
            }
            Effect::ResetTelemetry => self.hub.reset(),
            Effect::Subscribe {
                extension,
                subscription,
            } => self.hub.subscribe(extension, subscription),
            Effect::CloseSubscriptions => self.hub.close_subscriptions(),
            Effect::Emit(event) => {
                self.note_release(&event);
                self.tell(&event);
            }
            Effect::OpenStream(call, request_id, content_type) => {
                self.open_stream(call, &request_id, content_type);
            }
            Effect::Answer(request_id, verdict) => self.answer(&request_id, verdict),
            Effect::Reject(request_id) => self.reject(&request_id),
            Effect::Report(report) => self.report(report),
            Effect::Idle => (self.host.on_idle)(),
            Effect::Ending => (self.host.on_ending)(),
            Effect::Gone => self.gone = true,
        }
    }

    /// Where nothing freezes, the shutdown waits for it.
    fn tell_when_flushed(&self) {
        if !self.host.function.initialization.is_managed() {
            return;
        }
        let (flushed, messages) = (self.hub.flushed(), self.messages.clone());
        tokio::spawn(async move {
            flushed.await;
            // An environment that has not waited for it may be gone.
            let _ = messages.send(Message::Flushed).await;
        });
    }

    fn spawn(&mut self, process: Process) {
        self.standing
            .send_modify(|standing| standing.begin(process.generation));
        let variables = &self.host.variables;
        let (program, extension) = match process.role {
            Role::Runtime => {
                self.memory_max_mb = 0;
                self.out_of_memory = None;
                (
                    Program::of_runtime(
                        &self.host.function,
                        &self.host.prepared,
                        &variables.code,
                        variables.of_runtime(),
                    ),
                    None,
                )
            }
            Role::Extension(index) => {
                let path = &self.host.extensions[index];
                let seen = self.host.place.extension(path);
                let folder = &variables.code.task;
                let program = Program::of_extension(path, seen, folder, variables.of_extension());
                (
                    Ok(program),
                    Some(
                        path.file_name()
                            .unwrap_or_default()
                            .to_string_lossy()
                            .into_owned(),
                    ),
                )
            }
        };
        let messages = self.messages.clone();
        let ended = move |exit| {
            // The queue is bounded and this is not async: a task of its own waits for room.
            tokio::spawn(async move { messages.send(Message::Exited(process, exit)).await });
        };
        let started = program.and_then(|program| {
            let take = self.line_sink(extension);
            let (place, group) = (&self.host.place, self.host.group.as_ref());
            program.start(place, group, &self.host.groups, take, ended)
        });
        match started {
            Ok(running) => {
                self.processes.insert(process, running);
            }
            Err(message) => {
                let error_type = match process.role {
                    Role::Runtime => "Runtime.InvalidEntrypoint",
                    Role::Extension(_) => "Extension.LaunchError",
                };
                self.consequences
                    .push_back(Event::NotStarted(process, Fault::new(error_type, message)));
            }
        }
    }

    /// Where a process's lines go: to the subscribers, to the invocation's log and to whoever watches the sandbox.
    fn line_sink(
        &self,
        extension: Option<String>,
    ) -> impl Fn(String) + Clone + Send + Sync + 'static {
        let (hub, log_tail) = (self.hub.clone(), self.log_tail.clone());
        let (activity, function) = (self.host.activity.clone(), self.host.function.name.clone());
        move |text: String| {
            let kind = if extension.is_some() {
                "extension"
            } else {
                "function"
            };
            hub.emit(kind, &serde_json::Value::from(text.as_str()));
            let request_id = {
                let mut log_tail = log_tail.lock().unwrap_or_else(PoisonError::into_inner);
                if extension.is_none() {
                    log_tail.line(&text);
                }
                log_tail.request_of(&text).map(str::to_owned)
            };
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            // Nobody has to watch.
            let _ = activity.send(Activity::Line(Line {
                function: function.clone(),
                extension: extension.clone(),
                request_id,
                text,
            }));
        }
    }

    fn report(&mut self, report: Report) {
        let request_id = report.invocation.request_id.clone();
        self.end_troubles(&request_id);
        self.measure_memory(Look::AtFamilies);
        let memory_mb = self.host.function.memory_mb;
        let event = platform_report(&report, memory_mb, self.memory_max_mb);
        self.tell(&event);
        let finished = Finished {
            function: self.host.function.name.clone(),
            environment: self.host.variables.instance.clone(),
            request_id: request_id.clone(),
            started: report.started,
            status: report.status,
            outcome: report.outcome,
            error_type: report.error_type.clone(),
            error_cause: report.error_cause.clone(),
            duration: report.duration,
            billed: report.billed(),
            managed: report.managed,
            init: report.init,
            restore: report.restore,
            cold_start: report.cold_start,
            memory_mb,
            memory_max_used_mb: self.memory_max_mb,
            trace_header: report.invocation.trace_header,
        };
        let log_tail = self.log_tail().finish(&request_id);
        let _ = self
            .host
            .activity
            .send(Activity::Finished(finished.clone()));
        if let Some(caller) = self.callers.remove(&request_id) {
            caller.end(Ended { finished, log_tail });
        }
    }

    /// Tells the subscribers, and the log where its format has the platform's events in it.
    fn tell(&self, event: &PlatformEvent) {
        let told = if self.is_lost(event) {
            self.hub.lose(event.kind, &event.record)
        } else {
            self.hub.emit(event.kind, &event.record)
        };
        self.log_tail().platform(event, &told);
    }

    fn measure_memory(&mut self, look: Look) {
        let groups: Vec<_> = self
            .processes
            .values()
            .map(|running| running.group)
            .collect();
        // Between two invocations what is quick has to do, but for some of them: those whose parent has ended are found then.
        self.measured = self.measured.wrapping_add(1);
        let quick = look == Look::AtFamilies && !self.measured.is_multiple_of(LOOK_EVERYWHERE);
        let families = quick.then(|| memory::high_water_of_families_mb(&groups));
        let now = families
            .flatten()
            .unwrap_or_else(|| memory::high_water_mb(&groups));
        self.memory_max_mb = self.limited_mb(self.memory_max_mb.max(now));
    }

    fn signal_all(&self, signal: UnixSignal) {
        for running in self.processes.values() {
            running.signal(signal);
        }
    }

    fn kill_strays(&self) {
        let count = strays::kill_with(&self.host.variables.marker());
        if count > 0 {
            debug!(function = %self.host.function.name, count, "killed processes that had left their group");
        }
    }

    fn log_tail(&self) -> std::sync::MutexGuard<'_, LogTail> {
        self.log_tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where to look for processes whose memory counts.
#[derive(PartialEq, Eq)]
enum Look {
    AtFamilies,
    Everywhere,
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.serving.abort();
        if !self.gone {
            self.kill_strays();
        }
    }
}

/// Calls of three APIs by at most eleven processes, of which one may have 1,600 workers, each with an invocation; more
/// than this waits at its socket.
const MESSAGES_MAX: usize = 4096;
/// One look at the whole machine for so many quick ones.
const LOOK_EVERYWHERE: u32 = 64;
