//! What the process costs by itself: its start, its memory, its processor time.

use std::path::Path;
use std::time::Instant;

use crate::figures::{Figures, Goal, quantile};
use crate::platform::{Platform, Started};
use crate::server::Server;
use crate::{rounds, spans};

pub(crate) fn start(figures: &mut Figures, extension: &Path, beside: &Path) {
    let sizes = [extension, beside].map(|program| {
        let bytes = std::fs::metadata(program).unwrap().len();
        vec![bytes as f64 / 1e6]
    });
    let limit = Goal::AtMost(3.0);
    figures.add(
        ("stripped size", "MB"),
        &sizes[0],
        Some(&sizes[1]),
        limit,
        "profile `extension`",
    );
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        // Nothing is sent before the first invocation, so nobody needs to be there.
        let endpoint = "https://127.0.0.1:9";
        theirs.push(Platform::start(beside, endpoint).1);
        ours.push(Platform::start(extension, endpoint).1);
    }
    let mut add = |name, figure: fn(&Started) -> f64, goal, note| {
        let values = |all: &[Started]| all.iter().map(figure).collect::<Vec<_>>();
        figures.add(name, &values(&ours), Some(&values(&theirs)), goal, note);
    };
    add(
        ("resident when idle", "MiB"),
        |one| mib(one.resident_bytes),
        Goal::AtMost(6.0),
        "VmRSS when it waits for the first event",
    );
    add(
        ("exec to register", "ms"),
        |one| one.register.as_secs_f64() * 1e3,
        Goal::AtMost(2.0),
        "until the platform has accepted the connection",
    );
    add(
        ("processor time to first next", "ms"),
        |one| one.processor.as_secs_f64() * 1e3,
        Goal::AtMost(5.0),
        "all threads, until it sleeps",
    );
    add(
        ("start to first next", "ms"),
        |one| one.next.as_secs_f64() * 1e3,
        Goal::None,
        "wall time from exec",
    );
    let next = |all: &[Started]| {
        let times: Vec<_> = all.iter().map(|one| one.next.as_secs_f64()).collect();
        quantile(&times, 0.5)
    };
    let ratio = next(&ours) / next(&theirs);
    figures.add(
        ("start to first next, ratio", "x"),
        &[ratio],
        Some(&[1.0]),
        Goal::AtMost(3.0),
        "the medians of the line above",
    );
}

pub(crate) fn memory(figures: &mut Figures, extension: &Path, beside: &Path) {
    let server = Server::start();
    let endpoint = format!("http://{}", server.address());
    let (mut resident, mut processor, mut wall, mut idle) = (vec![], vec![], vec![], vec![]);
    for _ in 0..LONG_ROUNDS.min(rounds()) {
        let (mut platform, _) = Platform::start(extension, &endpoint);
        let before = platform.processor();
        for _ in 0..INVOCATIONS {
            platform.invoke(&[]);
        }
        platform.wait_until_asleep();
        let empty = platform.processor() - before;
        idle.push(empty.as_secs_f64() * 1e6 / INVOCATIONS as f64);
        drop(platform);

        let (mut platform, _) = Platform::start(extension, &endpoint);
        let before = platform.processor();
        let begun = Instant::now();
        for number in 0..INVOCATIONS {
            platform.invoke(&[spans::request(number, SPANS)]);
        }
        wall.push(begun.elapsed().as_secs_f64());
        platform.wait_until_asleep();
        resident.push(mib(platform.resident_bytes()));
        let full = platform.processor() - before;
        let spans = (INVOCATIONS * SPANS) as f64;
        processor.push(full.saturating_sub(empty).as_secs_f64() * 1e6 / spans);
    }
    let (_bare, started) = Platform::start(beside, &endpoint);
    let bare = [mib(started.resident_bytes)];
    let (requests, bytes) = server.taken();
    let note = format!(
        "1,000 invocations of 100 spans in {:.1} s; the server took {requests} requests of {bytes} bytes in all rounds",
        quantile(&wall, 0.5)
    );
    let limit = Goal::AtMost(12.0);
    figures.add(
        ("resident after 100,000 spans", "MiB"),
        &resident,
        Some(&bare),
        limit,
        &note,
    );
    figures.add(
        ("processor time a span", "us"),
        &processor,
        None,
        Goal::None,
        "OTLP in to OTLP out, scrubbed and packed, less what an invocation without spans takes",
    );
    figures.add(
        ("processor time an invocation", "us"),
        &idle,
        None,
        Goal::None,
        "without spans of the function, platform events included",
    );
}

/// Ten minutes of 1,000 records a second, as fast as they are taken in, with nobody to take them out.
pub(crate) fn outage(figures: &mut Figures, extension: &Path) {
    let (mut first, mut growth) = (Vec::new(), Vec::new());
    let mut wall = Vec::new();
    for _ in 0..LONG_ROUNDS.min(rounds()) {
        // Nobody listens there.
        let (mut platform, _) = Platform::start(extension, "http://127.0.0.1:9");
        let begun = Instant::now();
        let mut after_a_minute = 0.0;
        for minute in 1..=10 {
            // An invocation a second.
            for second in 0..60 {
                let number = minute * 60 + second;
                let exports: Vec<_> = (0..10)
                    .map(|part| spans::request(number * 10 + part, 100))
                    .collect();
                platform.invoke(&exports);
            }
            platform.wait_until_asleep();
            if minute == 1 {
                after_a_minute = mib(platform.resident_bytes());
            }
        }
        wall.push(begun.elapsed().as_secs_f64());
        first.push(after_a_minute);
        growth.push(mib(platform.resident_bytes()) - after_a_minute);
    }
    let note = format!(
        "600,000 spans in 600 invocations, scaled: in {:.0} s instead of 600; memory of the function 1024 MB",
        quantile(&wall, 0.5)
    );
    figures.add(
        ("resident after 1 min of outage", "MiB"),
        &first,
        None,
        Goal::None,
        &note,
    );
    figures.add(
        ("growth in the 9 min after it", "MiB"),
        &growth,
        None,
        Goal::AtMost(1.0),
        "flat: what may wait is there after a minute",
    );
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

const LONG_ROUNDS: usize = 3;
const INVOCATIONS: u64 = 1000;
const SPANS: u64 = 100;
