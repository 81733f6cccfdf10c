//! One click on the example shop, through the real product: the server and the extension as
//! processes, the sandbox in this one, the three functions run by AWS's own runtime clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use throughline_sandbox::{Application, RunningSandbox, Sandbox};
use tokio::time::Instant;

/// Within which a click must be on the page; the promise of the README.
const VISIBLE_WITHIN: Duration = Duration::from_secs(2);

const FUNCTIONS: [&str; 3] = ["checkout", "inventory", "notify"];

#[tokio::test(flavor = "multi_thread")]
async fn one_click_is_one_trace_of_three_functions() {
    let shop = Shop::open().await;
    shop.click("?order=7").await; // starts the environments; what follows is a click of every day
    let answered = shop.click("?order=8").await;
    assert_eq!(answered.status, 200, "{}", answered.body);

    let trace = shop
        .trace_when(&answered, |trace| trace.missing().is_empty())
        .await;
    assert_eq!(trace.services(), FUNCTIONS);
    // The header names a caller that nobody records; all else hangs below the first invocation.
    let tops = trace.spans().filter(|span| span["parent_missing"] == true);
    let tops: Vec<&Value> = tops.map(|span| &span["name"]).collect();
    assert_eq!(tops, ["checkout"], "{:#}", trace.0);
    let roots = trace
        .spans()
        .filter(|span| span["parent_span_id"].is_null());
    assert_eq!(roots.count(), 0, "{:#}", trace.0);
    let map = shop.map().await;
    for function in ["inventory", "notify"] {
        let edges = map["edges"].as_array().into_iter().flatten();
        let mut called = edges.filter(|edge| edge["to"] == format!("function:{function}"));
        let edge = called
            .next()
            .unwrap_or_else(|| panic!("nobody calls {function}: {map:#}"));
        assert_eq!(edge["from"], "function:checkout", "{map:#}");
        assert!(edge["count"].as_u64() >= Some(1), "{map:#}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_start_and_an_error_are_part_of_the_story() {
    let shop = Shop::open().await;
    let answered = shop.click("?order=9&fail=inventory").await;
    let trace = shop
        .trace_when(&answered, |trace| {
            trace.0["error_count"] == 3 && trace.0["cold_start_count"] == 2
        })
        .await;

    let init = trace.expect_span("inventory", |span| {
        span["attributes"]["throughline.phase"] == "init"
    });
    assert!(
        init["duration_nanos"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 1_000_000
    );
    trace.expect_span("inventory", |span| {
        span["attributes"]["throughline.phase"] == "invoke"
            && span["attributes"]["faas.coldstart"] == true
    });
    trace.expect_span("inventory", |span| {
        let events = span["events"].as_array().cloned().unwrap_or_default();
        events.iter().any(|event| {
            let stack = event["attributes"]["exception.stacktrace"].as_str();
            event["name"] == "exception"
                && stack.is_some_and(|stack| stack.contains("stock.OutOfStock"))
        })
    });
    shop.close().await;
}

/// The server, the sandbox and the example in it.
struct Shop {
    server: ServerProcess,
    sandbox: RunningSandbox,
    checkout: SocketAddr,
}

/// What the shop said to a click.
struct Answered {
    status: u16,
    body: String,
    clicked_at: Instant,
    trace_id: String,
}

impl Shop {
    async fn open() -> Self {
        let server = ServerProcess::start();
        let example = workspace().join("examples/checkout/throughline.toml");
        let bootstrap = workspace().join("examples/checkout/checkout/bin/bootstrap");
        assert!(
            bootstrap.exists(),
            "the functions are not built: make functions"
        );
        let extension =
            Path::new(env!("CARGO_BIN_EXE_throughline")).with_file_name("throughline-extension");
        assert!(extension.exists(), "the extension is not built: make build");
        let application = Application::load(example).expect("a good throughline.toml");
        let sandbox = Sandbox::new()
            .application(application.on_free_ports())
            .extension(extension)
            .env(
                "THROUGHLINE_ENDPOINT",
                format!("http://{}", server.otlp_http),
            )
            .start()
            .await
            .expect("the sandbox starts");
        let checkout = sandbox.url_addr("checkout").expect("checkout has a URL");
        Shop {
            server,
            sandbox,
            checkout,
        }
    }

    async fn click(&self, query: &str) -> Answered {
        let trace_id = format!("{:08x}{:024x}", 0x6720_0000, fastrand::u64(1..));
        let (root, rest) = trace_id.split_at(8);
        let request = hyper::Request::get(format!("http://{}/{query}", self.checkout))
            .header("x-amzn-trace-id", format!("Root=1-{root}-{rest};Sampled=1"))
            .body(Empty::<bytes::Bytes>::new())
            .expect("a good request");
        let clicked_at = Instant::now();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.expect("the shop answers");
        let status = answer.status().as_u16();
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a whole answer")
            .to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answered {
            status,
            body,
            clicked_at,
            trace_id,
        }
    }

    /// The trace of a click as soon as it is `ready`, which must be soon after the click was answered.
    async fn trace_when(&self, of: &Answered, ready: impl Fn(&Trace) -> bool) -> Trace {
        let url = format!("http://{}/api/v1/traces/{}", self.server.http, of.trace_id);
        let answered_at = Instant::now();
        loop {
            let trace = Trace(self.server.json(&url).await);
            if ready(&trace) {
                return trace;
            }
            assert!(
                answered_at.elapsed() < VISIBLE_WITHIN,
                "not on the page {:?} after the click: {:?} missing from {:#}",
                of.clicked_at.elapsed(),
                trace.missing(),
                trace.0
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What calls what, as the API tells it.
    async fn map(&self) -> Value {
        let url = format!("http://{}/api/v1/edges", self.server.http);
        self.server.json(&url).await
    }

    async fn close(self) {
        self.sandbox.shutdown().await;
    }
}

/// Whether a span of the API is the one that is looked for.
type IsIt = fn(&Value) -> bool;

/// A trace as the API tells it.
struct Trace(Value);

impl Trace {
    fn spans(&self) -> impl Iterator<Item = &Value> {
        self.0["spans"].as_array().into_iter().flatten()
    }

    fn services(&self) -> Vec<&str> {
        let services = self.0["services"].as_array().into_iter().flatten();
        let mut names: Vec<&str> = services
            .filter_map(|service| service["name"].as_str())
            .collect();
        names.sort_unstable();
        names
    }

    /// What one click must show of each function and this trace does not have yet.
    fn missing(&self) -> Vec<String> {
        let wanted: [(&str, IsIt); 4] = [
            ("invocation", |span| {
                span["attributes"]["throughline.phase"] == "invoke"
            }),
            ("response latency", |span| {
                span["attributes"]["throughline.phase"] == "response-latency"
            }),
            ("runtime overhead", |span| {
                span["attributes"]["throughline.phase"] == "runtime-overhead"
            }),
            ("span of its own SDK", |span| {
                span["scope"]["name"] != "throughline.platform"
            }),
        ];
        let mut missing = Vec::new();
        for function in FUNCTIONS {
            for (what, is_it) in wanted {
                let mut spans = self.spans().filter(|span| span["service"] == function);
                if !spans.any(is_it) {
                    missing.push(format!("{what} of {function}"));
                }
            }
            if self.log_of(function).is_none() {
                missing.push(format!("log of {function}"));
            }
        }
        missing
    }

    fn log_of(&self, function: &str) -> Option<&Value> {
        let mut logs = self.0["logs"].as_array().into_iter().flatten();
        logs.find(|log| {
            log["service"] == function && log["scope"]["name"] == "throughline.function"
        })
    }

    fn expect_span(&self, service: &str, wanted: impl Fn(&Value) -> bool) -> &Value {
        let mut spans = self.spans().filter(|span| span["service"] == service);
        spans
            .find(|span| wanted(span))
            .unwrap_or_else(|| panic!("no such span of {service}: {:#}", self.0))
    }
}

/// `throughline serve` as a process of its own, on free ports and a directory that goes away.
struct ServerProcess {
    child: Child,
    http: String,
    otlp_http: String,
    _directory: tempfile::TempDir,
}

impl ServerProcess {
    fn start() -> Self {
        use std::io::{BufRead, BufReader};
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
            .args(["serve", "--json", "--otlp-grpc", "127.0.0.1:0"])
            .args([
                "--otlp-http",
                "127.0.0.1:0",
                "--http",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("a line of addresses");
        let addresses: Value = serde_json::from_str(&line).expect("addresses as JSON");
        let address = |name: &str| addresses[name].as_str().expect("an address").to_owned();
        ServerProcess {
            http: address("http"),
            otlp_http: address("otlp_http"),
            child,
            _directory: directory,
        }
    }

    async fn json(&self, url: &str) -> Value {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
        let answer = client
            .get(url.parse().expect("a good url"))
            .await
            .expect("the server answers");
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a whole answer")
            .to_bytes();
        serde_json::from_slice(&body).expect("JSON")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
