//! Tumbling windows: spans of time whose invocations hand a state on to each other.

use std::time::Duration;

use serde_json::Value;
use throughline_sandbox::UnixNanos;

/// A window as an event tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    /// Whether this is the invocation that ends the window.
    pub(crate) is_final: bool,
    /// Whether the window ends because its state grew too large.
    pub(crate) is_early: bool,
}

/// The window that is open, if one is.
#[derive(Debug)]
pub(crate) struct Windows {
    length: Duration,
    open: Option<(UnixNanos, UnixNanos)>,
    state: Value,
    caught_up: UnixNanos,
    too_large: bool,
}

impl Windows {
    pub(crate) fn new(length: Duration) -> Self {
        Self {
            length,
            open: None,
            state: empty(),
            caught_up: UnixNanos::new(0),
            too_large: false,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(crate) fn caught_up(&mut self, to: UnixNanos) {
        self.caught_up = self.caught_up.max(to);
    }

    /// Opens the window of a record, unless one is open.
    pub(crate) fn open(&mut self, arrived: UnixNanos) {
        if self.open.is_none() {
            let length = u64::try_from(self.length.as_nanos())
                .unwrap_or(u64::MAX)
                .max(1);
            let start = UnixNanos::new(arrived.as_nanos() / length * length);
            self.open = Some((start, start + self.length));
        }
    }

    /// Whether a record belongs to a window after the one that is open. One that comes late belongs to the open one.
    pub(crate) fn is_later(&self, arrived: UnixNanos) -> bool {
        self.open.is_some_and(|(_, end)| arrived >= end)
    }

    pub(crate) fn span(&self) -> Option<Span> {
        let (start, end) = self.open?;
        Some(Span {
            start,
            end,
            is_final: false,
            is_early: false,
        })
    }

    /// The span of the last invocation of the open window, once no record of it can come any more.
    pub(crate) fn to_finish(&self, next: Option<UnixNanos>, ended: bool) -> Option<Span> {
        let span = self.span()?;
        let is_over = match next {
            Some(next) => self.is_later(next),
            None => ended || self.caught_up >= span.end,
        };
        (is_over || self.too_large).then_some(Span {
            is_final: true,
            is_early: self.too_large && !is_over,
            ..span
        })
    }

    pub(crate) fn state(&self) -> &Value {
        &self.state
    }

    /// Keeps what an invocation hands on to the next of its window.
    pub(crate) fn keep(&mut self, span: Span, state: Value) {
        if !span.is_final {
            self.too_large = state.to_string().len() > STATE_BYTES_MAX;
            self.state = state;
        }
    }

    pub(crate) fn close(&mut self) {
        self.open = None;
        self.state = empty();
        self.too_large = false;
    }
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Lambda ends a window early whose state is larger.
pub(crate) const STATE_BYTES_MAX: usize = 1024 * 1024;
