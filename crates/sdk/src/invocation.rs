//! The spans of one invocation, within limits, until they are sent.

use std::collections::HashMap;
#[cfg(feature = "bodies")]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use throughline_telemetry::{Span, SpanId};

use crate::ids::Ids;
use crate::sdk::Sdk;
use crate::sources::LinkIn;
use crate::span::Inner;
#[cfg(feature = "opentelemetry")]
use crate::span::Open;

#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) sdk: Arc<Sdk>,
    pub(crate) ids: Ids,
    /// What the headers of calls say besides their ids.
    pub(crate) kept: String,
    pub(crate) batch: Batch,
    /// Whether a caller waits for an HTTP answer.
    pub(crate) is_http: bool,
    taken: AtomicBool,
    /// What the bodies of its calls take, in bytes.
    #[cfg(feature = "bodies")]
    bodies: AtomicUsize,
    state: Mutex<State>,
}

/// What the event says of its records.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The queue, topic or stream that they come from.
    pub(crate) source: String,
    /// By the ids of the records that have one.
    pub(crate) links: HashMap<String, LinkIn>,
}

#[derive(Debug, Default)]
struct State {
    started: usize,
    dropped: u64,
    open: HashMap<SpanId, Weak<Inner>>,
    done: Vec<Span>,
    sent: bool,
}

/// What an invocation hands over to be sent.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) spans: Vec<Span>,
    /// Spans for which there was no room.
    pub(crate) dropped: u64,
}

impl Invocation {
    pub(crate) fn new(sdk: Arc<Sdk>, ids: Ids, kept: String, batch: Batch, is_http: bool) -> Self {
        Invocation {
            sdk,
            ids,
            kept,
            batch,
            is_http,
            taken: AtomicBool::new(false),
            #[cfg(feature = "bodies")]
            bodies: AtomicUsize::new(0),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler has its event.
    pub(crate) fn set_taken(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }

    /// Whether a body of so many bytes has a place beside the others, which it then takes.
    #[cfg(feature = "bodies")]
    pub(crate) fn has_room(&self, bytes: usize, room: usize) -> bool {
        let add = |taken: usize| Some(taken + bytes).filter(|taken| *taken <= room);
        let added = self
            .bodies
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.is_ok()
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    /// A span begins; `false` if there is no room for it.
    pub(crate) fn begin(&self, span: &Arc<Inner>) -> bool {
        let mut state = self.lock();
        if state.started >= SPANS_MAX {
            state.dropped += 1;
            return false;
        }
        state.started += 1;
        state.open.insert(span.span_id, Arc::downgrade(span));
        true
    }

    /// A span that has not ended, by its id.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn open(&self, span: SpanId) -> Option<Open> {
        let open = self.lock().open.get(&span).and_then(Weak::upgrade);
        open.map(Open::of)
    }

    /// A span has ended. One that was sent as unfinished, or had no room, is not sent again.
    pub(crate) fn ended(&self, span: Span) {
        let mut state = self.lock();
        if state.open.remove(&span.span_id).is_none() {
            return;
        }
        if state.sent {
            drop(state);
            self.sdk.keep_late(span);
        } else {
            state.done.push(span);
        }
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.lock().sent
    }

    /// All that has ended; nothing if it was taken before. What is still open goes with the next invocation.
    pub(crate) fn take(&self) -> Option<Told> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.sent, true) {
            return None;
        }
        Some(Told {
            spans: std::mem::take(&mut state.done),
            dropped: state.dropped,
        })
    }

    /// The same with what is open, which is not sent again.
    pub(crate) fn take_unfinished(&self) -> Option<Told> {
        let open: Vec<Arc<Inner>> = {
            let mut state = self.lock();
            if state.sent {
                return None;
            }
            let open = std::mem::take(&mut state.open);
            open.values().filter_map(Weak::upgrade).collect()
        };
        let unfinished: Vec<Span> = open.iter().filter_map(|span| span.unfinished()).collect();
        let mut told = self.take()?;
        told.spans.extend(unfinished);
        Some(told)
    }
}

/// Spans beyond are counted in `throughline.dropped.spans`.
const SPANS_MAX: usize = 1_000;
