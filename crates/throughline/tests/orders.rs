//! Orders of big-mouth under load, through `throughline demo`: each is charged, told and confirmed, by five functions
//! in three languages over HTTP, a topic, a queue, a bus, a stream and a bucket, and each is one story in the server.
//! `make orders` places a thousand.
#![allow(clippy::unwrap_used)]

#[path = "orders/denied.rs"]
mod denied;
#[path = "orders/misbehaviours.rs"]
mod misbehaviours;
#[path = "orders/process.rs"]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use process::{Http, Process, Server, client, has_moto, json};

/// The functions that an order comes through, in alphabetical order.
const FUNCTIONS: [&str; 5] = [
    "accept-order",
    "notify-restaurant",
    "notify-user",
    "place-order",
    "update-stats",
];
const ORDERS_DEFAULT: usize = 50;
const AT_ONCE: usize = 4;
/// Queues and streams deliver at least once, and twice where a busy machine lets a function run into its timeout.
const TWICE_PERCENT_MAX: usize = 4;
/// A busy machine lets calls time out; a user then orders once more.
const ATTEMPTS_MAX: usize = 5;
/// After which it is taken for stuck.
const WITHOUT_PROGRESS: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn each_order_is_confirmed_and_is_one_story() {
    let Some(demo) = Demo::start() else {
        return;
    };
    let count = orders_wanted();
    let began = Instant::now();
    let orders = place(&demo, count).await;
    eprintln!("{count} orders placed in {:?}", began.elapsed());

    let twice = demo.expect_mails(&orders).await;
    let took = began.elapsed();
    eprintln!("{count} orders confirmed in {took:?}, {twice} more than once");
    assert!(
        twice <= count * TWICE_PERCENT_MAX / 100,
        "{twice} of {count}"
    );

    // The last of an environment's telemetry leaves when the environment ends.
    let server = Server::over(demo.stopped());
    let mut seen = BTreeMap::new();
    for order in &orders {
        let story = server.story(&order.trace_id).await;
        let found = server.story(&order.number).await;
        assert_eq!(story.invocations, found.invocations, "{}", order.number);
        // What is in two stories belongs to neither.
        for id in story.traces.into_iter().chain(story.invocations) {
            let other = seen.insert(id.clone(), &order.number);
            assert_eq!(other, None, "{id} is in the story of {} too", order.number);
        }
    }
    eprintln!("{count} stories seen in {:?}", began.elapsed());
}

/// An order that was taken.
struct Order {
    number: String,
    trace_id: String,
}

async fn place(demo: &Demo, count: usize) -> Vec<Order> {
    let next = Arc::new(AtomicUsize::new(0));
    let seed = fastrand::u32(..);
    eprintln!("orders are numbered from o-{seed:08x}-0 on");
    let users = (0..AT_ONCE).map(|_| {
        let (next, client, shop) = (Arc::clone(&next), demo.client.clone(), demo.shop.clone());
        tokio::spawn(async move {
            let mut placed = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return placed;
                }
                placed.push(order(&client, &shop, seed, index).await);
            }
        })
    });
    let users: Vec<_> = users.collect();
    let mut placed = Vec::new();
    for user in users {
        placed.extend(user.await.unwrap());
    }
    placed
}

async fn order(client: &Http, shop: &str, seed: u32, index: usize) -> Order {
    for attempt in 0..ATTEMPTS_MAX {
        let order = Order {
            number: format!("o-{seed:08x}-{index}-{attempt}"),
            trace_id: format!("67200000{seed:08x}{index:012x}{attempt:04x}"),
        };
        let body = json!({
            "user": format!("u-{}", index % 39 + 1),
            "restaurant": "r-1",
            "items": [{ "dish": "miso ramen", "quantity": index % 3 + 1 }],
        });
        let (root, rest) = order.trace_id.split_at(8);
        let request = Request::post(format!("{shop}orders"))
            .header("content-type", "application/json")
            .header("idempotency-key", &order.number)
            .header("x-amzn-trace-id", format!("Root=1-{root}-{rest};Sampled=1"))
            .body(Full::from(body.to_string()))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        if status == 201 {
            return order;
        }
        let why = String::from_utf8_lossy(&body);
        eprintln!("{} was not taken, {status}: {why}", order.number);
    }
    panic!("order {index} of {seed:08x} was not taken in {ATTEMPTS_MAX} attempts");
}

/// What the server tells of an order.
struct Story {
    traces: BTreeSet<String>,
    invocations: BTreeSet<String>,
}

impl Story {
    /// Invocations of each function, or what there is instead.
    fn read(story: &Value) -> Result<Self, String> {
        let spans = story["spans"].as_array().map_or(&[][..], Vec::as_slice);
        let invoked = spans
            .iter()
            .filter(|span| span["attributes"]["throughline.phase"] == "invoke");
        let mut services: Vec<&str> = Vec::new();
        let mut invocations = BTreeSet::new();
        for span in invoked {
            services.extend(span["service"].as_str());
            let id = span["attributes"]["faas.invocation_id"].as_str();
            invocations.extend(id.map(str::to_owned));
        }
        services.sort_unstable();
        services.dedup();
        if services != FUNCTIONS {
            let seen = spans
                .iter()
                .map(|span| format!("{} {}", span["service"], span["name"]));
            let seen: Vec<String> = seen.collect();
            return Err(format!("{services:?} were invoked, by {seen:#?}"));
        }
        let traces = story["trace_ids"].as_array().into_iter().flatten();
        let traces = traces.filter_map(|id| id.as_str().map(str::to_owned));
        Ok(Self {
            traces: traces.collect(),
            invocations,
        })
    }
}

/// The running demo.
struct Demo {
    process: Process,
    data: tempfile::TempDir,
    client: Http,
    shop: String,
    mail: String,
}

impl Demo {
    /// `None` with a printed reason where moto cannot be installed.
    fn start() -> Option<Self> {
        if !has_moto() {
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let arguments = ["demo", "--any-port", "--json", "--rate", "0"];
        let process = Process::start(&arguments, data.path());
        Some(Self {
            client: client(),
            shop: process.text("shop"),
            mail: process.text("mail"),
            data,
            process,
        })
    }

    /// Its data, with everything that its functions had left to say.
    fn stopped(self) -> tempfile::TempDir {
        drop(self.process);
        self.data
    }

    /// Waits until each order has its e-mail. Returns how many have more than one.
    async fn expect_mails(&self, orders: &[Order]) -> usize {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let told = json(&self.client, &format!("{}/mails/count", self.mail)).await;
            let mails: BTreeMap<String, usize> = serde_json::from_value(told).unwrap();
            let subject = |order: &Order| format!("Your order {}", order.number);
            let counts = orders.iter().map(|order| mails.get(&subject(order)));
            let confirmed = counts.clone().flatten().count();
            if confirmed == orders.len() {
                return counts.flatten().filter(|count| **count > 1).count();
            }
            if confirmed > seen {
                (seen, since) = (confirmed, Instant::now());
            }
            assert!(
                since.elapsed() < WITHOUT_PROGRESS,
                "only {seen} of {} orders are confirmed",
                orders.len()
            );
            sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Server {
    async fn story(&self, id: &str) -> Story {
        let story = self.load(&format!("/api/v1/traces/{id}")).await;
        match Story::read(&story) {
            Ok(read) => read,
            Err(why) => {
                let books = self.load("/api/v1/completeness").await;
                panic!("{id}: {why}, in {}; {books:#}", story["trace_ids"])
            }
        }
    }
}

#[allow(clippy::disallowed_methods)] // the edge where the test learns how many it is to place
fn orders_wanted() -> usize {
    let told = std::env::var("BIG_MOUTH_ORDERS").ok();
    told.map_or(ORDERS_DEFAULT, |text| text.parse().unwrap())
}
