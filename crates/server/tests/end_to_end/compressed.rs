//! Answers and files of the page, compressed for clients that ask for it.

use std::io::Read;

use crate::harness::{Answer, TestServer};
use crate::tail::Follower;

/// The body as it was before.
fn inflated(answer: &Answer) -> Vec<u8> {
    match answer.header("content-encoding") {
        "" => answer.body.to_vec(),
        "zstd" => zstd::decode_all(&answer.body[..]).expect("zstd"),
        "gzip" => {
            let mut body = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&answer.body[..]);
            decoder.read_to_end(&mut body).expect("gzip");
            body
        }
        other => panic!("nobody asked for {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_compressed_as_the_client_asks() {
    let server = TestServer::start().await;
    let path = "/api/v1/openapi.json";
    let plain = server.get(path).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.header("vary"), "accept-encoding");
    for (accepted, encoding) in [
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, zstd;q=0.5", "gzip"),
        ("gzip;q=0, identity", ""),
        ("br", ""),
    ] {
        let answer = server.get_with(path, ("accept-encoding", accepted)).await;
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(answer.header("content-type"), plain.header("content-type"));
        assert!(inflated(&answer) == plain.body, "{accepted}");
        let is_shorter = answer.body.len() * 3 < plain.body.len();
        assert_eq!(is_shorter, !encoding.is_empty(), "{accepted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn short_answers_are_sent_as_they_are() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/api/v1/services", "/api/nothing"] {
        let answer = server.get_with(path, ("accept-encoding", "gzip")).await;
        assert_eq!(answer.header("content-encoding"), "", "{path}");
        assert_eq!(answer.header("vary"), "", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_page_are_compressed() {
    let server = TestServer::start().await;
    let index = server.get("/").await.text();
    let named = index.split('"').filter(|text| text.starts_with("/assets/"));
    for path in named {
        let plain = server.get(path).await;
        let answer = server.get_with(path, ("accept-encoding", "gzip")).await;
        let is_long = plain.body.len() >= 4096;
        assert_eq!(
            answer.header("content-encoding") == "gzip",
            is_long,
            "{path}"
        );
        assert!(inflated(&answer) == plain.body, "{path}");
        assert_eq!(answer.header("etag"), plain.header("etag"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_neither_compressed_nor_held_back() {
    let server = TestServer::start().await;
    let headers = "accept-encoding: gzip, zstd\r\n";
    let mut follower = Follower::listen_with(&server, "/api/v1/live", headers).await;
    follower.until("event: wall").await;
    assert!(!follower.text().contains("content-encoding"));
}
