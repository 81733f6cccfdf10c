//! How far it is, for whoever waits at a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use super::report::Report;

pub(super) struct Progress {
    /// `None` where nobody looks.
    shown: Option<Shown>,
    bytes: usize,
}

struct Shown {
    next: Instant,
    visible: bool,
}

impl Progress {
    #[allow(clippy::disallowed_methods)] // the edge where somebody waits
    pub(super) fn new() -> Self {
        let watched = std::io::stderr().is_terminal();
        Self {
            shown: watched.then(|| Shown {
                next: Instant::now() + PATIENCE,
                visible: false,
            }),
            bytes: 0,
        }
    }

    #[allow(clippy::disallowed_methods)] // the edge where somebody waits
    pub(super) fn add(&mut self, bytes: usize, report: &Report) {
        self.bytes += bytes;
        let Some(shown) = &mut self.shown else {
            return;
        };
        let now = Instant::now();
        if now < shown.next {
            return;
        }
        shown.next = now + STEP;
        shown.visible = true;
        let megabytes = self.bytes / 1_000_000;
        // Whether it can be written does not matter.
        write!(
            std::io::stderr(),
            "\r\x1b[K{megabytes} MB looked at, {} findings",
            report.found()
        )
        .unwrap_or_default();
    }

    /// Makes room for something else.
    pub(super) fn clear(&mut self) {
        if let Some(shown) = self.shown.as_mut().filter(|shown| shown.visible) {
            shown.visible = false;
            write!(std::io::stderr(), "\r\x1b[K").unwrap_or_default();
        }
    }
}

/// Nobody is told of what is over soon.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(200);
