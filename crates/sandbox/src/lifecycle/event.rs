//! What can happen to an environment, and the names that events and effects share.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::fault::Fault;
use super::subscription::LogsOrTelemetry;
use crate::function::Initialization;
use crate::time::UnixNanos;

/// What does not change in the life of an environment.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) function: String,
    pub(crate) memory_mb: u32,
    pub(crate) timeout: Duration,
    pub(crate) initialization: Initialization,
    /// The version of a runtime that Lambda brings.
    pub(crate) runtime_version: Option<String>,
    /// The name of the environment's log stream.
    pub(crate) instance: String,
    /// File names of the external extensions.
    pub(crate) extensions: Vec<String>,
    pub(crate) limits: Limits,
}

/// The times that Lambda fixes. Tests shorten them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long the first init may take when an invocation waits for it.
    pub(crate) init: Duration,
    /// How long an init may take at least when none does, as before a snapshot; longer if the function has longer.
    pub(crate) init_ahead: Duration,
    /// How long the init of a managed instance may take.
    pub(crate) init_managed: Duration,
    /// How long the runtime may take after a restore.
    pub(crate) restore: Duration,
    /// How long an invocation waits for one of several workers to be free, and is refused then.
    pub(crate) worker: Duration,
    /// How long a shutdown may take when there are extensions.
    pub(crate) shutdown: Duration,
    /// How much of that the runtime may take. RIE says 600 ms, the documentation 300: the stricter.
    pub(crate) runtime_exit: Duration,
    /// How long a runtime with only internal extensions may take.
    pub(crate) runtime_exit_internal: Duration,
    /// How much of a shutdown the runtime of a managed instance may take.
    pub(crate) runtime_exit_managed: Duration,
    /// How long the subscribers of a managed instance may take for the last telemetry before they hear of the shutdown.
    pub(crate) flush: Duration,
    /// How long a killed process may take to disappear.
    pub(crate) kill: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            init: Duration::from_secs(10),
            init_ahead: Duration::from_secs(130),
            init_managed: Duration::from_secs(900),
            restore: Duration::from_secs(10),
            worker: Duration::from_secs(1),
            shutdown: Duration::from_secs(2),
            runtime_exit: Duration::from_millis(300),
            runtime_exit_internal: Duration::from_millis(500),
            runtime_exit_managed: Duration::from_millis(600),
            flush: Duration::from_secs(1),
            kill: Duration::from_secs(2),
        }
    }
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The pool has an invocation for this environment.
    Invoke(Invocation),
    /// The environment is to be initialized before there is an invocation.
    Init,
    /// The environment is to end.
    Shutdown,
    /// All of its processes were killed and it is no more.
    Lost,
    /// A process called one of the APIs and waits for a reply.
    Call(CallId, ApiCall),
    /// The process that made the call had gone when the reply came.
    Undelivered(CallId),
    /// What telemetry there was has been delivered.
    Flushed,
    /// A process ended.
    Exited(Process, Exit),
    /// A process could not be started.
    NotStarted(Process, Fault),
    /// Time passed.
    Tick,
}

/// One attempt to have an event handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    /// A nonce of this attempt, so that a late answer to an earlier one is known as such.
    pub(crate) attempt: String,
    pub(crate) payload: Bytes,
    /// The ARN as it was asked for.
    pub(crate) arn: String,
    pub(crate) trace_header: String,
    /// The id of the segment that Lambda would write.
    pub(crate) span_id: String,
    pub(crate) client_context: Option<String>,
    pub(crate) cognito_identity: Option<String>,
    /// Whose invocation it is, where a function keeps its tenants apart.
    pub(crate) tenant_id: Option<String>,
}

/// A call that waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId(pub(crate) u64);

/// A call on the Runtime, Extensions or Telemetry API whose HTTP form was right.
#[derive(Debug)]
pub(crate) enum ApiCall {
    RuntimeNext,
    /// `restore/next`: the runtime is ready to be frozen in a snapshot.
    RestoreNext,
    RestoreError {
        error_type: Option<String>,
        body: Bytes,
    },
    RuntimeAnswer(RuntimeAnswer),
    /// `/response` whose body is to be passed on while it comes.
    StreamStart {
        request_id: String,
        attempt: Option<String>,
        content_type: Option<String>,
    },
    StreamEnd(StreamEnd),
    RuntimeInitError {
        error_type: Option<String>,
        body: Bytes,
    },
    Register {
        name: String,
        events: Vec<String>,
        fresh_id: String,
        with_account: bool,
    },
    ExtensionNext {
        identifier: Option<String>,
    },
    ExtensionInitError {
        identifier: Option<String>,
        error_type: Option<String>,
    },
    ExtensionExitError {
        identifier: Option<String>,
        error_type: Option<String>,
    },
    Subscribe {
        api: LogsOrTelemetry,
        identifier: Option<String>,
        body: Bytes,
    },
}

/// `/response` or `/error` of the runtime.
#[derive(Debug)]
pub(crate) struct RuntimeAnswer {
    pub(crate) request_id: String,
    pub(crate) attempt: Option<String>,
    /// When its first byte came.
    pub(crate) first_byte: UnixNanos,
    pub(crate) body: Body,
    pub(crate) mode: ResponseMode,
    /// What the runtime calls its error.
    pub(crate) error_type: Option<String>,
    /// What it says of it for X-Ray.
    pub(crate) error_cause: Option<Value>,
}

/// The end of a streamed answer.
#[derive(Debug)]
pub(crate) struct StreamEnd {
    pub(crate) request_id: String,
    pub(crate) attempt: Option<String>,
    /// When the first byte of the body came.
    pub(crate) first_byte: UnixNanos,
    pub(crate) bytes: usize,
    pub(crate) ending: Ending,
}

/// How a streamed answer ends.
#[derive(Debug)]
pub(crate) enum Ending {
    Complete,
    /// The function failed in the middle of its answer; the trailers say how.
    Failed {
        error_type: String,
        error: Bytes,
    },
    TooLarge {
        bytes: u64,
    },
    Truncated,
}

/// How the runtime says its answer is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Response,
    /// A response mode header with a value that does not exist.
    InvalidMode,
    Error,
}

/// What there is of a request's body.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    TooLarge { bytes: u64 },
    Truncated,
}

/// A process of an environment. After a reset the same role is another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process {
    pub(crate) generation: u32,
    pub(crate) role: Role,
}

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    Runtime,
    /// Index into [`Spec::extensions`].
    Extension(usize),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
    /// Killed for the memory it used.
    OutOfMemory,
}

/// As Go prints it, because Lambda's supervisor is written in Go and its words reach the caller.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(2) => f.write_str("signal: interrupt"),
            Self::Signal(6) => f.write_str("signal: aborted"),
            Self::Signal(9) | Self::OutOfMemory => f.write_str("signal: killed"),
            Self::Signal(11) => f.write_str("signal: segmentation fault"),
            Self::Signal(15) => f.write_str("signal: terminated"),
            Self::Signal(number) => write!(f, "signal: signal {number}"),
        }
    }
}

/// Why an environment's processes are shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutdownReason {
    Spindown,
    Timeout,
    Failure,
}

impl ShutdownReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Spindown => "spindown",
            Self::Timeout => "timeout",
            Self::Failure => "failure",
        }
    }
}
