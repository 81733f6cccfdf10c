//! Rules on event buses.

use aws_sdk_eventbridge::types::Target;
use serde_json::{Map, Value, json};
use throughline_sandbox::EventBridgeSource;

use crate::aws::Aws;
use crate::names::error_text;

/// Makes a rule whose target is a queue.
pub(super) async fn put_rule(
    aws: &Aws,
    name: &str,
    queue: &str,
    source: &EventBridgeSource,
) -> Result<(), String> {
    let pattern = match aws.endpoint.is_amazon() {
        true => source.pattern.clone(),
        false => coarse(&source.pattern),
    };
    let rule = aws.events.put_rule().name(name);
    let rule = rule.event_bus_name(&source.bus);
    let rule = rule.event_pattern(pattern.to_string());
    rule.send().await.map_err(error_text)?;
    let target = Target::builder().id(TARGET).arn(queue).build();
    let targets = aws.events.put_targets().rule(name);
    let targets = targets.event_bus_name(&source.bus);
    let targets = targets.targets(target.map_err(error_text)?);
    let put = targets.send().await.map_err(error_text)?;
    match put.failed_entries().first() {
        Some(failed) => Err(failed.error_message().unwrap_or("no reason").to_owned()),
        None => Ok(()),
    }
}

pub(super) async fn delete_rule(aws: &Aws, name: &str, bus: &str) -> Result<(), String> {
    let targets = aws.events.remove_targets().rule(name).event_bus_name(bus);
    targets.ids(TARGET).send().await.map_err(error_text)?;
    let rule = aws.events.delete_rule().name(name).event_bus_name(bus);
    rule.send().await.map_err(error_text)?;
    Ok(())
}

/// A pattern that lets through all that the pattern does, in words that every emulator knows; what is too much is
/// sorted out when it comes. Emulators differ in the tests they know, and what they hold back can never be had.
fn coarse(pattern: &Value) -> Value {
    let plain = |value: &Value| {
        value
            .as_array()
            .is_some_and(|tests| tests.iter().all(Value::is_string))
    };
    let fields = pattern.as_object().into_iter().flatten();
    let fields: Map<_, _> = fields
        .filter(|(key, value)| PLAIN_KEYS.contains(&key.as_str()) && plain(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if fields.is_empty() {
        json!({"source": [{"prefix": ""}]})
    } else {
        Value::Object(fields)
    }
}

/// The event that a function gets: a fixed one, a part of what came, or all of it.
pub(super) fn event(came: Value, input: Option<&Value>, path: Option<&str>) -> Value {
    match (input, path) {
        (Some(input), _) => input.clone(),
        (None, Some(path)) => part(&came, path).unwrap_or(Value::Null),
        (None, None) => came,
    }
}

/// The part at a path such as `$.detail.items[0]`.
fn part(event: &Value, path: &str) -> Option<Value> {
    let path = path.strip_prefix('$')?;
    let path = path.replace('[', ".").replace(']', "");
    let steps = path.split('.').filter(|step| !step.is_empty());
    let mut part = event;
    for step in steps {
        part = match part {
            Value::Array(elements) => elements.get(step.parse::<usize>().ok()?)?,
            object => object.get(step.trim_matches(['\'', '"']))?,
        };
    }
    Some(part.clone())
}

const TARGET: &str = "throughline";
/// The fields of an event that are single texts.
const PLAIN_KEYS: &[&str] = &["source", "detail-type", "account", "region", "id"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_pattern_keeps_what_every_endpoint_knows() {
        let cases = [
            (
                json!({"source": ["shop"], "detail": {"total": [{"numeric": [">", 1]}]}}),
                json!({"source": ["shop"]}),
            ),
            (
                json!({"source": [{"wildcard": "a*b"}], "detail-type": ["x", "y"]}),
                json!({"detail-type": ["x", "y"]}),
            ),
            (
                json!({"$or": [{"source": ["a"]}, {"detail": {"b": [1]}}]}),
                json!({"source": [{"prefix": ""}]}),
            ),
        ];
        for (pattern, expected) in cases {
            assert_eq!(coarse(&pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn function_gets_the_part_that_it_asked_for() {
        let came = || json!({"source": "shop", "detail": {"items": [{"id": 7}]}});
        let fixed = json!({"fixed": true});
        let cases = [
            (None, None, came()),
            (None, Some("$.detail.items[0].id"), json!(7)),
            (None, Some("$.nothing"), Value::Null),
            (None, Some("$"), came()),
            (Some(&fixed), None, fixed.clone()),
        ];
        for (input, path, expected) in cases {
            assert_eq!(event(came(), input, path), expected, "{path:?}");
        }
    }
}
