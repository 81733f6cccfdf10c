//! The built binary between a small Lambda and a fake intake.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, its helpers included"
)]

#[path = "process/delivery.rs"]
mod delivery;
#[path = "process/flood.rs"]
mod flood;
#[path = "process/lambda.rs"]
mod lambda;
#[path = "process/measured.rs"]
mod measured;
#[path = "process/ours.rs"]
mod ours;

use std::time::Duration;

use lambda::{Extension, FakeLambda, Telemetry};
use throughline_telemetry::{SpanKind, SpanStatus};
use throughline_testkit::intake::{Answer, FakeIntake, Received};
use tokio::time::Instant;

const TRACE: &str = "5f35ae120c0fec141ab77a00bc047aa2";
const HEADER: &str = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1";

/// What the platform tells of an invocation up to its end, with one log line.
fn told(request_id: &str) -> String {
    let time = lambda::iso_now();
    format!(
        r#"[{{"time":"{time}","type":"platform.start","record":{{"requestId":"{request_id}","version":"$LATEST"}}}},
        {{"time":"{time}","type":"function","record":"[INFO]\t{time}\t{request_id}\thello from {request_id}\n"}},
        {{"time":"{time}","type":"platform.runtimeDone","record":{{"requestId":"{request_id}","status":"success","metrics":{{"durationMs":12.5,"producedBytes":2}}}}}}]"#
    )
}

fn report(request_id: &str) -> String {
    let time = lambda::iso_now();
    format!(
        r#"[{{"time":"{time}","type":"platform.report","record":{{"requestId":"{request_id}","status":"success","metrics":{{"durationMs":13.5,"billedDurationMs":14,"memorySizeMB":256,"maxMemoryUsedMB":40}},"spans":[{{"name":"extensionOverhead","start":"{time}","durationMs":1.0}}]}}}}]"#
    )
}

fn handler_span(span_id: &str) -> String {
    let now = lambda::now_nanos();
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","spanId":"{span_id}","parentSpanId":"2be948a625588e32","name":"handler","kind":2,"startTimeUnixNano":"{now}","endTimeUnixNano":"{now}"}}]}}]}}]}}"#
    )
}

/// The sequence numbers are 1, 2, 3 … of one environment.
fn assert_numbered(received: &Received) {
    let mut sequences: Vec<u64> = received
        .posts
        .iter()
        .filter_map(|post| post.sequence())
        .collect();
    sequences.sort_unstable();
    assert!(
        sequences
            .iter()
            .copied()
            .eq(1..=received.posts.len() as u64),
        "{sequences:?}"
    );
    let first = received.posts[0].header("x-throughline-environment");
    assert_eq!(first.len(), 36);
    assert!(
        received
            .posts
            .iter()
            .all(|post| post.header("x-throughline-environment") == first)
    );
}

#[tokio::test]
async fn an_invocation_becomes_a_trace() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, &intake.endpoint());
    lambda.next_asked().await;
    assert_eq!(lambda.registered_name(), "throughline-extension");
    let init = r#"[{"time":"NOW","type":"platform.initStart","record":{"initializationType":"on-demand"}},{"time":"NOW","type":"platform.initReport","record":{"status":"success","metrics":{"durationMs":99.5}}}]"#;
    lambda.tell(&init.replace("NOW", &lambda::iso_now())).await;

    lambda.invoke("r-1", Some(HEADER)).await;
    assert_eq!(
        extension.export(&handler_span("00000000000000b1")).await,
        200
    );
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    let complete = |received: &Received| {
        received.span("checkout").is_some()
            && received.span("handler").is_some()
            && received.log("hello").is_some()
    };
    let received = intake.wait_for("the first invocation", complete).await;
    let invocation = received
        .spans
        .iter()
        .find(|span| span.kind == SpanKind::Server && span.name == "checkout");
    let invocation = invocation.expect("just awaited");
    assert_eq!(invocation.trace_id.to_string(), TRACE);
    assert_eq!(
        invocation.parent_id.map(|id| id.to_string()).as_deref(),
        Some("2be948a625588e32")
    );
    assert_eq!(invocation.duration(), Duration::from_micros(12_500));
    assert_eq!(invocation.service(), "checkout");
    for name in ["handler", "init"] {
        let child = received.span(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(child.parent_id, Some(invocation.span_id), "{name}");
        assert_eq!(child.service(), "checkout");
    }
    let line = received.log("hello from r-1").expect("the log line");
    assert_eq!(
        (line.trace_id, line.span_id),
        (Some(invocation.trace_id), Some(invocation.span_id))
    );

    lambda.invoke("r-2", None).await;
    lambda.tell(&report("r-1")).await;
    lambda.tell(&told("r-2")).await;
    lambda.next_asked().await;
    let reported = |received: &Received| {
        received.log("REPORT RequestId: r-1").is_some()
            && received.span("extension overhead").is_some()
    };
    let received = intake
        .wait_for("the report of the first invocation", reported)
        .await;
    assert_eq!(
        received
            .span("extension overhead")
            .and_then(|span| span.parent_id),
        Some(invocation.span_id)
    );

    lambda.shut_down("spindown").await;
    lambda.tell(&report("r-2")).await;
    let (code, _) = extension.ended().await;
    assert_eq!(code, Some(0));
    let received = intake.received();
    assert!(
        received.log("REPORT RequestId: r-2").is_some(),
        "the last report"
    );
    assert_numbered(&received);
}

#[tokio::test]
async fn a_dead_intake_never_holds_the_function_and_loses_nothing_when_it_comes_back() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, &intake.endpoint());
    lambda.next_asked().await;
    let mut request = 0;
    for answer in [Answer::Hang, Answer::Status(503), Answer::Refuse] {
        intake.answer(answer).await;
        for _ in 0..3 {
            request += 1;
            let id = format!("r-{request}");
            lambda.invoke(&id, Some(HEADER)).await;
            assert_eq!(
                extension
                    .export(&handler_span(&format!("{request:016x}")))
                    .await,
                200
            );
            lambda.tell(&told(&id)).await;
            let done = Instant::now();
            lambda.next_asked().await;
            // The promise is 100 ms once; the rest is room for a busy machine. A server that hangs
            // for the 5 s of a request would show.
            assert!(
                done.elapsed() < Duration::from_secs(2),
                "{answer:?}: {:?}",
                done.elapsed()
            );
        }
    }
    intake.answer(Answer::Take).await;
    let all = |received: &Received| {
        let handlers = received
            .spans
            .iter()
            .filter(|span| span.name == "handler")
            .count();
        handlers == 9 && received.log("hello from r-9").is_some()
    };
    let received = intake.wait_for("all nine invocations", all).await;
    assert_numbered(&received);
    lambda.shut_down("spindown").await;
    assert_eq!(extension.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_freeze_in_the_middle_of_a_delivery_loses_nothing() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, &intake.endpoint());
    lambda.next_asked().await;
    intake.answer(Answer::Hang).await;
    lambda.invoke("r-1", Some(HEADER)).await;
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    // The batches are on their way, unanswered. The server restarts while nobody looks.
    extension.freeze();
    intake.drop_connections();
    intake.answer(Answer::Take).await;
    extension.thaw();
    lambda.invoke("r-2", Some(HEADER)).await;
    lambda.tell(&told("r-2")).await;
    lambda.next_asked().await;
    let both = |received: &Received| {
        let invocations = received.spans.iter().filter(|span| span.name == "checkout");
        invocations.count() == 2
            && received.log("from r-1").is_some()
            && received.log("from r-2").is_some()
    };
    assert_numbered(&intake.wait_for("both invocations", both).await);
    lambda.shut_down("spindown").await;
    assert_eq!(extension.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_crash_is_seen_although_nothing_says_how_it_ended() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, &intake.endpoint());
    lambda.next_asked().await;
    // So little time is left that the extension asks for the next event at once, as it must.
    lambda
        .invoke_with_time("r-1", Some(HEADER), Duration::from_millis(50))
        .await;
    lambda.next_asked().await;
    lambda.shut_down("timeout").await;
    assert_eq!(extension.ended().await.0, Some(0));
    let received = intake.received();
    let invocation = received.span("checkout").expect("the invocation");
    assert_eq!(invocation.status, SpanStatus::Error);
    assert_eq!(invocation.attributes.text("error.type"), Some("timeout"));
}

#[tokio::test]
async fn without_telemetry_what_the_function_exports_still_arrives() {
    for telemetry in [Telemetry::NotHere, Telemetry::Refused] {
        let intake = FakeIntake::start().await;
        let mut lambda = FakeLambda::start(telemetry).await;
        let mut extension = Extension::start(&lambda, &intake.endpoint());
        lambda.next_asked().await;
        lambda.invoke("r-1", Some(HEADER)).await;
        lambda.next_asked().await;
        assert_eq!(
            extension.export(&handler_span("00000000000000b1")).await,
            200
        );
        intake
            .wait_for("the handler's span", |received| {
                received.span("handler").is_some()
            })
            .await;
        lambda.shut_down("spindown").await;
        assert_eq!(extension.ended().await.0, Some(0));
        assert!(
            intake.received().span("checkout").is_some(),
            "the invocation as far as it is known"
        );
    }
}

#[tokio::test]
async fn a_taken_port_costs_only_what_came_through_it() {
    let intake = FakeIntake::start().await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let listen = taken.local_addr().unwrap().to_string();
    let mut extension = Extension::start_with(
        &lambda,
        &intake.endpoint(),
        &[("THROUGHLINE_OTLP_LISTEN", &listen)],
    );
    lambda.next_asked().await;
    lambda.invoke("r-1", None).await;
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    intake
        .wait_for("the invocation", |received| {
            received.span("checkout").is_some()
        })
        .await;
    lambda.shut_down("spindown").await;
    let (code, stderr) = extension.ended().await;
    assert_eq!(code, Some(0));
    assert!(
        stderr.contains(&format!("cannot listen for OTLP/HTTP on {listen}")),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_bad_endpoint_leaves_the_function_running() {
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, "collector:4318");
    lambda.next_asked().await;
    assert!(
        !lambda.is_subscribed(),
        "what goes nowhere is not asked for"
    );
    for id in ["r-1", "r-2"] {
        lambda.invoke(id, None).await;
        assert_eq!(
            extension.export(&handler_span("00000000000000b1")).await,
            200
        );
        lambda.next_asked().await;
    }
    lambda.shut_down("spindown").await;
    let (code, stderr) = extension.ended().await;
    assert_eq!(code, Some(0));
    assert!(
        stderr.contains("cannot use THROUGHLINE_ENDPOINT collector:4318"),
        "{stderr}"
    );
    assert!(stderr.contains("export_off"), "{stderr}");
}

#[tokio::test]
async fn garbage_from_everywhere_is_survived() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, &intake.endpoint());
    lambda.next_asked().await;
    lambda.invoke("r-1", Some("Root=nonsense;;=;Parent")).await;
    for body in [
        "",
        "[",
        "{}",
        "[[[[",
        r#"[{"type":"platform.brandNew","record":7}]"#,
        "\u{0}",
    ] {
        lambda.tell(body).await;
    }
    assert_eq!(extension.export("{not otlp").await, 400);
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    let told = |received: &Received| {
        received.log("lost since").is_some() && received.span("checkout").is_some()
    };
    let received = intake.wait_for("the loss", told).await;
    let loss = received.log("lost since").expect("just seen");
    assert_eq!(loss.event_name, "throughline.loss");
    assert!(
        loss.attributes
            .get("throughline.lost.undecodable")
            .is_some()
    );
    assert!(
        loss.attributes
            .get("throughline.odd.unknown_events")
            .is_some()
    );
    lambda.shut_down("spindown").await;
    assert_eq!(extension.ended().await.0, Some(0));
}

#[tokio::test]
async fn outside_of_lambda_it_says_what_it_is() {
    let run = |argument: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_throughline-extension"));
        command.env_clear().env("THROUGHLINE_API_KEY", "secret-key");
        if !argument.is_empty() {
            command.arg(argument);
        }
        let output = command.output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).expect("text"))
    };
    let (code, text) = run("--print-config");
    assert_eq!(code, Some(0));
    assert!(
        text.contains("THROUGHLINE_API_KEY") && !text.contains("secret-key"),
        "{text}"
    );
    assert!(text.contains("(default)"), "{text}");
    let (code, text) = run("--help");
    assert!(
        code == Some(0) && text.contains("THROUGHLINE_ENDPOINT"),
        "{text}"
    );
    let (code, text) = run("--version");
    assert_eq!(
        (code, text.trim()),
        (
            Some(0),
            concat!("throughline-extension ", env!("CARGO_PKG_VERSION"))
        )
    );
    assert_eq!(run("--wat").0, Some(2));
    let (code, text) = run("");
    assert!(
        code == Some(2) && text.contains("AWS_LAMBDA_RUNTIME_API"),
        "{text}"
    );
}

#[tokio::test]
async fn what_listeners_hold_back_leaves_at_the_end() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let free = || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().to_string()
    };
    let (xray, statsd) = (free(), free());
    let mut extension = Extension::start_with(
        &lambda,
        &intake.endpoint(),
        &[
            ("THROUGHLINE_XRAY_LISTEN", &xray),
            ("THROUGHLINE_STATSD_LISTEN", &statsd),
        ],
    );
    lambda.next_asked().await;
    lambda.invoke("r-1", Some(HEADER)).await;
    let open = format!(
        "{{\"format\":\"json\",\"version\":1}}\n{{\"trace_id\":\"1-5f35ae12-0c0fec141ab77a00bc047aa2\",\"id\":\"70de5b6f19ff9a0a\",\"parent_id\":\"2be948a625588e32\",\"type\":\"subsegment\",\"name\":\"slow\",\"in_progress\":true,\"start_time\":{}}}",
        lambda::now_nanos() / 1_000_000_000
    );
    client.send_to(open.as_bytes(), &xray).await.unwrap();
    client.send_to(b"orders:1|c", &statsd).await.unwrap();
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    lambda.shut_down("timeout").await;
    assert_eq!(extension.ended().await.0, Some(0));
    let received = intake.received();
    let invocation = received.spans.iter().find(|span| span.name == "checkout");
    let slow = received.span("slow").expect("the call that never ended");
    assert_eq!(slow.parent_id, invocation.map(|span| span.span_id));
    assert_eq!(slow.service(), "checkout");
    let orders = received.metrics.iter().find(|point| point.name == "orders");
    assert_eq!(orders.expect("what was counted").value, 1.0);
}
