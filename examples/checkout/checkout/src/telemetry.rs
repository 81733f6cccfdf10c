//! Logs as JSON lines on stdout; traces through the OpenTelemetry SDK to the collector on loopback.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider as _};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::warn;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::trace_header::TraceHeader;

/// The tracing of this process.
#[derive(Debug)]
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

/// Each line carries the span that `lambda_runtime` opens for an invocation, and with it the request id.
pub(crate) fn init_logs() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new("info,opentelemetry=warn"))
        .init();
}

impl Telemetry {
    /// Endpoint and service name come from `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_SERVICE_NAME`.
    pub(crate) fn start() -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(OnRuntime {
                runtime: Handle::current(),
                client: HyperClient::with_default_connector(EXPORT_TIMEOUT, None),
            })
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Self { provider })
    }

    /// Starts the span of an invocation below the caller that its trace header names.
    pub(crate) fn start_invocation(
        &self,
        header: TraceHeader,
        name: &'static str,
        attributes: Vec<KeyValue>,
    ) -> Context {
        let caller = header.remote_parent();
        let cx = Context::new().with_value(header);
        let cx = match caller {
            Some(caller) => cx.with_remote_span_context(caller),
            None => cx,
        };
        let span = self
            .provider
            .tracer(SCOPE)
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes)
            .start_with_context(&self.provider.tracer(SCOPE), &cx);
        cx.with_span(span)
    }

    /// Hands every finished span over. Lambda may freeze this process as soon as it has answered, so this comes first.
    pub(crate) async fn flush(&self) {
        let provider = self.provider.clone();
        match tokio::task::spawn_blocking(move || provider.force_flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "cannot export spans"),
            Err(error) => warn!(%error, "cannot flush spans"),
        }
    }
}

/// Does `work` in a span below `cx`, and marks the span with the failure it ended in.
pub(crate) async fn in_span<T>(
    cx: &Context,
    name: impl Into<Cow<'static, str>>,
    kind: SpanKind,
    attributes: Vec<KeyValue>,
    work: impl AsyncFnOnce(&Context) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let tracer = global::tracer(SCOPE);
    let span = tracer
        .span_builder(name)
        .with_kind(kind)
        .with_attributes(attributes)
        .start_with_context(&tracer, cx);
    let cx = cx.with_span(span);
    let result = work(&cx).await;
    if let Err(failure) = &result {
        record_failure(&cx, failure);
    }
    cx.span().end();
    result
}

/// The exception event of the semantic conventions, and the error status.
pub(crate) fn record_failure(cx: &Context, failure: &Failure) {
    let name = failure.error.name().to_owned();
    let message = failure.error.to_string();
    let span = cx.span();
    span.add_event(
        "exception",
        vec![
            KeyValue::new("exception.type", name.clone()),
            KeyValue::new("exception.message", message.clone()),
            KeyValue::new("exception.stacktrace", failure.stack_trace()),
        ],
    );
    span.set_attribute(KeyValue::new("error.type", name));
    span.set_status(Status::error(message));
}

/// Sends exports from the function's own runtime: the thread of the batch processor has none, and hyper needs one.
#[derive(Debug)]
struct OnRuntime {
    runtime: Handle,
    client: HyperClient,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime
            .spawn(async move { client.send_bytes(request).await })
            .await?
    }
}

const SCOPE: &str = "checkout";

/// The collector is on loopback: what takes longer than this will not come.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);
