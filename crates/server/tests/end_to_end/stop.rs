//! Starting on what is taken or unusable, and stopping without loss.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::StreamBody;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use throughline_server::{Config, Limits, Listen, Server};
use throughline_store::{Options, Store};
use throughline_telemetry::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::harness::{TestServer, url};
use crate::samples::{one_as_protobuf, sample_trace, span, traces};

async fn start_error(data_dir: std::path::PathBuf, listen: Listen) -> String {
    let config = Config::try_new(data_dir, listen, None).expect("a good configuration");
    Server::bind(config)
        .await
        .expect_err("must not start")
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_port_and_unusable_directories() {
    let server = TestServer::start().await;
    let other = tempfile::tempdir().unwrap();

    let listen = Listen {
        otlp_http: server.addresses.otlp_http,
        ..Listen::on_free_ports()
    };
    let taken = start_error(other.path().join("data"), listen).await;
    let expected = format!(
        "cannot listen on {} for OTLP/HTTP: another program listens there (TL0003)",
        listen.otlp_http
    );
    assert_eq!(taken, expected);

    let in_use = start_error(server.data_dir().join("data"), Listen::on_free_ports()).await;
    assert!(
        in_use.ends_with("is in use by another process (TL0005)"),
        "{in_use}"
    );

    std::fs::write(other.path().join("thesis.tex"), "years of work").unwrap();
    let foreign = start_error(other.path().to_owned(), Listen::on_free_ports()).await;
    assert!(
        foreign.contains("thesis.tex") && foreign.ends_with("(TL0005)"),
        "{foreign}"
    );
    assert!(!foreign.contains('\n'));
    assert_eq!(
        std::fs::read_to_string(other.path().join("thesis.tex")).unwrap(),
        "years of work"
    );

    let under_a_file = other.path().join("thesis.tex").join("data");
    let unwritable = start_error(under_a_file, Listen::on_free_ports()).await;
    assert!(
        unwritable.starts_with("cannot use ") && unwritable.ends_with("(TL0005)"),
        "{unwritable}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_is_in_flight() {
    let server = TestServer::start().await;
    // A request whose body is half sent when the server is told to stop.
    let (sender, receiver) = mpsc::channel(1);
    let body = Bytes::from(one_as_protobuf(Signal::Traces, "last"));
    let frames = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let request = Request::post(url(server.addresses.otlp_http, "/v1/traces"))
        .header("content-type", "application/x-protobuf")
        .body(StreamBody::new(frames))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::spawn(client.request(request));
    let piece = |bytes| Ok::<_, std::io::Error>(http_body::Frame::data(bytes));
    sender.send(piece(body.slice(..10))).await.unwrap();
    sender.reserve().await.unwrap(); // the first piece has been taken, so the request is under way
    wait_until_accepted(&server).await;

    let address = server.addresses.otlp_http;
    let stopping = tokio::spawn(server.stop());
    wait_until_refused(address).await;
    sender.send(piece(body.slice(10..))).await.unwrap();
    drop(sender);
    let answer = answer.await.unwrap().expect("the last request is answered");
    assert_eq!(answer.status(), StatusCode::OK);
    drop(answer);

    let directory = stopping.await.unwrap();
    let (store, recovery) = Store::open(Options::new(directory.path().join("data"))).unwrap();
    assert_eq!(recovery.frames, 0, "a clean stop leaves nothing to replay");
    let id = sample_trace("last").parse().unwrap();
    assert_eq!(store.trace(id).unwrap().spans.len(), 1);
}

/// A second request that is answered shows that the connection before it was accepted.
async fn wait_until_accepted(server: &TestServer) {
    let body = traces(&[span("probe", 9, 1, 0, 1, 2)]);
    assert_eq!(
        server.post_protobuf(Signal::Traces, body).await.status,
        StatusCode::OK
    );
}

async fn wait_until_refused(address: std::net::SocketAddr) {
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_forever() {
    let limits = Limits {
        drain_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let (_never_sends, receiver) =
        mpsc::channel::<Result<http_body::Frame<Bytes>, std::io::Error>>(1);
    let request = Request::post(url(server.addresses.otlp_http, "/v1/traces"))
        .header("content-type", "application/x-protobuf")
        .body(StreamBody::new(
            tokio_stream::wrappers::ReceiverStream::new(receiver),
        ))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::spawn(client.request(request));
    wait_until_accepted(&server).await;
    server.stop().await; // would hang for 30 s, the time a body may take
    answer.await.unwrap().expect_err("the connection is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_wait_for_a_free_place() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let holder = tokio::net::TcpStream::connect(server.addresses.otlp_http)
        .await
        .unwrap();
    // The kernel completes connections in order, so the holder has the one place, or will get it first.
    let mut waiting = Box::pin(server.post_protobuf(Signal::Traces, ""));
    let early = tokio::time::timeout(Duration::from_millis(100), &mut waiting).await;
    assert!(early.is_err(), "answered although there was no place");
    drop(holder);
    assert_eq!(waiting.await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_are_closed() {
    let limits = Limits {
        headers_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    for said in [&b""[..], b"PRI * HT", b"GET / HT"] {
        let mut stream = TcpStream::connect(server.addresses.http).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        let closed = stream.read_to_end(&mut answer);
        let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
        assert!(closed.is_ok(), "still open after {said:?}");
    }
    server.stop().await;
}
