//! Every way in which the extension packs its batches, read by the real server.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use throughline_sandbox::{Function, Invoke, Sandbox};
use throughline_server::{Config, Listen, Server};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// Logs what packs well.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def ask(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation" + path, body)
    response = api.getresponse()
    return response.headers, response.read()
while True:
    headers, event = ask("GET", "/next")
    for number in range(60): print("a line that is like the others", number, flush=True)
    ask("POST", "/%s/response" % headers["Lambda-Runtime-Aws-Request-Id"], "{}")
"#;

const LINES: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn the_server_reads_what_the_extension_packs() {
    for (said, packed) in [("gzip", true), ("none", false), ("zstd", true)] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let listen = Listen::on_free_ports();
        let config = Config::try_new(folder.path().join("data"), listen, None).unwrap();
        let server = Server::bind(config).await.unwrap();
        let addresses = server.addresses();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(async { drop(stopped.await) }));
        let (door, sent) = listen_in(addresses.otlp_http).await;

        let code = folder.path().join("code");
        std::fs::create_dir(&code).unwrap();
        let bootstrap = code.join("bootstrap");
        std::fs::write(&bootstrap, PROGRAM).unwrap();
        std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755)).unwrap();
        let extension =
            Path::new(env!("CARGO_BIN_EXE_throughline")).with_file_name("throughline-extension");
        assert!(
            extension.exists(),
            "the extension is not built: cargo build --workspace --bins"
        );
        let function = Function::new("f", &code)
            .env("THROUGHLINE_ENDPOINT", format!("http://{door}"))
            .env("THROUGHLINE_COMPRESSION", said);
        let sandbox = Sandbox::new().function(function).extension(extension);
        let sandbox = sandbox.start().await.unwrap();
        let (answer, _) = sandbox.call_to_end(Invoke::new("f")).await.unwrap();
        drop(answer);
        sandbox.shutdown().await;

        let server = addresses.http.to_string();
        let mut ask = Command::new(env!("CARGO_BIN_EXE_throughline"));
        ask.args(["completeness", "--json", "--server", &server]);
        let asked = ask.stderr(Stdio::inherit()).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
        let function = &answer["functions"][0];
        assert_eq!(function["complete"], "100.00", "{said}: {answer}");
        let received: u64 = function["received"].as_str().unwrap().parse().unwrap();
        assert!(received > LINES, "{said}: {answer}");

        let sent = sent.lock().unwrap().clone();
        let has = |text: &str| sent.windows(text.len()).any(|at| at == text.as_bytes());
        assert_eq!(has("content-encoding: gzip"), packed, "{said}");
        assert_eq!(has("a line that is like the others"), !packed, "{said}");
        drop(stop);
        serving.await.unwrap().unwrap();
    }
}

/// Passes bytes on to the server, and keeps those that are sent to it.
async fn listen_in(server: std::net::SocketAddr) -> (std::net::SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, sent) = (
        listener.local_addr().unwrap(),
        Arc::<Mutex<Vec<u8>>>::default(),
    );
    let heard = sent.clone();
    tokio::spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            let (mut back, mut forth) = TcpStream::connect(server).await.unwrap().into_split();
            let (mut asks, mut answers) = from.into_split();
            let heard = heard.clone();
            tokio::spawn(async move {
                let mut piece = vec![0; 64 << 10];
                while let Ok(length @ 1..) = asks.read(&mut piece).await {
                    heard.lock().unwrap().extend_from_slice(&piece[..length]);
                    let passed = tokio::io::AsyncWriteExt::write_all(&mut forth, &piece[..length]);
                    if passed.await.is_err() {
                        return;
                    }
                }
            });
            tokio::spawn(async move { tokio::io::copy(&mut back, &mut answers).await });
        }
    });
    (address, sent)
}
