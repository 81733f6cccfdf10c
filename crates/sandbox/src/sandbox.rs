//! The description of a sandbox, checked and started.

mod start_error;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::application::{AWS_ITSELF, Application};
use crate::code::{Cache, Prepared, Preparer, Tell, Watch};
use crate::doors::{self, Doors};
use crate::environment::{INHERITED, PortRange, ProcessGroups};
use crate::events::EventSettings;
use crate::faults::{Desk, drive};
use crate::front;
use crate::front::function_url::{self, FunctionUrl, InvokeMode};
use crate::front::{http_api, lambda_api};
use crate::function::Function;
use crate::gateway::Gateway;
use crate::invoke::Activity;
use crate::lifecycle::Limits;
use crate::pool::{Pool, Surroundings};
use crate::recording::Recording;
use crate::reload;
use crate::running::RunningSandbox;
use crate::schedule;
use crate::source::{Door, HttpApi};
use crate::time::Clock;
use crate::world::{self, Folder, World};

pub use start_error::StartError;

/// A sandbox to be started: functions, extensions and settings.
#[derive(Debug, Clone)]
pub struct Sandbox {
    functions: Vec<Function>,
    extensions: Vec<PathBuf>,
    environment: BTreeMap<String, String>,
    api: SocketAddr,
    concurrency: usize,
    idle_timeout: Duration,
    limits: Limits,
    telemetry: bool,
    record: bool,
    cache: Option<PathBuf>,
    watch: bool,
    notice: Tell,
    events: EventSettings,
    apis: Vec<HttpApi>,
    integration_timeout: Option<Duration>,
    doors: Vec<Door>,
    door_idle_max: Duration,
    aws_endpoint: Option<String>,
    world: World,
    memory_limited: bool,
    cpu_shared: bool,
}

impl Sandbox {
    /// A sandbox without functions, its AWS API on a free port of loopback.
    pub fn new() -> Self {
        Self {
            functions: Vec::new(),
            extensions: Vec::new(),
            environment: BTreeMap::new(),
            api: SocketAddr::from(([127, 0, 0, 1], 0)),
            concurrency: CONCURRENCY_DEFAULT,
            idle_timeout: IDLE_TIMEOUT_DEFAULT,
            limits: Limits::default(),
            telemetry: true,
            record: false,
            cache: None,
            watch: false,
            notice: Tell::default(),
            events: EventSettings::default(),
            apis: Vec::new(),
            integration_timeout: None,
            doors: Vec::new(),
            door_idle_max: doors::IDLE_MAX,
            aws_endpoint: None,
            world: World::Auto,
            memory_limited: true,
            cpu_shared: false,
        }
    }

    /// Adds a function.
    #[must_use]
    pub fn function(mut self, function: Function) -> Self {
        self.functions.push(function);
        self
    }

    /// Adds all functions of an application.
    #[must_use]
    pub fn application(mut self, application: Application) -> Self {
        self.functions.extend(application.functions);
        self.apis.extend(application.apis);
        self.doors.extend(application.doors);
        let endpoint = application.aws_endpoint.filter(|url| url != AWS_ITSELF);
        self.aws_endpoint = endpoint.or(self.aws_endpoint);
        self
    }

    /// Adds an external extension to every function: one executable, or a folder all of whose executables are started.
    #[must_use]
    pub fn extension(mut self, path: impl Into<PathBuf>) -> Self {
        self.extensions.push(path.into());
        self
    }

    /// Sets an environment variable for all functions. A function's own variable of the same name wins.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(key.into(), value.into());
        self
    }

    /// Adds an API whose routes the functions' sources name. An API that no one adds listens on a free port.
    #[must_use]
    pub fn http_api(mut self, api: HttpApi) -> Self {
        self.apis.push(api);
        self
    }

    /// How long an API waits for a function; 29 seconds for a REST API and 30 for an HTTP API unless told.
    #[must_use]
    pub fn integration_timeout(mut self, timeout: Duration) -> Self {
        self.integration_timeout = Some(timeout);
        self
    }

    /// Adds a way out of every environment.
    #[must_use]
    pub fn door(mut self, name: impl Into<String>, target: impl Into<String>) -> Self {
        self.doors.push(Door {
            name: name.into(),
            target: target.into(),
        });
        self
    }

    /// For how long nothing may go through a connection at a door; 350 s, as with AWS's NAT gateways and network load
    /// balancers, unless told. One that is used after that is reset: time that was set forward counts, as a freeze does.
    #[must_use]
    pub fn door_idle_timeout(mut self, idle_max: Duration) -> Self {
        self.door_idle_max = idle_max;
        self
    }

    /// Where AWS's services are for the functions, such as `http://127.0.0.1:5000`; what they find themselves unless told.
    #[must_use]
    pub fn aws_endpoint(mut self, url: impl Into<String>) -> Self {
        self.aws_endpoint = Some(url.into());
        self
    }

    /// Where environments live; each in a world of its own where the machine allows it, unless told.
    #[must_use]
    pub fn world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// Lets functions use more memory than they have; unless told, a process is killed for it, as on Lambda.
    #[must_use]
    pub fn without_memory_limit(mut self) -> Self {
        self.memory_limited = false;
        self
    }

    /// Gives each environment only the share of a core that Lambda would: its memory / 1769 MB. Takes writable control
    /// groups. Off unless told, since a small function takes seconds to start then, as it does on Lambda only without the
    /// boost that Lambda gives to an init.
    #[must_use]
    pub fn cpu_share(mut self) -> Self {
        self.cpu_shared = true;
        self
    }

    /// Where the AWS API listens.
    #[must_use]
    pub fn api(mut self, listen: SocketAddr) -> Self {
        self.api = listen;
        self
    }

    /// How many environments a function may have at once; 10 unless told.
    #[must_use]
    pub fn concurrency(mut self, environments: usize) -> Self {
        self.concurrency = environments;
        self
    }

    /// After how long an idle environment is shut down; five minutes unless told.
    #[must_use]
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// How long the first init of an environment may take; 10 seconds, as on Lambda, unless told.
    #[must_use]
    pub fn init_timeout(mut self, init_timeout: Duration) -> Self {
        self.limits.init = init_timeout;
        self
    }

    /// How long the shutdown of an environment with extensions may take, and how much of that the runtime; two seconds
    /// and 300 ms, as Lambda's documentation says, unless told. Lambda's own emulator grants the runtime 600 ms, and on
    /// Managed Instances it has that in any case.
    #[must_use]
    pub fn shutdown_timeout(mut self, all: Duration, runtime: Duration) -> Self {
        self.limits.shutdown = all;
        self.limits.runtime_exit = runtime.min(all);
        let managed = Limits::default().runtime_exit_managed;
        self.limits.runtime_exit_managed = managed.max(runtime).min(all);
        self
    }

    /// How long to wait before each further attempt when an asynchronous invocation fails; one minute and then two,
    /// as on Lambda, unless told. With none there is one attempt only.
    #[must_use]
    pub fn event_retry_delays(mut self, delays: impl Into<Vec<Duration>>) -> Self {
        self.events.retry_delays = delays.into();
        self
    }

    /// How old the event of an asynchronous invocation may be when an attempt begins; six hours, as on Lambda, unless
    /// told.
    #[must_use]
    pub fn event_age_max(mut self, age_max: Duration) -> Self {
        self.events.age_max = age_max;
        self
    }

    /// Where layers are unpacked and runtime clients installed; `$XDG_CACHE_HOME/throughline` unless told.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Whether a change of a function's code or layers ends its environments, so that the next invocation sees it. A
    /// library does not watch unless told.
    #[must_use]
    pub fn watch(mut self, watch: bool) -> Self {
        self.watch = watch;
        self
    }

    /// Who hears, in a line for people, what takes time at the start or is not as it was asked for: a runtime client
    /// that is installed, another version of an interpreter. A log line unless told.
    #[must_use]
    pub fn on_notice(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notice = Tell::new(tell);
        self
    }

    /// Writes down what every process asks of the APIs of its environment and what it gets, for
    /// [`RunningSandbox::recorded`].
    #[must_use]
    pub fn record(mut self) -> Self {
        self.record = true;
        self
    }

    /// Answers subscriptions to the Telemetry API with 202 `Telemetry.NotSupported`, as places without it do, so that an
    /// extension can be seen to go on.
    #[must_use]
    pub fn without_telemetry(mut self) -> Self {
        self.telemetry = false;
        self
    }

    /// Binds every port and starts to serve. Environments start with their first invocation; those that are provisioned
    /// have had their init when this returns.
    ///
    /// # Errors
    /// A port is taken, a path is missing, a name is used twice, a runtime client cannot be installed.
    pub async fn start(self) -> Result<RunningSandbox, StartError> {
        let (running, _) = self.start_with_activity().await?;
        Ok(running)
    }

    /// The same, with all that happens from the first moment on: the APIs serve before this returns, and whoever asks
    /// [`RunningSandbox::activity`] afterwards misses what was invoked until then.
    ///
    /// # Errors
    /// Those of [`Sandbox::start`].
    pub async fn start_with_activity(
        self,
    ) -> Result<(RunningSandbox, broadcast::Receiver<Activity>), StartError> {
        self.check_names()?;
        self.check_managed()?;
        let plans = http_api::plan(&self.functions, &self.apis)
            .map_err(|(api, reason)| StartError::Api { api, reason })?;
        let rules = schedule::rules(&self.functions)
            .map_err(|(schedule, reason)| StartError::Schedule { schedule, reason })?;
        self.check_loopback()?;
        let extensions = find_extensions(&self.extensions)?;
        let (api_addr, api) = bind(self.api).await?;
        let mut urls = Vec::new();
        for function in &self.functions {
            if let Some(wanted) = function.url {
                let mode = match function.url_streams {
                    true => InvokeMode::ResponseStream,
                    false => InvokeMode::Buffered,
                };
                urls.push((function.name.clone(), mode, bind(wanted).await?));
            }
        }
        let mut apis = Vec::new();
        for plan in plans {
            let listener = bind(plan.api.listen).await?;
            apis.push((plan, listener));
        }
        let folder = Folder::make().map_err(StartError::NoFolder)?;
        let (worlds, world) = world::choose(self.world, &folder).map_err(StartError::NoWorld)?;
        let found = doors::found(
            api_addr,
            self.aws_endpoint.as_deref(),
            &self.environment,
            self.functions.iter().map(|function| &function.environment),
        );
        let clock = Clock::start();
        let patience = doors::Patience {
            clock: clock.clone(),
            idle_max: self.door_idle_max,
        };
        let (doors, relays) = match &worlds {
            Some(_) => {
                let doors = Doors::of_own_worlds(&self.doors, &found, &patience)?;
                (doors, Vec::new())
            }
            None => Doors::of_shared_world(&self.doors, &found, &patience)?,
        };
        let hosts = folder.path().join("hosts");
        std::fs::write(&hosts, doors.hosts()).map_err(StartError::NoFolder)?;
        let preparer = Arc::new(self.preparer());
        let mut prepared = self.prepare(&preparer).await?;
        let watch = match self.watch {
            true => Some(Watch::start(&self.functions).map_err(StartError::Watch)?),
            false => None,
        };
        let groups = Arc::new(ProcessGroups::start().map_err(StartError::NoWatchdog)?);
        groups.adopt_folder(folder.path());
        let (activity, from_start) = broadcast::channel(ACTIVITY_MAX);
        let recording = self.record.then(|| Arc::new(Recording::new(clock.clone())));
        let told = activity.clone();
        let desk = Desk::new(clock.clone(), told, &self.functions, &extensions, &doors);
        let desk = Arc::new(desk);
        let surroundings = Arc::new(Surroundings {
            clock: clock.clone(),
            desk: desk.clone(),
            groups: groups.clone(),
            ports: PortRange::new(),
            activity: activity.clone(),
            recording: recording.clone(),
            extensions,
            environment: with_endpoint(self.environment, self.aws_endpoint.as_deref()),
            inherited: inherited(),
            lambda_api: api_addr,
            limits: self.limits,
            idle_timeout: self.idle_timeout,
            concurrency: self.concurrency.max(1),
            folder,
            worlds,
            doors: doors.clone(),
            project: std::env::current_dir().ok(),
            memory_limited: self.memory_limited,
            cpu_shared: self.cpu_shared,
            hosts: Some(hosts),
        });
        let pools = self
            .functions
            .into_iter()
            .map(|mut function| {
                function.telemetry = self.telemetry;
                let prepared = prepared.remove(&function.name).unwrap_or_default();
                Pool::new(function, prepared, surroundings.clone())
            })
            .collect();
        let (gateway, work) =
            Gateway::new(pools, clock.clone(), &self.events, &activity, desk.clone());
        let mut running = RunningSandbox::new(
            gateway.clone(),
            groups,
            activity,
            clock.clone(),
            desk.clone(),
            api_addr,
            (world, doors.clone()),
        );
        running.recording = recording;
        for (frame, relay) in doors.frames().zip(relays) {
            let relay = TcpListener::from_std(relay).map_err(StartError::NoFolder)?;
            let at = frame.inside();
            running.run(doors::attend(frame.clone(), relay, move || {
                doors::listen_again(at)
            }));
        }
        for queue in work {
            running.run(queue);
        }
        running.run(drive(desk.clone(), Arc::downgrade(&gateway)));
        let control = front::faults::router(desk.clone());
        running.serve(api, lambda_api::router(gateway.clone()).merge(control));
        for (function, invoke_mode, (bound, listener)) in urls {
            let url = FunctionUrl {
                gateway: gateway.clone(),
                function: function.clone(),
                invoke_mode,
                clock: clock.clone(),
            };
            running.serve(listener, function_url::router(url));
            running.add_url(function, bound);
        }
        for (plan, (bound, listener)) in apis {
            running.add_api(&plan, bound);
            let api = http_api::Api {
                gateway: gateway.clone(),
                clock: clock.clone(),
                plan,
                integration_timeout: self.integration_timeout,
                kept: http_api::Kept::default(),
            };
            running.serve(listener, http_api::router(api));
        }
        for rule in rules {
            running.add_schedule(rule, clock.clone());
        }
        if let Some(watch) = watch {
            let activity = running.activity_sender();
            running.run(reload::run(watch, preparer, gateway.clone(), activity));
        }
        for pool in gateway.pools() {
            pool.provision().map_err(StartError::Provision)?;
        }
        for pool in gateway.pools() {
            pool.provided().await;
        }
        Ok((running, from_start))
    }

    fn preparer(&self) -> Preparer {
        let cache = self.cache.clone().map_or_else(Cache::of_machine, Cache::at);
        Preparer::new(cache, self.notice.clone(), self.environment.clone())
    }

    /// Everything that the functions are made of; what is not there yet is unpacked or installed.
    async fn prepare(
        &self,
        preparer: &Arc<Preparer>,
    ) -> Result<BTreeMap<String, Prepared>, StartError> {
        let (preparer, functions) = (preparer.clone(), self.functions.clone());
        let prepared = tokio::task::spawn_blocking(move || preparer.prepare_all(&functions)).await;
        let prepared = prepared.unwrap_or_else(|error| Err(vec![error.to_string()]));
        prepared.map_err(|problems| StartError::Code { problems })
    }

    fn check_names(&self) -> Result<(), StartError> {
        let mut names = BTreeSet::new();
        match self
            .functions
            .iter()
            .find(|function| !names.insert(&function.name))
        {
            Some(function) => Err(StartError::FunctionTwice {
                function: function.name.clone(),
            }),
            None => Ok(()),
        }
    }

    fn check_managed(&self) -> Result<(), StartError> {
        let problem = |function: &Function| {
            let problem = function.managed_problem()?;
            Some(format!("{}: {problem}", function.name))
        };
        let problems: Vec<_> = self.functions.iter().filter_map(problem).collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(StartError::Code { problems }),
        }
    }

    fn check_loopback(&self) -> Result<(), StartError> {
        let listens = self
            .functions
            .iter()
            .filter_map(|function| function.url)
            .chain(self.apis.iter().map(|api| api.listen))
            .chain([self.api]);
        match listens
            .into_iter()
            .find(|listen| !listen.ip().is_loopback())
        {
            Some(listen) => Err(StartError::NotLoopback { listen }),
            None => Ok(()),
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

/// Listens, and says where: a port 0 becomes a free one.
async fn bind(listen: SocketAddr) -> Result<(SocketAddr, TcpListener), StartError> {
    let cannot = |reason| StartError::CannotListen { listen, reason };
    let listener = TcpListener::bind(listen).await.map_err(cannot)?;
    Ok((listener.local_addr().map_err(cannot)?, listener))
}

/// Leads AWS's SDKs in the functions to the endpoint, unless they are led elsewhere.
fn with_endpoint(
    mut environment: BTreeMap<String, String>,
    endpoint: Option<&str>,
) -> BTreeMap<String, String> {
    if let Some(endpoint) = endpoint {
        environment
            .entry("AWS_ENDPOINT_URL".to_owned())
            .or_insert_with(|| endpoint.to_owned());
    }
    environment
}

/// Every path that is a file, and every executable file in a folder, in the order of their names.
fn find_extensions(paths: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
    let mut found = Vec::new();
    for path in paths {
        let refuse = |reason: String| StartError::Extension {
            path: path.clone(),
            reason,
        };
        let path = std::path::absolute(path).map_err(|error| refuse(error.to_string()))?;
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|error| refuse(error.to_string()))?;
            let mut files: Vec<_> = entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|file| is_executable(file))
                .collect();
            files.sort();
            found.extend(files);
        } else if !path.exists() {
            return Err(refuse("no such file or folder".to_owned()));
        } else if !is_executable(&path) {
            return Err(refuse("not an executable file".to_owned()));
        } else {
            found.push(path);
        }
    }
    let mut names = BTreeSet::new();
    match found.iter().find(|path| !names.insert(path.file_name())) {
        Some(path) => Err(StartError::Extension {
            path: path.clone(),
            reason: "another extension has the same file name".to_owned(),
        }),
        None => Ok(found),
    }
}

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[allow(clippy::disallowed_methods)] // the edge where the sandbox learns what the machine needs to find programs
fn inherited() -> BTreeMap<String, String> {
    INHERITED
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), std::env::var(key).ok()?)))
        .collect()
}

/// Lambda's default for an account is 1000; one machine has less.
const CONCURRENCY_DEFAULT: usize = 10;
/// On Lambda an idle environment lives for some minutes.
const IDLE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(300);
/// A watcher that is this far behind misses lines.
const ACTIVITY_MAX: usize = 4096;

#[cfg(test)]
mod tests;
