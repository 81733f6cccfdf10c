//! As much of Lambda as one extension sees: register, subscribe, next, telemetry.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value as Json, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// How the platform answers a subscription.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telemetry {
    /// It sends telemetry.
    On,
    /// 202: it has none.
    NotHere,
    /// 403.
    Refused,
}

pub(crate) struct FakeLambda {
    address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<Json>,
    asked: mpsc::UnboundedReceiver<()>,
    client: Client<HttpConnector, Full<Bytes>>,
}

struct Shared {
    telemetry: Telemetry,
    name: Mutex<String>,
    destination: Mutex<Option<String>>,
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<Json>>,
    asked: mpsc::UnboundedSender<()>,
}

impl FakeLambda {
    pub(crate) async fn start(telemetry: Telemetry) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, waiting) = mpsc::unbounded_channel();
        let (asked_sender, asked) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            telemetry,
            name: Mutex::default(),
            destination: Mutex::default(),
            events: tokio::sync::Mutex::new(waiting),
            asked: asked_sender,
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        let client = Client::builder(TokioExecutor::new()).build_http();
        FakeLambda {
            address,
            shared,
            events,
            asked,
            client,
        }
    }

    /// Waits until the extension asks for the next event.
    pub(crate) async fn next_asked(&mut self) {
        let asked = tokio::time::timeout(WAIT_MAX, self.asked.recv()).await;
        asked
            .expect("the extension asks for the next event")
            .expect("the fake lives");
    }

    pub(crate) fn registered_name(&self) -> String {
        self.shared.name.lock().unwrap().clone()
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        self.shared.destination.lock().unwrap().is_some()
    }

    pub(crate) async fn invoke(&self, request_id: &str, tracing: Option<&str>) {
        self.invoke_with_time(request_id, tracing, Duration::from_secs(30))
            .await;
    }

    pub(crate) async fn invoke_with_time(
        &self,
        request_id: &str,
        tracing: Option<&str>,
        time: Duration,
    ) {
        let deadline = now_nanos() / 1_000_000 + u64::try_from(time.as_millis()).unwrap();
        let mut event = json!({"eventType": "INVOKE", "deadlineMs": deadline, "requestId": request_id,
            "invokedFunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:checkout"});
        if let Some(header) = tracing {
            event["tracing"] = json!({"type": "X-Amzn-Trace-Id", "value": header});
        }
        self.events.send(event).unwrap();
    }

    pub(crate) async fn shut_down(&self, reason: &str) {
        let deadline = now_nanos() / 1_000_000 + 2000;
        let event =
            json!({"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline});
        self.events.send(event).unwrap();
    }

    /// Posts telemetry and holds the extension to answering 200 whatever it is.
    pub(crate) async fn tell(&self, body: &str) {
        let destination = self.shared.destination.lock().unwrap().clone();
        let destination = destination.expect("the extension subscribed");
        let body = Full::from(body.to_owned());
        let request = Request::post(destination)
            .header("content-type", "application/json")
            .body(body);
        let response = self.client.request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = hyper::service::service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(shared.answer(request).await) }
        });
        let server = hyper::server::conn::http1::Builder::new();
        tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Json = serde_json::from_slice(&body).unwrap_or_default();
        let header = |name: &str| {
            head.headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        if head.uri.path() != "/2020-01-01/extension/register"
            && header("lambda-extension-identifier").as_deref() != Some(IDENTIFIER)
        {
            return respond(
                403,
                &json!({"errorType": "Extension.UnknownExtensionIdentifier"}),
            );
        }
        match (head.method.as_str(), head.uri.path()) {
            ("POST", "/2020-01-01/extension/register") => {
                assert_eq!(body["events"], json!(["INVOKE", "SHUTDOWN"]));
                *self.name.lock().unwrap() = header("lambda-extension-name").expect("a name");
                let told = json!({"functionName": "checkout", "functionVersion": "$LATEST", "handler": "h"});
                let mut response = respond(200, &told);
                response
                    .headers_mut()
                    .insert("lambda-extension-identifier", IDENTIFIER.parse().unwrap());
                response
            }
            ("PUT", "/2022-07-01/telemetry") => self.subscribe(&body),
            ("GET", "/2020-01-01/extension/event/next") => {
                let mut events = self.events.lock().await;
                self.asked.send(()).ok();
                match events.recv().await {
                    Some(event) => respond(200, &event),
                    None => respond(500, &json!({})),
                }
            }
            other => panic!("no such call: {other:?}"),
        }
    }

    fn subscribe(&self, body: &Json) -> Response<Full<Bytes>> {
        assert_eq!(body["schemaVersion"], "2022-12-13");
        assert_eq!(body["types"], json!(["platform", "function"]));
        assert_eq!(
            body["buffering"],
            json!({"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25})
        );
        let uri = body["destination"]["URI"].as_str().expect("a destination");
        assert!(uri.starts_with("http://sandbox.localdomain:"), "{uri}");
        // The platform knows where the name leads; here it is this machine.
        let uri = uri.replace("sandbox.localdomain", "127.0.0.1");
        match self.telemetry {
            Telemetry::On => {
                *self.destination.lock().unwrap() = Some(uri);
                respond(200, &json!("OK"))
            }
            Telemetry::NotHere => respond(202, &json!({"errorType": "Telemetry.NotSupported"})),
            Telemetry::Refused => {
                respond(403, &json!({"errorType": "Telemetry.SubscriptionClosed"}))
            }
        }
    }
}

fn respond(status: u16, body: &Json) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// The running binary. It is killed when it is dropped.
pub(crate) struct Extension {
    child: Child,
    otlp: String,
    client: Client<HttpConnector, Full<Bytes>>,
    /// Its `/tmp`; the test's own if another extension follows in it.
    _tmp: Option<Tmp>,
}

/// A folder of its own, which is deleted with it.
pub(crate) struct Tmp(pub(crate) PathBuf);

impl Tmp {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("throughline-process-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Tmp(folder)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// What lies in the extension's folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.0.join(".throughline")) else {
            return Vec::new();
        };
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

impl Drop for Tmp {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Extension {
    pub(crate) fn start(lambda: &FakeLambda, endpoint: &str) -> Self {
        Self::start_with(lambda, endpoint, &[])
    }

    pub(crate) fn start_with(
        lambda: &FakeLambda,
        endpoint: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        // A port that was just free. Another process may take it, as on any machine; there is no way
        // to hand a bound one over.
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let tmp = Tmp::new();
        let child = Command::new(env!("CARGO_BIN_EXE_throughline-extension"))
            .env_clear()
            .env("TMPDIR", tmp.path())
            .env("AWS_LAMBDA_RUNTIME_API", lambda.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "checkout")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("THROUGHLINE_ENDPOINT", endpoint)
            .env("THROUGHLINE_OTLP_LISTEN", free.to_string())
            // What a test sends is what it counts, unless it asks for metrics.
            .env("THROUGHLINE_METRICS", "off")
            // It has a fixed port, and there are many of us.
            .env("THROUGHLINE_OTLP_GRPC_LISTEN", "off")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let otlp = format!("http://{free}/v1/traces");
        Extension {
            child,
            otlp,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _tmp: Some(tmp),
        }
    }

    /// Ends it as the kernel does, without a word.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Says that all telemetry of an invocation is there.
    pub(crate) async fn signal_end(&self, request_id: &str) {
        let path = format!("/v1/flush?request_id={request_id}");
        let request = Request::post(self.otlp.replace("/v1/traces", &path));
        let request = request.body(Full::default()).unwrap();
        assert_eq!(self.client.request(request).await.unwrap().status(), 200);
    }

    /// Exports spans as the function's SDK does, and returns the status.
    pub(crate) async fn export(&self, json: &str) -> u16 {
        self.try_export(json).await.unwrap()
    }

    /// `None` where the connection breaks.
    pub(crate) async fn try_export(&self, json: &str) -> Option<u16> {
        let request = Request::post(&self.otlp).header("content-type", "application/json");
        let request = request.body(Full::from(json.to_owned())).unwrap();
        let answer = self.client.request(request).await.ok()?;
        Some(answer.status().as_u16())
    }

    /// Stops it where it is, as Lambda does between invocations.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    /// What of it is in memory.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let id = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap() * 1024
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let status = std::process::Command::new("kill")
            .args(["-s", name, &id])
            .status();
        assert!(status.expect("kill is there").success());
    }

    /// Waits for its end; gives the exit code and what it said on stderr.
    pub(crate) async fn ended(&mut self) -> (Option<i32>, String) {
        let (code, _, said) = self.ended_with_output().await;
        (code, said)
    }

    /// Waits for its end; gives the exit code, stdout and stderr.
    pub(crate) async fn ended_with_output(&mut self) -> (Option<i32>, String, String) {
        let (mut printed, mut said) = (String::new(), String::new());
        let mut stdout = self.child.stdout.take().expect("it was not taken before");
        let mut stderr = self.child.stderr.take().expect("it was not taken before");
        let ended = async {
            let output = tokio::join!(
                stdout.read_to_string(&mut printed),
                stderr.read_to_string(&mut said)
            );
            output.0.and(output.1).unwrap();
            self.child.wait().await.unwrap()
        };
        let status = tokio::time::timeout(WAIT_MAX, ended)
            .await
            .expect("it ends");
        (status.code(), printed, said)
    }
}

#[allow(clippy::disallowed_methods)] // A test between processes has no other clock than theirs.
pub(crate) fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

/// Now, as the platform writes it.
pub(crate) fn iso_now() -> String {
    let millis = now_nanos() / 1_000_000;
    let (days, of_day) = (millis / 86_400_000, millis % 86_400_000);
    let (hours, minutes, seconds) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    // The inverse of counting days, by Howard Hinnant.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z",
        of_day % 1000
    )
}

const IDENTIFIER: &str = "a1b2c3d4";
/// Long enough for a busy machine.
const WAIT_MAX: Duration = Duration::from_secs(20);
