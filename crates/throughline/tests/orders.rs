//! Orders of big-mouth under load, through `throughline demo`: each is charged, told and confirmed once, by five functions
//! in three languages over HTTP, a topic, a queue, a bus, a stream and a bucket, and each is one story in the server.
//! `make orders` places a thousand.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// The functions that an order comes through.
const FUNCTIONS: [&str; 1] = ["place-order"];
const ORDERS_DEFAULT: usize = 50;
const AT_ONCE: usize = 4;
/// A busy machine lets calls time out; a user then orders once more.
const ATTEMPTS_MAX: usize = 5;
/// After which it is taken for stuck.
const WITHOUT_PROGRESS: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn each_order_is_confirmed_once_and_is_one_story() {
    let Some(demo) = Demo::start() else {
        return;
    };
    let count = orders_wanted();
    let began = Instant::now();
    let orders = place(&demo, count).await;
    eprintln!("{count} orders placed in {:?}", began.elapsed());

    demo.expect_one_mail_each(&orders).await;
    eprintln!("{count} orders confirmed in {:?}", began.elapsed());

    let mut invocations = BTreeMap::new();
    for order in &orders {
        let story = demo.story(order).await;
        for request in story.invocations {
            let other = invocations.insert(request.clone(), &order.number);
            assert_eq!(other, None, "{request} is in two stories");
        }
    }
    assert_eq!(invocations.len(), count * FUNCTIONS.len());
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
    invocations: BTreeSet<String>,
}

impl Story {
    /// What is missing is said as an error.
    fn read(trace: &Value) -> Result<Self, String> {
        let spans = trace["spans"].as_array().into_iter().flatten();
        let invoked = spans.filter(|span| span["attributes"]["throughline.phase"] == "invoke");
        let mut services = Vec::new();
        let mut invocations = BTreeSet::new();
        for span in invoked {
            services.extend(span["service"].as_str());
            invocations.extend(
                span["attributes"]["faas.invocation_id"]
                    .as_str()
                    .map(str::to_owned),
            );
        }
        services.sort_unstable();
        if services == FUNCTIONS && invocations.len() == FUNCTIONS.len() {
            Ok(Self { invocations })
        } else {
            Err(format!("invoked were {services:?}"))
        }
    }
}

type Http = Client<HttpConnector, Full<Bytes>>;

/// The running demo. It ends with this value, and all that it started with it.
struct Demo {
    process: Child,
    client: Http,
    shop: String,
    mail: String,
    server: String,
    _data: tempfile::TempDir,
}

impl Demo {
    /// `None` with a printed reason where moto cannot be installed.
    fn start() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let moto = Command::new(root.join("scripts/moto")).output();
        if !moto.is_ok_and(|moto| moto.status.success()) {
            eprintln!("skipped: moto's server is not installed; scripts/moto installs it");
            return None;
        }
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_throughline"))
            .current_dir(&root)
            .args(["demo", "--any-port", "--json", "--rate", "0", "--data-dir"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the demo does not start");
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Some(Self {
            process,
            client: Client::builder(TokioExecutor::new()).build_http(),
            shop: text("shop"),
            mail: text("mail"),
            server: text("http"),
            _data: data,
        })
    }

    async fn json(&self, url: &str) -> Value {
        let answer = self.client.get(url.parse().unwrap()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    /// Waits until each order has its e-mail; none has two.
    async fn expect_one_mail_each(&self, orders: &[Order]) {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let told = self.json(&format!("{}/mails/count", self.mail)).await;
            let mails: BTreeMap<String, usize> = serde_json::from_value(told).unwrap();
            let subject = |order: &Order| format!("Your order {}", order.number);
            let counts = orders.iter().map(|order| mails.get(&subject(order)));
            let confirmed = counts.clone().flatten().count();
            assert!(counts.flatten().all(|count| *count == 1), "{mails:?}");
            if confirmed == orders.len() {
                return;
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

    async fn story(&self, order: &Order) -> Story {
        let url = format!("http://{}/api/v1/traces/{}", self.server, order.trace_id);
        let began = Instant::now();
        loop {
            match Story::read(&self.json(&url).await) {
                Ok(story) => return story,
                Err(missing) => assert!(
                    began.elapsed() < WITHOUT_PROGRESS,
                    "order {}: {missing}",
                    order.number
                ),
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().try_into().unwrap());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

#[allow(clippy::disallowed_methods)] // the edge where the test learns how many it is to place
fn orders_wanted() -> usize {
    let told = std::env::var("BIG_MOUTH_ORDERS").ok();
    told.map_or(ORDERS_DEFAULT, |text| text.parse().unwrap())
}
