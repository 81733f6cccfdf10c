//! What a function is: its code, its runtime and its limits.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::logging::{LogFormat, LogLevel, Logging, SystemLogLevel};
use crate::source::{EventDestinations, EventSource};

/// A function as it would be deployed: a folder of code and the settings around it.
///
/// ```
/// use std::time::Duration;
/// use throughline_sandbox::Function;
///
/// let checkout = Function::new("checkout", "examples/checkout/bin")
///     .memory_mb(256)
///     .timeout(Duration::from_secs(10))
///     .env("STAGE", "demo");
/// assert_eq!(checkout.arn(), "arn:aws:lambda:us-east-1:123456789012:function:checkout");
/// ```
#[derive(Debug, Clone)]
pub struct Function {
    pub(crate) name: String,
    pub(crate) runtime: Runtime,
    pub(crate) handler: String,
    pub(crate) code: PathBuf,
    pub(crate) memory_mb: u32,
    pub(crate) timeout: Duration,
    pub(crate) url: Option<SocketAddr>,
    pub(crate) url_streams: bool,
    pub(crate) layers: Vec<PathBuf>,
    pub(crate) ephemeral_storage_mb: u32,
    pub(crate) concurrency: Option<usize>,
    pub(crate) initialization: Initialization,
    pub(crate) sources: Vec<EventSource>,
    pub(crate) destinations: EventDestinations,
    pub(crate) event_retries_max: Option<u32>,
    pub(crate) event_age_max: Option<Duration>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) logging: Logging,
    /// Whether its environments have a Telemetry API; the sandbox around it says so.
    pub(crate) telemetry: bool,
}

impl Function {
    /// A function of an OS-only runtime: `<code>/bootstrap` is started. 128 MB and 3 s, as Lambda defaults.
    pub fn new(name: impl Into<String>, code: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            runtime: Runtime::Provided("provided.al2023".to_owned()),
            handler: "bootstrap".to_owned(),
            code: code.into(),
            memory_mb: MEMORY_MB_DEFAULT,
            timeout: TIMEOUT_DEFAULT,
            url: None,
            url_streams: true,
            layers: Vec::new(),
            ephemeral_storage_mb: EPHEMERAL_STORAGE_MB_DEFAULT,
            concurrency: None,
            initialization: Initialization::OnDemand,
            sources: Vec::new(),
            destinations: EventDestinations::default(),
            event_retries_max: None,
            event_age_max: None,
            environment: BTreeMap::new(),
            logging: Logging::default(),
            telemetry: true,
        }
    }

    /// Which runtime starts the code, and how.
    #[must_use]
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// The entry point in the words of the runtime, such as `app.handler`.
    #[must_use]
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.handler = handler.into();
        self
    }

    /// The memory that the function has; a process is killed that uses it up.
    #[must_use]
    pub fn memory_mb(mut self, memory_mb: u32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// How long one invocation may last.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Gives the function a URL: a listener that turns every request into an invocation. Port 0 takes a free one.
    #[must_use]
    pub fn url(mut self, listen: SocketAddr) -> Self {
        self.url = Some(listen);
        self
    }

    /// Whether the URL passes a streamed answer on as it comes (`InvokeMode: RESPONSE_STREAM`), which it does unless told.
    #[must_use]
    pub fn url_streams(mut self, streams: bool) -> Self {
        self.url_streams = streams;
        self
    }

    /// Adds a layer above those before it: a folder or a zip file with the content of `/opt`.
    #[must_use]
    pub fn layer(mut self, layer: impl Into<PathBuf>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// The size of `/tmp`; 512 MB unless told.
    #[must_use]
    pub fn ephemeral_storage_mb(mut self, mb: u32) -> Self {
        self.ephemeral_storage_mb = mb;
        self
    }

    /// How many environments this function may have at once, whatever the sandbox allows the others.
    #[must_use]
    pub fn concurrency(mut self, environments: usize) -> Self {
        self.concurrency = Some(environments);
        self
    }

    /// How its environments come to be. On Managed Instances the log is JSON from here on.
    #[must_use]
    pub fn initialization(mut self, initialization: Initialization) -> Self {
        self.initialization = initialization;
        if initialization.is_managed() {
            self.logging.format = LogFormat::Json;
        }
        self
    }

    /// Adds something that invokes the function by itself.
    #[must_use]
    pub fn source(mut self, source: EventSource) -> Self {
        self.sources.push(source);
        self
    }

    /// What becomes of the function's asynchronous invocations that end.
    #[must_use]
    pub fn destinations(mut self, destinations: EventDestinations) -> Self {
        self.destinations = destinations;
        self
    }

    /// How often a failed asynchronous invocation is tried again: at most, and unless told, twice.
    #[must_use]
    pub fn event_retries_max(mut self, retries: u32) -> Self {
        self.event_retries_max = Some(retries);
        self
    }

    /// How old the event of an asynchronous invocation may grow; what the sandbox says unless told.
    #[must_use]
    pub fn event_age_max(mut self, age_max: Duration) -> Self {
        self.event_age_max = Some(age_max);
        self
    }

    /// Sets one environment variable of the function. Its extensions see it too, as on Lambda.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(key.into(), value.into());
        self
    }

    /// The form of the function's log; text unless told.
    #[must_use]
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.logging.format = format;
        self
    }

    /// What the runtime is told to log, when the format is JSON; [`LogLevel::Info`] unless told.
    #[must_use]
    pub fn application_log_level(mut self, level: LogLevel) -> Self {
        self.logging.application = level;
        self
    }

    /// Which platform events are in the log, when the format is JSON; [`SystemLogLevel::Info`] unless told.
    #[must_use]
    pub fn system_log_level(mut self, level: SystemLogLevel) -> Self {
        self.logging.system = level;
        self
    }

    /// The name by which the function is invoked.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder that Lambda would unpack to `/var/task`.
    pub fn code(&self) -> &Path {
        &self.code
    }

    /// What invokes it by itself.
    pub fn sources(&self) -> &[EventSource] {
        &self.sources
    }

    /// What becomes of its asynchronous invocations that end.
    pub fn destinations_of(&self) -> &EventDestinations {
        &self.destinations
    }

    /// The unqualified ARN, in the sandbox's made-up account.
    pub fn arn(&self) -> String {
        arn(&self.name)
    }
}

impl Function {
    /// What Managed Instances ask of a function and this one has not.
    pub(crate) fn managed_problem(&self) -> Option<String> {
        let instances = self.initialization.managed()?;
        if self.memory_mb < MANAGED_MEMORY_MB_MIN {
            return Some(format!(
                "managed instances have {MANAGED_MEMORY_MB_MIN} MB of memory at least, and this function has {}",
                self.memory_mb
            ));
        }
        if self.logging.format != LogFormat::Json {
            return Some("the log of managed instances is JSON, and this one is text".to_owned());
        }
        let allowed = 1..=MAX_CONCURRENCY_MAX;
        if !allowed.contains(&instances.max_concurrency) {
            return Some(format!(
                "a managed instance takes 1 to {MAX_CONCURRENCY_MAX} invocations at once, not {}",
                instances.max_concurrency
            ));
        }
        None
    }
}

/// The ARN of a function of this name, whether there is one or not.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}")
}

/// How environments come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Initialization {
    /// With the invocation that needs one.
    #[default]
    OnDemand,
    /// So many of them ahead of all invocations.
    Provisioned(usize),
    /// From a snapshot that is taken after the init: the runtime asks `restore/next` first.
    SnapStart,
    /// On instances of the function's owner: never frozen, and several invocations at once in each.
    Managed(ManagedInstances),
}

/// How Lambda Managed Instances run a function.
///
/// The log of such a function is JSON, and it has 2,048 MB of memory at least ([`MANAGED_MEMORY_MB_MIN`]).
///
/// ```
/// use throughline_sandbox::{Function, Initialization, ManagedInstances};
///
/// let instances = ManagedInstances { max_concurrency: 4, ..ManagedInstances::default() };
/// let checkout = Function::new("checkout", "examples/checkout/bin")
///     .memory_mb(2048)
///     .initialization(Initialization::Managed(instances));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedInstances {
    /// How many invocations one environment takes at once, from 1 to 1,600 (`PerExecutionEnvironmentMaxConcurrency`). The
    /// runtime is told as `AWS_LAMBDA_MAX_CONCURRENCY` and asks for as many events.
    pub max_concurrency: usize,
    /// How many environments are always there (`MinExecutionEnvironments`). How many there may be is
    /// [`Function::concurrency`].
    pub environments_min: usize,
}

impl Default for ManagedInstances {
    fn default() -> Self {
        Self {
            max_concurrency: MAX_CONCURRENCY_DEFAULT,
            environments_min: ENVIRONMENTS_MIN_DEFAULT,
        }
    }
}

impl Initialization {
    /// The `initializationType` of platform events and the value of `AWS_LAMBDA_INITIALIZATION_TYPE`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Provisioned(_) => "provisioned-concurrency",
            Self::SnapStart => "snap-start",
            Self::Managed(_) => "lambda-managed-instances",
        }
    }

    /// On Managed Instances.
    pub(crate) fn managed(self) -> Option<ManagedInstances> {
        match self {
            Self::Managed(instances) => Some(instances),
            Self::OnDemand | Self::Provisioned(_) | Self::SnapStart => None,
        }
    }

    pub(crate) fn is_managed(self) -> bool {
        self.managed().is_some()
    }

    /// How many invocations an environment has at once.
    pub(crate) fn invocations_at_once(self) -> usize {
        self.managed()
            .map_or(1, |instances| instances.max_concurrency.max(1))
    }
}

/// How the code of a function is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runtime {
    /// `provided.*`: the executable `<code>/bootstrap`.
    Provided(String),
    /// `python3.x`: the public runtime client `awslambdaric`, from `<code>/.venv` if there is one.
    Python(String),
    /// `nodejs2x.x`: the public runtime client `aws-lambda-ric` in `<code>/node_modules`.
    Node(String),
    /// `java21` and the like: the public runtime client, which is one of the jars in `<code>/lib`.
    Java(String),
}

impl Runtime {
    /// Lambda's identifier, such as `python3.13`.
    pub fn identifier(&self) -> &str {
        match self {
            Self::Provided(identifier)
            | Self::Python(identifier)
            | Self::Node(identifier)
            | Self::Java(identifier) => identifier,
        }
    }

    /// What platform events say of the version of a managed runtime, which here is whatever is installed.
    pub(crate) fn version(&self) -> Option<String> {
        let identifier = self.identifier().trim_end_matches(".x");
        let at = identifier.find(|letter: char| letter.is_ascii_digit())?;
        let (language, version) = identifier.split_at(at);
        self.is_managed()
            .then(|| format!("{language}:{version}.sandbox"))
    }

    /// Managed runtimes differ in a few environment variables, in their wrapper script and in their log descriptor.
    pub(crate) fn is_managed(&self) -> bool {
        !matches!(self, Self::Provided(_))
    }
}

impl FromStr for Runtime {
    type Err = UnknownRuntime;

    fn from_str(text: &str) -> Result<Self, UnknownRuntime> {
        let minor_version =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        // Lambda's second Java 8 is `java8.al2`.
        let java_version = |rest: &str| minor_version(rest.strip_suffix(".al2").unwrap_or(rest));
        if text
            .strip_prefix("provided.")
            .is_some_and(|os| !os.is_empty())
        {
            return Ok(Self::Provided(text.to_owned()));
        }
        if text.strip_prefix("python3.").is_some_and(minor_version) {
            return Ok(Self::Python(text.to_owned()));
        }
        let node_major = text
            .strip_prefix("nodejs")
            .and_then(|rest| rest.strip_suffix(".x"));
        if node_major.is_some_and(minor_version) {
            return Ok(Self::Node(text.to_owned()));
        }
        if text.strip_prefix("java").is_some_and(java_version) {
            return Ok(Self::Java(text.to_owned()));
        }
        Err(UnknownRuntime(text.to_owned()))
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.identifier())
    }
}

/// A runtime that this sandbox cannot start.
#[derive(Debug, thiserror::Error)]
#[error("unknown runtime {0:?}: expected provided.al2023, python3.x, nodejs2x.x or java2x")]
pub struct UnknownRuntime(String);

/// The only region there is.
pub(crate) const REGION: &str = "us-east-1";
/// The account number that AWS's own documentation uses.
pub(crate) const ACCOUNT_ID: &str = "123456789012";
/// The only version there is.
pub(crate) const VERSION: &str = "$LATEST";
/// Lambda's own default.
pub(crate) const MEMORY_MB_DEFAULT: u32 = 128;
/// Lambda's own default.
pub(crate) const EPHEMERAL_STORAGE_MB_DEFAULT: u32 = 512;
/// Lambda's own default.
pub(crate) const TIMEOUT_DEFAULT: Duration = Duration::from_secs(3);

/// What a function on Managed Instances has at least.
pub const MANAGED_MEMORY_MB_MIN: u32 = 2048;
/// Lambda's own limit of invocations at once in one environment.
pub(crate) const MAX_CONCURRENCY_MAX: usize = 1600;
/// Lambda's own default for a Rust function with one core.
const MAX_CONCURRENCY_DEFAULT: usize = 8;
/// Lambda's own default: one in each availability zone.
pub(crate) const ENVIRONMENTS_MIN_DEFAULT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_instances_ask_for_memory_a_json_log_and_workers() {
        let managed = |max_concurrency| {
            Initialization::Managed(ManagedInstances {
                max_concurrency,
                ..ManagedInstances::default()
            })
        };
        let function = |instances| Function::new("f", "code").initialization(instances);
        let good = function(managed(4)).memory_mb(2048);
        assert_eq!(good.managed_problem(), None);
        assert_eq!(Function::new("f", "code").managed_problem(), None);
        let cases = [
            (function(managed(4)), "2048 MB"),
            (good.clone().log_format(LogFormat::Text), "is JSON"),
            (function(managed(0)).memory_mb(2048), "1 to 1600"),
            (function(managed(1601)).memory_mb(2048), "not 1601"),
        ];
        for (function, expected) in cases {
            let problem = function.managed_problem().unwrap();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn runtimes_are_read_by_their_identifier() {
        let cases = [
            ("provided.al2023", true),
            ("python3.13", true),
            ("nodejs22.x", true),
            ("provided.", false),
            ("python2.7", false),
            ("python3.", false),
            ("nodejs22", false),
            ("java21", true),
            ("java8.al2", true),
            ("java", false),
            ("ruby3.4", false),
        ];
        for (text, known) in cases {
            let runtime = text.parse::<Runtime>();
            assert_eq!(runtime.is_ok(), known, "{text}");
            if let Ok(runtime) = runtime {
                assert_eq!(runtime.identifier(), text);
            }
        }
    }
}
