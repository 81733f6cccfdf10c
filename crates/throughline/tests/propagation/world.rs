//! Everything real: moto, Kafka's broker where it is installed, the server, and a sandbox with functions in three
//! languages, their layers and the extension.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rskafka::client::ClientBuilder;
use serde_json::Value;
use tokio::sync::watch;

use crate::application::{self, Places};
use crate::broker::{self, Broker, free_port};
use crate::media::cells_in;
use crate::moto::moto;
use crate::rabbit;
use crate::replay;
use crate::server::Server;
use crate::servers::Servers;

/// What a function said that it got: its name and the invocation, and the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) function: String,
    pub(crate) request_id: String,
    pub(crate) cells: Vec<String>,
}

/// All of it, for as long as it is kept.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) has_kafka: bool,
    pub(crate) moto: &'static str,
    sandbox: Child,
    api: String,
    got: Arc<Mutex<Vec<Got>>>,
    lines: watch::Receiver<usize>,
    client: Client<HttpConnector, Full<Bytes>>,
    _broker: Option<Broker>,
    servers: Option<Servers>,
    _folder: tempfile::TempDir,
}

impl World {
    /// For the crowd or for the table. `None`, with a printed reason, where something is not installed.
    pub(crate) async fn start(crowd: bool) -> Option<Self> {
        let moto = moto()?;
        let packages = packages()?;
        let extension = Path::new(env!("CARGO_BIN_EXE_throughline")).with_file_name(EXTENSION);
        if !extension.exists() {
            eprintln!("skipped: the extension is not built: cargo build --workspace --bins");
            return None;
        }
        if !crowd {
            replay::keep(moto).await;
        }
        let broker = (!crowd).then(|| broker::start(FIRST_DOOR)).flatten();
        let kafka = match &broker {
            Some(broker) => {
                topic(&broker.address).await;
                Some(broker.address.clone())
            }
            None => None,
        };
        let wanted: Vec<_> = SERVERS.iter().map(|(name, _)| *name).collect();
        let servers = (!crowd).then(|| Servers::start(&wanted)).flatten();
        let served: Vec<_> = SERVERS
            .iter()
            .filter_map(|(name, variable)| {
                let address = servers.as_ref()?.address(name)?;
                Some((*name, *variable, address))
            })
            .collect();
        for (_, _, address) in served.iter().filter(|(name, ..)| *name == RABBITMQ) {
            let made = tokio::time::timeout(DEADLINE, rabbit::make_queues(address));
            made.await.expect("RabbitMQ starts");
        }
        // Environments see this folder as we do; the system's temporary one they do not.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let local = || format!("127.0.0.1:{}", free_port());
        let places = Places {
            urls: crate::media::LANGUAGES.map(|language| (language, local())),
            api: local(),
            kafka: kafka.clone(),
            served: served.clone(),
            crowd,
        };
        application::write(folder.path(), &packages, &places);
        let server = Server::start();
        let mut doors: Vec<_> = kafka
            .map(|address| ("kafka", address))
            .into_iter()
            .chain(served.into_iter().map(|(name, _, address)| (name, address)))
            .collect();
        doors.extend([("otlp", server.otlp_http.clone()), ("api", places.api)]);
        doors.extend(places.urls);
        let (sandbox, api, got, lines) = sandbox(folder.path(), &server, &extension, moto, &doors);
        Some(World {
            has_kafka: broker.is_some(),
            moto,
            server,
            sandbox,
            api,
            got,
            lines,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _broker: broker,
            servers,
            _folder: folder,
        })
    }

    /// Whether a server is there that the tests of the layers use, too.
    pub(crate) fn serves(&self, name: &str) -> bool {
        let servers = self.servers.as_ref();
        servers.is_some_and(|servers| servers.address(name).is_some())
    }

    /// Has a function send, as part of the trace; or says why it did not.
    pub(crate) async fn send(
        &self,
        function: &str,
        event: &Value,
        trace_id: &str,
    ) -> Result<(), String> {
        self.invoke(function, event, trace_id, "RequestResponse")
            .await
    }

    /// Has a function send when there is an environment for it, and does not wait for that.
    pub(crate) async fn send_later(
        &self,
        function: &str,
        event: &Value,
        trace_id: &str,
    ) -> Result<(), String> {
        self.invoke(function, event, trace_id, "Event").await
    }

    async fn invoke(
        &self,
        function: &str,
        event: &Value,
        trace_id: &str,
        kind: &str,
    ) -> Result<(), String> {
        let uri = format!("{}/2015-03-31/functions/{function}/invocations", self.api);
        let (time, rest) = trace_id.split_at(8);
        let request = Request::post(uri)
            .header("x-amzn-trace-id", format!("Root=1-{time}-{rest}"))
            .header("x-amz-invocation-type", kind);
        let request = request.body(Full::from(event.to_string())).unwrap();
        let answer = self.client.request(request).await.unwrap();
        let failed = answer.headers().contains_key("x-amz-function-error");
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        match status.is_success() && !failed {
            true => Ok(()),
            false => Err(format!(
                "{function} {event}: {}",
                String::from_utf8_lossy(&body)
            )),
        }
    }

    /// All that was got, once that is enough; or what is there when nothing more has come for long.
    pub(crate) async fn got_when(&self, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let mut lines = self.lines.clone();
        while !enough(&self.got.lock().unwrap()) {
            let more = tokio::time::timeout(DEADLINE, lines.changed()).await;
            if !matches!(more, Ok(Ok(()))) {
                break;
            }
        }
        self.got.lock().unwrap().clone()
    }

    /// Ends the environments, whose extensions send what they still have.
    pub(crate) fn end_sandbox(&mut self) {
        if let Ok(pid) = i32::try_from(self.sandbox.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let _ = self.sandbox.wait();
    }

    /// Everything of a kind that the server has: `spans` or `logs`.
    pub(crate) async fn all(&self, kind: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/{kind}?limit={PAGE}{cursor}");
            let mut page = self.server.load(&path).await.unwrap();
            match page[kind].take() {
                Value::Array(found) => rows.extend(found),
                other => panic!("no {kind}: {other}"),
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

type Started = (Child, String, Arc<Mutex<Vec<Got>>>, watch::Receiver<usize>);

fn sandbox(
    folder: &Path,
    server: &Server,
    extension: &Path,
    moto: &str,
    doors: &[(&str, String)],
) -> Started {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    command.args(["sandbox", "--json", "--api", "127.0.0.1:0", "--no-watch"]);
    command
        .args(["--aws-endpoint", moto])
        .arg("--extension")
        .arg(extension);
    let endpoint = format!("THROUGHLINE_ENDPOINT=http://{}", server.otlp_http);
    command.args(["--env", &endpoint, "--env", "THROUGHLINE_PAYLOADS=all"]);
    for (name, address) in doors {
        command.args(["--door", &format!("{name}={address}")]);
    }
    let mut child = command
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let started = lines.next().expect("the sandbox starts");
    let started: Value = serde_json::from_str(&started).unwrap();
    let got: Arc<Mutex<Vec<Got>>> = Arc::default();
    let (sender, count) = watch::channel(0);
    let kept = got.clone();
    std::thread::spawn(move || {
        let mut at_work: BTreeMap<String, Got> = BTreeMap::new();
        let mut poisoned = BTreeSet::new();
        for line in lines {
            let told: Value = serde_json::from_str(&line).unwrap_or_default();
            let of = |told: &Value| told["request_id"].as_str().map(str::to_owned);
            if told["text"]
                .as_str()
                .is_some_and(|text| text.contains(POISON))
            {
                poisoned.extend(of(&told));
            }
            if is_trouble(&told) && of(&told).is_none_or(|id| !poisoned.contains(&id)) {
                eprintln!("sandbox: {line:.500}");
            }
            if let Some(one) = got_in(&told) {
                at_work.insert(one.request_id.clone(), one);
                continue;
            }
            // Not before the invocation is over, since its spans are sent after the line is.
            let is_over = told["type"] == "invocation";
            let id = told["request_id"].as_str().filter(|_| is_over);
            if let Some(one) = id.and_then(|id| at_work.remove(id)) {
                kept.lock().unwrap().push(one);
                sender.send_modify(|count| *count += 1);
            }
        }
    });
    (
        child,
        started["api"].as_str().unwrap().to_owned(),
        got,
        count,
    )
}

/// An invocation that failed, or a word of a layer about itself.
fn is_trouble(told: &Value) -> bool {
    let is = |key: &str, wanted: fn(&str) -> bool| told[key].as_str().is_some_and(wanted);
    is("verdict", |verdict| verdict != "ok") || is("text", |text| text.starts_with("throughline"))
}

fn got_in(told: &Value) -> Option<Got> {
    let (_, cells) = told["text"].as_str()?.split_once("GOT ")?;
    Some(Got {
        function: told["function"].as_str()?.to_owned(),
        request_id: told["request_id"].as_str()?.to_owned(),
        cells: cells_in(cells).into_iter().collect(),
    })
}

/// Where `scripts/clients` has put the SDKs of Node and Python.
fn packages() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/clients");
    let told = Command::new(script)
        .args(["where", "hops"])
        .output()
        .unwrap();
    if !told.status.success() {
        eprintln!(
            "skipped: the SDKs of Node and Python are not installed; scripts/clients installs them"
        );
        return None;
    }
    Some(PathBuf::from(
        String::from_utf8(told.stdout).unwrap().trim(),
    ))
}

/// Makes the topic once the broker is up.
async fn topic(broker: &str) {
    let made = async {
        let client = ClientBuilder::new(vec![broker.to_owned()])
            .build()
            .await
            .unwrap();
        loop {
            if let Ok(controller) = client.controller_client()
                && controller.create_topic("topic", 1, 1, 5000).await.is_ok()
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, made)
        .await
        .expect("Kafka's broker starts");
}

/// Attributes of a span, as far as they are texts.
pub(crate) fn texts(span: &Value, attribute: &str) -> Vec<String> {
    let values = span["attributes"][attribute]
        .as_array()
        .into_iter()
        .flatten();
    values
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Other people's servers, and the variables in which functions have their addresses.
const SERVERS: [(&str, &str); 5] = [
    (RABBITMQ, "RABBITMQ"),
    ("postgres", "POSTGRES"),
    ("mariadb", "MARIADB"),
    ("mongodb", "MONGODB"),
    ("redis", "REDIS"),
];
/// How the broker is called among them.
pub(crate) const RABBITMQ: &str = "rabbitmq";
/// Where the first door is inside. The broker is there outside, too, since it tells its clients where it is.
const FIRST_DOOR: &str = "127.0.1.1";
/// What a function says before it fails, as it is meant to.
const POISON: &str = "POISON";
const EXTENSION: &str = "throughline-extension";
/// Nothing that is not broken takes so long, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(120);
/// What the server gives at once.
const PAGE: usize = 500;
