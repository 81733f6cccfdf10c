//! Durable executions and tenants.

use super::*;

const EXECUTION: &str =
    "arn:aws:lambda:eu-west-1:1:function:inventory:1/durable-execution/order-7/0b2c";

#[test]
fn who_comes_again_to_a_durable_execution_repeats_it() {
    let mut story = Story::begin(Telemetry::On);
    let log = |id: &str| {
        format!(r#"{{"requestId":"{id}","message":"paid","executionArn":"{EXECUTION}"}}"#)
    };
    for (at, id, says) in [
        (100, "first", true),
        (1100, "other", false),
        (2100, "again", true),
    ] {
        story.invoke(at, id, Some(HEADER));
        if says {
            story.told(at + 1, "function", &log(id));
            story.told(at + 2, "function", &log(id));
        }
        let done = format!(r#"{{"requestId":"{id}","status":"success"}}"#);
        story.told(at + 10, "platform.runtimeDone", &done);
    }
    let start = format!(
        r#"{{"requestId":"told","durableExecutionArn":"{EXECUTION}","tenantId":"acme","functionArn":"arn:aws:lambda:eu-west-1:1:function:inventory:live"}}"#
    );
    let done = r#"{"requestId":"told","status":"success"}"#;
    story
        .told(3099, "platform.start", &start)
        .invoke(3100, "told", Some(HEADER))
        .told(3110, "platform.runtimeDone", done);
    let (spans, _) = story.drained();
    let mut shown = String::new();
    for span in &spans {
        let text = |key: &str| {
            span.attributes
                .get(key)
                .map_or("-".to_owned(), Value::to_text)
        };
        let _ = writeln!(
            shown,
            "{}: {} replay {} tenant {} of {}",
            text("faas.invocation_id"),
            text("throughline.durable.execution").replace(EXECUTION, "execution"),
            text("throughline.replay"),
            text("throughline.tenant.id"),
            text("cloud.resource_id"),
        );
    }
    expect![[r#"
        first: execution replay - tenant - of arn:aws:lambda:eu-west-1:1:function:inventory
        other: - replay - tenant - of arn:aws:lambda:eu-west-1:1:function:inventory
        again: execution replay true tenant - of arn:aws:lambda:eu-west-1:1:function:inventory
        told: execution replay true tenant acme of arn:aws:lambda:eu-west-1:1:function:inventory
    "#]]
    .assert_eq(&shown);
}
