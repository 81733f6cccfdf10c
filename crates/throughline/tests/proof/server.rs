//! `throughline serve` as a process that can be killed and started again in the same place.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The server, its addresses and its directory.
pub(crate) struct Server {
    child: Child,
    directory: tempfile::TempDir,
    http: String,
    /// `host:port` of OTLP over HTTP.
    pub(crate) otlp_http: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let anywhere = "127.0.0.1:0";
        let (child, http, otlp_http) = spawn(directory.path(), anywhere, anywhere);
        Server {
            child,
            directory,
            http,
            otlp_http,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Where all of it is kept.
    #[allow(dead_code)] // the proof asks the server alone
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// SIGKILL, and the same again.
    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        let (child, ..) = spawn(self.directory.path(), &self.http, &self.otlp_http);
        self.child = child;
    }

    /// The answer to a GET, if it is 200.
    pub(crate) async fn load(&self, path: &str) -> Result<Value, String> {
        let uri = format!("http://{}{path}", self.http);
        let request = Request::get(uri).body(Full::default());
        self.ask(request.map_err(|error| error.to_string())?).await
    }

    /// The answer to a POST of text, if it is 200.
    pub(crate) async fn send(&self, path: &str, text: String) -> Result<Value, String> {
        let uri = format!("http://{}{path}", self.http);
        let request = Request::post(uri).header("content-type", "text/plain");
        let request = request.body(Full::from(text));
        self.ask(request.map_err(|error| error.to_string())?).await
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Value, String> {
        let path = request.uri().to_string();
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| format!("{path}: {error}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| format!("{path}: {error}"))?.to_bytes();
        if !status.is_success() {
            let text = String::from_utf8_lossy(&body);
            return Err(format!("{path}: {status} {text}"));
        }
        serde_json::from_slice(&body).map_err(|error| format!("{path}: {error}"))
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The process, and where it listens for the page and for OTLP over HTTP.
fn spawn(directory: &Path, http: &str, otlp_http: &str) -> (Child, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["serve", "--json", "--otlp-grpc", "127.0.0.1:0"])
        .args(["--http", http, "--otlp-http", otlp_http, "--data-dir"])
        .arg(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    let output = child.stdout.take().expect("its output is piped");
    let read = BufReader::new(output).read_line(&mut line);
    read.expect("a line of addresses");
    let addresses: Value = serde_json::from_str(&line).expect("addresses as JSON");
    let address = |name: &str| addresses[name].as_str().expect("an address").to_owned();
    (child, address("http"), address("otlp_http"))
}
