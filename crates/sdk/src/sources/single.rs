//! Events that are one thing, and no HTTP request.

use serde_json::Value;
use throughline_telemetry::Attributes;

use super::enclosed::{on_bus, text, text_of};
use super::path::{hop, key_of, some};
use super::{Found, Record};
use crate::carriers::getter;

pub(super) fn eventbridge(event: &Value) -> Found<'_> {
    let mut found = from_bus(event);
    let told = [
        ("messaging.system", "aws_eventbridge"),
        ("messaging.operation.type", "process"),
        ("throughline.event.source", text_of(&event["source"])),
        ("throughline.event.type", text_of(&event["detail-type"])),
    ];
    found.attributes = told.into_iter().collect();
    let replay = known([("throughline.event.replay", &event["replay-name"])]);
    found.attributes.0.extend(replay.0);
    found
}

pub(super) fn schedule(event: &Value) -> Found<'_> {
    let mut found = from_bus(event);
    let told = [
        ("faas.time", &event["time"]),
        ("throughline.schedule", &event["resources"][0]),
    ];
    found.attributes = known(told);
    found
}

fn from_bus(event: &Value) -> Found<'_> {
    let (keys, hops) = on_bus(event);
    let record = Record {
        get: Some(getter(&event["detail"])),
        path: hops.join(">"),
        ..Record::default()
    };
    Found {
        records: vec![record],
        keys,
        ..Found::default()
    }
}

pub(super) fn cognito(event: &Value) -> Found<'_> {
    let record = Record {
        get: Some(getter(&event["request"]["clientMetadata"])),
        ..Record::default()
    };
    Found {
        records: vec![record],
        attributes: known([("throughline.event.type", &event["triggerSource"])]),
        ..Found::default()
    }
}

/// The context object of a state machine, if its definition passes it, at the top or one below.
pub(super) fn execution_of(event: &Value) -> Option<&Value> {
    let is = |about: &&Value| {
        let id = text_of(&about["Execution"]["Id"]);
        id.contains(":execution:") || id.contains(":express:")
    };
    [event, &event["Context"], &event["Payload"]]
        .into_iter()
        .find(is)
}

pub(super) fn step_functions(event: &Value) -> Found<'_> {
    let Some(about) = execution_of(event) else {
        return Found::default();
    };
    let (execution, machine) = (&about["Execution"], &about["StateMachine"]);
    let id = text_of(&execution["Id"]);
    let key = key_of("sfn", &[id]);
    // `...:execution:MACHINE:NAME`
    let name = match text_of(&machine["Name"]) {
        "" => id.split(':').nth(6).unwrap_or_default(),
        name => name,
    };
    let record = Record {
        get: Some(getter(event)),
        path: hop("workflow", name, &execution["StartTime"], &key),
        ..Record::default()
    };
    let told = [
        ("aws.step_functions.execution.arn", &execution["Id"]),
        ("aws.step_functions.state.name", &about["State"]["Name"]),
    ];
    Found {
        records: vec![record],
        keys: some([key]),
        attributes: known(told),
        ..Found::default()
    }
}

/// The outcome of an invocation that nobody waited for, delivered to this function.
pub(super) fn destination(event: &Value) -> Found<'_> {
    let key = key_of("lam", &[&text(&event["requestContext"]["requestId"])]);
    Found {
        keys: some([key]),
        ..Found::default()
    }
}

/// Operations may carry what Datadog's tracer kept there for the next invocation.
pub(super) fn durable(event: &Value) -> Found<'_> {
    let operations = event["InitialExecutionState"]["Operations"].as_array();
    let kept = operations.into_iter().flatten().find(|operation| {
        let number = text_of(&operation["Name"]).strip_prefix("_datadog_");
        number.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
    });
    let payload = kept.map(|kept| match &kept["Payload"] {
        Value::Null => &kept["StepDetails"]["Result"],
        payload => payload,
    });
    let record = Record {
        get: Some(Box::new(move |name| match name {
            "_datadog" => payload?.as_str().map(Into::into),
            _ => None,
        })),
        ..Record::default()
    };
    Found {
        records: vec![record],
        attributes: known([(
            "throughline.durable.execution",
            &event["DurableExecutionArn"],
        )]),
        ..Found::default()
    }
}

/// Those of the attributes that have a text.
pub(super) fn known<const N: usize>(told: [(&'static str, &Value); N]) -> Attributes {
    let texts = told.into_iter().map(|(key, value)| (key, text(value)));
    texts.filter(|(_, text)| !text.is_empty()).collect()
}
