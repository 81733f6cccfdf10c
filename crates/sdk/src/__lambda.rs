//! What the attribute `lambda` makes a `main` of. Nothing else may use it: it changes without notice.

use std::future::Future;

pub use lambda_runtime::{Error, service_fn};

pub use crate::runtime::run;

/// Does everything that a function does, on the threads that `#[tokio::main]` would have.
///
/// # Errors
/// Those of `main`, and what the system says when it has no threads left.
#[allow(clippy::disallowed_methods)] // the edge where a process becomes asynchronous
pub fn block_on(main: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.enable_all().build()?.block_on(main)
}

/// Has spans and events of `tracing` told if the function has not said who hears them.
pub fn listen() {
    #[cfg(feature = "tracing")]
    crate::tracing::listen();
}
