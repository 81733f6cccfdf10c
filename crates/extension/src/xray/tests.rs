use expect_test::{Expect, expect};
use throughline_telemetry::wire::spans;

use super::*;

/// The header of each datagram.
const HEADER: &str = r#"{"format":"json","version":1}"#;
const START: &str = r#""trace_id":"1-5f35ae12-0c0fec141ab77a00bc047aa2","start_time":1597353490.5"#;

fn datagram(document: &str) -> Vec<u8> {
    format!("{HEADER}\n{{{START},{document}}}").into_bytes()
}

fn shown(request: Request) -> String {
    let Request::Traces(request) = request else {
        panic!("traces")
    };
    let spans = spans(request).unwrap();
    let lines = spans.iter().map(|span| {
        let parent = span
            .parent_id
            .map(|id| format!(" < {id}"))
            .unwrap_or_default();
        let mut line = format!(
            "{}{parent} {} {} {:?} {}",
            span.span_id,
            span.name,
            span.kind.name(),
            span.duration(),
            span.status.name()
        );
        let resource = span.resource.attributes.iter();
        let attributes = span.attributes.iter();
        for (key, value) in resource.chain(attributes) {
            line += &format!("\n  {key}={}", value.to_text());
        }
        for event in &span.events {
            let told = serde_json::to_string(&event.attributes).unwrap();
            line += &format!("\n  {} {told}", event.name);
        }
        if !span.status_message.is_empty() {
            line += &format!("\n  because {}", span.status_message);
        }
        line + "\n"
    });
    lines.collect()
}

fn check(document: &str, expected: Expect) {
    let read = Documents::default().datagram(&datagram(document));
    let shown = match read {
        Ok(request) => shown(request),
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_segment_with_subsegments() {
    check(
        r#""id":"70de5b6f19ff9a0a","name":"shop","end_time":1597353491.75,"service":{"version":"1.2"},"user":"u-1",
        "aws":{"account_id":"123456789012","xray":{"sdk":"X-Ray for Python","sdk_version":"2.15.0"}},
        "http":{"request":{"method":"GET","url":"https://shop/","client_ip":"1.2.3.4","x_forwarded_for":true},"response":{"status":200,"content_length":86}},
        "annotations":{"order":42,"vip":true},"metadata":{"cart":{"items":[1,{"a":1}],"note":"x"}},
        "subsegments":[
          {"id":"53995c3f42cd8ad8","name":"DynamoDB","namespace":"aws","start_time":1597353491.0,"end_time":1597353491.25,
           "aws":{"operation":"PutItem","region":"eu-west-1","table_name":"orders","request_id":"R1","retries":2}},
          {"name":"no id","start_time":1597353491.0,"subsegments":[
            {"id":"53995c3f42cd8ad9","name":"shop@db","namespace":"remote","start_time":1597353491.0,"end_time":1597353491.5,
             "sql":{"sanitized_query":"SELECT 1","database_type":"PostgreSQL","user":"web"}}]}]"#,
        expect![[r#"
            70de5b6f19ff9a0a shop server 1.25s unset
              service.name=shop
              service.version=1.2
              cloud.account.id=123456789012
              client.address=1.2.3.4
              http.request.method=GET
              url.full=https://shop/
              aws.xray.http.request.x_forwarded_for=true
              http.response.body.size=86
              http.response.status_code=200
              cloud.account.id=123456789012
              aws.xray={"sdk":"X-Ray for Python","sdk_version":"2.15.0"}
              enduser.id=u-1
              order=42
              vip=true
              metadata.cart.items=[1,{"a":1}]
              metadata.cart.note=x
            53995c3f42cd8ad8 < 70de5b6f19ff9a0a DynamoDB client 250ms unset
              service.name=shop
              service.version=1.2
              cloud.account.id=123456789012
              rpc.system=aws-api
              rpc.service=DynamoDB
              rpc.method=PutItem
              cloud.region=eu-west-1
              aws.request_id=R1
              aws.retries=2
              aws.dynamodb.table_names=["orders"]
            53995c3f42cd8ad9 < 70de5b6f19ff9a0a shop@db client 500ms unset
              service.name=shop
              service.version=1.2
              cloud.account.id=123456789012
              db.system.name=PostgreSQL
              db.query.text=SELECT 1
              db.user=web
        "#]],
    );
}

#[test]
fn a_subsegment_that_failed() {
    check(
        r#""id":"70de5b6f19ff9a0a","type":"subsegment","parent_id":"2be948a625588e32","name":"pay.example.com","namespace":"remote","end_time":1597353490.75,"fault":true,
        "http":{"response":{"status":503}},
        "cause":{"working_directory":"/var/task","exceptions":[
          {"id":"a","type":"ValueError","message":"card declined","stack":[{"path":"pay.py","line":18,"label":"charge"},{"path":"app.py","line":7,"label":"handler"}],"cause":"b"},
          {"id":"b","type":"KeyError","message":"'card'","remote":true}]}"#,
        expect![[r#"
            70de5b6f19ff9a0a < 2be948a625588e32 pay.example.com client 250ms error
              http.response.status_code=503
              error.type=ValueError
              exception {"exception.type":"ValueError","exception.message":"card declined","exception.stacktrace":"  at charge (pay.py:18)\n  at handler (app.py:7)"}
              exception {"exception.type":"KeyError","exception.message":"'card'"}
              because card declined
        "#]],
    );
    check(
        r#""id":"70de5b6f19ff9a0a","type":"subsegment","name":"SQS","namespace":"aws","throttle":true,"error":true,"cause":"4a8d1f0c1c0d5e6f""#,
        expect![[r#"
            70de5b6f19ff9a0a SQS client 0ns error
              rpc.system=aws-api
              rpc.service=SQS
              aws.xray.cause=4a8d1f0c1c0d5e6f
              error.type=throttle
        "#]],
    );
}

#[test]
fn what_is_no_document() {
    for (datagram, why) in [
        (&b""[..], "header"),
        (b"{}", "header"),
        (b"{}\n{}", "header"),
        (b"{\"format\":\"json\",\"version\":2}\n{}", "header"),
        (b"{\"format\":\"json\",\"version\":1}\n", "not JSON"),
        (b"{\"format\":\"json\",\"version\":1}\n[]", "trace_id"),
        (
            b"{\"format\":\"json\",\"version\":1}\n{\"trace_id\":\"1-2-3\"}",
            "trace_id",
        ),
        (b"{\"format\":\"json\",\"version\":1}\nT1S%%", "base64"),
        (b"{\"format\":\"json\",\"version\":1}\nT1SAAAA", "protobuf"),
    ] {
        let error = Documents::default()
            .datagram(datagram)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error} for {datagram:?}");
    }
    check(
        r#""id":"0000000000000000","name":"x""#,
        expect![[r#"
        it holds no segment
    "#]],
    );
}

#[test]
fn odd_times_are_survived() {
    for times in [
        r#""end_time":-1"#,
        r#""end_time":1e300"#,
        r#""end_time":"soon""#,
        r#""start_time":null"#,
    ] {
        let document = format!(r#""id":"70de5b6f19ff9a0a",{times}"#);
        let read = Documents::default().datagram(&datagram(&document)).unwrap();
        assert_eq!(read.items(), 1, "{times}");
    }
}

#[test]
fn otlp_behind_the_mark() {
    let span = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"hello"}]}]}]}"#;
    let protobuf = Request::from_json(Signal::Traces, span.as_bytes())
        .unwrap()
        .to_protobuf();
    for mark in ["T1S", "T1U"] {
        let datagram = format!("{HEADER}\n{mark}{}", STANDARD.encode(&protobuf));
        let read = Documents::default().datagram(datagram.as_bytes()).unwrap();
        assert_eq!(read.items(), 1);
    }
}

const OPEN: &str = r#""id":"70de5b6f19ff9a0a","type":"subsegment","name":"slow","in_progress":true,"subsegments":[{"id":"53995c3f42cd8ad8","name":"done","start_time":1597353491.0,"end_time":1597353491.5}]"#;

#[test]
fn what_is_in_progress_comes_once_with_its_end() {
    let mut documents = Documents::default();
    let read = documents.datagram(&datagram(OPEN)).unwrap();
    assert_eq!(read.items(), 1, "the subsegment that is done");
    let done =
        r#""id":"70de5b6f19ff9a0a","type":"subsegment","name":"slow","end_time":1597353492.5"#;
    assert_eq!(documents.datagram(&datagram(done)).unwrap().items(), 1);
    assert!(documents.last_words(UnixNanos(1)).is_none());
}

#[test]
fn what_never_ends_is_given_out_as_unfinished() {
    let mut documents = Documents::default();
    documents.datagram(&datagram(OPEN)).unwrap();
    documents.datagram(&datagram(OPEN)).unwrap();
    let last = documents
        .last_words(UnixNanos::from_millis(1_597_353_493_000))
        .unwrap();
    expect![[r#"
        70de5b6f19ff9a0a slow internal 2.5s unset
          throughline.unfinished=true
    "#]]
    .assert_eq(&shown(last));

    for number in 1..=100 {
        let document = OPEN.replace("70de5b6f19ff9a0a", &format!("{number:016x}"));
        let given = documents.datagram(&datagram(&document)).unwrap().items();
        let oldest = usize::from(number > OPEN_MAX);
        assert_eq!(given, 1 + oldest, "{number}");
    }
}

#[test]
fn the_daemon_answers_with_nothing() {
    assert!(answer("/GetSamplingRules").is_some());
    assert!(answer("/SamplingTargets").is_some());
    assert!(answer("/Other").is_none());
    let body = br#"{"TraceSegmentDocuments":["{}",7,"{\"a\":1}"]}"#;
    let documents = put_trace_segments(body).into_iter().map(Result::ok);
    let documents: Vec<_> = documents.collect();
    let documents: Vec<_> = documents.iter().map(Option::as_deref).collect();
    assert_eq!(documents, [Some("{}"), None, Some("{\"a\":1}")]);
    for body in [
        &b"["[..],
        b"",
        b"[]",
        b"7",
        br#"{"TraceSegmentDocuments":{}}"#,
    ] {
        let documents = put_trace_segments(body);
        assert!(matches!(&documents[..], [Err(_)]), "{documents:?}");
    }
    assert!(put_trace_segments(br#"{"TraceSegmentDocuments":[]}"#).is_empty());
}
