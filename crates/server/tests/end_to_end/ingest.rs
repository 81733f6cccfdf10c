//! Every way in: each signal, each protocol, each compression.

use expect_test::expect;
use http::StatusCode;
use throughline_store::{MetricFilter, Options, Store};
use throughline_telemetry::Signal;
use tonic::codec::CompressionEncoding;

use crate::harness::TestServer;
use crate::samples::{gzip, one_as_json, one_as_protobuf, span, traces, zstd};

/// A name for `Content-Encoding`, and what does it.
type Compression = (&'static str, fn(&[u8]) -> Vec<u8>);

const COMPRESSIONS: [Compression; 3] = [
    ("identity", |plain: &[u8]| plain.to_vec()),
    ("gzip", gzip),
    ("zstd", zstd),
];

#[tokio::test(flavor = "multi_thread")]
async fn over_http() {
    let server = TestServer::start().await;
    let mut names = Vec::new();
    for signal in Signal::ALL {
        for (encoding, compress) in COMPRESSIONS {
            for (form, content_type) in [
                ("protobuf", "application/x-protobuf"),
                ("json", "application/json; charset=utf-8"),
            ] {
                let name = format!("http-{signal}-{form}-{encoding}");
                let json = form == "json";
                let body = if json {
                    one_as_json(signal, &name)
                } else {
                    one_as_protobuf(signal, &name)
                };
                let headers = [
                    ("content-type", content_type),
                    ("content-encoding", encoding),
                ];
                let answer = server
                    .post(&format!("/v1/{signal}"), &headers, compress(&body))
                    .await;
                assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text());
                assert!(
                    content_type.starts_with(answer.header("content-type")),
                    "{name}: same form back"
                );
                assert_eq!(
                    answer.text(),
                    if json { "{}" } else { "" },
                    "{name}: full success"
                );
                names.push((signal, name));
            }
        }
    }
    assert_kept(server, names).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_as_protobuf_maps_it() {
    let server = TestServer::start().await;
    let json = br#"{"resourceSpans":[{"resource":null,"scopeSpans":[{"scope":{"name":null},"schemaUrl":null,"spans":[{
        "traceId":"00000000000000000000000000000007","spanId":"0000000000000001","parentSpanId":null,
        "name":null,"kind":null,"startTimeUnixNano":"1","endTimeUnixNano":2,"status":null,"links":null,
        "attributes":[
            {"key":"nan","value":{"doubleValue":"NaN"}},
            {"key":"up","value":{"doubleValue":"Infinity"}},
            {"key":"down","value":{"doubleValue":"-Infinity"}},
            {"key":"text","value":{"stringValue":null}},
            {"key":"none","value":null}
        ]}]}]}]}"#;
    let headers = [("content-type", "application/json")];
    let answer = server.post("/v1/traces", &headers, json.to_vec()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let trace = server.json("/api/v1/traces/00000000000000000000000000000007");
    // The API's JSON has no word for them either.
    expect![[r#"{"down":null,"nan":null,"none":null,"text":null,"up":null}"#]]
        .assert_eq(&trace.await["spans"][0]["attributes"].to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_grpc() {
    let server = TestServer::start().await;
    let mut names = Vec::new();
    for signal in Signal::ALL {
        for encoding in [
            None,
            Some(CompressionEncoding::Gzip),
            Some(CompressionEncoding::Zstd),
        ] {
            let name = format!("grpc-{signal}-{encoding:?}");
            let answer = server
                .export(signal, encoding, one_as_protobuf(signal, &name))
                .await;
            assert_eq!(answer.expect("OK").as_ref(), b"", "{name}: full success");
            names.push((signal, name));
        }
    }
    assert_kept(server, names).await;
}

/// Whether each item can be read: spans and logs at once, metrics from the closed store.
async fn assert_kept(server: TestServer, names: Vec<(Signal, String)>) {
    for (signal, name) in &names {
        let listed = match signal {
            Signal::Traces => server.json(&format!("/api/v1/traces?service={name}")).await,
            Signal::Logs => server.json(&format!("/api/v1/logs?service={name}")).await,
            Signal::Metrics => continue,
        };
        assert_eq!(listed["total"], 1, "{name}");
    }
    let directory = server.stop().await;
    let (store, _) = Store::open(Options::new(directory.path().join("data"))).expect("opens again");
    for (_, name) in names
        .iter()
        .filter(|(signal, _)| *signal == Signal::Metrics)
    {
        let filter = MetricFilter {
            name: Some(name.clone()),
            ..MetricFilter::default()
        };
        let page = store.find_metrics(&filter).expect("metrics can be read");
        assert_eq!(page.points.len(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_requests_are_acknowledged() {
    let server = TestServer::start().await;
    for signal in Signal::ALL {
        assert_eq!(
            server.post_protobuf(signal, "").await.status,
            StatusCode::OK
        );
        server.export(signal, None, "").await.expect("OK");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sent_twice_counts_once() {
    let server = TestServer::start().await;
    let body = traces(&[
        span("twice", 7, 1, 0, 10, 20),
        span("twice", 7, 2, 1, 12, 15),
    ]);
    for _ in 0..2 {
        assert_eq!(
            server
                .post_protobuf(Signal::Traces, body.clone())
                .await
                .status,
            StatusCode::OK
        );
    }
    let trace = server
        .json("/api/v1/traces/00000000000000000000000000000007")
        .await;
    assert_eq!(trace["span_count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_senders_at_once() {
    let server = std::sync::Arc::new(TestServer::start().await);
    let mut senders = tokio::task::JoinSet::new();
    for sender in 1..=16u64 {
        let server = std::sync::Arc::clone(&server);
        senders.spawn(async move {
            for batch in 0..8 {
                let id = sender * 100 + batch;
                let body = traces(&[span("busy", u128::from(id), id, 0, id, id + 5)]);
                if sender % 2 == 0 {
                    assert_eq!(
                        server.post_protobuf(Signal::Traces, body).await.status,
                        StatusCode::OK
                    );
                } else {
                    server.export(Signal::Traces, None, body).await.expect("OK");
                }
            }
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.expect("every batch is taken");
    }
    assert_eq!(
        server.json("/api/v1/traces?service=busy&limit=1").await["total"],
        128
    );
}
