//! The one way to a function, for the AWS API, function URLs and Rust callers alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

use crate::environment::{Answered, Caller, Ended, stopped};
use crate::events::{Event, EventSettings, Worker};
use crate::faults::{Desk, Occasion, What};
use crate::invoke::{Activity, Answer, Invoke, InvokeError};
use crate::lifecycle::{Invocation, RESPONSE_BYTES_MAX};
use crate::pool::{NoEnvironment, Pool};
use crate::time::Clock;
use crate::trace_header;

/// All functions of a sandbox, by name.
pub(crate) struct Gateway {
    clock: Clock,
    functions: BTreeMap<String, Entry>,
    given_up: Arc<AtomicU64>,
    desk: Arc<Desk>,
}

struct Entry {
    pool: Arc<Pool>,
    later: mpsc::Sender<Event>,
    places: Arc<Semaphore>,
}

/// An invocation that an environment has taken.
pub(crate) struct Ticket {
    pub(crate) request_id: String,
    answer: oneshot::Receiver<Answered>,
    ended: oneshot::Receiver<Ended>,
    /// What is told when the environment has no free worker.
    throttled: InvokeError,
}

impl Ticket {
    /// The answer, as soon as the function begins it.
    ///
    /// # Errors
    /// The environment had no free worker.
    pub(crate) async fn answered(&mut self) -> Result<Answered, InvokeError> {
        match (&mut self.answer).await {
            Ok(Answered::Rejected) => Err(self.throttled.clone()),
            Ok(answered) => Ok(answered),
            Err(_) => Ok(Answered::Whole(stopped())),
        }
    }

    /// The answer, as soon as the function has given all of it.
    ///
    /// # Errors
    /// The environment had no free worker.
    pub(crate) async fn answer(&mut self) -> Result<Answer, InvokeError> {
        let answered = self.answered().await?;
        Ok(self.whole(answered).await)
    }

    /// All of an answer that has begun.
    pub(crate) async fn whole(&self, answered: Answered) -> Answer {
        let verdict = match answered {
            Answered::Whole(verdict) => verdict,
            Answered::Stream(stream) => stream.gather(RESPONSE_BYTES_MAX).await,
            Answered::Rejected => stopped(),
        };
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
        settings: &EventSettings,
        activity: &broadcast::Sender<Activity>,
        desk: Arc<Desk>,
    ) -> (Arc<Self>, Vec<impl Future<Output = ()> + Send + use<>>) {
        let given_up = Arc::<AtomicU64>::default();
        let mut functions = BTreeMap::new();
        let mut queues = Vec::new();
        for pool in pools {
            let (later, queue) = mpsc::channel(EVENTS_MAX);
            queues.push((pool.clone(), queue));
            let places = Arc::new(Semaphore::new(EVENTS_MAX));
            let entry = Entry {
                pool,
                later,
                places,
            };
            functions.insert(entry.pool.function.name.clone(), entry);
        }
        let gateway = Arc::new(Self {
            clock: clock.clone(),
            functions,
            given_up: given_up.clone(),
            desk,
        });
        let work = queues.into_iter().map(|(pool, queue)| {
            let worker = Worker {
                gateway: Arc::downgrade(&gateway),
                settings: settings.of(&pool.function),
                pool,
                clock: clock.clone(),
                activity: activity.clone(),
                given_up: given_up.clone(),
            };
            worker.run(queue)
        });
        let work = work.collect();
        (gateway, work)
    }

    /// How many asynchronous invocations were given up.
    pub(crate) fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
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
        if !self.desk.strike(&function, None, Occasion::Call).is_empty() {
            let limit = pool.concurrency();
            return Err(InvokeError::Throttled { function, limit });
        }
        let invocation = self.invocation(pool, invoke);
        let request_id = invocation.request_id.clone();
        let (answer_to, answer) = oneshot::channel();
        let (ended_to, ended) = oneshot::channel();
        let caller = Caller {
            answer: answer_to,
            ended: ended_to,
        };
        let throttled = InvokeError::Throttled {
            function: function.clone(),
            limit: pool.concurrency(),
        };
        pool.invoke(invocation, caller).map_err(|none| match none {
            NoEnvironment::Throttled => throttled.clone(),
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
            throttled,
        })
    }

    /// Takes the call for later; the answer is the request id.
    pub(crate) fn queue(&self, mut invoke: Invoke) -> Result<String, InvokeError> {
        self.check(&invoke, ASYNCHRONOUS_BYTES_MAX)?;
        let now = self.clock.now();
        let request_id = uuid::Uuid::new_v4().to_string();
        invoke.request_id = Some(request_id.clone());
        // Completed here, so that all attempts belong to one trace.
        let trace_header = trace_header::complete(invoke.trace_header.as_deref(), now);
        invoke.trace_header = Some(trace_header);
        let entry = self.entry(&invoke.function)?;
        let throttled = InvokeError::Throttled {
            function: invoke.function.clone(),
            limit: EVENTS_MAX,
        };
        let mut copies = 1;
        for what in self.desk.strike(&invoke.function, None, Occasion::Event) {
            match what {
                What::PoisonEvent(payload) => invoke.payload = payload,
                What::DuplicateEvent => copies = 2,
                _ => {}
            }
        }
        for _ in 0..copies {
            let Ok(place) = entry.places.clone().try_acquire_owned() else {
                return Err(throttled);
            };
            let event = Event::new(invoke.clone(), now, Some(place));
            entry.later.try_send(event).map_err(|_| throttled.clone())?;
        }
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
            cognito_identity: invoke.cognito_identity,
            tenant_id: invoke.tenant_id,
        }
    }
}

/// What Lambda takes for a call whose answer is awaited.
pub(crate) const SYNCHRONOUS_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What Lambda takes for a call that it queues.
const ASYNCHRONOUS_BYTES_MAX: usize = 1024 * 1024;
/// Asynchronous invocations of a function that are not done with. Lambda's own queue has no such end; a machine does.
const EVENTS_MAX: usize = 1000;
