//! Calls of AWS: spans around what the AWS SDK's HTTP client sends, and the header that carries the trace.

mod operations;
mod recognise;
mod rest;

use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body_util::BodyExt;
use throughline_telemetry::SpanStatus;

use crate::bodies::{self, Body};
use crate::current::{self, Scoped};
use crate::failure::Failure;
use crate::ids::{kept_fields, xray};
use crate::sources::{KEYS_MAX, texts};
use crate::span::Open;
use recognise::{Answer, Operation, Request, error_of, recognise};

/// The client that follows what `client` sends: give it to the `SdkConfig`, or to the configuration of one service.
///
/// Each request is a span with its service, operation, resource and ids, and carries that span in
/// `x-amzn-trace-id`, which is not part of the signature. Nothing else of it is touched. A request that is tried again
/// is a span again.
pub fn aws_client(client: impl HttpClient + 'static) -> SharedHttpClient {
    SharedHttpClient::new(Followed(SharedHttpClient::new(client)))
}

struct Followed(SharedHttpClient);

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl HttpClient for Followed {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let Some((span, operation)) = begin(&request) else {
            return self.0.call(request);
        };
        let header = request.headers().get(HEADER).map(kept_fields);
        let kept = header.unwrap_or_else(|| span.invocation().kept.clone());
        let context = span.context();
        if let Some(span_id) = context.span_id {
            // Ids and fields of a header that came as one can go as one.
            let header = xray(context.trace_id, span_id, &kept);
            let _ = request.headers_mut().try_insert(HEADER, header);
        }
        let answered = Scoped::new(Some(span.clone()), self.0.call(request));
        HttpConnectorFuture::new(async move {
            let answer = answered.await;
            let answer = match answer {
                Ok(answer) => told(&span, &operation, answer).await,
                Err(error) => Err(error),
            };
            if let Err(error) = &answer {
                span.fail(&Failure::of_error(error));
            }
            span.end();
            answer
        })
    }
}

fn begin(sent: &HttpRequest) -> Option<(Open, Operation)> {
    let current = current::current()?;
    if !current.invocation().sdk.settings.hook("aws") {
        return None;
    }
    let (scheme, rest) = sent.uri().split_once("://")?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let request = Request {
        method: sent.method(),
        host: &rest[..at],
        target: &rest[at..],
        get: &|name| sent.headers().get(name).unwrap_or_default().to_owned(),
        body: sent.body().bytes().unwrap_or_default(),
    };
    let operation = recognise(&request)?;
    let span = current.child(&operation.name, operation.kind)?;
    let (address, port) = match request.host.rsplit_once(':') {
        Some((address, port)) => (address, port.parse::<i64>().ok()),
        None => (request.host, None),
    };
    span.set("http.request.method", request.method);
    span.set("url.scheme", scheme);
    span.set("server.address", address);
    if let Some(port) = port {
        span.set("server.port", port);
    }
    span.set_all(operation.attributes.clone());
    let body = Body {
        bytes: (!request.body.is_empty()).then_some(request.body),
        size: sent.body().content_length(),
        kind: &(request.get)("content-type"),
        encoding: &(request.get)("content-encoding"),
    };
    tell_body(&span, &operation, "rpc.request.body", body);
    Some((span, operation))
}

fn tell_body(span: &Open, operation: &Operation, key: &str, body: Body<'_>) {
    match operation.is_secret {
        true => bodies::withhold(span, key),
        false => bodies::tell(span, key, body),
    }
}

/// Tells what was answered. A body that has ids is read, and handed on as it came.
async fn told(
    span: &Open,
    operation: &Operation,
    mut answer: HttpResponse,
) -> Result<HttpResponse, ConnectorError> {
    let status = answer.status().as_u16();
    span.set("http.response.status_code", i64::from(status));
    let get = |name: &str| answer.headers().get(name).unwrap_or_default().to_owned();
    let id = ["x-amzn-requestid", "x-amz-request-id"].map(get);
    let id = id.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    if !id.is_empty() {
        span.set("aws.request_id", id.as_str());
    }
    let extended = get("x-amz-id-2");
    if !extended.is_empty() {
        span.set("aws.extended_request_id", extended);
    }
    let takes = span.invocation().sdk.settings.takes_bodies && !operation.is_secret;
    let length = get("content-length").parse().ok();
    let mut body = Body {
        size: length.filter(|_| !operation.is_head),
        kind: &get("content-type"),
        encoding: &get("content-encoding"),
        ..Body::default()
    };
    let is_short = length.is_some_and(|length| length <= bodies::BYTES_MAX as u64);
    let mut bytes = Bytes::new();
    if (operation.reads || takes || status >= 400) && is_short {
        let whole = std::mem::replace(answer.body_mut(), SdkBody::taken());
        bytes = whole
            .collect()
            .await
            .map_err(ConnectorError::io)?
            .to_bytes();
        *answer.body_mut() = SdkBody::from(bytes.clone());
        body.bytes = Some(&bytes);
    }
    tell_body(span, operation, "rpc.response.body", body);
    let text = String::from_utf8_lossy(&bytes);
    let get = |name: &str| answer.headers().get(name).unwrap_or_default().to_owned();
    if status >= 400 {
        let (kind, message) = error_of(&get("x-amzn-errortype"), &text);
        let kind = if kind.is_empty() {
            status.to_string()
        } else {
            kind
        };
        span.set("error.type", kind);
        span.change(|span| {
            span.status = SpanStatus::Error;
            span.status_message = message;
        });
    } else {
        let mut keys = (operation.keys)(&Answer::new(&id, &get, &text));
        keys.truncate(KEYS_MAX);
        if !keys.is_empty() {
            span.set("throughline.link.out", texts(&keys));
        }
    }
    Ok(answer)
}

const HEADER: &str = "x-amzn-trace-id";
