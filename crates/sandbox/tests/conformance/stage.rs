//! A sandbox whose processes are puppets: they run, and can be frozen and killed, but their calls are made by the test.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{Answer, Finished, Function, Invoke, RunningSandbox, Sandbox, World};
use tokio::task::JoinHandle;

use crate::http::{Response, request};

/// What is on the stage before the play begins.
pub(crate) struct Play {
    function: Function,
    sandbox: Sandbox,
    extensions: Vec<String>,
    folder: tempfile::TempDir,
}

impl Play {
    /// One function, `f`, in a sandbox that writes down every exchange.
    pub(crate) fn new() -> Self {
        // Not in /tmp, which environments may have of their own.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let code = folder.path().join("code");
        std::fs::create_dir(&code).unwrap();
        puppet(&code.join("bootstrap"));
        Self {
            function: Function::new("f", code).timeout(TIMEOUT),
            // The test calls the APIs from outside, where a world of its own would keep it out.
            // Time for whoever ends by itself, on a busy machine too.
            sandbox: Sandbox::new()
                .record()
                .world(World::Shared)
                .shutdown_timeout(Duration::from_secs(20), Duration::from_secs(10)),
            extensions: Vec::new(),
            folder,
        }
    }

    pub(crate) fn extension(mut self, name: &str) -> Self {
        self.extensions.push(name.to_owned());
        self
    }

    pub(crate) fn function(mut self, change: impl FnOnce(Function) -> Function) -> Self {
        self.function = change(self.function);
        self
    }

    pub(crate) fn sandbox(mut self, change: impl FnOnce(Sandbox) -> Sandbox) -> Self {
        self.sandbox = change(self.sandbox);
        self
    }

    pub(crate) async fn open(self) -> Stage {
        let mut sandbox = self
            .sandbox
            .env("STAGE", self.folder.path().display().to_string());
        let extensions = self.folder.path().join("extensions");
        std::fs::create_dir(&extensions).unwrap();
        for name in &self.extensions {
            puppet(&extensions.join(name));
        }
        if !self.extensions.is_empty() {
            sandbox = sandbox.extension(extensions);
        }
        let sandbox = sandbox.function(self.function).start().await.unwrap();
        Stage {
            sandbox: Arc::new(sandbox),
            folder: self.folder,
            met: Mutex::default(),
        }
    }
}

fn puppet(path: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/puppet");
    std::fs::copy(from, path).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The sandbox while the play goes on.
pub(crate) struct Stage {
    pub(crate) sandbox: Arc<RunningSandbox>,
    folder: tempfile::TempDir,
    met: Mutex<BTreeSet<PathBuf>>,
}

/// An invocation under way.
pub(crate) type Call = JoinHandle<(Answer, Finished)>;

impl Stage {
    pub(crate) fn invoke(&self) -> Call {
        self.call(Invoke::new("f"))
    }

    pub(crate) fn call(&self, invoke: Invoke) -> Call {
        let sandbox = self.sandbox.clone();
        tokio::spawn(async move { sandbox.call_to_end(invoke).await.unwrap() })
    }

    /// Waits for a new process of this name and speaks for it from then on.
    pub(crate) async fn meets(&self, name: &str) -> Puppet {
        within(name, async {
            loop {
                if let Some(puppet) = self.newcomer(name) {
                    return puppet;
                }
                tokio::time::sleep(LOOK).await;
            }
        })
        .await
    }

    pub(crate) async fn runtime(&self) -> Puppet {
        self.meets("bootstrap").await
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn newcomer(&self, name: &str) -> Option<Puppet> {
        let mut met = self.met.lock().unwrap();
        let entries = std::fs::read_dir(self.folder.path()).unwrap().flatten();
        let path = entries.map(|entry| entry.path()).find(|path| {
            let file = path.file_name().unwrap().to_string_lossy();
            file.starts_with(&format!("{name}."))
                && file.ends_with(".variables")
                && !met.contains(path)
        })?;
        met.insert(path.clone());
        Some(Puppet::new(name, &path))
    }

    /// Lets the time of the invocation that runs be over at once.
    pub(crate) fn times_out(&self) {
        self.sandbox.advance(TIMEOUT);
    }

    /// The whole of an environment's first init without extensions and the release of its first invocation.
    pub(crate) async fn first_call(&self) -> (Call, Puppet, Response) {
        let call = self.invoke();
        let runtime = self.runtime().await;
        let event = runtime.next().await;
        (call, runtime, event)
    }

    pub(crate) async fn shut_down(self) {
        let sandbox = Arc::try_unwrap(self.sandbox);
        sandbox
            .unwrap_or_else(|_| panic!("a call is still under way"))
            .shutdown()
            .await;
    }
}

/// A process of an environment.
pub(crate) struct Puppet {
    pub(crate) name: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) pid: i32,
    pipe: PathBuf,
    /// Of an extension that has registered.
    identifier: Mutex<Option<String>>,
}

impl Puppet {
    fn new(name: &str, variables: &Path) -> Self {
        let text = std::fs::read_to_string(variables).unwrap();
        let stem = variables
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let stem = stem.strip_suffix(".variables").unwrap();
        Self {
            name: name.to_owned(),
            variables: text
                .split_terminator('\0')
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            pid: stem.rsplit_once('.').unwrap().1.parse().unwrap(),
            pipe: variables.with_file_name(format!("{stem}.pipe")),
            identifier: Mutex::default(),
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Has the process itself do something, in the words of the shell.
    pub(crate) fn does(&self, what: &str) {
        let mut pipe = std::fs::OpenOptions::new()
            .write(true)
            .open(&self.pipe)
            .unwrap();
        writeln!(pipe, "{what}").unwrap();
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let api = self.variable("AWS_LAMBDA_RUNTIME_API").unwrap();
        let identifier = self.identifier.lock().unwrap().clone();
        let mut headers = headers.to_vec();
        if let Some(identifier) = &identifier
            && !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(IDENTIFIER))
        {
            headers.push((IDENTIFIER, identifier));
        }
        let uri = format!("http://{api}{path}");
        within(&uri, request(method, &uri, &headers, body)).await
    }

    /// The same process once more.
    pub(crate) fn again(&self) -> Self {
        Self {
            name: self.name.clone(),
            variables: self.variables.clone(),
            pid: self.pid,
            pipe: self.pipe.clone(),
            identifier: Mutex::new(self.identifier.lock().unwrap().clone()),
        }
    }

    /// The same, in a task of its own, for calls that wait.
    pub(crate) fn asks(&self, method: &str, path: &str) -> JoinHandle<Response> {
        let puppet = self.again();
        let (method, path) = (method.to_owned(), path.to_owned());
        tokio::spawn(async move { puppet.request(&method, &path, &[], "").await })
    }

    // As a runtime

    pub(crate) async fn next(&self) -> Response {
        self.request("GET", &format!("{RUNTIME}invocation/next"), &[], "")
            .await
    }

    pub(crate) fn asks_next(&self) -> JoinHandle<Response> {
        self.asks("GET", &format!("{RUNTIME}invocation/next"))
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.request("POST", &format!("{RUNTIME}{path}"), headers, body)
            .await
    }

    pub(crate) async fn responds(&self, event: &Response, body: &str) -> Response {
        let id = event.header(REQUEST_ID).unwrap();
        self.post(&format!("invocation/{id}/response"), &[], body)
            .await
    }

    // As an extension

    pub(crate) async fn registers(&self, events: &[&str]) -> Response {
        let name = self.name.clone();
        self.registers_as(&name, &json!({"events": events})).await
    }

    pub(crate) async fn registers_as(&self, name: &str, body: &Value) -> Response {
        let headers = [("lambda-extension-name", name)];
        let path = "/2020-01-01/extension/register";
        let response = self
            .request("POST", path, &headers, &body.to_string())
            .await;
        let identifier = response.header(IDENTIFIER).map(str::to_owned);
        *self.identifier.lock().unwrap() = identifier;
        response
    }

    pub(crate) fn identifier(&self) -> String {
        self.identifier.lock().unwrap().clone().unwrap()
    }

    pub(crate) fn asks_event(&self) -> JoinHandle<Response> {
        self.asks("GET", EVENT_NEXT)
    }

    pub(crate) async fn event(&self) -> Response {
        self.request("GET", EVENT_NEXT, &[], "").await
    }

    /// The state letter of the process, `None` when it is gone.
    pub(crate) fn state(&self) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }

    pub(crate) async fn until_state(&self, wanted: impl Fn(Option<char>) -> bool) {
        within("the state of a process", async {
            while !wanted(self.state()) {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
    }

    pub(crate) async fn until_gone(&self) {
        self.until_state(|state| matches!(state, None | Some('Z')))
            .await;
    }
}

/// Waits for what must come, and says what did not.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

pub(crate) const RUNTIME: &str = "/2018-06-01/runtime/";
pub(crate) const EVENT_NEXT: &str = "/2020-01-01/extension/event/next";
pub(crate) const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
pub(crate) const IDENTIFIER: &str = "lambda-extension-identifier";
/// Of the function, unless told.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// Generous, because a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a file or a process is looked at again.
const LOOK: Duration = Duration::from_millis(3);
