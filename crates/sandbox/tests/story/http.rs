//! Just enough of an HTTP client.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    headers: ::http::HeaderMap,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

pub(crate) async fn request(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let (parts, body) = open(method, uri, headers, body).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response {
        status: parts.status.as_u16(),
        body,
        headers: parts.headers,
    }
}

/// A response whose body is still to be read.
pub(crate) async fn open(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> ::http::Response<Body> {
    let mut request = ::http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap().map(Body::new)
}
