//! Bodies on their way to a server: as fast as it takes them, or at a given rate.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, anyhow, bail};
use throughline_telemetry::{Signal, UnixNanos};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::client::{Framed, Protocol, Sender, Sent};
use crate::corpus::{Corpus, Options};

/// What the corpus of a benchmark is spread over.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// So many rows over the time up to now: a server must not find them too old to be kept.
pub fn recent(rows: u64, range: Duration) -> Options {
    let now = UnixNanos::from(SystemTime::now());
    let end = UnixNanos(now.0 - now.0 % MINUTE_NANOS);
    Options {
        start: end.minus(range),
        range,
        ..Options::of(rows)
    }
}

/// Bodies made ahead by a thread of its own.
#[derive(Debug)]
pub struct Feed {
    bodies: mpsc::Receiver<Framed>,
    stop: Arc<AtomicBool>,
    maker: JoinHandle<Corpus>,
    items: usize,
}

impl Feed {
    /// Makes so many bodies of so many items each, going on where the corpus is.
    pub fn start(mut corpus: Corpus, items: usize, count: u64) -> Self {
        let (sender, bodies) = mpsc::channel(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let maker = std::thread::spawn(move || {
            let mut body = Vec::new();
            for _ in 0..count {
                corpus.body(items, &mut body);
                let framed = Framed::new(&body).expect("a body is smaller than 4 GiB");
                if stopped.load(Ordering::Relaxed) || sender.blocking_send(framed).is_err() {
                    break;
                }
            }
            corpus
        });
        Feed {
            bodies,
            stop,
            maker,
            items,
        }
    }

    /// The corpus, after what has been made of it.
    fn finish(self) -> anyhow::Result<Corpus> {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.bodies);
        self.maker
            .join()
            .map_err(|_| anyhow!("the maker of bodies failed"))
    }
}

/// What became of a feed.
#[derive(Debug)]
pub struct Loaded {
    /// Acknowledged bodies.
    pub requests: u64,
    /// What was in them.
    pub items: u64,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Milliseconds of each body, from when it was due until it was acknowledged.
    pub latencies: Vec<f64>,
    /// How often the server asked to try again.
    pub refused: u64,
    /// The corpus, after what was loaded, if all of it was.
    pub corpus: Corpus,
}

impl Loaded {
    /// Items a second.
    pub fn items_a_second(&self) -> f64 {
        self.items as f64 / self.took.as_secs_f64()
    }

    /// Requests a second.
    pub fn requests_a_second(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }
}

/// As many senders as are to be waited for at once, over as many connections as they need.
pub async fn senders(
    protocol: Protocol,
    address: SocketAddr,
    signal: Signal,
    at_once: usize,
) -> anyhow::Result<Vec<Sender>> {
    let mut senders: Vec<Sender> = Vec::with_capacity(at_once);
    for number in 0..at_once {
        let shared = match number.checked_sub(CONNECTIONS) {
            Some(earlier) => senders[earlier].share(),
            None => None,
        };
        senders.push(match shared {
            Some(sender) => sender,
            None => Sender::connect(protocol, address, signal).await?,
        });
    }
    Ok(senders)
}

/// Sends a feed as fast as it is acknowledged, each sender one body at a time, until the feed or the
/// time ends.
pub async fn pour(senders: Vec<Sender>, feed: Feed, limit: Duration) -> anyhow::Result<Loaded> {
    let Feed {
        bodies,
        stop,
        maker,
        items,
    } = feed;
    let bodies = Arc::new(Mutex::new(bodies));
    let refused = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut sender in senders {
        let (bodies, refused) = (Arc::clone(&bodies), Arc::clone(&refused));
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < limit {
                let Some(body) = bodies.lock().await.recv().await else {
                    break;
                };
                let due = Instant::now();
                until_stored(&mut sender, &body, &refused).await?;
                latencies.push(millis_since(due));
            }
            Ok::<_, anyhow::Error>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    let took = begun.elapsed();
    let bodies = Arc::into_inner(bodies).context("all senders have ended")?;
    let feed = Feed {
        bodies: bodies.into_inner(),
        stop,
        maker,
        items,
    };
    loaded(feed, latencies, &refused, took)
}

/// Sends a feed at so many bodies a second, whether the server keeps up or not: what waits counts as
/// slow.
pub async fn drip(
    senders: Vec<Sender>,
    mut feed: Feed,
    bodies_a_second: f64,
) -> anyhow::Result<Loaded> {
    let refused = Arc::new(AtomicU64::new(0));
    let room = Arc::new(Semaphore::new(senders.len()));
    let free = Arc::new(std::sync::Mutex::new(senders));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    let mut number = 0.0;
    while let Some(body) = feed.bodies.recv().await {
        let due = begun + Duration::from_secs_f64(number / bodies_a_second);
        number += 1.0;
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let permit = Arc::clone(&room).acquire_owned().await?;
        let (free, refused) = (Arc::clone(&free), Arc::clone(&refused));
        tasks.spawn(async move {
            let taken = free.lock().ok().and_then(|mut free| free.pop());
            let mut sender = taken.context("a permit is a sender")?;
            until_stored(&mut sender, &body, &refused).await?;
            let latency = millis_since(due);
            if let Ok(mut free) = free.lock() {
                free.push(sender);
            }
            drop(permit);
            Ok::<_, anyhow::Error>(latency)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.push(done??);
    }
    loaded(feed, latencies, &refused, begun.elapsed())
}

fn loaded(
    feed: Feed,
    latencies: Vec<f64>,
    refused: &AtomicU64,
    took: Duration,
) -> anyhow::Result<Loaded> {
    let requests = latencies.len() as u64;
    Ok(Loaded {
        requests,
        items: requests * feed.items as u64,
        took,
        latencies,
        refused: refused.load(Ordering::Relaxed),
        corpus: feed.finish()?,
    })
}

async fn until_stored(
    sender: &mut Sender,
    body: &Framed,
    refused: &AtomicU64,
) -> anyhow::Result<()> {
    for _ in 0..TRIES_MAX {
        match sender.send(body).await? {
            Sent::Acknowledged => return Ok(()),
            Sent::TryAgain(pause) => {
                refused.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(pause).await;
            }
        }
    }
    bail!("refused {TRIES_MAX} times")
}

fn millis_since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

const MINUTE_NANOS: u64 = 60_000_000_000;
/// Bodies made before they are asked for.
const AHEAD: usize = 64;
/// Connections that many senders share, where they can.
const CONNECTIONS: usize = 4;
/// With a tenth of a second or more between them.
const TRIES_MAX: usize = 3_000;
