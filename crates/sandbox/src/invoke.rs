//! What goes into an invocation and what comes out of it.

use std::time::Duration;

use bytes::Bytes;

use crate::time::UnixNanos;

/// A call of a function.
///
/// ```
/// use throughline_sandbox::Invoke;
///
/// let invoke = Invoke::new("checkout").payload(r#"{"cart":7}"#).trace_header("Root=1-5759e988-bd862e3fe1be46a994272793");
/// ```
#[derive(Debug, Clone)]
pub struct Invoke {
    pub(crate) function: String,
    pub(crate) payload: Bytes,
    pub(crate) trace_header: Option<String>,
    pub(crate) client_context: Option<String>,
    pub(crate) invoked_arn: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) cognito_identity: Option<String>,
    pub(crate) tenant_id: Option<String>,
}

impl Invoke {
    /// A call of the function of this name with the payload `{}`.
    pub fn new(function: impl Into<String>) -> Self {
        Self {
            function: function.into(),
            payload: Bytes::from_static(b"{}"),
            trace_header: None,
            client_context: None,
            invoked_arn: None,
            request_id: None,
            cognito_identity: None,
            tenant_id: None,
        }
    }

    /// The event, as JSON text.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Bytes>) -> Self {
        self.payload = payload.into();
        self
    }

    /// The `X-Amzn-Trace-Id` of the caller. What it lacks is added.
    #[must_use]
    pub fn trace_header(mut self, header: impl Into<String>) -> Self {
        self.trace_header = Some(header.into());
        self
    }

    /// The client context, as JSON text.
    #[must_use]
    pub fn client_context(mut self, json: impl Into<String>) -> Self {
        self.client_context = Some(json.into());
        self
    }

    /// The Cognito identity of the caller, as JSON text: `{"cognitoIdentityId":"…","cognitoIdentityPoolId":"…"}`.
    #[must_use]
    pub fn cognito_identity(mut self, json: impl Into<String>) -> Self {
        self.cognito_identity = Some(json.into());
        self
    }

    /// The tenant for whom it is done. Its environment is shared with no other.
    #[must_use]
    pub fn tenant_id(mut self, tenant_id: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant_id.into());
        self
    }
}

/// What the caller of a function gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The id of the invocation.
    pub request_id: String,
    /// The returned JSON, or the error as JSON.
    pub payload: Bytes,
    /// Whether the payload is an error.
    pub outcome: Outcome,
}

impl Answer {
    /// The payload as text; replacement characters where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// Whether a function returned or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The function returned a value.
    Returned,
    /// The function reported an error, crashed or ran out of time: `X-Amz-Function-Error: Unhandled`.
    FunctionError,
}

/// An invocation that is over, environment work included: what the REPORT line says.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The function.
    pub function: String,
    /// The environment that handled it, by the name of its log stream.
    pub environment: String,
    /// The id of the invocation.
    pub request_id: String,
    /// When the function got the event.
    pub started: UnixNanos,
    /// How the platform judges it. A handled error is a success here; `outcome` has the function's own view.
    pub status: Status,
    /// What the caller got.
    pub outcome: Outcome,
    /// The platform's name for what went wrong, such as `Runtime.ExitError`.
    pub error_type: Option<String>,
    /// What the runtime says of the function's own error for X-Ray: `exceptions` with their stacks, `paths`,
    /// `working_directory`, at most 64 KiB of it.
    pub error_cause: Option<serde_json::Value>,
    /// From the release of the event to the last `next`, extensions included.
    pub duration: Duration,
    /// The duration as billed: with the init, in whole milliseconds rounded up.
    pub billed: Duration,
    /// On Managed Instances, where the instance is paid for: neither the time billed nor the memory is told then.
    pub managed: bool,
    /// How long the environment took to start for this invocation.
    pub init: Option<Duration>,
    /// How long it took to restore the environment from its snapshot for this invocation. Billed apart.
    pub restore: Option<Duration>,
    /// Whether the environment was started for this invocation, also after a crash.
    pub cold_start: bool,
    /// Memory the function is said to have.
    pub memory_mb: u32,
    /// The highest resident memory of all processes of the environment.
    pub memory_max_used_mb: u64,
    /// The trace header of the invocation.
    pub trace_header: String,
}

/// How an invocation ended, in the words of the platform events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The runtime answered and asked for the next event.
    Success,
    /// A process of the environment failed.
    Error,
    /// The platform failed.
    Failure,
    /// The function's time was over.
    Timeout,
}

impl Status {
    /// The word in platform events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
        }
    }
}

/// Something to show while the sandbox runs.
#[derive(Debug, Clone)]
pub enum Activity {
    /// An invocation is over.
    Finished(Finished),
    /// A process of an environment wrote a line.
    Line(Line),
    /// An asynchronous invocation is done with, after its last attempt.
    EventEnded(EventEnded),
    /// A fault has struck.
    Fault(FaultStruck),
    /// The code or a layer has changed: invocations from now on get environments with the new one.
    Reloaded {
        /// The function.
        function: String,
    },
    /// The code or a layer has changed, but cannot be started: the old one stays.
    NotReloaded {
        /// The function.
        function: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A fault that has struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultStruck {
    /// Of the fault.
    pub id: u64,
    /// What went wrong, such as `kill the runtime`.
    pub what: String,
    /// The function that it struck, if it was not the whole sandbox.
    pub function: Option<String>,
    /// The environment that it struck, by the name of its log stream, if it was one.
    pub environment: Option<String>,
}

/// How an asynchronous invocation ended: what Lambda tells a destination.
#[derive(Debug, Clone)]
pub struct EventEnded {
    /// The function.
    pub function: String,
    /// The id of the invocation, the same for each attempt.
    pub request_id: String,
    /// Why there are no more attempts.
    pub end: EventEnd,
    /// How many attempts there were.
    pub attempts: usize,
    /// The event.
    pub payload: Bytes,
    /// The answer of the last attempt, if there was one.
    pub answer: Option<Answer>,
    /// The trace that all attempts belong to.
    pub trace_header: String,
}

/// Why an asynchronous invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventEnd {
    /// The function returned.
    Success,
    /// All attempts failed.
    RetriesExhausted,
    /// The event grew too old.
    EventAgeExceeded,
    /// It could not be tried at all, for this reason.
    NotInvoked(String),
}

impl EventEnd {
    /// The `condition` that Lambda tells a destination.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted | Self::NotInvoked(_) => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

/// One line of output.
#[derive(Debug, Clone)]
pub struct Line {
    /// The function in whose environment it was written.
    pub function: String,
    /// The extension that wrote it, `None` for the function itself.
    pub extension: Option<String>,
    /// The invocation that ran then, if one did. What is written while processes come to a stop may be told late.
    pub request_id: Option<String>,
    /// The line, without its end.
    pub text: String,
}

/// Why a call was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function.
    #[error("cannot invoke {function}: there is no such function")]
    UnknownFunction {
        /// The name that was asked for.
        function: String,
    },
    /// All environments that the function may have are busy, or on Managed Instances all workers in them.
    #[error("cannot invoke {function}: all {limit} environments are busy")]
    Throttled {
        /// The function.
        function: String,
        /// The concurrency limit.
        limit: usize,
    },
    /// The payload is larger than Lambda takes.
    #[error("cannot invoke {function}: the payload has {bytes} bytes, at most {limit} are taken")]
    PayloadTooLarge {
        /// The function.
        function: String,
        /// How many bytes there are.
        bytes: usize,
        /// How many are taken.
        limit: usize,
    },
    /// The payload is no JSON.
    #[error("cannot invoke {function}: the payload is no JSON: {reason}")]
    PayloadNotJson {
        /// The function.
        function: String,
        /// What the parser said.
        reason: String,
    },
    /// The machine could not give what an environment needs.
    #[error("cannot invoke {function}: no environment: {reason}")]
    NoEnvironment {
        /// The function.
        function: String,
        /// What the system said.
        reason: String,
    },
    /// The sandbox is shutting down.
    #[error("cannot invoke {function}: the sandbox is shutting down")]
    ShuttingDown {
        /// The function.
        function: String,
    },
}
