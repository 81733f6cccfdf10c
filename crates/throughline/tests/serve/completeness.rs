//! Numbered batches against a server that is killed, and the commands that ask about them.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::process::{Process, Sender, run};
use crate::{SENDERS, send_until};

/// Whatever was acknowledged or not when the server died, all of it sent again is there once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_between_resends_every_batch_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let mut senders: Vec<Sender> = (1..=SENDERS).map(Sender::numbered).collect();
    for round in 1..=3u64 {
        let server = Process::serve(directory.path(), &[]);
        senders = send_until(senders, &server, 90, |server| server.kill(Signal::SIGKILL)).await;
        server.wait();

        let server = Process::serve(directory.path(), &[]);
        for sender in &mut senders[..3] {
            sender.send_all_again(&server).await;
        }
        server.kill(Signal::SIGKILL);
        server.wait();

        let server = Process::serve(directory.path(), &[]);
        for sender in &mut senders {
            sender.send_all_again(&server).await;
        }
        let sent: usize = senders.iter().map(|sender| sender.sent().len()).sum();
        let services = server.json("/api/v1/services").await;
        assert_eq!(
            services["services"][0]["span_count"], sent,
            "round {round}: each row once"
        );
        let function = &server.json("/api/v1/completeness").await["functions"][0];
        assert_eq!(function["received"], sent.to_string(), "round {round}");
        assert_eq!(function["complete"], "100.00", "round {round}: {function}");
        assert_eq!(function["environments"], SENDERS, "round {round}");
        let end = if round == 2 {
            Signal::SIGTERM
        } else {
            Signal::SIGKILL
        };
        server.kill(end); // after a clean stop all is in the catalog, else in the log
        server.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_says_what_is_missing_until_it_is_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(&directory.path().join("data"), &[]);
    let at = server.http();
    let nothing = run(&["completeness", "--server", &at]);
    assert_eq!(nothing.code, Some(0), "{}", nothing.stderr);
    assert!(
        nothing.stdout.contains("no extension has sent"),
        "{}",
        nothing.stdout
    );

    let lines = directory.path().join("lines");
    let ledger =
        r#"{\"v\":1,\"revision\":2,\"sealed\":2,\"accepted\":2,\"printed\":2,\"final\":true}"#;
    let envelope = |number: u64| {
        format!(
            r#"2026-11-21T00:24:00.205Z {{"__otel_otlp_stdout":"1","endpoint":"/v1/logs","content-type":"application/json","headers":{{"x-throughline-environment":"e-1","x-throughline-sequence":"{number}","x-throughline-function":"checkout","x-throughline-ledger":"{ledger}"}},"base64":false,"payload":{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"hello"}}}}]}}]}}]}}}}"#
        )
    };
    fs::write(
        &lines,
        format!("START\n{}\nbad \"__otel_otlp_stdout\"\n", envelope(1)),
    )
    .unwrap();
    let replay = || run(&["replay", lines.to_str().unwrap(), "--server", &at]);
    let first = replay();
    assert_eq!(first.code, Some(1), "one line is bad: {}", first.stderr);
    assert!(
        first
            .stdout
            .starts_with("3 lines, 1 envelopes: 1 stored with 1 items, 0 were there already\n"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("line 3: ") && first.stdout.contains("TL0311"),
        "{}",
        first.stdout
    );

    let lacking = run(&["completeness", "--server", &at]);
    assert_eq!(lacking.code, Some(1), "{}", lacking.stderr);
    let expected = "printed      1 item, 1 batch of e-1, heard of ";
    assert!(
        lacking.stdout.contains("50.00 %") && lacking.stdout.contains(expected),
        "{}",
        lacking.stdout
    );

    fs::write(&lines, format!("{}\n{}\n", envelope(1), envelope(2))).unwrap();
    let second = replay();
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert!(
        second
            .stdout
            .contains("1 stored with 1 items, 1 were there already"),
        "{}",
        second.stdout
    );
    let whole = run(&[
        "completeness",
        "--server",
        &at,
        "--function",
        "checkout",
        "--json",
    ]);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let whole: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!(whole["functions"][0]["complete"], "100.00");
}

#[test]
fn nobody_to_ask_is_said_on_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(file("lines"), "{\"__otel_otlp_stdout\":\"1\"}\n").unwrap();
    fs::write(file("other"), "START\nEND\n").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap().to_string();
    drop(listener);
    let cases = [
        (vec!["completeness".to_owned()], "no server listens on"),
        (
            vec!["replay".to_owned(), file("lines")],
            "no server listens on",
        ),
        (vec!["replay".to_owned(), file("absent")], "absent"),
    ];
    let server = ["--server", &free];
    for (command, said) in cases {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let ended = run(&[command, server.to_vec()].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    // Nothing in the file is to be sent, so nobody is needed.
    let ended = run(&["replay", &file("other"), "--server", &free]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.starts_with("2 lines, 0 envelopes"),
        "{}",
        ended.stdout
    );
}
