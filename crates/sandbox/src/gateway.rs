//! The one way to a function, for the AWS API, function URLs and Rust callers alike.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};

use crate::environment::{Caller, Ended};
use crate::invoke::{Answer, Invoke, InvokeError, Outcome};
use crate::lifecycle::{Invocation, Verdict, error_payload};
use crate::pool::{NoEnvironment, Pool};
use crate::time::Clock;
use crate::trace_header;

/// All functions of a sandbox, by name.
pub(crate) struct Gateway {
    clock: Clock,
    functions: BTreeMap<String, Entry>,
}

struct Entry {
    pool: Arc<Pool>,
    later: mpsc::Sender<Invoke>,
}

/// An invocation that an environment has taken.
pub(crate) struct Ticket {
    pub(crate) request_id: String,
    answer: oneshot::Receiver<Verdict>,
    ended: oneshot::Receiver<Ended>,
}

impl Ticket {
    /// The answer, as soon as the function gives it.
    pub(crate) async fn answer(&mut self) -> Answer {
        let verdict = (&mut self.answer).await.unwrap_or_else(|_| Verdict {
            outcome: Outcome::FunctionError,
            payload: error_payload("Sandbox.Failure", "the sandbox was stopped"),
        });
        Answer {
            request_id: self.request_id.clone(),
            payload: verdict.payload,
            outcome: verdict.outcome,
        }
    }

    /// The end of the invocation, `None` if the sandbox ended first.
    pub(crate) async fn ended(self) -> Option<Ended> {
        self.ended.await.ok()
    }
}

impl Gateway {
    /// The gateway, and the work that asynchronous invocations need done.
    pub(crate) fn new(
        pools: Vec<Arc<Pool>>,
        clock: Clock,
    ) -> (Arc<Self>, Vec<impl Future<Output = ()> + Send>) {
        let mut functions = BTreeMap::new();
        let mut queues = Vec::new();
        for pool in pools {
            let (later, queue) = mpsc::channel(QUEUED_MAX);
            let name = pool.function.name.clone();
            queues.push((name.clone(), pool.clone(), queue));
            functions.insert(name, Entry { pool, later });
        }
        let gateway = Arc::new(Self { clock, functions });
        let work = queues.into_iter().map(|(_, pool, queue)| {
            let weak = Arc::downgrade(&gateway);
            work_off(weak, pool, queue)
        });
        let work = work.collect();
        (gateway, work)
    }

    pub(crate) fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.functions.values().map(|entry| &entry.pool)
    }

    /// Whether the call could be made.
    pub(crate) fn check(
        &self,
        invoke: &Invoke,
        payload_bytes_max: usize,
    ) -> Result<(), InvokeError> {
        let function = || invoke.function.clone();
        self.entry(&invoke.function)?;
        if invoke.payload.len() > payload_bytes_max {
            let bytes = invoke.payload.len();
            return Err(InvokeError::PayloadTooLarge {
                function: function(),
                bytes,
                limit: payload_bytes_max,
            });
        }
        if !invoke.payload.is_empty() {
            serde_json::from_slice::<serde::de::IgnoredAny>(&invoke.payload).map_err(|error| {
                InvokeError::PayloadNotJson {
                    function: function(),
                    reason: error.to_string(),
                }
            })?;
        }
        Ok(())
    }

    /// Has an environment take the call.
    pub(crate) fn start(&self, invoke: Invoke) -> Result<Ticket, InvokeError> {
        self.check(&invoke, SYNCHRONOUS_BYTES_MAX)?;
        let pool = &self.entry(&invoke.function)?.pool;
        let function = invoke.function.clone();
        let invocation = self.invocation(pool, invoke);
        let request_id = invocation.request_id.clone();
        let (answer_to, answer) = oneshot::channel();
        let (ended_to, ended) = oneshot::channel();
        let caller = Caller {
            answer: answer_to,
            ended: ended_to,
        };
        pool.invoke(invocation, caller).map_err(|none| match none {
            NoEnvironment::Throttled => InvokeError::Throttled {
                function,
                limit: pool.concurrency(),
            },
            NoEnvironment::ShuttingDown => InvokeError::ShuttingDown { function },
            NoEnvironment::Failed(error) => InvokeError::NoEnvironment {
                function,
                reason: error.to_string(),
            },
        })?;
        Ok(Ticket {
            request_id,
            answer,
            ended,
        })
    }

    /// Takes the call for later; the answer is the request id.
    pub(crate) fn queue(&self, mut invoke: Invoke) -> Result<String, InvokeError> {
        self.check(&invoke, ASYNCHRONOUS_BYTES_MAX)?;
        let request_id = uuid::Uuid::new_v4().to_string();
        invoke.request_id = Some(request_id.clone());
        let entry = self.entry(&invoke.function)?;
        let function = invoke.function.clone();
        entry
            .later
            .try_send(invoke)
            .map_err(|_| InvokeError::Throttled {
                function,
                limit: QUEUED_MAX,
            })?;
        Ok(request_id)
    }

    pub(crate) fn arn(&self, function: &str) -> Option<String> {
        Some(self.functions.get(function)?.pool.function.arn())
    }

    fn entry(&self, function: &str) -> Result<&Entry, InvokeError> {
        let unknown = || InvokeError::UnknownFunction {
            function: function.to_owned(),
        };
        self.functions.get(function).ok_or_else(unknown)
    }

    fn invocation(&self, pool: &Pool, invoke: Invoke) -> Invocation {
        Invocation {
            request_id: invoke
                .request_id
                .unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            attempt: uuid::Uuid::new_v4().to_string(),
            payload: if invoke.payload.is_empty() {
                Bytes::from_static(b"{}")
            } else {
                invoke.payload
            },
            arn: invoke.invoked_arn.unwrap_or_else(|| pool.function.arn()),
            trace_header: trace_header::complete(invoke.trace_header.as_deref(), self.clock.now()),
            span_id: trace_header::fresh_span_id(),
            client_context: invoke.client_context,
        }
    }
}

/// Makes the asynchronous calls of one function, in order, whenever an environment is free.
async fn work_off(
    gateway: std::sync::Weak<Gateway>,
    pool: Arc<Pool>,
    mut queue: mpsc::Receiver<Invoke>,
) {
    while let Some(invoke) = queue.recv().await {
        loop {
            let mut changed = pin!(pool.changed());
            changed.as_mut().enable();
            let Some(gateway) = gateway.upgrade() else {
                return;
            };
            match gateway.start(invoke.clone()) {
                // Nobody waits for the answer. A function error is final: there are no retries.
                Ok(ticket) => {
                    debug!(request_id = %ticket.request_id, "asynchronous invocation started")
                }
                Err(InvokeError::Throttled { .. }) => {
                    drop(gateway);
                    changed.await;
                    continue;
                }
                Err(error) => warn!(%error, "asynchronous invocation dropped"),
            }
            break;
        }
    }
}

/// What Lambda takes for a call whose answer is awaited.
pub(crate) const SYNCHRONOUS_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What Lambda takes for a call that it queues.
const ASYNCHRONOUS_BYTES_MAX: usize = 1024 * 1024;
/// Lambda's own queue has no such end; a machine does.
const QUEUED_MAX: usize = 1000;
