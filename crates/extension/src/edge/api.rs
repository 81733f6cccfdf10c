//! The Extensions API after `register`: subscribe, next.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use throughline_extension::join::{Invoked, ShutdownReason};
use throughline_telemetry::UnixNanos;
use tokio::net::TcpStream;

use super::client;
use super::environment::SANDBOX;
use super::register::{IDENTIFIER, Registration};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// Nobody is there, or the connection broke.
    #[error("cannot reach the platform at {address}: {why}")]
    Unreachable { address: String, why: String },
    /// The platform said no.
    #[error("the platform answered {path} with {status}: {body}")]
    Refused {
        path: &'static str,
        status: StatusCode,
        body: String,
    },
    /// The platform said something that cannot be read.
    #[error("cannot read the platform's answer to {path}: {why}")]
    Unreadable { path: &'static str, why: String },
}

/// What the platform wants next.
#[derive(Debug, PartialEq)]
pub(super) enum NextEvent {
    /// An invocation runs.
    Invoke(Invoked),
    /// The environment ends.
    ShutDown {
        reason: ShutdownReason,
        deadline: UnixNanos,
    },
    /// Something that did not exist when this was written.
    Unknown(String),
}

/// The platform at one address.
#[derive(Clone, Debug)]
pub(super) struct Api {
    address: String,
}

impl Api {
    pub(super) fn new(address: &str) -> Self {
        Api {
            address: address.to_owned(),
        }
    }

    /// Asks for telemetry on our port; `false` where the platform has none.
    pub(super) async fn subscribe(
        &self,
        who: &Registration,
        schema: &str,
        port: u16,
    ) -> Result<bool, ApiError> {
        let path = "/2022-07-01/telemetry";
        let body = json!({
            "schemaVersion": schema,
            "types": ["platform", "function"],
            // The smallest that the platform takes: the end of an invocation waits for it.
            "buffering": { "maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25 },
            "destination": { "protocol": "HTTP", "URI": format!("http://{SANDBOX}:{port}/") },
        });
        let request = self
            .request(Method::PUT, path)
            .header(IDENTIFIER, &who.identifier);
        let response = self.call(path, request, body.to_string()).await?;
        Ok(response.status() != StatusCode::ACCEPTED)
    }

    /// Waits for the next event. While this waits the environment may be frozen.
    pub(super) async fn next(&self, who: &Registration) -> Result<NextEvent, ApiError> {
        let path = "/2020-01-01/extension/event/next";
        let request = self
            .request(Method::GET, path)
            .header(IDENTIFIER, &who.identifier);
        let response = self.call(path, request, String::new()).await?;
        let event = serde_json::from_slice(response.body());
        event
            .map(|event: Json| next_event(&event))
            .map_err(|error| unreadable(path, &error.to_string()))
    }

    fn request(&self, method: Method, path: &'static str) -> http::request::Builder {
        let builder = Request::builder().method(method).uri(path);
        builder
            .header("host", &self.address)
            .header("content-type", "application/json")
    }

    /// One connection a call: on loopback it costs less than finding out whether the freeze broke an
    /// old one.
    async fn call(
        &self,
        path: &'static str,
        request: http::request::Builder,
        body: String,
    ) -> Result<Response<Bytes>, ApiError> {
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| self.unreachable(&error))?;
        let stream = TcpStream::connect(&self.address)
            .await
            .map_err(|error| self.unreachable(&error))?;
        // Without it the kernel may hold small requests back; if it cannot be set they are only slower.
        let _ = stream.set_nodelay(true);
        let mut sender = client::converse(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(&error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body
            .map_err(|error| unreadable(path, &error.to_string()))?
            .to_bytes();
        if !head.status.is_success() {
            let body = String::from_utf8_lossy(&body).into_owned();
            return Err(ApiError::Refused {
                path,
                status: head.status,
                body,
            });
        }
        Ok(Response::from_parts(head, body))
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> ApiError {
        ApiError::Unreachable {
            address: self.address.clone(),
            why: why.to_string(),
        }
    }
}

fn unreadable(path: &'static str, why: &str) -> ApiError {
    ApiError::Unreadable {
        path,
        why: why.to_owned(),
    }
}

fn next_event(event: &Json) -> NextEvent {
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let deadline_millis = event["deadlineMs"].as_u64().unwrap_or(0);
    match event["eventType"].as_str() {
        Some("INVOKE") => NextEvent::Invoke(Invoked {
            request_id: text("requestId"),
            deadline_millis,
            function_arn: text("invokedFunctionArn"),
            tracing: event["tracing"]["value"].as_str().map(str::to_owned),
        }),
        Some("SHUTDOWN") => NextEvent::ShutDown {
            reason: ShutdownReason::from_word(&text("shutdownReason")),
            deadline: UnixNanos::from_millis(deadline_millis),
        },
        other => NextEvent::Unknown(other.unwrap_or_default().to_owned()),
    }
}

/// No answer of this API is near it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_events() {
        let invoke = json!({"eventType":"INVOKE","deadlineMs":1676051031821_u64,"requestId":"3da1f2dc","invokedFunctionArn":"arn:f","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}});
        let expected = Invoked {
            request_id: "3da1f2dc".into(),
            deadline_millis: 1_676_051_031_821,
            function_arn: "arn:f".into(),
            tracing: Some("Root=1".into()),
        };
        assert_eq!(next_event(&invoke), NextEvent::Invoke(expected));
        let shutdown = json!({"eventType":"SHUTDOWN","shutdownReason":"TIMEOUT","deadlineMs":5});
        let expected = NextEvent::ShutDown {
            reason: ShutdownReason::Timeout,
            deadline: UnixNanos::from_millis(5),
        };
        assert_eq!(next_event(&shutdown), expected);
        assert_eq!(
            next_event(&json!({"eventType":"NAP"})),
            NextEvent::Unknown("NAP".into())
        );
        assert_eq!(next_event(&json!([])), NextEvent::Unknown(String::new()));
    }
}
