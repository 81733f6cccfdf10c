//! `lambda_runtime` with an invocation's span around each call of the handler.
//!
//! Two services work together. [`Invocations`] sees what came from the platform, before it is the handler's event, and
//! begins the span. [`Handler`] sees what the handler gives back, before it is an answer, and ends it.

mod answer;
mod handler;
mod invocations;

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Diagnostic, Error, IntoFunctionResponse, LambdaEvent, Runtime, Service};
use serde::{Deserialize, Serialize};

use crate::failure;
use crate::sdk::Sdk;
use crate::settings::Settings;

pub use handler::Handler;
pub use invocations::{Invocations, InvocationsLayer};

/// Runs the function as `lambda_runtime::run` does, and tells the extension of each invocation.
///
/// Without the extension, or with `THROUGHLINE_LAYER=off`, it does no more than that.
///
/// # Errors
/// Those of `lambda_runtime::run`.
///
/// # Panics
/// As `lambda_runtime::run` does, when it does not run on Lambda.
pub async fn run<A, F, R, B, S, D, E>(handler: F) -> Result<(), Error>
where
    F: Service<LambdaEvent<A>, Response = R>,
    F::Future: Future<Output = Result<R, F::Error>>,
    F::Error: Into<Diagnostic> + Debug + 'static,
    A: for<'de> Deserialize<'de>,
    R: IntoFunctionResponse<B, S>,
    B: Serialize,
    S: futures_core::Stream<Item = Result<D, E>> + Unpin + Send + 'static,
    D: Into<bytes::Bytes> + Send,
    E: Into<Error> + Send + Debug,
{
    let runtime = Runtime::new(Handler::new(handler)).layer(invocations());
    runtime.layer(TracingLayer::new()).run().await
}

/// The same on Managed Instances, where one process has many invocations at once: `lambda_runtime::run_concurrent`.
///
/// # Errors
/// Those of `lambda_runtime::run_concurrent`.
///
/// # Panics
/// As `lambda_runtime::run_concurrent` does, when it does not run on Lambda or outside of a Tokio runtime.
#[cfg(feature = "concurrency-tokio")]
pub async fn run_concurrent<A, F, R, B, S, D, E>(handler: F) -> Result<(), Error>
where
    F: Service<LambdaEvent<A>, Response = R> + Clone + Send + 'static,
    F::Future: Future<Output = Result<R, F::Error>> + Send + 'static,
    F::Error: Into<Diagnostic> + Debug + 'static,
    A: for<'de> Deserialize<'de> + Send + 'static,
    R: IntoFunctionResponse<B, S> + Send + 'static,
    B: Serialize + Send + 'static,
    S: futures_core::Stream<Item = Result<D, E>> + Unpin + Send + 'static,
    D: Into<bytes::Bytes> + Send + 'static,
    E: Into<Error> + Send + Debug + 'static,
{
    let runtime = Runtime::new(Handler::new(handler)).layer(invocations());
    runtime.layer(TracingLayer::new()).run_concurrent().await
}

/// The layer for a `lambda_runtime::Runtime` that is put together by hand, around a [`Handler`].
///
/// ```no_run
/// use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
/// use throughline_sdk::{Handler, invocations};
///
/// # async fn example() -> Result<(), Error> {
/// let handler = service_fn(async |event: LambdaEvent<String>| Ok::<_, Error>(event.payload));
/// Runtime::new(Handler::new(handler)).layer(invocations()).run().await
/// # }
/// ```
pub fn invocations() -> InvocationsLayer {
    let sdk = Settings::from_env().map(Sdk::new);
    if let Some(sdk) = &sdk {
        failure::install_hook();
        sdk.open();
    }
    InvocationsLayer::new(sdk)
}

/// Whatever goes wrong in the SDK itself costs a span and never the invocation.
fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

/// The SDK of this process, or why there is none.
type Shared = Option<Arc<Sdk>>;

#[cfg(test)]
mod tests;
