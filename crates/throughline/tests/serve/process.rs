//! The server as a process, and senders that remember what was acknowledged.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use serde_json::Value;
use throughline_telemetry::wire;
use throughline_telemetry::{
    Attributes, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

/// A running `throughline serve` on free ports; killed if a test forgets it.
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    stderr: Option<JoinHandle<String>>,
    otlp_http: SocketAddr,
    http: SocketAddr,
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts the server on a data directory and waits until it listens.
    pub(crate) fn serve(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start(command().args(arguments), data_dir)
    }

    /// The same, and no file may grow beyond some bytes, whoever asks.
    pub(crate) fn serve_within(data_dir: &Path, file_bytes_max: u64) -> Self {
        let mut shell = Command::new("/bin/sh");
        // Without the signal a write fails, as on a full disk. The unit is 512 bytes.
        let limited = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";
        let blocks = (file_bytes_max / 512).to_string();
        shell.args(["-c", limited, "sh", &blocks, BINARY]);
        Self::start(&mut prepared(shell), data_dir)
    }

    /// The same as another user.
    pub(crate) fn serve_as(user: Option<u32>, data_dir: &Path) -> Self {
        Self::start(&mut command_as(user), data_dir)
    }

    fn start(command: &mut Command, data_dir: &Path) -> Self {
        command.arg("--json").arg("--data-dir").arg(data_dir);
        // What these tests send says that it is of a day long ago.
        command.args(["--retention", "forever"]);
        let mut child = command.spawn().expect("the server starts");
        let mut stderr = child.stderr.take().expect("piped");
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("text");
            text
        });
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a line of addresses");
        if line.is_empty() {
            panic!("did not start: {}", stderr.join().expect("read"));
        }
        let addresses: Value = serde_json::from_str(&line).expect("addresses as JSON");
        let address = |name: &str| {
            addresses[name]
                .as_str()
                .expect(name)
                .parse()
                .expect("an address")
        };
        Process {
            pid: Pid::from_raw(i32::try_from(child.id()).expect("a pid")),
            child,
            stderr: Some(stderr),
            otlp_http: address("otlp_http"),
            http: address("http"),
        }
    }

    pub(crate) fn otlp_http(&self) -> SocketAddr {
        self.otlp_http
    }

    pub(crate) fn kill(&self, signal: Signal) {
        kill(self.pid, signal).expect("the process is there");
    }

    /// No file of the server may grow beyond so many bytes from now on.
    pub(crate) fn limit_files(&self, bytes: u64) {
        let pid = format!("--pid={}", self.pid);
        let limited = Command::new("prlimit")
            .args([pid, format!("--fsize={bytes}:")])
            .status();
        assert!(limited.expect("prlimit is there").success());
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> Ended {
        let status = self.child.wait().expect("it ends");
        let stderr = self
            .stderr
            .take()
            .map(|stderr| stderr.join().expect("read"));
        Ended {
            code: status.code(),
            stdout: String::new(),
            stderr: stderr.unwrap_or_default(),
        }
    }

    /// The ids of all stored spans of a trace, sorted.
    pub(crate) async fn span_ids(&self, trace: TraceId) -> Vec<u64> {
        let trace = self.json(&format!("/api/v1/traces/{trace}")).await;
        let spans = trace["spans"].as_array().cloned().unwrap_or_default();
        let id = |span: &Value| u64::from_str_radix(span["span_id"].as_str().expect("an id"), 16);
        let mut ids: Vec<u64> = spans.iter().map(|span| id(span).expect("hex")).collect();
        ids.sort_unstable();
        ids
    }

    /// What the API says.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.http);
        let client = client();
        let answer = client
            .get(url.parse().expect("a url"))
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

    /// Sends telemetry as JSON, which must be taken.
    pub(crate) async fn post_json(&self, path: &str, body: &Value) {
        let request = Request::post(format!("http://{}{path}", self.otlp_http))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("a good request");
        let answer = client().request(request).await;
        let status = answer.expect("the server answers").status();
        assert!(status.is_success(), "{path}: {status}");
    }

    /// Where the page and the API are.
    pub(crate) fn http(&self) -> String {
        self.http.to_string()
    }

    /// A connection with a request whose body does not come.
    pub(crate) fn half_a_request(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.otlp_http).expect("connects");
        let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
                    content-type: application/x-protobuf\r\ncontent-length: 10\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sends");
        let mut go_on = [0; 12];
        stream.read_exact(&mut go_on).expect("an interim answer"); // so the body is being waited for
        assert_eq!(&go_on, b"HTTP/1.1 100");
        stream
    }

    /// Returns once new connections are refused.
    pub(crate) fn wait_until_refusing(&self) {
        while TcpStream::connect(self.otlp_http).is_ok() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the server on a data directory of which a file cannot be read to its end, and sends it a
/// signal while it tries.
pub(crate) fn stopped_while_starting(data_dir: &Path, signal: Signal) -> Ended {
    let marker = data_dir.join("THROUGHLINE");
    if !marker.exists() {
        mkfifo(&marker, Mode::S_IRWXU).expect("a pipe with a name");
    }
    let child = command().arg("--data-dir").arg(data_dir).spawn();
    let child = child.expect("it starts");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    // Returns once the server has opened it too. If the signal is not heard, dropping it ends the server.
    let _endless = OpenOptions::new().write(true).open(&marker);
    kill(pid, signal).expect("the process is there");
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let output = ended.recv_timeout(PATIENCE).expect("the signal is heard");
    let output = output.expect("it ends");
    Ended {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Runs the server with arguments with which it ends by itself.
pub(crate) fn exit_of(arguments: &[&str]) -> Ended {
    ended(command().args(arguments))
}

/// Runs the server as another user on a data directory that it cannot use.
pub(crate) fn exit_as(user: Option<u32>, data_dir: &Path) -> Ended {
    ended(command_as(user).arg("--data-dir").arg(data_dir))
}

/// Whether another user may run the binary.
pub(crate) fn can_run_as(user: u32) -> bool {
    let mut command = Command::new(BINARY);
    let output = command.arg("--version").uid(user).gid(user).output();
    output.is_ok_and(|output| output.status.success())
}

fn command_as(user: Option<u32>) -> Command {
    let mut command = command();
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command
}

/// Runs the binary with any arguments with which it ends by itself.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    ended(Command::new(BINARY).args(arguments))
}

/// The same, with a variable.
pub(crate) fn run_with(arguments: &[&str], variable: (&str, &str)) -> Ended {
    ended(
        Command::new(BINARY)
            .args(arguments)
            .env(variable.0, variable.1),
    )
}

/// The same, with an output that nobody reads.
pub(crate) fn run_unread(arguments: &[&str]) -> Ended {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .stdout(writer)
        .stderr(Stdio::piped());
    let output = command
        .spawn()
        .expect("it starts")
        .wait_with_output()
        .expect("it ends");
    Ended {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The server on free ports, unless arguments say otherwise, with nothing from this environment.
fn command() -> Command {
    prepared(Command::new(BINARY))
}

fn prepared(mut command: Command) -> Command {
    command.env_clear();
    for variable in ["OTLP_GRPC", "OTLP_HTTP", "HTTP"] {
        command.env(format!("THROUGHLINE_{variable}"), "127.0.0.1:0");
    }
    command
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Sends spans of one trace in batches, one after the other.
pub(crate) struct Sender {
    trace_id: TraceId,
    /// The environment that it says to be, if it numbers its batches.
    environment: Option<String>,
    client: Client<HttpConnector, Full<Bytes>>,
    batches: Vec<Batch>,
}

struct Batch {
    ids: Vec<u64>,
    acknowledged: bool,
}

impl Sender {
    pub(crate) fn new(number: u64) -> Self {
        Sender {
            trace_id: TraceId::new(u128::from(number).to_be_bytes()).expect("not zero"),
            environment: None,
            client: client(),
            batches: Vec::new(),
        }
    }

    /// One that numbers its batches, as an extension does.
    pub(crate) fn numbered(number: u64) -> Self {
        Sender {
            environment: Some(format!("environment-{number}")),
            ..Self::new(number)
        }
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Sends the next batch; whether it was acknowledged.
    pub(crate) async fn send_next(&mut self, server: SocketAddr) -> bool {
        let first = 1 + self.sent().last().copied().unwrap_or_default();
        let ids: Vec<u64> = (first..first + SPANS_A_BATCH).collect();
        let acknowledged = self.send(server, self.batches.len(), &ids).await;
        self.batches.push(Batch { ids, acknowledged });
        acknowledged
    }

    /// Sends the last batch once more: the status, and after how many seconds to try again.
    pub(crate) async fn try_again(&mut self, server: SocketAddr) -> (u16, Option<String>) {
        let at = self.batches.len() - 1;
        let answer = self.answer(server, at, &self.batches[at].ids).await;
        let answer = answer.expect("the server answers");
        self.batches[at].acknowledged = answer.status().is_success();
        let after = answer.headers().get("retry-after");
        let after = after.map(|after| after.to_str().expect("text").to_owned());
        (answer.status().as_u16(), after)
    }

    /// Sends once more what was not acknowledged.
    pub(crate) async fn send_again(&mut self, server: &Process) {
        for at in 0..self.batches.len() {
            if !self.batches[at].acknowledged {
                let ids = self.batches[at].ids.clone();
                assert!(
                    self.send(server.otlp_http, at, &ids).await,
                    "the server takes it now"
                );
                self.batches[at].acknowledged = true;
            }
        }
    }

    /// Sends everything once more, as one does that never got an answer.
    pub(crate) async fn send_all_again(&mut self, server: &Process) {
        self.batches
            .iter_mut()
            .for_each(|batch| batch.acknowledged = false);
        self.send_again(server).await;
    }

    /// The ids of all spans sent, sorted.
    pub(crate) fn sent(&self) -> Vec<u64> {
        self.batches
            .iter()
            .flat_map(|batch| batch.ids.iter().copied())
            .collect()
    }

    /// Forgets the acknowledgement of batches that are gone. How many spans those are; an error if
    /// what is stored cannot be explained so.
    pub(crate) fn lose(&mut self, stored: &[u64]) -> Result<usize, String> {
        let there: BTreeSet<u64> = stored.iter().copied().collect();
        if there.len() != stored.len() {
            return Err("a span is there twice".to_owned());
        }
        let mut explained = 0;
        let mut lost = 0;
        for batch in &mut self.batches {
            let kept = batch.ids.iter().filter(|id| there.contains(id)).count();
            if kept != 0 && kept != batch.ids.len() {
                return Err(format!(
                    "{kept} spans of a batch are there: {:?}",
                    batch.ids
                ));
            }
            explained += kept;
            if kept == 0 && batch.acknowledged {
                lost += batch.ids.len();
                batch.acknowledged = false;
            }
        }
        match explained == there.len() {
            true => Ok(lost),
            false => Err("there are spans that nobody sent".to_owned()),
        }
    }

    /// The ids of all spans that were acknowledged.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = u64> {
        let batches = self.batches.iter().filter(|batch| batch.acknowledged);
        batches.flat_map(|batch| batch.ids.iter().copied())
    }

    async fn send(&self, server: SocketAddr, at: usize, ids: &[u64]) -> bool {
        let answer = self.answer(server, at, ids).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    async fn answer(
        &self,
        server: SocketAddr,
        at: usize,
        ids: &[u64],
    ) -> Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let spans: Vec<Span> = ids.iter().map(|id| self.span(*id)).collect();
        let body = wire::Request::Traces(wire::traces_request(&spans)).to_protobuf();
        let mut request = Request::post(format!("http://{server}/v1/traces"))
            .header("content-type", "application/x-protobuf");
        if let Some(environment) = &self.environment {
            request = request
                .header("x-throughline-environment", environment)
                .header("x-throughline-sequence", at + 1)
                .header("x-throughline-function", "checkout")
                .header("x-throughline-ledger", self.ledger(at));
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .expect("a good request");
        self.client.request(request).await
    }

    /// What an extension would say when it sends a batch for the first time.
    fn ledger(&self, at: usize) -> String {
        let (sealed, accepted) = (at as u64 + 1, (at as u64 + 1) * SPANS_A_BATCH);
        let delivered = accepted - SPANS_A_BATCH;
        serde_json::json!({
            "v": 1, "revision": sealed, "sealed": sealed, "accepted": accepted, "delivered": delivered,
            "waiting": SPANS_A_BATCH, "final": false,
        })
        .to_string()
    }

    fn span(&self, id: u64) -> Span {
        Span {
            trace_id: self.trace_id,
            span_id: SpanId::new(id.to_be_bytes()).expect("not zero"),
            parent_id: None,
            trace_state: String::new(),
            name: format!("span {id}"),
            kind: SpanKind::Internal,
            start: UnixNanos(1_795_228_800_000_000_000 + id),
            end: UnixNanos(1_795_228_800_000_000_000 + id + 5),
            status: SpanStatus::Unset,
            status_message: String::new(),
            attributes: Attributes::default(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::new(Resource::default()),
            scope: Arc::new(Scope::default()),
        }
    }
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A user without rights, on most systems.
pub(crate) const NOBODY: u32 = 65534;
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_throughline");
const SPANS_A_BATCH: u64 = 8;
/// Far longer than it takes, so that a slow machine is not an error.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
