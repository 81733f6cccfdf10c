//! What tests of one part share: invocations without a runtime, and what was told of them.

use std::future::Future;
use std::sync::Arc;

use throughline_telemetry::Span;
use throughline_testkit::FakeIntake;

use crate::current::Scoped;
use crate::sdk::{About, Sdk};
use crate::settings::Settings;

pub(crate) struct Trial {
    intake: FakeIntake,
    sdk: Arc<Sdk>,
}

impl Trial {
    /// With these variables besides those that it needs.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let intake = FakeIntake::start().await;
        let settings = Settings::from_source(|name| match name {
            "THROUGHLINE_OTLP_LISTEN" => intake.endpoint().replace("http://", ""),
            // Trials run at the same time.
            "AWS_LAMBDA_MAX_CONCURRENCY" => "2".to_owned(),
            _ => {
                let mut all = variables.iter();
                let found = all.find(|(key, _)| *key == name);
                found.map_or(String::new(), |(_, value)| (*value).to_owned())
            }
        });
        let sdk = Sdk::new(settings.expect("it is not switched off"));
        Trial { intake, sdk }
    }

    /// Does `work` as a handler does.
    pub(crate) async fn invocation<F: Future>(&self, work: F) -> F::Output {
        let about = About {
            request_id: "request",
            deadline: 0,
            arn: "",
            trace_header: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=00000000000000aa",
            client_context: "",
        };
        let span = self.sdk.begin(b"{}", about).expect("somebody listens");
        let done = Scoped::new(Some(span.clone()), work).await;
        self.sdk.finish(&span);
        done
    }

    /// What was told of the invocation.
    pub(crate) async fn every_span(&self) -> Vec<Span> {
        let is_told = |span: &Span| span.name == "invocation";
        let told = self.intake.wait_for("the invocation", |received| {
            received.spans.iter().any(is_told)
        });
        told.await.spans
    }

    /// The same by name.
    #[cfg(any(feature = "opentelemetry", feature = "reqwest"))]
    pub(crate) async fn spans(&self) -> std::collections::HashMap<String, Span> {
        let spans = self.every_span().await.into_iter();
        spans.map(|span| (span.name.clone(), span)).collect()
    }
}
