//! From JSON to a checked pattern.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::wildcard::Wildcard;
use super::{BadPattern, Comparison, Field, Fields, Test};

pub(super) fn pattern(value: &Value) -> Result<Fields, BadPattern> {
    match value {
        Value::Object(object) => fields(object, &Place::default(), 0),
        _ => Err(Place::default().bad("expected an object")),
    }
}

fn fields(object: &Map<String, Value>, place: &Place, depth: usize) -> Result<Fields, BadPattern> {
    if object.is_empty() {
        return Err(place.bad("an empty object matches nothing that can be said"));
    }
    if depth > DEPTH_MAX {
        return Err(place.bad("nested too deeply"));
    }
    let mut compiled = Fields::default();
    for (key, value) in object {
        let place = place.inside(key);
        match value {
            Value::Array(alternatives) if key == "$or" => {
                let group = alternatives.iter().map(|alternative| match alternative {
                    Value::Object(object) => fields(object, &place, depth + 1),
                    _ => Err(place.bad("expected a list of objects")),
                });
                let group = group.collect::<Result<Vec<_>, _>>()?;
                if group.len() < 2 {
                    return Err(place.bad("expected at least two alternatives"));
                }
                compiled.any_of.push(group);
            }
            Value::Object(object) => {
                let inner = Field::Inner(fields(object, &place, depth + 1)?);
                compiled.fields.push((key.clone(), inner));
            }
            Value::Array(values) => {
                if values.is_empty() {
                    return Err(place.bad("an empty list matches nothing"));
                }
                let tests = values.iter().map(|value| test(value, &place));
                let tests = tests.collect::<Result<Vec<_>, _>>()?;
                compiled.fields.push((key.clone(), Field::Value(tests)));
            }
            _ => return Err(place.bad("expected a list or an object")),
        }
    }
    Ok(compiled)
}

fn test(value: &Value, place: &Place) -> Result<Test, BadPattern> {
    let object = match value {
        Value::Object(object) => object,
        Value::Array(_) => return Err(place.bad("a list in a list")),
        exact => return Ok(Test::Exact(exact.clone())),
    };
    let mut entries = object.iter();
    let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
        return Err(place.bad("expected an object with one key"));
    };
    let place = place.inside(name);
    match (name.as_str(), argument) {
        ("exists", Value::Bool(exists)) => Ok(Test::Exists(*exists)),
        ("anything-but", argument) => but(argument, &place).map(Test::Not),
        ("numeric", Value::Array(bounds)) => numeric(bounds, &place).map(Test::Numeric),
        ("cidr", Value::String(text)) => cidr(text).ok_or_else(|| place.bad("expected a network")),
        (name, argument) => text_test(name, argument, &place),
    }
}

fn text_test(name: &str, argument: &Value, place: &Place) -> Result<Test, BadPattern> {
    let ignoring_case = argument
        .get("equals-ignore-case")
        .and_then(Value::as_str)
        .map(str::to_owned);
    match (name, argument, ignoring_case) {
        ("prefix", Value::String(text), _) => Ok(Test::Prefix(text.clone())),
        ("prefix", _, Some(text)) => Ok(Test::PrefixIgnoringCase(text)),
        ("suffix", Value::String(text), _) => Ok(Test::Suffix(text.clone())),
        ("suffix", _, Some(text)) => Ok(Test::SuffixIgnoringCase(text)),
        ("equals-ignore-case", Value::String(text), _) => Ok(Test::IgnoringCase(text.clone())),
        ("wildcard", Value::String(text), _) => Wildcard::new(text)
            .map(Test::Wildcard)
            .map_err(|reason| place.bad(reason)),
        _ => Err(place.bad("unknown kind of test, or not with such an argument")),
    }
}

/// What must not be: a value, several, or a test of text with one argument or several.
fn but(argument: &Value, place: &Place) -> Result<Vec<Test>, BadPattern> {
    let one_or_more = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    let tests: Vec<Test> = match argument {
        Value::Object(object) => {
            let mut entries = object.iter();
            let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
                return Err(place.bad("expected an object with one key"));
            };
            let place = place.inside(name);
            one_or_more(argument)
                .iter()
                .map(|argument| text_test(name, argument, &place))
                .collect::<Result<_, _>>()?
        }
        other => one_or_more(other).into_iter().map(Test::Exact).collect(),
    };
    if tests.is_empty() {
        return Err(place.bad("an empty list"));
    }
    Ok(tests)
}

fn numeric(bounds: &[Value], place: &Place) -> Result<Vec<(Comparison, f64)>, BadPattern> {
    let expected = || place.bad("expected a list such as [\">\", 0, \"<=\", 5]");
    let (pairs, rest) = bounds.as_chunks::<2>();
    if !rest.is_empty() || !(1..=2).contains(&pairs.len()) {
        return Err(expected());
    }
    let pair = |[comparison, bound]: &[Value; 2]| {
        let comparison = match comparison.as_str()? {
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            "=" => Comparison::Equal,
            ">=" => Comparison::GreaterOrEqual,
            ">" => Comparison::Greater,
            _ => return None,
        };
        Some((comparison, bound.as_f64()?))
    };
    pairs
        .iter()
        .map(pair)
        .collect::<Option<_>>()
        .ok_or_else(expected)
}

fn cidr(text: &str) -> Option<Test> {
    let (network, bits) = text.split_once('/')?;
    let network: IpAddr = network.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let most = if network.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Test::Cidr(network, bits))
}

/// The keys that were walked.
#[derive(Debug, Clone, Default)]
struct Place(String);

impl Place {
    fn inside(&self, key: &str) -> Self {
        if self.0.is_empty() {
            Self(key.to_owned())
        } else {
            Self(format!("{}.{key}", self.0))
        }
    }

    fn bad(&self, reason: &str) -> BadPattern {
        BadPattern {
            place: if self.0.is_empty() {
                "its beginning".to_owned()
            } else {
                self.0.clone()
            },
            reason: reason.to_owned(),
        }
    }
}

/// An event of AWS is never nested this deeply, and recursion has to end.
const DEPTH_MAX: usize = 100;
