//! What keeps a sandbox from starting.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::doors::BadDoor;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken, or may not be bound.
    #[error("cannot listen on {listen}: {}", why(reason))]
    CannotListen {
        /// The address.
        listen: SocketAddr,
        /// What the system said. Not a `source`: the message tells it already.
        reason: std::io::Error,
    },
    /// Whoever reaches the sandbox runs code on this machine.
    #[error("cannot listen on {listen}: the sandbox listens on loopback only")]
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// The routes of an API contradict each other.
    #[error("cannot start the API {api}: {reason}")]
    Api {
        /// The API.
        api: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A schedule has no such times.
    #[error("cannot start the schedule {schedule}: {reason}")]
    Schedule {
        /// The schedule and its function.
        schedule: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two functions have one name.
    #[error("cannot start two functions named {function}")]
    FunctionTwice {
        /// The name.
        function: String,
    },
    /// There is no such file or folder, or it cannot be executed.
    #[error("cannot use the extension {}: {reason}", path.display())]
    Extension {
        /// The path as it was given, or of the file in it.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Functions that could not be started, each with what is missing and what to do.
    #[error("cannot start {}", problems.join("\ncannot start "))]
    Code {
        /// One for each function, headed by its name.
        problems: Vec<String>,
    },
    /// A door leads nowhere, or two have one name.
    #[error(transparent)]
    BadDoor(#[from] BadDoor),
    /// The temporary folder of the system cannot be written.
    #[error("cannot make a folder in the system's temporary folder: {0}")]
    NoFolder(std::io::Error),
    /// Worlds of their own were asked for, and the machine does not allow them.
    #[error("cannot give environments a world of their own: {0}")]
    NoWorld(String),
    /// What the functions are made of cannot be watched for changes.
    #[error("{0}")]
    Watch(String),
    /// The machine could not give what environments need that are started ahead.
    #[error("cannot start environments ahead: {0}")]
    Provision(std::io::Error),
    /// The shell that watches over the sandbox's processes cannot be started.
    #[error("cannot start /bin/sh, which ends all processes should the sandbox be killed: {0}")]
    NoWatchdog(std::io::Error),
}

fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "the port is taken".to_owned(),
        _ => error.to_string(),
    }
}
