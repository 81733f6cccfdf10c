//! Where the platform posts its telemetry.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::listen::{self, BadBody};

/// Takes POSTs until the process ends.
pub(super) async fn receive(
    listener: TcpListener,
    inbox: mpsc::Sender<Event>,
    counters: Arc<Counters>,
) {
    let handler = move |request| take(request, inbox.clone(), Arc::clone(&counters));
    listen::serve(listener, handler).await;
}

/// Always 200, and before anything is parsed: a refused batch comes again mixed with new events, and
/// a slow listener makes the platform drop.
async fn take(
    request: Request<Incoming>,
    inbox: mpsc::Sender<Event>,
    counters: Arc<Counters>,
) -> Response<Full<Bytes>> {
    match listen::body(request.into_body(), BODY_BYTES_MAX).await {
        Ok(body) => {
            if inbox.try_send(Event::Telemetry(body)).is_err() {
                counters.add(Counter::QueueFull, 1);
            }
        }
        Err(BadBody::TooLarge) => counters.add(Counter::TooLarge, 1),
        Err(BadBody::Broken) => counters.add(Counter::Malformed, 1),
    }
    listen::empty(StatusCode::OK)
}

/// The platform posts up to twice the 256 KiB that were asked for, and its envelope.
const BODY_BYTES_MAX: usize = 2 << 20;
