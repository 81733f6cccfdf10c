//! Who invokes: as many callers as there may be environments, each with one call at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use throughline_sandbox::{Finished, Invoke, InvokeError, RunningSandbox, Status, UnixNanos};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::FUNCTIONS;
use crate::function::{Event, Then};

/// An invocation that is over.
#[derive(Clone, Debug)]
pub(super) struct Invoked {
    pub(super) number: u64,
    pub(super) function: &'static str,
    /// By the name of its log stream.
    pub(super) environment: String,
    pub(super) started: UnixNanos,
    /// Whether the platform calls it a success: the environment goes on with the processes it has.
    pub(super) went_well: bool,
}

/// What is to be done, and how much of it is.
pub(super) struct Work {
    invocations: u64,
    seed: u64,
    begun: AtomicU64,
    done: watch::Sender<u64>,
}

impl Work {
    pub(super) fn new(invocations: u64, seed: u64) -> Self {
        Work {
            invocations,
            seed,
            begun: AtomicU64::new(0),
            done: watch::Sender::new(0),
        }
    }

    pub(super) fn start(
        self: &Arc<Self>,
        sandbox: &Arc<RunningSandbox>,
        callers: usize,
    ) -> JoinSet<Result<Vec<Invoked>, String>> {
        let mut workers = JoinSet::new();
        for caller in 0..callers {
            let (work, sandbox) = (self.clone(), sandbox.clone());
            let function = FUNCTIONS[caller % FUNCTIONS.len()];
            workers.spawn(async move { work.call(&sandbox, function).await });
        }
        workers
    }

    /// Waits until so many invocations are over; says whether there are more.
    pub(super) async fn reaches(&self, count: u64) -> bool {
        let count = count.min(self.invocations);
        let mut done = self.done.subscribe();
        // The sender is in `self`, so it is there as long as this waits.
        let _ = done.wait_for(|done| *done >= count).await;
        count < self.invocations
    }

    async fn call(
        &self,
        sandbox: &RunningSandbox,
        function: &'static str,
    ) -> Result<Vec<Invoked>, String> {
        let mut invoked = Vec::new();
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
            if number > self.invocations {
                return Ok(invoked);
            }
            // What an invocation does follows from its number, whoever makes it.
            let mut random = Rng::with_seed(self.seed ^ number);
            if random.u32(0..60) == 0 {
                // A pause in which an environment may become idle and end.
                tokio::time::sleep(Duration::from_millis(random.u64(1..700))).await;
            }
            let event = choose(number, &mut random);
            let finished = invoke(sandbox, function, event).await?;
            invoked.push(Invoked {
                number,
                function,
                environment: finished.environment,
                started: finished.started,
                went_well: finished.status == Status::Success,
            });
            self.done.send_modify(|done| *done += 1);
        }
    }
}

fn choose(number: u64, random: &mut Rng) -> Event {
    let then = match random.u32(0..1000) {
        0..15 => Then::Exit,
        15..20 => Then::Hang,
        _ => Then::Return,
    };
    Event {
        exports: random.u64(0..3),
        spans: random.u64(1..8),
        text: random.usize(0..200),
        then,
        number,
    }
}

async fn invoke(
    sandbox: &RunningSandbox,
    function: &str,
    event: Event,
) -> Result<Finished, String> {
    let id = event.trace_id();
    let (root, rest) = id.split_at(8);
    let invoke = Invoke::new(function)
        .payload(event.payload())
        .trace_header(format!("Root=1-{root}-{rest};Sampled=1"));
    loop {
        match sandbox.call_to_end(invoke.clone()).await {
            Ok((_, finished)) => return Ok(finished),
            Err(InvokeError::Throttled { .. }) => {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}
