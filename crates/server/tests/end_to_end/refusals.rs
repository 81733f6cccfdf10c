//! What bad input gets, over both protocols. Nothing of it is stored.

use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use throughline_server::Limits;
use throughline_telemetry::Signal;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::harness::{Answer, TestServer, method, send, url};
use crate::samples::{gzip, one_as_json, one_as_protobuf, sample_trace, span, traces, zstd};

/// `google.rpc.Status`, written out once more, so that the test does not trust the server's own.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn check(answer: &Answer, expected: Expect) {
    let (code, message) = match answer.header("content-type") {
        "application/json" => {
            let json = answer.json();
            (
                json["code"].as_i64().expect("a code"),
                json["message"].as_str().expect("a message").to_owned(),
            )
        }
        "application/x-protobuf" => {
            let status = Status::decode(answer.body.clone()).expect("a google.rpc.Status");
            (i64::from(status.code), status.message)
        }
        other => panic!("no status body but {other:?}: {}", answer.text()),
    };
    expected.assert_eq(&format!("{} {code} {message}", answer.status.as_u16()));
}

fn check_grpc(answer: Result<Bytes, tonic::Status>, expected: Expect) -> tonic::Status {
    let status = answer.expect_err("must be refused");
    expected.assert_eq(&format!("{:?} {}", status.code(), status.message()));
    status
}

async fn assert_nothing_stored(server: &TestServer) {
    assert_eq!(server.json("/api/v1/traces").await["total"], 0);
    assert_eq!(server.json("/api/v1/logs").await["total"], 0);
}

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test(flavor = "multi_thread")]
async fn malformed_over_http() {
    let server = TestServer::start().await;
    let post = |path, headers, body: Vec<u8>| {
        let server = &server;
        async move { server.post(path, headers, body).await }
    };
    let garbage = b"\x0a\x05\x0a".to_vec();
    check(
        &post("/v1/traces", &[PROTOBUF], garbage).await,
        expect!["400 3 cannot decode traces as protobuf: resourceSpans[0]: cut off (TL0301)"],
    );
    check(
        &post(
            "/v1/logs",
            &[JSON],
            b"{\"resourceLogs\":\n  [{\"scopeLogs\": 7}]}".to_vec(),
        )
        .await,
        expect![
            "400 3 cannot decode logs as JSON: invalid type: integer `7`, expected scopeLogs to be a list of ScopeLogs at line 2 column 18 (TL0301)"
        ],
    );
    check(
        &post("/v1/metrics", &[JSON], b"{".to_vec()).await,
        expect![
            "400 3 cannot decode metrics as JSON: EOF while parsing an object at line 1 column 1 (TL0301)"
        ],
    );
    check(
        &post(
            "/v1/traces",
            &[PROTOBUF, ("content-encoding", "gzip")],
            b"this is no gzip stream".to_vec(),
        )
        .await,
        expect!["400 3 cannot decompress: invalid gzip header (TL0301)"],
    );
    let cut = zstd(&one_as_protobuf(Signal::Traces, "cut"));
    check(
        &post(
            "/v1/traces",
            &[PROTOBUF, ("content-encoding", "zstd")],
            cut[..cut.len() - 3].to_vec(),
        )
        .await,
        expect!["400 3 cannot decompress: it ends in the middle of a frame (TL0301)"],
    );
    assert_nothing_stored(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_id_refuses_the_whole_body() {
    let server = TestServer::start().await;
    let good = traces(&[span("good", 1, 1, 0, 10, 20)]);
    let bad = String::from_utf8(one_as_json(Signal::Traces, "bad")).unwrap();
    let bad = bad.replace(&format!("\"{}\"", &sample_trace("bad")[16..]), "\"eee1\"");
    let answer = server.post("/v1/traces", &[JSON], bad.clone()).await;
    check(
        &answer,
        expect!["400 3 resourceSpans[0].scopeSpans[0].spans[0].spanId: 2 bytes, want 8 (TL0301)"],
    );

    let short = throughline_telemetry::wire::Request::from_json(Signal::Traces, bad.as_bytes());
    let short = short.expect("ids are checked later").to_protobuf();
    let both = [good, short].concat(); // concatenated protobuf messages merge
    let answer = server.post("/v1/traces", &[PROTOBUF], both.clone()).await;
    check(
        &answer,
        expect!["400 3 resourceSpans[1].scopeSpans[0].spans[0].spanId: 2 bytes, want 8 (TL0301)"],
    );
    check_grpc(
        server.export(Signal::Traces, None, both).await,
        expect![
            "InvalidArgument resourceSpans[1].scopeSpans[0].spans[0].spanId: 2 bytes, want 8 (TL0301)"
        ],
    );
    assert_nothing_stored(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_paths_and_methods() {
    let server = TestServer::start().await;
    let body = one_as_json(Signal::Traces, "x");
    check(
        &server
            .post(
                "/v1/traces",
                &[("content-type", "text/plain")],
                body.clone(),
            )
            .await,
        expect![
            "415 3 unknown content type `text/plain`: send application/x-protobuf or application/json (TL0302)"
        ],
    );
    check(
        &server.post("/v1/traces", &[], body.clone()).await,
        expect![
            "415 3 unknown content type ``: send application/x-protobuf or application/json (TL0302)"
        ],
    );
    check(
        &server
            .post(
                "/v1/traces",
                &[JSON, ("content-encoding", "br")],
                body.clone(),
            )
            .await,
        expect!["415 12 unknown content encoding `br`: send gzip, zstd or identity (TL0303)"],
    );
    check(
        &server.post("/v1/spans", &[PROTOBUF], body.clone()).await,
        expect![
            "404 12 no such path `/v1/spans`: OTLP goes to /v1/traces, /v1/logs or /v1/metrics (TL0307)"
        ],
    );
    let got = method(Method::GET, server.addresses.otlp_http, "/v1/traces").await;
    check(
        &got,
        expect!["405 12 OTLP is sent with POST, not GET (TL0307)"],
    );
    assert_eq!(got.header("allow"), "POST");
    assert_nothing_stored(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_over_grpc() {
    let server = TestServer::start().await;
    check_grpc(
        server
            .export(Signal::Traces, None, &b"\x0a\x05\x0a"[..])
            .await,
        expect![
            "InvalidArgument cannot decode traces as protobuf: resourceSpans[0]: cut off (TL0301)"
        ],
    );
    let unknown = Request::post(url(
        server.addresses.otlp_grpc,
        "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
    ));
    let unknown = unknown
        .header("content-type", "application/grpc")
        .body(Full::default())
        .unwrap();
    assert_eq!(send(unknown).await.header("grpc-status"), "12");
    let no_grpc = Request::post(url(
        server.addresses.otlp_grpc,
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    ));
    let no_grpc = no_grpc
        .header("content-type", "application/json")
        .body(Full::default())
        .unwrap();
    assert_eq!(
        send(no_grpc).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_nothing_stored(&server).await;
}

/// A gRPC frame by hand: what tonic's own client cannot send.
async fn frame(
    server: &TestServer,
    encoding: &'static str,
    flag: u8,
    length: u32,
    body: &[u8],
) -> (String, String) {
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let frame = [&[flag][..], &length.to_be_bytes(), body].concat();
    let request = Request::post(url(server.addresses.otlp_grpc, path))
        .header("content-type", "application/grpc")
        .header("grpc-encoding", encoding)
        .body(Full::new(Bytes::from(frame)))
        .expect("a good request");
    let answer = send(request).await;
    let message = answer.header("grpc-message").replace("%20", " ");
    (answer.header("grpc-status").to_owned(), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_grpc_frames() {
    let server = TestServer::start().await;
    let (status, message) = frame(&server, "gzip", 1, 7, b"no gzip").await;
    assert_eq!(status, "3", "{message}");
    assert!(message.starts_with("cannot decompress: "), "{message}");
    let (status, message) = frame(&server, "identity", 0, 100, b"shorter").await;
    assert_eq!(status, "3", "{message}");
    let (status, message) = frame(&server, "br", 1, 7, b"no such").await;
    assert_eq!(status, "12", "{message}");
    assert!(message.contains("br"), "{message}");
    // The length alone is enough to refuse: the message itself is never sent.
    let (status, message) = frame(&server, "identity", 0, (64 << 20) + 1, b"").await;
    assert_eq!(status, "8", "{message}");
    let two = [&[0, 0, 0, 0, 0][..], &[0, 0, 0, 0, 0]].concat();
    let (status, message) = frame(&server, "identity", 0, 0, &two[5..]).await;
    assert_eq!(
        (status.as_str(), message.as_str()),
        ("3", "the call carries several messages")
    );
    assert_nothing_stored(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn above_64_mib_decompressed() {
    let server = TestServer::start().await;
    let zeros = vec![0; (64 << 20) + 1];
    for (encoding, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))] {
        let answer = server
            .post(
                "/v1/traces",
                &[PROTOBUF, ("content-encoding", encoding)],
                bomb,
            )
            .await;
        check(
            &answer,
            expect![
                "413 8 the body is larger than 67108864 bytes decompressed: send smaller batches (TL0304)"
            ],
        );
    }
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        check_grpc(
            server
                .export(Signal::Logs, Some(encoding), zeros.clone())
                .await,
            expect![
                "ResourceExhausted the body is larger than 67108864 bytes decompressed: send smaller batches (TL0304)"
            ],
        );
    }
    assert_nothing_stored(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_says_it_is_too_large_is_not_waited_for() {
    let server = TestServer::start().await;
    // The length is announced, and not one byte follows: only a server that does not read can answer.
    let silent = StreamBody::new(tokio_stream::pending::<
        Result<http_body::Frame<Bytes>, std::io::Error>,
    >());
    let request = Request::post(url(server.addresses.otlp_http, "/v1/traces"))
        .header("content-type", "application/x-protobuf")
        .header("content-length", (64 << 20) + 1)
        .body(silent)
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    drop(answer.into_body().collect().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_given_up() {
    let limits = Limits {
        body_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let silent = StreamBody::new(tokio_stream::pending::<
        Result<http_body::Frame<Bytes>, std::io::Error>,
    >());
    let request = Request::post(url(server.addresses.otlp_http, "/v1/traces"));
    let request = request
        .header("content-type", "application/x-protobuf")
        .body(silent)
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_in_flight_than_fits() {
    let limits = Limits {
        in_flight_bytes_max: 100,
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let body = traces(
        &(1..20)
            .map(|id| span("much", 1, id, 0, 10, 20))
            .collect::<Vec<_>>(),
    );
    let answer = server.post_protobuf(Signal::Traces, body.clone()).await;
    check(
        &answer,
        expect!["429 14 the server cannot take more now: try again in 1s (TL0305)"],
    );
    assert_eq!(answer.header("retry-after"), "1");

    let status = check_grpc(
        server.export(Signal::Traces, None, body).await,
        expect!["Unavailable the server cannot take more now: try again in 1s (TL0305)"],
    );
    assert_eq!(status.code(), Code::Unavailable);
    let details = Status::decode(status.details()).expect("a google.rpc.Status");
    assert_eq!(
        details.details[0].type_url,
        "type.googleapis.com/google.rpc.RetryInfo"
    );
    let info = RetryInfo::decode(details.details[0].value.as_slice()).expect("a RetryInfo");
    assert_eq!(
        info.delay,
        Some(Delay {
            seconds: 1,
            nanos: 0
        })
    );
    assert_nothing_stored(&server).await;

    // What was held is given back: a small body fits.
    let small = traces(&[span("a", 1, 1, 0, 1, 2)]);
    assert_eq!(
        server.post_protobuf(Signal::Traces, small).await.status,
        StatusCode::OK
    );
}

/// Bodies that are small on the wire may together take far more in memory than each is allowed.
#[tokio::test(flavor = "multi_thread")]
async fn more_decoded_than_fits() {
    let limits = Limits {
        decoded_in_flight_bytes_max: 100,
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let body = one_as_protobuf(Signal::Traces, "much");
    let answer = server.post_protobuf(Signal::Traces, body.clone()).await;
    check(
        &answer,
        expect!["429 14 the server cannot take more now: try again in 1s (TL0305)"],
    );
    check_grpc(
        server.export(Signal::Traces, None, body).await,
        expect!["Unavailable the server cannot take more now: try again in 1s (TL0305)"],
    );
    assert_nothing_stored(&server).await;
    assert_eq!(
        server.post_protobuf(Signal::Traces, "").await.status,
        StatusCode::OK
    );
}

/// Small on the wire, two hundred times as large in memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_many_empty_messages() {
    let server = TestServer::start().await;
    let empty_resources = [0x0a, 0x00].repeat(30 << 20);
    let headers = [PROTOBUF, ("content-encoding", "gzip")];
    let answer = server
        .post("/v1/traces", &headers, gzip(&empty_resources))
        .await;
    check(
        &answer,
        expect![
            "413 8 the body would take more than 536870912 bytes of memory: send smaller batches (TL0304)"
        ],
    );
    check_grpc(
        server
            .export(
                Signal::Traces,
                Some(CompressionEncoding::Zstd),
                empty_resources,
            )
            .await,
        expect![
            "ResourceExhausted the body would take more than 536870912 bytes of memory: send smaller batches (TL0304)"
        ],
    );
    // In JSON a message may also be written as a list of its fields, and that list be empty.
    for empty in ["{}", "[]"] {
        let many = format!("{empty},").repeat(20 << 20);
        let json = format!("{{\"resourceSpans\":[{many}{empty}]}}");
        let headers = [JSON, ("content-encoding", "gzip")];
        let answer = server
            .post("/v1/traces", &headers, gzip(json.as_bytes()))
            .await;
        check(
            &answer,
            expect![
                "413 8 the body would take more than 536870912 bytes of memory: send smaller batches (TL0304)"
            ],
        );
    }
    assert_nothing_stored(&server).await;
}
