//! Alerts of others: each that begins, goes on or has ended is told to the detector at once, and one that nobody says
//! again in time has ended.
//!
//! What has begun or ended is written down within seconds, with all that detection remembers. Where the server is
//! killed before, whoever tells alerts says them again.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use throughline_insight::detect::Heard;
use throughline_notify::Received;

use super::Detection;

/// What came of alerts that others told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OuterCounts {
    /// They are incidents, or were.
    pub(crate) taken: u64,
    /// This server had told them itself.
    pub(crate) own: u64,
    /// Somebody has said that such ones are all right.
    pub(crate) ignored: u64,
    /// There was no room for them.
    pub(crate) no_room: u64,
}

/// What is known of them besides the incidents.
#[derive(Debug, Default)]
pub(super) struct Outer {
    /// Since the start.
    counts: OuterCounts,
    /// Whether there are incidents that are to be written down.
    is_news: bool,
}

impl Detection {
    /// Takes what others tell, and says what came of it.
    pub(crate) fn hear(&self, received: Received) -> OuterCounts {
        let now = self.now();
        let mut counts = OuterCounts {
            own: u64::try_from(received.own).unwrap_or(u64::MAX),
            ..OuterCounts::default()
        };
        let mut is_news = false;
        let mut kept = self.kept();
        for told in received.told {
            match kept.detector.hear(told, now) {
                Heard::News(_) => {
                    is_news = true;
                    counts.taken += 1;
                }
                Heard::Known => counts.taken += 1,
                Heard::Ignored => counts.ignored += 1,
                Heard::NoRoom => counts.no_room += 1,
            }
        }
        drop(kept);
        let mut outer = self.outer();
        outer.is_news |= is_news;
        outer.counts.add(counts);
        counts
    }

    /// What came of alerts since the start.
    pub(super) fn outer_counts(&self) -> OuterCounts {
        self.outer().counts
    }

    /// Ends what nobody has said again, and writes down what is news.
    pub(super) async fn end_unrepeated(&self) {
        let now = self.now();
        // While the server was down nobody could say anything again.
        let ended = match self.0.opened.plus(SAID_AGAIN) <= now {
            true => self.kept().detector.end_unrepeated(now),
            false => Vec::new(),
        };
        let was_news = std::mem::take(&mut self.outer().is_news);
        if !was_news && ended.is_empty() {
            return;
        }
        let detection = self.clone();
        let saved = tokio::task::spawn_blocking(move || detection.save()).await;
        if let Err(error) = saved {
            tracing::error!(%error, "writing down what others told ended badly");
        }
    }

    fn outer(&self) -> MutexGuard<'_, Outer> {
        self.0.outer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OuterCounts {
    fn add(&mut self, more: OuterCounts) {
        self.taken += more.taken;
        self.own += more.own;
        self.ignored += more.ignored;
        self.no_room += more.no_room;
    }
}

/// A Prometheus says again what goes on every minute.
const SAID_AGAIN: Duration = Duration::from_secs(5 * 60);
