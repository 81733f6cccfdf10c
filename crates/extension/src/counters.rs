//! What was counted: everything that was lost, by reason, and everything odd that was survived.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($name:ident $kind:ident $text:literal $doc:literal,)*) => {
        /// One thing that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter {
            $(#[doc = $doc] $name,)*
        }

        impl Counter {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Counter] = &[$(Counter::$name,)*];

            /// The name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Counter::$name => $text,)* }
            }

            /// Whether it counts telemetry that is gone, or only something odd.
            pub fn kind(self) -> Kind {
                match self { $(Counter::$name => Kind::$kind,)* }
            }
        }
    };
}

/// What a counter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Spans, records, metrics or events that nobody will see.
    Lost,
    /// Something that was survived.
    Odd,
}

counters! {
    BadLine Lost "bad_statsd_lines" "Lines that are not StatsD.",
    BadSegment Lost "bad_segments" "Documents of X-Ray's SDKs that could not be read.",
    BufferFull Lost "buffer_full" "Dropped because newer telemetry needed the room.",
    Datagrams Lost "datagrams" "Datagrams that the kernel had no room for.",
    ExportOff Lost "export_off" "Taken, but there is nowhere to send it.",
    Fault Lost "panic" "What a fault of the extension itself took with it.",
    Killed Lost "extension_killed" "In memory when an extension before this one was killed.",
    Malformed Lost "malformed" "Events of the platform that could not be read.",
    NoId Lost "bad_id" "Spans of the function without a usable trace or span id.",
    NotDelivered Lost "not_delivered" "Still here when the environment ended.",
    LivesLeft Odd "killed_lives_left" "Killed extensions whose telemetry stays in /tmp, because there were too many.",
    PlatformDropped Lost "platform_dropped" "Records that the platform itself threw away.",
    QueueFull Lost "queue_full" "What found the inner queue full, or closed after a fault.",
    Rejected Lost "rejected" "Refused by the server for good.",
    SpillFull Lost "spill_full" "Dropped from /tmp because more valuable telemetry needed the room.",
    SpillTorn Lost "spill_torn" "In a file in /tmp that is not what was written.",
    Stalled Lost "stalled" "Bodies that did not end in time.",
    TooLarge Lost "too_large" "Bodies above their limit.",
    Undecodable Lost "undecodable" "Requests of the function that are not OTLP.",
    Closed Odd "closed_connections" "Connections closed because there were too many.",
    CutRecord Odd "cut_records" "Log records of which only a part came.",
    FailedAttempt Odd "failed_attempts" "Sends that are tried again.",
    Forgotten Odd "forgotten_invocations" "Invocations that were closed without news of their end.",
    Gauges Odd "statsd_gauges" "Changes of gauges of which there are too many to remember.",
    MeasureLimit Odd "measures_limit" "Numbers in log lines that became no metric; the lines are kept.",
    NotMeasured Odd "not_measured" "Files of the kernel about the function's processes that could not be read.",
    NotBound Odd "not_bound" "Listeners whose port was taken.",
    Panic Odd "panics" "Faults of the extension itself that were caught.",
    RefusedBytes Odd "refused_bytes" "Bytes of the requests in `refused_requests`.",
    RefusedRequests Odd "refused_requests" "Requests of the function that found no room, or came after the last batch: their senders were told to come again.",
    SpillFailed Odd "spill_failed" "Batches that could not be written to /tmp.",
    UnknownEvent Odd "unknown_events" "Events of a type that is not known here.",
}

/// The counts since the environment began.
#[derive(Debug)]
pub struct Counters {
    counts: [AtomicU64; Counter::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            counts: [const { AtomicU64::new(0) }; Counter::ALL.len()],
        }
    }
}

impl Counters {
    /// Counts `more` of `counter`.
    pub fn add(&self, counter: Counter, more: u64) {
        self.counts[counter as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counts[counter as usize].load(Ordering::Relaxed)
    }

    /// How many are gone, for whatever reason.
    pub fn lost(&self) -> u64 {
        self.of(Kind::Lost).map(|(_, count)| count).sum()
    }

    /// The counters of one kind that are not zero.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (Counter, u64)> + '_ {
        let of_kind = Counter::ALL
            .iter()
            .filter(move |counter| counter.kind() == kind);
        of_kind
            .map(|counter| (*counter, self.count(*counter)))
            .filter(|(_, count)| *count > 0)
    }

    /// `buffer_full 3, rejected 1`; empty if there is nothing to say.
    pub fn outline(&self, kind: Kind) -> String {
        let parts = self
            .of(kind)
            .map(|(counter, count)| format!("{} {count}", counter.name()));
        parts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_for_a_loss_is_in_the_guide() {
        let guide = include_str!("../../../docs/extension.md");
        let lost = Counter::ALL
            .iter()
            .filter(|counter| counter.kind() == Kind::Lost);
        for counter in lost {
            let name = format!("`{}`", counter.name());
            assert!(guide.contains(&name), "{name} is not explained");
        }
    }

    #[test]
    fn only_what_was_counted_is_told() {
        let counters = Counters::default();
        assert_eq!(counters.outline(Kind::Lost), "");
        counters.add(Counter::Rejected, 1);
        counters.add(Counter::BufferFull, 3);
        counters.add(Counter::UnknownEvent, 2);
        assert_eq!(counters.outline(Kind::Lost), "buffer_full 3, rejected 1");
        assert_eq!(counters.outline(Kind::Odd), "unknown_events 2");
        assert_eq!(counters.lost(), 4);
    }
}
