//! `throughline scrub --dry-run` from outside: what it prints, what it never prints, how it exits.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::io::Write;
use std::process::{Command, Output, Stdio};

use expect_test::expect;
use serde_json::Value;

const LINES: &str = "2026-11-21T05:27:05.123Z INFO stored order 77123
login of ann@example.com with password=hunter2zq took 12.5 ms
{\"level\":\"INFO\",\"card\":\"4111 1111 1111 1111\"}
GET /cb?token%3Dt0kenzq&order=ORD-123456 HTTP/1.1
";
const SPANS: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"s","attributes":[
    {"key":"http.request.body","value":{"stringValue":"{\"customer\":\"Ann Smith\"}"}},
    {"key":"url.full","value":{"stringValue":"https://ann:hunter2zq@example.com/?token=t0kenzq"}}]}]}]}]}"#;

fn scrub(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["scrub", "--dry-run", "-"])
        .args(arguments)
        .env_remove("THROUGHLINE_PAYLOADS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    for secret in ["hunter2zq", "t0kenzq", "4111 1111", "Ann Smith", "ann@"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    output
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn lines_are_told_with_line_and_column() {
    let output = scrub(&["--patterns", r"order=ORD-\d+ bad=("], LINES);
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        2:10       email         3 letters → [email:76b5]
        2:40       key           9 letters and digits → [redacted]
        3:25       card          19 digits in groups → [card:…1111]
        4:17       key           7 letters and digits → [redacted]
        4:34       order         10 characters → [order]

        5 findings in 3 of 4 lines
          key         2
          card        1
          email       1
          order       1
    "#]]
    .assert_eq(&text(&output));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("throughline: --patterns: cannot use the scrub pattern bad: "),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1);
}

#[test]
fn requests_are_told_with_the_path_of_the_attribute() {
    let output = scrub(&[], SPANS);
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        resourceSpans[0].scopeSpans[0].spans[0].attributes.http.request.body
                   payload       payload of 24 bytes → its shape
        resourceSpans[0].scopeSpans[0].spans[0].attributes.url.full
            13     url-password  9 letters and digits → ***
            42     key           7 letters and digits → [redacted]

        3 findings in 1 of 1 request
          key                1
          payload            1
          url-password       1
    "#]]
    .assert_eq(&text(&output));
}

#[test]
fn programs_read_a_line_for_each_finding() {
    let output = scrub(&["--json"], LINES);
    let lines = text(&output);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        (&lines[0]["rule"], &lines[0]["line"], &lines[0]["column"]),
        (&"email".into(), &2.into(), &10.into())
    );
    assert_eq!(
        (&lines[4]["type"], &lines[4]["findings"]),
        (&"summary".into(), &4.into())
    );
}

#[test]
fn exit_codes_say_whether_there_was_anything() {
    assert_eq!(scrub(&[], "nothing here\n").status.code(), Some(0));
    assert_eq!(scrub(&[], "").status.code(), Some(0));
    assert_eq!(scrub(&["--summary"], LINES).status.code(), Some(1));
    assert_eq!(scrub(&[], "\0\u{1}\u{2}").status.code(), Some(2));
}
