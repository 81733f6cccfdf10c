//! StatsD over UDP. A window is open while lines keep coming, and closes when they pause: so that
//! what a function counts is here before the platform says that the function is done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use throughline_extension::counters::Counter;
use throughline_extension::statsd::Window;
use throughline_telemetry::wire;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::datagrams;
use super::environment::now;
use super::intake::Intake;

/// The window that is open.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<Mutex<Window>>);

impl Open {
    pub(super) fn window(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes datagrams until the process ends.
pub(super) async fn receive(socket: UdpSocket, open: Open, intake: Intake) {
    let mut buffer = datagrams::buffer();
    loop {
        let datagram = datagrams::next(&socket, &mut buffer).await;
        take(datagram, &open, &intake);
        let opened = Instant::now();
        while opened.elapsed() < WINDOW_MAX {
            let next = datagrams::next(&socket, &mut buffer);
            let Ok(datagram) = tokio::time::timeout(PAUSE, next).await else {
                break;
            };
            take(datagram, &open, &intake);
        }
        datagrams::guard(&intake.counters, || {
            let requests = open.window().drain(now());
            keep(&intake, requests);
        });
    }
}

fn take(datagram: &[u8], open: &Open, intake: &Intake) {
    datagrams::guard(&intake.counters, || read(datagram, open, intake));
}

fn read(datagram: &[u8], open: &Open, intake: &Intake) {
    let mut full = Vec::new();
    let taken = open.window().take(datagram, now(), &mut full);
    intake.counters.add(Counter::BadLine, taken.bad_lines);
    intake.counters.add(Counter::Gauges, taken.forgotten_gauges);
    keep(intake, full);
}

fn keep(intake: &Intake, requests: Vec<wire::Request>) {
    for request in requests {
        let bytes = request.items() * ITEM_BYTES;
        intake.keep(request, bytes);
    }
}

/// The platform's own telemetry comes 25 ms after what it tells of.
const PAUSE: Duration = Duration::from_millis(5);
const WINDOW_MAX: Duration = Duration::from_secs(1);
/// A metric, about.
const ITEM_BYTES: usize = 300;

#[cfg(test)]
mod tests;
