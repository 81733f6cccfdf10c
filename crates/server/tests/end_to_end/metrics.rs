//! Lines of metrics over HTTP.

use serde_json::{Value, json};
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use crate::harness::TestServer;

const SECOND: u64 = 1_000_000_000;

/// A counter of two services, of which one began anew, a gauge, and a histogram.
async fn server_with_metrics() -> TestServer {
    let server = TestServer::start().await;
    let counted = |values: &[(u64, u64)]| -> Vec<Value> {
        let points = values.iter().map(|(second, value)| {
            json!({"startTimeUnixNano": "1", "timeUnixNano": (second * SECOND).to_string(),
                "asInt": value.to_string(),
                "attributes": [{"key": "route", "value": {"stringValue": "/pay"}}]})
        });
        points.collect()
    };
    let of = |service: &str, points: Vec<Value>| {
        json!({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeMetrics": [{"metrics": [
            {"name": "requests", "unit": "1", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": points}},
            {"name": "memory", "unit": "By", "gauge": {"dataPoints": [
                {"timeUnixNano": (1005 * SECOND).to_string(), "asDouble": 2.5}]}},
            {"name": "latency", "unit": "ms", "histogram": {"aggregationTemporality": 1, "dataPoints": [
                {"timeUnixNano": (1005 * SECOND).to_string(), "count": "4", "sum": 60.0,
                    "explicitBounds": [10, 20], "bucketCounts": ["0", "4", "0"]}]}},
        ]}]})
    };
    let body = json!({"resourceMetrics": [
        of("shop", counted(&[(950, 10), (1005, 13), (1015, 2)])),
        of("mail", counted(&[(950, 100), (1005, 105)])),
    ]});
    let request = Request::from_json(Signal::Metrics, body.to_string().as_bytes());
    let body = request.expect("it is OTLP").to_protobuf();
    let answer = server.post_protobuf(Signal::Metrics, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server
}

/// From second 1000 to second 1020 in steps of ten.
async fn lines(server: &TestServer, query: &str) -> Value {
    let time = "from=1000000000000&to=1020000000000&step=10";
    server
        .json(&format!("/api/v1/metrics/range?{time}&{query}"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_listed_and_drawn() {
    let server = server_with_metrics().await;
    let list = server.json("/api/v1/metrics?from=0").await;
    let names: Vec<&str> = list["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| metric["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["latency", "memory", "requests"]);
    let requests = &list["metrics"][2];
    assert_eq!(
        (&requests["kind"], &requests["point_count"]),
        (&json!("sum"), &json!(5))
    );
    assert_eq!(
        requests["last_seen_unix_nanos"],
        (1015 * SECOND).to_string()
    );

    let rate = lines(&server, "name=requests").await;
    assert_eq!(
        (&rate["agg"], &rate["truncated"]),
        (&json!("rate"), &json!(false))
    );
    assert_eq!(rate["series"], json!([{"group": {}, "values": [0.8, 0.2]}]));
    let grouped = lines(
        &server,
        "name=requests&agg=sum&group_by=service&group_by=route",
    )
    .await;
    let expect = json!([
        {"group": {"service": "mail", "route": "/pay"}, "values": [5.0, null]},
        {"group": {"service": "shop", "route": "/pay"}, "values": [3.0, 2.0]},
    ]);
    assert_eq!(grouped["series"], expect);
    let shop = lines(
        &server,
        "name=requests&agg=sum&service=shop&where=route=/pay",
    )
    .await;
    assert_eq!(shop["series"][0]["values"], json!([3.0, 2.0]));
    let memory = lines(&server, "name=memory&agg=last").await;
    assert_eq!(
        (&memory["unit"], &memory["series"][0]["values"]),
        (&json!("By"), &json!([5.0, null]))
    );
    let median = lines(&server, "name=latency&agg=p50").await;
    assert_eq!(
        (&median["agg"], &median["series"][0]["values"]),
        (&json!("p50"), &json!([15.0, null]))
    );
    let nobody = lines(&server, "name=nobody").await;
    assert_eq!(nobody["series"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_drawn_is_refused() {
    let server = TestServer::start().await;
    for (query, message) in [
        ("", "`name` is needed"),
        ("name=a&agg=mode", "must be one of rate, sum"),
        ("name=a&agg=p101", "p0 to p100"),
        ("name=a&from=5&to=5", "`from` must be before `to`"),
        ("name=a&step=0.0001", "2000 steps at most"),
        ("name=a&where=b", "must be written key=value"),
    ] {
        let answer = server.get(&format!("/api/v1/metrics/range?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        let error = answer.json();
        assert!(
            error["message"].as_str().unwrap().contains(message),
            "{query}: {error}"
        );
    }
}
