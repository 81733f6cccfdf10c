//! The service around everything: what came from the platform.

use std::task::{Context, Poll};

use lambda_runtime::tower::Layer;
use lambda_runtime::{LambdaInvocation, Service};

use super::{Shared, guard};
use crate::current::{Scoped, enter};
use crate::failure::Failure;
use crate::sdk::About;

/// Puts [`Invocations`] around a service; see [`invocations`](crate::invocations).
#[derive(Clone, Debug)]
pub struct InvocationsLayer(Shared);

impl InvocationsLayer {
    pub(super) fn new(sdk: Shared) -> Self {
        InvocationsLayer(sdk)
    }
}

impl<S> Layer<S> for InvocationsLayer {
    type Service = Invocations<S>;

    fn layer(&self, inner: S) -> Invocations<S> {
        let sdk = self.0.clone();
        Invocations { sdk, inner }
    }
}

/// Begins the span of each invocation.
#[derive(Clone, Debug)]
pub struct Invocations<S> {
    sdk: Shared,
    inner: S,
}

impl<S> Service<LambdaInvocation> for Invocations<S>
where
    S: Service<LambdaInvocation, Response = ()>,
{
    type Response = ();
    type Error = S::Error;
    type Future = Scoped<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: LambdaInvocation) -> Self::Future {
        let sdk = self.sdk.as_ref();
        let span = sdk.and_then(|sdk| {
            let headers = &request.parts.headers;
            let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
            let about = About {
                request_id: &request.context.request_id,
                deadline: request.context.deadline,
                arn: &request.context.invoked_function_arn,
                trace_header: request.context.xray_trace_id.as_deref().unwrap_or_default(),
                client_context: header("lambda-runtime-client-context").unwrap_or_default(),
            };
            guard(|| sdk.begin(&request.body, about))?
        });
        let future = {
            let _entered = enter(span.clone());
            self.inner.call(request)
        };
        if let Some(span) = span.as_ref().filter(|span| !span.invocation().is_taken()) {
            span.fail(&Failure {
                kind: "Deserialize".to_owned(),
                message: "the event is none that the handler takes".to_owned(),
                ..Failure::default()
            });
            span.invocation().sdk.finish(span);
        }
        Scoped::new(span, future)
    }
}
