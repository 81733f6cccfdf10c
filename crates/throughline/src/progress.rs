//! How far it is, for whoever waits at a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line that is written again and again; nothing where nobody looks.
pub(crate) struct Line {
    next: Option<Instant>,
    visible: bool,
}

impl Line {
    #[allow(clippy::disallowed_methods)] // the edge where somebody waits
    pub(crate) fn new() -> Self {
        let watched = std::io::stderr().is_terminal();
        Line {
            next: watched.then(|| Instant::now() + PATIENCE),
            visible: false,
        }
    }

    /// One that nobody looks at.
    pub(crate) fn none() -> Self {
        Line {
            next: None,
            visible: false,
        }
    }

    /// Writes it, if it is time.
    #[allow(clippy::disallowed_methods)] // the edge where somebody waits
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + STEP);
            self.visible = true;
            // Whether it can be written does not matter.
            write!(std::io::stderr(), "\r\x1b[K{}", text()).unwrap_or_default();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.visible {
            write!(std::io::stderr(), "\r\x1b[K").unwrap_or_default();
        }
    }
}

/// Bytes as people read them.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let fits = units.into_iter().find(|(_, of)| bytes as f64 >= *of);
    match fits {
        Some((unit, of)) => format!("{:.1} {unit}", bytes as f64 / of),
        None => format!("{bytes} B"),
    }
}

/// Nobody is told of what is over soon.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(200);
