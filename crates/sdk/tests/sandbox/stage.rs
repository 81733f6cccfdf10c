//! One run of the function: what was called, and what arrived.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use throughline_sandbox::{Function, Invoke, Sandbox};
use throughline_telemetry::Span;
use throughline_testkit::{FakeIntake, Received};

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT: &str = "b7ad6b7169203331";

pub(crate) struct Call {
    pub(crate) event: Value,
    pub(crate) request_id: String,
    /// Without what differs from run to run.
    pub(crate) answer: Value,
    /// What the function printed, without the same.
    pub(crate) lines: Vec<String>,
}

pub(crate) struct Stage {
    pub(crate) calls: Vec<Call>,
    received: Received,
}

impl Stage {
    /// Calls one of the functions that this program is with each event; `layer` is `THROUGHLINE_LAYER`.
    pub(crate) async fn play(name: &str, layer: &str, events: Vec<Value>) -> Self {
        Self::play_with(name, &[("THROUGHLINE_LAYER", layer)], events).await
    }

    /// The same with variables.
    pub(crate) async fn play_with(
        name: &str,
        variables: &[(&str, &str)],
        events: Vec<Value>,
    ) -> Self {
        let intake = FakeIntake::start().await;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let own = std::env::current_exe().unwrap();
        std::fs::hard_link(&own, folder.path().join("bootstrap")).unwrap();
        let moto = super::moto::moto().unwrap_or_default();
        let mut function = Function::new("shop", folder.path())
            .timeout(TIMEOUT)
            .memory_mb(1_769)
            .env(FUNCTION, name)
            .env("AWS_ENDPOINT_URL", moto)
            .env("THROUGHLINE_ENDPOINT", intake.endpoint());
        for (name, value) in variables {
            function = function.env(*name, *value);
        }
        let sandbox = Sandbox::new().function(function).extension(extension(&own));
        let sandbox = sandbox.start().await.unwrap();
        let mut calls = Vec::new();
        for event in events {
            let invoke = Invoke::new("shop").payload(event.to_string());
            let (answer, finished) = sandbox.call_to_end(invoke).await.unwrap();
            let request_id = finished.request_id;
            let plain = |text: &str| text.replace(&request_id, "ID");
            calls.push(Call {
                event,
                answer: serde_json::from_str(&plain(&answer.text())).unwrap(),
                lines: Vec::new(),
                request_id,
            });
        }
        sandbox.shutdown().await;
        let received = intake.received();
        for call in &mut calls {
            call.lines = lines(&received, &call.request_id);
        }
        Stage { calls, received }
    }

    /// The platform's span of a call and the SDK's, of each of which there is one.
    pub(crate) fn pair(&self, call: &Call) -> (&Span, &Span) {
        let of =
            |span: &&Span| span.attributes.text("faas.invocation_id") == Some(&call.request_id);
        let spans: Vec<&Span> = self.received.spans.iter().filter(of).collect();
        let by = |scope: &str| {
            let its = spans.iter().filter(|span| span.scope.name == scope);
            let its: Vec<_> = its.filter(|span| span.name == "shop").collect();
            assert_eq!(
                its.len(),
                1,
                "spans by {scope} of {}: {spans:#?}",
                call.event
            );
            *its[0]
        };
        (by("throughline.platform"), by("throughline.rust"))
    }

    pub(crate) fn spans(&self, name: &str) -> Vec<&Span> {
        let spans = self.received.spans.iter();
        spans.filter(|span| span.name == name).collect()
    }

    /// The spans right below this one.
    pub(crate) fn below(&self, span: &Span) -> Vec<&Span> {
        let spans = self.received.spans.iter();
        spans
            .filter(|below| below.parent_id == Some(span.span_id))
            .collect()
    }

    pub(crate) fn everything(&self) -> &Received {
        &self.received
    }

    /// The one span of this name.
    pub(crate) fn span(&self, name: &str) -> &Span {
        let named = self.spans(name);
        assert_eq!(named.len(), 1, "{name}");
        named[0]
    }
}

/// What the function itself printed during an invocation.
fn lines(received: &Received, request_id: &str) -> Vec<String> {
    let own = received.logs.iter().map(|log| log.body.to_text());
    let own = own.filter(|line| line.contains("order") || line.contains("fail"));
    own.map(|line| line.replace(request_id, "ID")).collect()
}

fn extension(own: &Path) -> std::path::PathBuf {
    let folder = own.parent().and_then(Path::parent).unwrap();
    let extension = folder.join("throughline-extension");
    assert!(
        extension.exists(),
        "the extension is not built: cargo build --workspace --bins"
    );
    extension
}

/// Which of the functions the program is.
pub(crate) const FUNCTION: &str = "FUNCTION";
/// Of each invocation; the last one needs it.
const TIMEOUT: Duration = Duration::from_secs(3);
