//! The service around the handler: what it gives back.

use std::fmt::{self, Debug};
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_runtime::{Diagnostic, FunctionResponse, IntoFunctionResponse, LambdaEvent, Service};
use pin_project_lite::pin_project;
use serde::Serialize;

use super::answer::{Answer, told};
use super::guard;
use crate::current;
use crate::failure::Failure;
use crate::ids::xray;
use crate::span::Open;

/// A handler whose errors, panics and answers are told; see [`invocations`](crate::invocations).
pub struct Handler<H, B, S> {
    handler: H,
    answers: PhantomData<fn() -> (B, S)>,
}

impl<H, B, S> Handler<H, B, S> {
    /// Of a handler as `lambda_runtime` takes it.
    pub fn new(handler: H) -> Self {
        Handler {
            handler,
            answers: PhantomData,
        }
    }
}

impl<H: Clone, B, S> Clone for Handler<H, B, S> {
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<H, B, S> Debug for Handler<H, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}

impl<H, A, R, B, S> Service<LambdaEvent<A>> for Handler<H, B, S>
where
    H: Service<LambdaEvent<A>, Response = R>,
    H::Error: Into<Diagnostic> + Debug + 'static,
    R: IntoFunctionResponse<B, S>,
    B: Serialize,
{
    type Response = FunctionResponse<Answer<B>, S>;
    type Error = Failed;
    type Future = Handling<H::Future, B, S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.handler
            .poll_ready(cx)
            .map_err(|error| Failed::of(error, None))
    }

    fn call(&mut self, mut event: LambdaEvent<A>) -> Self::Future {
        let span = current::named();
        if let Some(span) = &span {
            span.invocation().set_taken();
            let context = span.context();
            let span_id = context.span_id.expect("an open span has an id");
            let header = xray(context.trace_id, span_id, &span.invocation().kept);
            event.context.xray_trace_id = Some(header);
        }
        let called = catch_unwind(AssertUnwindSafe(|| self.handler.call(event)));
        let future = called.unwrap_or_else(|panic| panicked(span.as_ref(), panic));
        Handling {
            future,
            span,
            answers: PhantomData,
        }
    }
}

/// Tells of a panic, and lets it go on.
fn panicked(span: Option<&Open>, panic: Box<dyn std::any::Any + Send>) -> ! {
    if let Some(span) = span {
        span.fail(&Failure::of_panic(panic.as_ref()));
        span.invocation().sdk.finish(span);
    }
    resume_unwind(panic)
}

pin_project! {
    /// What a handler does with one event.
    pub struct Handling<F, B, S> {
        #[pin]
        future: F,
        span: Option<Open>,
        answers: PhantomData<fn() -> (B, S)>,
    }
}

impl<F, B, S> Debug for Handling<F, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handling")
    }
}

impl<F, R, E, B, S> Future for Handling<F, B, S>
where
    F: Future<Output = Result<R, E>>,
    E: Into<Diagnostic> + Debug + 'static,
    R: IntoFunctionResponse<B, S>,
    B: Serialize,
{
    type Output = Result<FunctionResponse<Answer<B>, S>, Failed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let future = this.future;
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx)));
        let polled = polled.unwrap_or_else(|panic| panicked(this.span.as_ref(), panic));
        polled.map(|result| {
            let result = match result {
                Ok(response) => Ok(told(this.span.as_ref(), response.into_response())),
                Err(error) => Err(Failed::of(error, this.span.as_ref())),
            };
            if let Some(span) = this.span.take() {
                guard(|| span.invocation().sdk.finish(&span));
            }
            result
        })
    }
}

/// The error of a handler, as the runtime prints it and as it tells Lambda of it.
pub struct Failed {
    debug: String,
    diagnostic: Diagnostic,
}

impl Failed {
    fn of<E: Into<Diagnostic> + Debug + 'static>(error: E, span: Option<&Open>) -> Self {
        let debug = format!("{error:?}");
        // Of an error that is only what it says to Lambda, nothing else is known.
        let chain = Failure::of_boxed(&error);
        let diagnostic: Diagnostic = error.into();
        if let Some(span) = span {
            span.fail(&chain.unwrap_or_else(|| Failure::of_handler(&debug, &diagnostic)));
        }
        Failed { debug, diagnostic }
    }
}

impl Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.debug)
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        failed.diagnostic
    }
}
