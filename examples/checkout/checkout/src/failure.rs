//! What can go wrong, with the stack of the place where it did.

use std::backtrace::Backtrace;

use lambda_runtime::Diagnostic;

use crate::order::BadOrder;

/// Why an order did not go through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckoutError {
    #[error(transparent)]
    BadOrder(#[from] BadOrder),
    /// The other function answered with an error of its own.
    #[error("{function} failed: {message}")]
    Function {
        function: String,
        error_type: String,
        message: String,
    },
    #[error("cannot invoke {function}: {reason}")]
    Invoke { function: String, reason: String },
    #[error("cannot read the answer of {function}: {reason}")]
    Answer { function: String, reason: String },
    #[error("payment gateway answered {status} for order {order}")]
    PaymentGateway { order: u32, status: u16 },
}

impl CheckoutError {
    /// A short name to group by: `error.type`, `exception.type`, and what Lambda reports.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::BadOrder(_) => "BadOrder",
            Self::Function { error_type, .. } => error_type,
            Self::Invoke { .. } => "InvokeFailed",
            Self::Answer { .. } => "UnreadableAnswer",
            Self::PaymentGateway { .. } => "PaymentGatewayError",
        }
    }
}

/// An error and where it happened. `?` makes one out of a [`CheckoutError`].
pub(crate) struct Failure {
    pub(crate) error: CheckoutError,
    stack: Backtrace,
}

impl Failure {
    /// The frames that lie in this program's own source, in the form that Rust prints them.
    pub(crate) fn stack_trace(&self) -> String {
        own_frames(&self.stack.to_string())
    }
}

impl<E: Into<CheckoutError>> From<E> for Failure {
    fn from(error: E) -> Self {
        // Forced, because an error that stops an order is rare and always worth its stack.
        Self {
            error: error.into(),
            stack: Backtrace::force_capture(),
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.error.name().to_owned(),
            error_message: failure.error.to_string(),
        }
    }
}

/// What the runtime logs when an invocation fails.
impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {}\n{}",
            self.error.name(),
            self.error,
            self.stack_trace()
        )
    }
}

/// Of some forty frames of an async program all but a few belong to the runtime around it. Those to keep are known by
/// their place: where the compiler has inlined, the symbol is no more than `{async_fn#0}`.
fn own_frames(backtrace: &str) -> String {
    let lines: Vec<&str> = backtrace.lines().collect();
    let frames: Vec<String> = lines
        .windows(2)
        .filter(|frame| !frame[0].contains("Failure as core::convert::From"))
        .filter_map(|frame| Some((frame[0], own_place(frame[1])?)))
        .map(|(symbol, place)| format!("{}\n             at {place}", without_generics(symbol)))
        .collect();
    if frames.is_empty() {
        return backtrace.to_owned(); // built without line tables
    }
    frames.join("\n")
}

/// The place of a frame, if it is in this crate: relative to the crate, so that it reads the same on every machine.
fn own_place(line: &str) -> Option<&str> {
    let place = line.trim_start().strip_prefix("at ")?;
    let relative = place
        .strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/"))
        .or_else(|| place.strip_prefix("./"))?;
    relative.starts_with("src/").then_some(relative)
}

/// `4: {async_fn#0}<Vec<u8>, ...>` without the types, which fill a screen.
fn without_generics(symbol: &str) -> &str {
    match symbol.split_once("}<") {
        Some((name, _)) => &symbol[..=name.len()],
        None => symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_of_this_crate_are_kept() {
        let backtrace = "   0: <checkout::failure::Failure as core::convert::From<E>>::from
             at ./src/failure.rs:56:60
   1: <T as core::convert::Into<U>>::into
             at /rustc/x/library/core/src/convert/mod.rs:759:9
   2: {async_fn#0}
             at ./src/payment.rs:14:20
   3: {async_fn#0}<alloc::vec::Vec<u8, alloc::alloc::Global>, &str>
             at ./src/telemetry.rs:103:28
   4: tokio::runtime::park::CachedParkThread::block_on
   5: checkout::main
             at ./src/main.rs:40:5";
        assert_eq!(
            own_frames(backtrace),
            "   2: {async_fn#0}
             at src/payment.rs:14:20
   3: {async_fn#0}
             at src/telemetry.rs:103:28
   5: checkout::main
             at src/main.rs:40:5"
        );
    }

    #[test]
    fn stack_names_the_line_that_failed() {
        let failure = Failure::from(CheckoutError::PaymentGateway {
            order: 7,
            status: 503,
        });
        let stack = failure.stack_trace();
        assert!(stack.contains("at src/failure.rs:"), "{stack}");
        assert!(!stack.contains("/rustc/"), "{stack}");
    }
}
