//! Which span is the current one. Each future that belongs to a span names it while it is polled, so that any number of
//! invocations at once keep to themselves.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::span::{Inner, Open};

thread_local! {
    static CURRENT: RefCell<Option<Open>> = const { RefCell::new(None) };
}

/// The invocation that runs, where only one does: for tasks that were spawned from it.
static LAST: Mutex<Weak<Inner>> = Mutex::new(Weak::new());

/// The span of what runs now; in a task of its own, that of the invocation as a whole.
pub(crate) fn current() -> Option<Open> {
    named().or_else(|| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let open = last.upgrade().map(Open::of)?;
        (!open.invocation().is_sent()).then_some(open)
    })
}

/// The span that the future names which is polled now.
pub(crate) fn named() -> Option<Open> {
    #[cfg(feature = "opentelemetry")]
    if let Some(open) = crate::opentelemetry::named() {
        return Some(open);
    }
    CURRENT.try_with(|current| current.borrow().clone()).ok()?
}

pub(crate) fn set_last(open: &Open) {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = std::sync::Arc::downgrade(open.inner());
}

/// Makes `span` the current one until the guard is gone.
pub(crate) fn enter(span: Option<Open>) -> Entered {
    Entered {
        #[cfg(feature = "opentelemetry")]
        _active: crate::opentelemetry::Active::attach(span.as_ref()),
        before: replace(span),
    }
}

fn replace(span: Option<Open>) -> Option<Open> {
    // While a thread ends there may be no place for it any more.
    let replaced = CURRENT.try_with(|current| current.replace(span));
    replaced.unwrap_or_default()
}

/// Restores what was current before.
#[must_use]
pub(crate) struct Entered {
    before: Option<Open>,
    #[cfg(feature = "opentelemetry")]
    _active: Option<crate::opentelemetry::Active>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

pin_project! {
    /// A future within a span.
    #[derive(Debug)]
    pub struct Scoped<F> {
        #[pin]
        future: F,
        span: Option<Open>,
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(span: Option<Open>, future: F) -> Self {
        Scoped { future, span }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.span.clone().map(|span| enter(Some(span)));
        this.future.poll(cx)
    }
}
