//! Handing a batch to its function, and waiting in between.

use std::time::Duration;

use bytes::Bytes;
use throughline_sandbox::{Invoke, InvokeError, Invoker, Outcome};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::reporter::Reporter;

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The function returned this, as this invocation.
    Returned(Bytes, String),
    /// The function failed, as this invocation, or could not be called.
    Failed(String, Option<String>),
    /// The function had no environment to spare for all of the time there was.
    Throttled,
    /// The sandbox is ending.
    Stopped,
}

/// Invokes a function and waits for its answer. While it is throttled it is tried again, until `throttled_max` is over:
/// that a function has no room is no failure of the batch.
pub(crate) async fn deliver(
    invoker: &Invoker,
    reporter: &Reporter,
    payload: Bytes,
    throttled_max: Duration,
    stop: &Stop,
) -> Delivered {
    let end = Instant::now() + throttled_max;
    let mut backoff = Backoff::default();
    loop {
        let invoke = Invoke::new(&*reporter.function).payload(payload.clone());
        match invoker.call(invoke).await {
            Ok(answer) if answer.outcome == Outcome::Returned => {
                return Delivered::Returned(answer.payload, answer.request_id);
            }
            Ok(answer) => {
                return Delivered::Failed(why(&answer.text()), Some(answer.request_id));
            }
            Err(InvokeError::ShuttingDown { .. }) => return Delivered::Stopped,
            Err(error @ InvokeError::Throttled { .. }) => {
                let delay = backoff.next();
                if Instant::now() + delay > end {
                    return Delivered::Throttled;
                }
                reporter.backing_off(delay, &error.to_string());
                if stop.during(tokio::time::sleep(delay)).await.is_none() {
                    return Delivered::Stopped;
                }
            }
            Err(error) => return Delivered::Failed(error.to_string(), None),
        }
    }
}

/// The part of an error answer that says what happened.
fn why(answer: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap_or_default();
    let part = |key: &str| answer[key].as_str().unwrap_or("?").to_owned();
    let message: String = part("errorMessage").chars().take(WHY_CHARS_MAX).collect();
    format!("{}: {message}", part("errorType"))
}

/// Ever longer waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        let delay = BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow(self.attempts));
        self.attempts = self.attempts.saturating_add(1);
        delay.min(BACKOFF_MAX)
    }

    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// Tells all tasks of the sources that it is time to end.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it is time to end.
    pub(crate) async fn set(&self) {
        // An error means that whoever would tell is gone.
        let _ = self.0.clone().wait_for(|set| *set).await;
    }

    /// Does something that may be cut short; `None` when it was.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.set() => None,
            done = work => Some(done),
        }
    }
}

const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// A line shall stay one.
const WHY_CHARS_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let millis: Vec<_> = (0..12).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(millis[..5], [100, 200, 400, 800, 1600]);
        assert_eq!(millis[9..], [30_000, 30_000, 30_000]);
    }
}
