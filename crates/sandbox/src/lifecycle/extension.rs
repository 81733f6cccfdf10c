//! One extension as the platform sees it, and the states of the runtime beside it.

use super::effect::Reply;
use super::event::CallId;
use super::subscription::LogsOrTelemetry;

/// The state of the runtime. Which states it may not go to from which others is the point of having them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuntimeState {
    Started,
    InitError,
    /// It called `restore/next` and waits for the restore.
    RestoreReady,
    /// It was restored and has not called `next`.
    Restoring,
    RestoreError,
    /// It called `next` and waits for an event.
    Ready,
    /// It got an event and has not answered.
    Running,
    /// It has begun a streamed answer and not ended it.
    Responding,
    /// It answered and has not called `next`.
    ResponseSent,
}

impl RuntimeState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::InitError => "InitError",
            Self::RestoreReady => "RestoreReady",
            Self::Restoring => "Restoring",
            Self::RestoreError => "RuntimeRestoreError",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::Responding => "InvocationResponse",
            Self::ResponseSent => "RuntimeResponseSent",
        }
    }
}

/// An extension that was started from a file, or that registered from inside the runtime.
#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) kind: ExtensionKind,
    pub(crate) state: ExtensionState,
    /// Given at registration.
    pub(crate) identifier: Option<String>,
    pub(crate) invoke: bool,
    pub(crate) shutdown: bool,
    /// The API that it has subscribed to; the other one is closed to it.
    pub(crate) subscribed: Option<LogsOrTelemetry>,
    /// What it said or what happened when it failed.
    pub(crate) error_type: Option<String>,
    /// Its open `next`.
    pub(crate) waiting: Option<CallId>,
    /// An event for which no `next` was open, or whose `next` had been hung up.
    pub(crate) owed: Option<Reply>,
    /// The call that carried the last event, and the event, in case it did not arrive.
    pub(crate) delivered: Option<(CallId, Reply)>,
}

impl Extension {
    pub(crate) fn external(name: &str, index: usize) -> Self {
        Self::new(name, ExtensionKind::External(index))
    }

    pub(crate) fn internal(name: &str) -> Self {
        Self::new(name, ExtensionKind::Internal)
    }

    fn new(name: &str, kind: ExtensionKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            state: ExtensionState::Started,
            identifier: None,
            invoke: false,
            shutdown: false,
            subscribed: None,
            error_type: None,
            waiting: None,
            owed: None,
            delivered: None,
        }
    }

    pub(crate) fn is_external(&self) -> bool {
        matches!(self.kind, ExtensionKind::External(_))
    }

    /// The names of the events it asked for, in the platform's order.
    pub(crate) fn events(&self) -> Vec<&'static str> {
        let subscribed = [(self.invoke, "INVOKE"), (self.shutdown, "SHUTDOWN")];
        subscribed
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| name)
            .collect()
    }

    /// Hands it an event, at once if it waits for one.
    pub(crate) fn release(&mut self, event: Reply) -> Option<(CallId, Reply)> {
        self.state = ExtensionState::Running;
        let Some(call) = self.waiting.take() else {
            self.owed = Some(event);
            return None;
        };
        self.delivered = Some((call, event.clone()));
        Some((call, event))
    }
}

/// Where an extension came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtensionKind {
    /// A process of its own; index into the list of extension files.
    External(usize),
    /// Part of the runtime's process.
    Internal,
}

/// The states of an extension, by the names that `platform.extension` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtensionState {
    Started,
    LaunchError,
    Registered,
    /// It called `next` and waits for an event.
    Ready,
    /// It got an event and has not called `next` again.
    Running,
    InitError,
    ExitError,
    Exited,
    ShutdownFailed,
}

impl ExtensionState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::LaunchError => "LaunchError",
            Self::Registered => "Registered",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::InitError => "InitError",
            Self::ExitError => "ExitError",
            Self::Exited => "Exited",
            Self::ShutdownFailed => "ShutdownFailed",
        }
    }
}
