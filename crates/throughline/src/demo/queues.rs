//! What CloudWatch would tell of the queues of the example, told to the server: the demo has none.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use throughline_sources::{DeclaredQueues, QueueDepth};
use throughline_telemetry::UnixNanos;
use tokio::time::MissedTickBehavior;

/// Tells how much lies in the queues, as long as it is polled. What could not be told is told the next time.
pub(super) async fn tell(queues: DeclaredQueues, metrics_url: String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut looks = tokio::time::interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let depths = queues.ask().await;
        if depths.is_empty() {
            continue;
        }
        let body = metrics(&depths, now()).to_string();
        let request = Request::post(&metrics_url)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)));
        let Ok(request) = request else { return };
        let telling = async {
            if let Ok(answer) = client.request(request).await {
                let _ = answer.into_body().collect().await;
            }
        };
        let _ = tokio::time::timeout(EVERY, telling).await;
    }
}

/// As OTLP, by the names that CloudWatch has for them.
fn metrics(depths: &[QueueDepth], now: UnixNanos) -> Value {
    let metric = |name: &str, value: fn(&QueueDepth) -> u64| {
        let points = depths.iter().map(|depth| {
            json!({"timeUnixNano": now.0.to_string(), "asInt": value(depth).to_string(),
                "attributes": attributes(depth)})
        });
        let points: Vec<Value> = points.collect();
        json!({"name": name, "unit": "{Count}", "gauge": {"dataPoints": points}})
    };
    let metrics = [
        metric("ApproximateNumberOfMessagesVisible", |it| it.visible),
        metric("ApproximateNumberOfMessagesNotVisible", |it| it.not_visible),
        metric("ApproximateNumberOfMessagesDelayed", |it| it.delayed),
    ];
    let resource = json!({"attributes": [text("cloud.provider", "aws")]});
    json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]})
}

fn attributes(depth: &QueueDepth) -> Value {
    let dead = depth.dead_letter_queue.as_ref();
    let dead = dead.map(|dead| text("throughline.queue.gives_up_to", dead));
    let name = text("QueueName", &depth.queue);
    std::iter::once(name).chain(dead).collect()
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

#[allow(clippy::disallowed_methods)] // an edge: points say when they were measured
fn now() -> UnixNanos {
    SystemTime::now().into()
}

/// CloudWatch measures once a minute; of several of a minute the greatest counts.
const EVERY: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use throughline_telemetry::Signal;
    use throughline_telemetry::wire::Request;

    use super::*;

    #[test]
    fn what_is_told_is_otlp() {
        let depth = QueueDepth {
            queue: "notifications".to_owned(),
            visible: 3,
            not_visible: 2,
            delayed: 0,
            dead_letter_queue: Some("undeliverable".to_owned()),
        };
        let told = metrics(&[depth], UnixNanos(7));
        assert!(Request::from_json(Signal::Metrics, told.to_string().as_bytes()).is_ok());
        let visible = &told["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        let point = &visible["gauge"]["dataPoints"][0];
        assert_eq!(
            *point,
            json!({"timeUnixNano": "7", "asInt": "3", "attributes": [
                {"key": "QueueName", "value": {"stringValue": "notifications"}},
                {"key": "throughline.queue.gives_up_to", "value": {"stringValue": "undeliverable"}},
            ]})
        );
    }
}
