//! What a user asks to go wrong.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::doors::DoorState;

/// Something that is to go wrong.
///
/// Unless told otherwise it strikes every function, at every occasion, from now on, until it is removed.
///
/// ```
/// use std::time::Duration;
/// use throughline_sandbox::{Fault, Victim};
///
/// // Every tenth invocation of checkout loses its runtime after 50 ms, three times at most.
/// let fault = Fault::kill(Victim::Runtime)
///     .of("checkout")
///     .share(0.1)
///     .seed(7)
///     .into_invocation(Duration::from_millis(50))
///     .times(3);
/// assert_eq!(fault.to_string(), "kill the runtime of checkout");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(crate) what: What,
    pub(crate) function: Option<String>,
    pub(crate) share: f64,
    pub(crate) start: Start,
    pub(crate) lasts: Option<Duration>,
    pub(crate) times: Option<u64>,
    pub(crate) seed: u64,
    pub(crate) into: Duration,
    pub(crate) environments: bool,
}

/// Which process of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Victim {
    /// The function's own.
    Runtime,
    /// The external extension with this file name.
    Extension(String),
}

/// What becomes of a batch of telemetry on its way to a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It comes so much later, and what follows waits for it.
    Delay(Duration),
    /// The subscriber's listener cannot be reached.
    Refuse,
    /// The subscriber gets it and answers with this status, which makes the platform send it again.
    Status(u16),
    /// It comes twice.
    Duplicate,
    /// It never comes, and nobody is told.
    Lose,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Kill(Victim),
    Hang(Victim),
    OutOfMemory,
    DropEnvironment,
    Throttle,
    /// Of this extension only, if there is a name.
    Telemetry(Delivery, Option<String>),
    LoseReport,
    DuplicateEvent,
    PoisonEvent(Bytes),
    ClockJump(Duration),
    /// What the metadata endpoint answers.
    Metadata(u16),
    /// The door of this name behaves so.
    Door(String, DoorState),
}

/// From when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    AtOnce,
    After(Duration),
    /// With the so-manieth invocation from now, beginning with one; of what is throttled or queued, the so-manieth call.
    AtInvocation(u64),
}

impl Fault {
    /// A process is killed while it handles an invocation.
    pub fn kill(victim: Victim) -> Self {
        Self::new(What::Kill(victim))
    }

    /// A process stops dead while it handles an invocation, and nothing but SIGKILL ends it.
    pub fn hang(victim: Victim) -> Self {
        Self::new(What::Hang(victim))
    }

    /// The runtime is killed as the kernel kills what has used up its memory, and the report says that it had.
    pub fn out_of_memory() -> Self {
        Self::new(What::OutOfMemory)
    }

    /// All processes of an environment are killed at once and the environment is gone: no notice, no shutdown.
    pub fn drop_environment() -> Self {
        Self::new(What::DropEnvironment)
    }

    /// Calls are refused with 429, as if all environments were busy. Asynchronous ones wait and are tried again.
    pub fn throttle() -> Self {
        Self::new(What::Throttle)
    }

    /// Batches of telemetry do not come as they should, for every subscriber.
    pub fn telemetry(delivery: Delivery) -> Self {
        Self::new(What::Telemetry(delivery, None))
    }

    /// The same for the subscriber of one extension.
    pub fn telemetry_of(extension: impl Into<String>, delivery: Delivery) -> Self {
        Self::new(What::Telemetry(delivery, Some(extension.into())))
    }

    /// No subscriber hears `platform.report`.
    pub fn lose_report() -> Self {
        Self::new(What::LoseReport)
    }

    /// An asynchronous event is handled twice, both times with the same request id.
    pub fn duplicate_event() -> Self {
        Self::new(What::DuplicateEvent)
    }

    /// The payload of an asynchronous event is replaced by this one, which the function should not know how to handle.
    pub fn poison_event(payload: impl Into<Bytes>) -> Self {
        Self::new(What::PoisonEvent(payload.into()))
    }

    /// An environment finds that it was frozen for so long: before an invocation begins, the time of the whole sandbox is
    /// set forward.
    pub fn clock_jump(frozen: Duration) -> Self {
        Self::new(What::ClockJump(frozen))
    }

    /// The metadata endpoint of environments answers 500 or 503, as it does while the platform does not know what to say.
    pub fn metadata(status: u16) -> Self {
        Self::new(What::Metadata(status))
    }

    /// A door out of every environment behaves like this, from the start of the fault to its end.
    ///
    /// With [`Fault::at_invocation`] the function says whose invocations are counted; the door is everybody's.
    pub fn door(name: impl Into<String>, state: DoorState) -> Self {
        Self::new(What::Door(name.into(), state))
    }

    /// Only for this function.
    #[must_use]
    pub fn of(mut self, function: impl Into<String>) -> Self {
        self.function = Some(function.into());
        self
    }

    /// Only at this share of all occasions, between 0 and 1; the seed decides at which.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Not before so long from now.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.start = Start::After(wait);
        self
    }

    /// Not before the so-manieth invocation from now; the next one is the first.
    #[must_use]
    pub fn at_invocation(mut self, number: u64) -> Self {
        self.start = Start::AtInvocation(number);
        self
    }

    /// Over so long after it began.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.lasts = Some(duration);
        self
    }

    /// Over when it has struck so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Decides which share is struck: the same seed strikes the same occasions.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How long after the invocation was released a process is struck.
    #[must_use]
    pub fn into_invocation(mut self, wait: Duration) -> Self {
        self.into = wait;
        self
    }

    /// Strikes the environments that there are when it begins, each once and whatever they do, instead of invocations.
    #[must_use]
    pub fn on_environments(mut self) -> Self {
        self.environments = true;
        self
    }

    fn new(what: What) -> Self {
        Self {
            what,
            function: None,
            share: 1.0,
            start: Start::AtOnce,
            lasts: None,
            times: None,
            seed: 0,
            into: Duration::ZERO,
            environments: false,
        }
    }

    /// Whether it makes sense, apart from the names in it.
    pub(crate) fn check(&self) -> Result<(), FaultError> {
        let bad = |why: &str| Err(FaultError::Bad(why.to_owned()));
        if !(self.share > 0.0 && self.share <= 1.0) {
            return bad("the share is not above 0 and at most 1");
        }
        if self.times == Some(0) || self.start == Start::AtInvocation(0) {
            return bad("invocations and times are counted from 1");
        }
        if let What::Telemetry(Delivery::Status(status), _) = self.what
            && !(300..600).contains(&status)
        {
            return bad("the status is not between 300 and 599");
        }
        if let What::Metadata(status) = self.what
            && ![500, 503].contains(&status)
        {
            return bad("the status is neither 500 nor 503");
        }
        if let What::ClockJump(frozen) = self.what
            && frozen > FROZEN_MAX
        {
            return bad("the clock jumps by a year at most");
        }
        let of_processes = self.what.is_of_processes();
        if self.environments && !of_processes && !matches!(self.what, What::ClockJump(_)) {
            return bad(
                "only processes, whole environments and the clock can be struck outside of invocations",
            );
        }
        if self.environments && matches!(self.start, Start::AtInvocation(_)) {
            return bad("it strikes either environments or invocations");
        }
        if let What::Door(_, state) = &self.what {
            if *state == DoorState::Open {
                return bad("an open door is no fault");
            }
            if self.share < 1.0 || self.times.is_some() {
                return bad("a door has a time from when and for how long, no share and no times");
            }
        }
        if !self.into.is_zero() && (self.environments || !of_processes) {
            return bad("only processes and environments are struck some time into an invocation");
        }
        Ok(())
    }
}

impl What {
    /// Whether it strikes one environment's processes.
    pub(crate) fn is_of_processes(&self) -> bool {
        matches!(
            self,
            Self::Kill(_) | Self::Hang(_) | Self::OutOfMemory | Self::DropEnvironment
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.function {
            Some(function) => write!(f, " of {function}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(victim) => write!(f, "kill {victim}"),
            Self::Hang(victim) => write!(f, "hang {victim}"),
            Self::OutOfMemory => f.write_str("use up the memory"),
            Self::DropEnvironment => f.write_str("drop the environment"),
            Self::Throttle => f.write_str("throttle calls"),
            Self::Telemetry(delivery, None) => write!(f, "{delivery} telemetry"),
            Self::Telemetry(delivery, Some(extension)) => {
                write!(f, "{delivery} telemetry for {extension}")
            }
            Self::LoseReport => f.write_str("lose platform.report"),
            Self::DuplicateEvent => f.write_str("deliver an event twice"),
            Self::PoisonEvent(_) => f.write_str("poison an event"),
            Self::Door(name, DoorState::Slow { .. }) => write!(f, "slow the door {name}"),
            Self::Door(name, DoorState::BlackHole) => {
                write!(f, "let nothing come back through the door {name}")
            }
            Self::Door(name, _) => write!(f, "shut the door {name}"),
            Self::Metadata(status) => write!(f, "answer {status} to questions for metadata"),
            Self::ClockJump(frozen) => write!(f, "set the clock forward by {frozen:?}"),
        }
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime => f.write_str("the runtime"),
            Self::Extension(name) => write!(f, "the extension {name}"),
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(by) => write!(f, "delay by {by:?}"),
            Self::Refuse => f.write_str("refuse"),
            Self::Status(status) => write!(f, "answer {status} to"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Lose => f.write_str("lose"),
        }
    }
}

/// Why there is no such fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// What was asked for makes no sense.
    #[error("cannot add the fault: {0}")]
    Bad(String),
    /// There is no such function.
    #[error("cannot add the fault: there is no function {function}")]
    UnknownFunction {
        /// The name that was asked for.
        function: String,
    },
    /// There is no such extension.
    #[error("cannot add the fault: there is no extension {extension}")]
    UnknownExtension {
        /// The name that was asked for.
        extension: String,
    },
    /// There is no such door.
    #[error("cannot add the fault: there is no door {door}")]
    UnknownDoor {
        /// The name that was asked for.
        door: String,
    },
    /// There are too many.
    #[error("cannot add the fault: there are {limit} already, remove some")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
}

/// Further than anything waits, and far from where time ends.
const FROZEN_MAX: Duration = Duration::from_secs(366 * 86_400);
