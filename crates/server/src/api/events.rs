//! Answers that have no end: events that the server sends.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use http_body::Frame;
use tokio::sync::mpsc;

/// An answer, and where what it says is put. Who reads slowly makes the sender wait.
pub(super) fn answer() -> (mpsc::Sender<Bytes>, Response) {
    let (events, waiting) = mpsc::channel(WAITING_MAX);
    let mut response = Response::new(Body::new(Events(waiting)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would hold events back.
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    (events, response)
}

/// The body of an answer that has no end.
struct Events(mpsc::Receiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.0.poll_recv(context);
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Writings that wait for a client to read them.
const WAITING_MAX: usize = 2;
