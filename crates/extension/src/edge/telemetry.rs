//! Where the platform posts its telemetry.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};
use throughline_extension::platform::Census;
use tokio::net::TcpListener;

use super::fault;
use super::inbox::Inbox;
use super::listen::{self, BadBody, Speaks};

/// Takes POSTs until the process ends.
pub(super) async fn receive(listener: TcpListener, inbox: Inbox, counters: Arc<Counters>) {
    let of_handler = Arc::clone(&counters);
    let handler = move |request| answer(request, inbox.clone(), Arc::clone(&of_handler));
    listen::serve(listener, Speaks::Platform, counters, handler).await;
}

/// Always 200, and before anything is parsed: a refused batch comes again mixed with new events, and
/// a slow listener makes the platform drop.
async fn answer(
    request: Request<Incoming>,
    inbox: Inbox,
    counters: Arc<Counters>,
) -> Response<Full<Bytes>> {
    fault::here("telemetry");
    let mut census = Census::default();
    if let Err(lost) = take(request, &inbox, &mut census).await {
        counters.add(lost, census.events());
    }
    listen::empty(StatusCode::OK)
}

/// Counts what is in a body that is not kept.
async fn take(
    request: Request<Incoming>,
    inbox: &Inbox,
    census: &mut Census,
) -> Result<(), Counter> {
    let (body, room) = (request.into_body(), inbox.platform_room());
    let body = listen::body(body, BODY_BYTES_MAX, room, |lost| census.count(lost)).await;
    let (body, charge) = body.map_err(|bad| match bad {
        BadBody::TooLarge => Counter::TooLarge,
        BadBody::Broken => Counter::Malformed,
        BadBody::Stalled => Counter::Stalled,
        BadBody::Full => Counter::QueueFull,
    })?;
    let put = inbox.put(Event::Telemetry(body), charge);
    put.map_err(|_| Counter::QueueFull)
}

/// The platform posts up to twice the 256 KiB that were asked for, and its envelope.
const BODY_BYTES_MAX: usize = 2 << 20;

#[cfg(test)]
mod tests;
