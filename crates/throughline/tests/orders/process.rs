//! The product's programs as processes, and what they answer over HTTP.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

/// A program of ours that says in one line of JSON where it listens. It ends with this value.
pub(crate) struct Process {
    child: Child,
    told: Value,
}

impl Process {
    pub(crate) fn start(arguments: &[&str], data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
            .current_dir(root())
            .args(arguments)
            .arg("--data-dir")
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let told = serde_json::from_str(&line).expect("it does not start");
        Self { child, told }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.told[name].as_str().unwrap().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// A server over the data of a demo.
pub(crate) struct Server {
    client: Http,
    address: String,
    _process: Process,
    _data: tempfile::TempDir,
}

impl Server {
    pub(crate) fn over(data: tempfile::TempDir) -> Self {
        let any = "127.0.0.1:0";
        let listen = ["--http", any, "--otlp-http", any, "--otlp-grpc", any];
        let arguments = [&["serve", "--json"], listen.as_slice()].concat();
        let process = Process::start(&arguments, data.path());
        Self {
            client: client(),
            address: process.text("http"),
            _process: process,
            _data: data,
        }
    }

    pub(crate) async fn load(&self, path: &str) -> Value {
        json(&self.client, &format!("http://{}{path}", self.address)).await
    }

    /// The rows that answer a statement of SQL.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        let request = Request::post(format!("http://{}/api/v1/sql", self.address))
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(Full::from(json!({ "sql": sql }).to_string()))
            .unwrap();
        let mut answer = body(&self.client, request).await;
        match answer["rows"].take() {
            Value::Array(rows) if answer["truncated"] == false => rows,
            _ => panic!("{sql}: {answer}"),
        }
    }
}

/// Whether there is an AWS for the functions; if not, that is printed.
pub(crate) fn has_moto() -> bool {
    let moto = Command::new(root().join("scripts/moto")).output();
    let has_moto = moto.is_ok_and(|moto| moto.status.success());
    if !has_moto {
        eprintln!("skipped: moto's server is not installed; scripts/moto installs it");
    }
    has_moto
}

pub(crate) fn client() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) async fn json(client: &Http, url: &str) -> Value {
    let request = Request::get(url).body(Full::default()).unwrap();
    body(client, request).await
}

async fn body(client: &Http, request: Request<Full<Bytes>>) -> Value {
    let answer = client.request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
