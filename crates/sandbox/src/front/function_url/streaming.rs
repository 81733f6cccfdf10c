//! A streamed answer as an HTTP response that is sent while it is made.

use std::io;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use serde_json::Value;

use super::bad_gateway;
use super::prelude::{Found, Prelude};
use crate::environment::{Part, ResponseStream};
use crate::front::format_2::answer::with_head;
use crate::invoke::Outcome;
use crate::lifecycle::RESPONSE_BYTES_MAX;

/// Waits for the head, if the function announced one, and leaves the rest to the server.
pub(super) async fn response(mut stream: ResponseStream) -> Response {
    if stream.content_type.as_deref() == Some(HTTP_INTEGRATION) {
        let Some((head, first)) = read_head(&mut stream).await else {
            return bad_gateway();
        };
        let response = plain(OCTETS, rest(Some(first), stream));
        return with_head(response, &head).unwrap_or_else(bad_gateway);
    }
    let content_type = stream
        .content_type
        .as_deref()
        .and_then(|content_type| HeaderValue::from_str(content_type).ok())
        .unwrap_or(OCTETS);
    // A function that fails before its first byte is still told by the status.
    match stream.next().await {
        Part::Chunk(first) => plain(content_type, rest(Some(first), stream)),
        Part::End(verdict) if verdict.outcome == Outcome::Returned => {
            plain(content_type, Body::empty())
        }
        Part::End(_) => bad_gateway(),
    }
}

/// The same response, once all of it is there: nobody sees half of one, and it may be no larger than any answer.
pub(super) async fn gathered(stream: ResponseStream) -> Response {
    let (parts, body) = response(stream).await.into_parts();
    match axum::body::to_bytes(
        body,
        usize::try_from(RESPONSE_BYTES_MAX).unwrap_or(usize::MAX),
    )
    .await
    {
        Ok(body) => Response::from_parts(parts, Body::from(body)),
        Err(_) => bad_gateway(),
    }
}

async fn read_head(stream: &mut ResponseStream) -> Option<(Value, Bytes)> {
    let mut prelude = Prelude::default();
    loop {
        let Part::Chunk(chunk) = stream.next().await else {
            return None;
        };
        match prelude.push(&chunk) {
            Found::NotYet => {}
            Found::Head { head, body } => {
                let mut head: Value = serde_json::from_slice(&head).ok()?;
                let fields = head.as_object_mut()?;
                fields.entry("statusCode").or_insert(200.into());
                return Some((head, body));
            }
            Found::TooLong => return None,
        }
    }
}

/// The rest as it comes. A failure after the head can be told only by breaking off.
fn rest(first: Option<Bytes>, stream: ResponseStream) -> Body {
    let first = first.filter(|first| !first.is_empty());
    let parts = stream::unfold(Some((first, stream)), async |state| {
        let (first, mut stream) = state?;
        if let Some(first) = first {
            return Some((Ok(first), Some((None, stream))));
        }
        match stream.next().await {
            Part::Chunk(chunk) => Some((Ok(chunk), Some((None, stream)))),
            Part::End(verdict) if verdict.outcome == Outcome::Returned => None,
            Part::End(_) => {
                let error = io::Error::other("the function failed while it answered");
                Some((Err(error), None))
            }
        }
    });
    Body::from_stream(parts)
}

fn plain(content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
