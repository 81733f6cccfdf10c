//! Messages that a function cannot work on, until they are put back from the dead-letter queue.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use serde_json::Value;

use crate::media::LANGUAGES;

/// How functions are told to send such a message.
pub(crate) const REDRIVEN: &str = "redriven";

/// How often a function gets one before it is among the dead.
pub(crate) const ATTEMPTS: usize = 2;

/// Puts back what is among the dead, as soon as it is. Never ends.
pub(crate) async fn put_back(moto: &str) {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(moto)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests());
    let sqs = Client::from_conf(config.build());
    let mut again = tokio::time::interval(PAUSE);
    loop {
        again.tick().await;
        for language in LANGUAGES {
            let task = sqs.start_message_move_task();
            let task = task.source_arn(arn(&format!("undeliverable-{language}")));
            // Its own queue would do as well, if the function were mended meanwhile.
            let task = task.destination_arn(arn(&format!("one-{language}")));
            task.send().await.expect("messages are put back");
        }
    }
}

/// What is missing of the attempts of `to` in the story of a message that was put back.
pub(crate) fn missing(story: &Value, to: &str) -> Option<String> {
    let spans = story["spans"].as_array().into_iter().flatten();
    let of_function = spans.filter(|span| span["service"] == to);
    let invocations = of_function.filter_map(|span| {
        let id = span["attributes"]["faas.invocation_id"].as_str()?;
        (span["status"] == "error").then_some(id)
    });
    let failed = invocations.collect::<BTreeSet<_>>().len();
    (failed < ATTEMPTS).then(|| format!("{failed} attempts of {to} are in the story that failed"))
}

pub(crate) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:123456789012:{queue}")
}

const PAUSE: Duration = Duration::from_millis(500);
