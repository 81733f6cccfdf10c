//! What is read from the event of each source, with its trace wherever it may be.

use serde_json::{Value, json};

use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const XRAY: &str = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=0";
const DATADOG: &str = r#"{"x-datadog-trace-id":"9532127138774266268","x-datadog-parent-id":"13235353014750950193","x-datadog-tags":"_dd.p.tid=0af7651916cd43dd"}"#;
const OURS: &str = "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331";
const INVOKED: &str = "11111111111111111111111111111111 2222222222222222";
fn invoked() -> Option<TraceContext> {
    let (trace, span) = INVOKED.split_once(' ').unwrap();
    TraceContext::of(trace, span)
}

fn way(event: &Value) -> Way {
    read(event, "i1", &Value::Null, invoked())
}

fn message(more: Value) -> Value {
    let mut message = json!({"messageId": "m1", "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders"});
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    message
}

fn records(records: &[Value]) -> Value {
    json!({ "Records": records })
}

/// The samples that the layers are held to as well.
#[test]
fn sample_events_say_what_they_say_to_the_layers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../layers/events");
    let (mut cases, mut wrong) = (0, Vec::new());
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let samples = std::fs::read_to_string(&path).unwrap();
            let samples: Vec<Value> = serde_json::from_str(&samples).unwrap();
            wrong.extend(samples.iter().filter_map(check));
            cases += samples.len();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 50, "{cases} cases");
}

/// How what is read differs from what is expected, if it does.
fn check(sample: &Value) -> Option<String> {
    let (name, expected) = (sample["case"].as_str().unwrap(), &sample["expected"]);
    let way = way(&sample["event"]);
    let to = |context: &TraceContext| match context.span_id {
        Some(span_id) => format!("{}-{span_id}", context.trace_id),
        None => context.trace_id.to_string(),
    };
    let parent = way.parent.filter(|parent| Some(*parent) != invoked());
    let attributes = serde_json::to_value(&way.attributes).unwrap();
    let links = way.links.iter().map(|link| {
        let told = serde_json::to_value(&link.attributes).unwrap();
        json!({"to": to(&link.context), "message": told["messaging.message.id"], "keys": told.get("throughline.link.in").unwrap_or(&json!([]))})
    });
    let mut seen = json!({
        "type": attributes["throughline.trigger.type"], "trigger": attributes["faas.trigger"],
        "parent": parent.as_ref().map(to), "links": links.collect::<Vec<_>>(), "keys": way.keys, "path": way.path,
    });
    for (key, _) in expected["attributes"].as_object().into_iter().flatten() {
        seen["attributes"][key] = attributes[key].clone();
    }
    (seen != *expected).then(|| format!("{name}\nexpected {expected}\nseen     {seen}"))
}

#[test]
fn events_of_strange_shapes() {
    for strange in [
        json!("text"),
        json!(null),
        json!([]),
        json!({"Records": [{"eventSource": "aws:sqs"}, null]}),
        json!({"Records": {}}),
        json!({"records": 1, "eventSource": "kafka"}),
    ] {
        let seen = way(&strange);
        let told = (seen.keys, seen.parent);
        assert_eq!(told, (vec!["lam:i1".to_owned()], invoked()), "{strange}");
    }
}

#[test]
fn batch_of_more_records_than_are_joined() {
    let header = json!({"attributes": {"AWSTraceHeader": XRAY}});
    let way = way(&records(&vec![message(header); 1_500]));
    assert_eq!((way.keys.len(), way.links.len()), (1_000, 1_000));
    assert_eq!(way.path.len(), 1_000);
}

#[test]
fn everybodys_headers() {
    let datadog: Value = serde_json::from_str(DATADOG).unwrap();
    let b3 = format!("{TRACE}-{SPAN}-1");
    let jaeger = format!("{TRACE}%3A{SPAN}:0:1");
    for headers in [
        json!({"traceparent": W3C, "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793"}),
        datadog,
        json!({ "Elastic-Apm-Traceparent": W3C }),
        json!({ "b3": b3 }),
        json!({"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN}),
        json!({ "uber-trace-id": jaeger }),
        json!({"epsagon-trace-id": format!("{TRACE}:{SPAN}:0:1")}),
        json!({"traceparent": "00-zz", "X-Amzn-Trace-Id": XRAY}),
    ] {
        let event = json!({"version": "2.0", "headers": headers, "requestContext": {"http": {}}});
        let parent = way(&event).parent.unwrap();
        assert_eq!(
            format!("{} {}", parent.trace_id, parent.span_id.unwrap()),
            OURS,
            "{headers}"
        );
    }
}

#[test]
fn direct_call_says_it_in_its_client_context() {
    for context in [
        json!({"custom": {"traceparent": W3C}}),
        json!({"Custom": {"_datadog": DATADOG}}),
        json!({"w3c": {"traceparent": W3C}}),
    ] {
        let parent = read(&json!({}), "i1", &context, invoked()).parent.unwrap();
        assert_eq!(parent.trace_id.to_string(), TRACE, "{context}");
    }
}

#[test]
fn root_without_a_parent_takes_the_parent_that_the_invocation_has() {
    let invoked = TraceContext::of(TRACE, SPAN);
    let root = XRAY.split(';').next().unwrap();
    let event = json!({"version": "2.0", "headers": {"x-amzn-trace-id": root}, "requestContext": {"http": {}}});
    assert_eq!(read(&event, "i1", &Value::Null, invoked).parent, invoked);
}
