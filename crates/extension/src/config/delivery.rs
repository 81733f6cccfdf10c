//! How telemetry is delivered, and how much of it is kept meanwhile.

use std::time::Duration;

use super::{Key, Problem, RawConfig, Target, key};
use crate::core::{Delivery, Strategy};
use crate::lifecycle::FLUSH_MAX;
use crate::outbox::{Limits, Packing};

pub(super) const FLUSH: &Key = &key(
    "THROUGHLINE_FLUSH",
    Some("auto"),
    "when telemetry is delivered: auto, end, periodic or periodic,MILLISECONDS",
);
pub(super) const FLUSH_BUDGET: &Key = &key(
    "THROUGHLINE_FLUSH_BUDGET_MS",
    Some("50"),
    "how long a delivery may hold an invocation after its end, in milliseconds",
);
pub(super) const BUFFER: &Key = &key(
    "THROUGHLINE_BUFFER_BYTES",
    None,
    "bytes that may wait in memory, in all queues together; else 5 % of the function's memory, at most 16 MB",
);
pub(super) const SPILL: &Key = &key(
    "THROUGHLINE_SPILL_BYTES",
    Some("67108864"),
    "bytes that may wait in /tmp while the server is down; 0 switches it off",
);

pub(super) fn resolve(
    raw: &RawConfig,
    memory_mb: i64,
    packing: Packing,
    export: &Target,
    problems: &mut Vec<Problem>,
) -> Delivery {
    let mut problem = |key: &Key, why: &str| {
        let (name, text) = (raw.name_in_use(key), raw.text(key));
        problems.push(Problem(format!("{name} {text}: {why}")));
    };
    let strategy = raw.text(FLUSH).parse().unwrap_or_else(|why| {
        problem(FLUSH, &format!("{why}; auto is used"));
        Strategy::Auto
    });
    let flush_max = number(raw, FLUSH_BUDGET).filter(|millis| *millis <= FLUSH_BUDGET_MILLIS_MAX);
    let flush_max = flush_max.map(Duration::from_millis).unwrap_or_else(|| {
        problem(
            FLUSH_BUDGET,
            "it is a number of milliseconds up to 1000; 50 is used",
        );
        FLUSH_MAX
    });
    let megabytes = u64::try_from(memory_mb)
        .ok()
        .filter(|megabytes| *megabytes > 0);
    let usual = megabytes.unwrap_or(MEMORY_MB_LEAST) * (1 << 20) / 20;
    let usual = usual.min(BUFFER_BYTES_MAX);
    let memory_bytes = match raw.text(BUFFER).is_empty() {
        true => usual,
        false => number(raw, BUFFER)
            .filter(|bytes| *bytes >= BUFFER_BYTES_MIN)
            .unwrap_or_else(|| {
                problem(
                    BUFFER,
                    &format!("it is a number of bytes from {BUFFER_BYTES_MIN}; {usual} is used"),
                );
                usual
            }),
    };
    let spill_bytes = number(raw, SPILL).unwrap_or_else(|| {
        problem(
            SPILL,
            &format!("it is a number of bytes; {SPILL_BYTES} is used"),
        );
        SPILL_BYTES
    });
    let server = match export {
        Target::To(endpoint) => endpoint.url("/"),
        Target::Off(_) => String::new(),
    };
    Delivery {
        strategy,
        flush_max,
        limits: Limits {
            memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
            spill_bytes,
            home: crate::ids::hash(&[&raw.text(super::FUNCTION_NAME), "@", &server]),
        },
        packing,
    }
}

fn number(raw: &RawConfig, key: &Key) -> Option<u64> {
    raw.text(key).parse().ok()
}

/// A delivery that holds an invocation for longer is no longer a small cost.
const FLUSH_BUDGET_MILLIS_MAX: u64 = 1000;
const BUFFER_BYTES_MAX: u64 = 16_000_000;
const BUFFER_BYTES_MIN: u64 = 65_536;
const SPILL_BYTES: u64 = 67_108_864;
/// The smallest function, where its size is not known.
const MEMORY_MB_LEAST: u64 = 128;
