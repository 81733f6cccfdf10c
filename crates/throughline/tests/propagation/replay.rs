//! Events that nobody can work on yet, until they are replayed from an archive of their bus.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::ReplayDestination;
use serde_json::Value;

use crate::media::LANGUAGES;

/// How functions are told to put such an event.
pub(crate) const REPLAYED: &str = "replayed";

/// The bus, its archive, and who puts events on it.
pub(crate) const KEPT: &str = "kept";

/// Makes the bus, and has it keep its events.
pub(crate) async fn keep(moto: &str) {
    let events = client(moto);
    let bus = events.create_event_bus().name(KEPT).send().await;
    bus.expect("the bus is made");
    let archive = events.create_archive().archive_name(KEPT);
    let archive = archive.event_source_arn(arn("event-bus")).send().await;
    archive.expect("the archive is made");
}

/// Replays all that was put, as soon as each language has put one, and that once. Never ends.
pub(crate) async fn replay(moto: &str) {
    let events = client(moto);
    let mut again = tokio::time::interval(PAUSE);
    loop {
        again.tick().await;
        let archive = events.describe_archive().archive_name(KEPT).send().await;
        let count = archive.expect("the archive is there").event_count();
        if usize::try_from(count).is_ok_and(|count| count >= LANGUAGES.len()) {
            break;
        }
    }
    let bus = ReplayDestination::builder().arn(arn("event-bus")).build();
    let replay = events.start_replay().replay_name(REPLAYED);
    let replay = replay.event_source_arn(arn("archive"));
    let replay = replay.destination(bus.expect("it has an ARN"));
    let replay = replay.event_start_time(DateTime::from_secs(0));
    let replay = replay.event_end_time(DateTime::from_secs(i64::from(u32::MAX)));
    replay.send().await.expect("events are replayed");
    std::future::pending().await
}

/// What is missing of the deliveries to `to` in the story of an event that was replayed.
pub(crate) fn missing(story: &Value, to: &str) -> Option<String> {
    let spans = story["spans"].as_array().into_iter().flatten();
    let of_function = spans.filter(|span| span["service"] == to);
    let invocations =
        of_function.filter_map(|span| span["attributes"]["faas.invocation_id"].as_str());
    let had = invocations.collect::<BTreeSet<_>>().len();
    (had < DELIVERIES)
        .then(|| format!("{had} deliveries to {to} are in the story that was replayed"))
}

fn client(moto: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(moto)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::for_tests());
    Client::from_conf(config.build())
}

fn arn(kind: &str) -> String {
    format!("arn:aws:events:us-east-1:123456789012:{kind}/{KEPT}")
}

/// The first and the replayed one.
const DELIVERIES: usize = 2;
const PAUSE: Duration = Duration::from_millis(500);
