//! As much of Lambda as one extension sees, without a function: what is measured is the process of
//! the extension and nothing else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// How a start went.
#[derive(Clone, Copy)]
pub(crate) struct Started {
    /// From exec to the register request.
    pub(crate) register: Duration,
    /// From exec to the first `/next`.
    pub(crate) next: Duration,
    /// Processor time of all threads until it sleeps after that.
    pub(crate) processor: Duration,
    pub(crate) resident_bytes: u64,
}

/// An extension that runs.
pub(crate) struct Platform {
    child: Child,
    listener: TcpListener,
    /// The extension's call of `/next`, when it waits for an answer.
    waiting: Option<TcpStream>,
    telemetry: Option<String>,
    otlp: String,
    /// Its `/tmp`: what one run leaves there the next would take over.
    _tmp: tempfile::TempDir,
    invocations: u64,
}

impl Platform {
    pub(crate) fn start(program: &Path, endpoint: &str) -> (Self, Started) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let otlp = free_address();
        let tmp = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let child = Command::new(program)
            .env_clear()
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                listener.local_addr().unwrap().to_string(),
            )
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
            .env("TMPDIR", tmp.path())
            .env("THROUGHLINE_ENDPOINT", endpoint)
            .env("THROUGHLINE_OTLP_LISTEN", &otlp)
            .env("THROUGHLINE_OTLP_GRPC_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut platform = Platform {
            child,
            listener,
            waiting: None,
            telemetry: None,
            otlp,
            _tmp: tmp,
            invocations: 0,
        };
        let register = platform.serve(begun);
        let next = platform.wait_for_next(begun);
        platform.wait_until_asleep();
        let started = Started {
            register,
            next,
            processor: platform.processor(),
            resident_bytes: platform.resident_bytes(),
        };
        (platform, started)
    }

    /// One invocation in which the function sends this, and its end as the platform tells it.
    pub(crate) fn invoke(&mut self, exports: &[Vec<u8>]) {
        self.invocations += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", self.invocations);
        let deadline = now().as_millis() + 30_000;
        let event = format!(
            r#"{{"eventType":"INVOKE","deadlineMs":{deadline},"requestId":"{id}","invokedFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:bench","tracing":{{"type":"X-Amzn-Trace-Id","value":"Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Sampled=1"}}}}"#
        );
        let waiting = self.waiting.take().expect("it waits for an event");
        answer(waiting, &event);
        for export in exports {
            let status = post(&self.otlp, "/v1/traces", "application/x-protobuf", export);
            assert_eq!(status, 200, "the extension takes spans");
        }
        if let Some(telemetry) = &self.telemetry {
            let time = iso(now());
            let told = format!(
                r#"[{{"time":"{time}","type":"platform.start","record":{{"requestId":"{id}","version":"$LATEST"}}}},{{"time":"{time}","type":"platform.runtimeDone","record":{{"requestId":"{id}","status":"success","metrics":{{"durationMs":12.5,"producedBytes":2}}}}}}]"#
            );
            post(telemetry, "/", "application/json", told.as_bytes());
        }
        self.wait_for_next(Instant::now());
    }

    pub(crate) fn processor(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = tasks.map(|task| {
            let times = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            let running = times.split_whitespace().next().unwrap_or_default();
            running.parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().trim().trim_end_matches(" kB");
        kib.parse::<u64>().unwrap() * 1024
    }

    pub(crate) fn wait_until_asleep(&self) {
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
            if stat
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with('S'))
            {
                return;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Answers one call, and says when it came.
    fn serve(&mut self, begun: Instant) -> Duration {
        let (stream, _) = self.listener.accept().unwrap();
        let since = begun.elapsed();
        let (path, body) = receive(&stream);
        if path.ends_with("/event/next") {
            self.waiting = Some(stream);
        } else if path.ends_with("/telemetry") {
            let wanted: Value = serde_json::from_str(&body).unwrap();
            let uri = wanted["destination"]["URI"].as_str().unwrap();
            let port = uri.trim_end_matches('/').rsplit(':').next().unwrap();
            self.telemetry = Some(format!("127.0.0.1:{port}"));
            answer(stream, "\"OK\"");
        } else {
            answer(
                stream,
                r#"{"functionName":"bench","functionVersion":"1","handler":"h"}"#,
            );
        }
        since
    }

    fn wait_for_next(&mut self, begun: Instant) -> Duration {
        loop {
            let since = self.serve(begun);
            if self.waiting.is_some() {
                return since;
            }
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path and the body of a request.
fn receive(mut stream: &TcpStream) -> (String, String) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "a request ended early");
        request.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            return (path, body.to_owned());
        }
    }
}

fn answer(mut stream: TcpStream, body: &str) {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nlambda-extension-identifier: an-id\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
}

fn post(address: &str, path: &str, content_type: &str, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or(0)
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// `2026-11-21T09:30:00.123Z`.
fn iso(since_epoch: Duration) -> String {
    let (days, second) = (
        since_epoch.as_secs() / 86_400,
        since_epoch.as_secs() % 86_400,
    );
    // Days to a date, after Howard Hinnant.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let millis = since_epoch.subsec_millis();
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}
