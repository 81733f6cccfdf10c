//! In the place of the X-Ray daemon: documents over UDP, the calls of its SDKs over TCP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use throughline_extension::counters::Counter;
use throughline_extension::xray::{self, BadDocument, Documents, PUT_TRACE_SEGMENTS};
use throughline_telemetry::wire;
use tokio::net::{TcpListener, UdpSocket};

use super::datagrams;
use super::intake::Intake;
use super::listen::{self, Speaks};

/// What is in progress, for both doors.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<Mutex<Documents>>);

impl Open {
    pub(super) fn documents(&self) -> MutexGuard<'_, Documents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes datagrams until the process ends.
pub(super) async fn receive(socket: UdpSocket, open: Open, intake: Intake) {
    let mut buffer = datagrams::buffer();
    loop {
        let datagram = datagrams::next(&socket, &mut buffer).await;
        datagrams::guard(&intake.counters, || {
            let read = open.documents().datagram(datagram);
            keep(&intake, read, datagram.len());
        });
    }
}

/// Answers the SDKs' calls until the process ends.
pub(super) async fn answer(listener: TcpListener, open: Open, intake: Intake) {
    let counters = intake.counters.clone();
    let handler = move |request| call(request, open.clone(), intake.clone());
    listen::serve(listener, Speaks::Http1, counters, handler).await;
}

async fn call(request: Request<Incoming>, open: Open, intake: Intake) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Some(answer) = xray::answer(head.uri.path()) else {
        return listen::empty(StatusCode::NOT_FOUND);
    };
    if head.method != Method::POST {
        return listen::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let body = match intake.read(body, BODY_BYTES_MAX).await {
        Ok(body) => body.bytes,
        Err(refusal) => {
            intake.refused(&refusal);
            return listen::empty(refusal.codes().0);
        }
    };
    if head.uri.path() == PUT_TRACE_SEGMENTS {
        for document in xray::put_trace_segments(&body) {
            let bytes = document.as_ref().map_or(0, String::len);
            let read = document.and_then(|text| open.documents().document(text.as_bytes()));
            keep(&intake, read, bytes);
        }
    }
    Response::new(Full::from(answer))
}

fn keep(intake: &Intake, read: Result<wire::Request, BadDocument>, bytes: usize) {
    match read {
        Ok(request) if request.items() == 0 => {}
        Ok(request) => intake.keep(request, bytes),
        Err(_) => intake.counters.add(Counter::BadSegment, 1),
    }
}

/// A call carries five documents at most, of 64 KiB each.
const BODY_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
