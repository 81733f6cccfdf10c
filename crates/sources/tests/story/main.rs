//! Sources from outside: a real server that speaks AWS, a sandbox, and functions that say what they got.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use throughline_sandbox::{Activity, EventSource, Function, RunningSandbox, Sandbox};
use throughline_sources::{Aws, Endpoint, RunningSources, SourceEvent, Sources, What};
use tokio::sync::broadcast::Receiver;

mod broker;
mod destinations;
mod headers;
mod kafka;
mod moto;
mod rabbitmq;
mod resources;
mod servers;
mod sqs;
mod streams;
mod subscribed;
mod template;

/// Generous, since the machine may be busy with anything.
const DEADLINE: Duration = Duration::from_secs(60);

/// An application at work beside an endpoint.
struct Story {
    sandbox: RunningSandbox,
    sources: RunningSources,
    lines: Receiver<Activity>,
    told: Receiver<SourceEvent>,
    _state: TempDir,
}

/// What a function says of an invocation.
#[derive(Debug)]
struct Told {
    event: Value,
    request_id: String,
    trace: String,
}

fn endpoint(moto: &str) -> Endpoint {
    moto.parse().unwrap()
}

fn function(name: &str, source: EventSource) -> Function {
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/story/function");
    Function::new(name, code)
        .timeout(Duration::from_secs(20))
        .source(source)
}

impl Story {
    async fn begin(moto: &str, function: Function) -> Self {
        let begun = Self::try_begin(moto, Sandbox::new(), function).await;
        begun.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn try_begin(
        moto: &str,
        sandbox: Sandbox,
        function: Function,
    ) -> Result<Self, throughline_sources::SourceError> {
        let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let function = function.env("STATE", state.path().to_str().unwrap());
        let sandbox = sandbox.function(function).start().await.unwrap();
        let lines = sandbox.activity();
        let sources = Sources::new(sandbox.invoker(), sandbox.activity())
            .endpoint(Some(endpoint(moto)))
            .start()
            .await?;
        Ok(Self {
            told: sources.events(),
            sandbox,
            sources,
            lines,
            _state: state,
        })
    }

    /// The next event that the function gets.
    async fn event(&mut self) -> Told {
        let told = async {
            loop {
                if let Activity::Line(line) = self.lines.recv().await.unwrap() {
                    match line.text.strip_prefix("EVENT ") {
                        Some(text) => return serde_json::from_str::<Value>(text).unwrap(),
                        None => eprintln!("{}", line.text),
                    }
                }
            }
        };
        let told = tokio::time::timeout(DEADLINE, told).await;
        let mut told = told.unwrap_or_else(|_| panic!("no event: {:?}", self.sources.counts()));
        Told {
            event: told["event"].take(),
            request_id: told["request_id"].as_str().unwrap().to_owned(),
            trace: told["trace"].as_str().unwrap().to_owned(),
        }
    }

    /// Waits until the source tells something of this kind.
    async fn until(&mut self, wanted: impl Fn(&What) -> bool) -> What {
        let told = async {
            loop {
                let told = self.told.recv().await.unwrap().what;
                eprintln!("{told:?}");
                if wanted(&told) {
                    return told;
                }
            }
        };
        let told = tokio::time::timeout(DEADLINE, told).await;
        told.expect("the source does not tell it")
    }

    async fn end(self) {
        self.sources.shutdown().await;
        self.sandbox.shutdown().await;
    }
}

/// Asks again until there is an answer.
async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let answered = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let answered = tokio::time::timeout(DEADLINE, answered).await;
    answered.unwrap_or_else(|_| panic!("{what}: not in time"))
}

fn file_in(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
