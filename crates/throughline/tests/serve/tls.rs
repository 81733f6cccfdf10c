//! Questions to a server behind TLS that asks for a key.
//!
//! The certificate and its key are made for this test and stand for nothing:
//! `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500
//! -subj "/CN=a test of throughline" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1"
//! -addext "basicConstraints=critical,CA:FALSE"`.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::process::{Process, run_with};

const CERTIFICATE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/serve/tls/certificate.pem"
);
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serve/tls/key.pem");

/// Takes TLS away in front of a server, as a load balancer does.
async fn front(server: SocketAddr) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut inner = TcpStream::connect(server).await.unwrap();
                // A client that does not trust the certificate goes away here.
                if let Ok(mut outer) = acceptor.accept(stream).await {
                    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_go_over_tls_with_a_key_and_only_to_who_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Process::serve(&data, &["--api-key", "s3cret"]);
    let address = front(server.http().parse().unwrap()).await;
    let lines = directory.path().join("lines");
    std::fs::write(
        &lines,
        r#"{"__otel_otlp_stdout":"1","endpoint":"/v1/logs","payload":{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}}"#,
    )
    .unwrap();
    let lines = lines.to_str().unwrap().to_owned();
    let url = format!("https://localhost:{}/", address.port());
    let ask = |trusted: &'static str, more: &[&str]| {
        let arguments = [more, &["--server", &url, "--api-key", "s3cret"]].concat();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run_with(&arguments, ("SSL_CERT_FILE", trusted))
        })
    };

    let replayed = ask(CERTIFICATE, &["replay", &lines]).await.unwrap();
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(replayed.stdout.contains("1 stored"), "{}", replayed.stdout);
    let complete = ask(CERTIFICATE, &["completeness"]).await.unwrap();
    assert_eq!(complete.code, Some(0), "{}", complete.stderr);

    let stranger = ask("/nowhere", &["completeness"]).await.unwrap();
    assert_eq!(stranger.code, Some(2), "{}", stranger.stdout);
    assert!(
        stranger.stderr.contains("certificate"),
        "{}",
        stranger.stderr
    );
}
