//! `throughline sandbox` from outside: the program, a function of a few lines of Python, and what both say.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

/// Answers with the event, and fails where that says so.
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    response = api.getresponse()
    return response.headers, response.read()
while True:
    headers, body = call("GET", "next")
    event = json.loads(body)
    print("got", event, flush=True)
    kind = "error" if event.get("fail") else "response"
    answer = {"errorType": "No", "errorMessage": "no"} if kind == "error" else event
    call("POST", headers["Lambda-Runtime-Aws-Request-Id"] + "/" + kind, json.dumps(answer))
"#;

/// A sandbox in a process of its own, killed when the test is over.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    api: String,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let code = folder.join("code");
        std::fs::create_dir(&code).unwrap();
        write_bootstrap(&code);
        let app = "[functions.f]\nruntime = \"provided.al2023\"\ncode = \"code\"\n";
        std::fs::write(folder.join("throughline.toml"), app).unwrap();
        let mut child = program()
            .args(["sandbox", "--json", "--api", "127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let started: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(started["type"], "started");
        let api = started["api"].as_str().unwrap();
        Self {
            child,
            lines,
            api: api.trim_start_matches("http://").to_owned(),
        }
    }

    fn invoke(&self, arguments: &[&str]) -> Output {
        let invoke = ["sandbox", "invoke", "--api", &self.api];
        program().args(invoke).args(arguments).output().unwrap()
    }

    /// The next object of this type.
    fn next(&mut self, kind: &str) -> Value {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            let told: Value = serde_json::from_str(&line).unwrap();
            if told["type"] == kind {
                return told;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_throughline"))
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output.status.code(), out, err)
}

#[test]
fn invoke_prints_the_answer_and_its_status_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let mut sandbox = Running::start(folder.path());

    let good = sandbox.invoke(&["f", "--payload", r#"{"n":1}"#, "--log"]);
    let (code, answer, log) = told(&good);
    assert_eq!((code, answer.as_str()), (Some(0), r#"{"n": 1}"#));
    assert!(
        log.contains("got {'n': 1}\n") && log.contains("REPORT RequestId: "),
        "{log}"
    );
    let line = sandbox.next("line");
    assert_eq!(line["text"], "got {'n': 1}");
    let invocation = sandbox.next("invocation");
    assert_eq!(invocation["verdict"], "ok");
    assert_eq!(line["request_id"], invocation["request_id"]);

    let file = folder.path().join("event.json");
    std::fs::write(&file, r#"{"fail":true}"#).unwrap();
    let failed = sandbox.invoke(&["f", "--payload", &format!("@{}", file.display())]);
    let (code, answer, error) = told(&failed);
    assert_eq!((code, error.as_str()), (Some(1), "throughline: f failed"));
    assert!(answer.contains(r#""errorType""#), "{answer}");
    assert_eq!(sandbox.next("invocation")["verdict"], "failed");

    let later = sandbox.invoke(&["f", "--event"]);
    let (code, id, _) = told(&later);
    assert_eq!(code, Some(0));
    assert_eq!(sandbox.next("event_ended")["request_id"], id.as_str());

    let (code, _, error) = told(&sandbox.invoke(&["nobody"]));
    assert_eq!(code, Some(2));
    assert_eq!(
        error,
        "throughline: nobody was not called: Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody; there is f"
    );
}

#[test]
fn what_cannot_be_done_says_what_to_do_once() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Running::start(folder.path());
    let again = ["sandbox", "--api", &sandbox.api];
    let output = program().args(again).current_dir(folder.path()).output();
    let (code, _, error) = told(&output.unwrap());
    let expected = format!(
        "throughline: cannot listen on {}: the port is taken; stop what listens there, or choose another: --api for the AWS Lambda API, `url` and `listen` in the application file",
        sandbox.api
    );
    assert_eq!((code, error), (Some(2), expected));

    let empty = tempfile::tempdir().unwrap();
    let output = program().arg("sandbox").current_dir(empty.path()).output();
    let (code, _, error) = told(&output.unwrap());
    assert_eq!(code, Some(2));
    assert_eq!(
        error,
        "throughline: cannot find throughline.toml or template.yaml or template.yml here: write one, or name another with --app FILE"
    );

    let wrong = "[functions.f]\nruntime = \"python2.7\"\ncode = \"f\"\nmemory = 3\n";
    std::fs::write(empty.path().join("throughline.toml"), wrong).unwrap();
    let output = program().arg("sandbox").current_dir(empty.path()).output();
    let (code, _, error) = told(&output.unwrap());
    let lines: Vec<_> = error.lines().collect();
    let (last, problems) = lines.split_last().unwrap();
    assert_eq!(
        (code, problems.len(), *last),
        (
            Some(2),
            2,
            "throughline: cannot use throughline.toml: 2 problems"
        ),
        "{error}"
    );

    let needy = "[functions.f]\nruntime = \"provided.al2023\"\ncode = \".\"\n[[functions.f.sources]]\nsqs = \"orders\"\n";
    std::fs::write(empty.path().join("throughline.toml"), needy).unwrap();
    write_bootstrap(empty.path());
    let output = program()
        .args(["sandbox", "--api", "127.0.0.1:0"])
        .current_dir(empty.path())
        .output();
    let (code, _, error) = told(&output.unwrap());
    assert_eq!(code, Some(2));
    assert!(
        error.starts_with("throughline: f needs sqs orders, and nobody says where AWS's services are: say so with --aws-endpoint"),
        "{error}"
    );

    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", nowhere.local_addr().unwrap());
    drop(nowhere);
    let output = program()
        .args([
            "sandbox",
            "--api",
            "127.0.0.1:0",
            "--aws-endpoint",
            &endpoint,
        ])
        .current_dir(empty.path())
        .output();
    let (code, _, error) = told(&output.unwrap());
    assert_eq!(code, Some(2));
    let begins = format!("throughline: cannot poll sqs orders for f at {endpoint}: ");
    assert!(
        error.starts_with(&begins) && error.contains("; nobody listens there: start what should"),
        "{error}"
    );

    let other = somebody_else();
    for command in ["invoke f", "invoke f --event", "fault list"] {
        let words = ["sandbox"].into_iter().chain(command.split(' '));
        let answered = program().args(words).args(["--api", &other]).output();
        let (code, _, error) = told(&answered.unwrap());
        let expected = format!(
            "throughline: what listens on {other} is no sandbox (it answered 501): start one with `throughline sandbox`, or say where it is with --api"
        );
        assert_eq!((code, error), (Some(2), expected), "{command}");
    }

    let api = sandbox.api.clone();
    drop(sandbox);
    let gone = program()
        .args(["sandbox", "invoke", "f", "--api", &api])
        .output();
    let (code, _, error) = told(&gone.unwrap());
    assert_eq!(code, Some(2));
    assert!(
        error.starts_with(&format!(
            "throughline: no sandbox listens on {api}: start one"
        )),
        "{error}"
    );
}

/// A server of something else, which knows none of our requests.
fn somebody_else() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).unwrap();
            let answer = "HTTP/1.1 501 Unsupported method\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno\r\n";
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

fn write_bootstrap(folder: &Path) {
    let bootstrap = folder.join("bootstrap");
    std::fs::write(&bootstrap, BOOTSTRAP).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bootstrap, executable).unwrap();
}
