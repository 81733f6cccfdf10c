//! Event patterns: the language of EventBridge rules, which the filters of event sources share.

mod compile;
mod wildcard;

use std::net::IpAddr;

use serde_json::{Map, Value};

use wildcard::Wildcard;

/// A pattern that was checked.
///
/// ```
/// use serde_json::json;
/// use throughline_sources::Pattern;
///
/// let pattern = Pattern::try_new(&json!({"detail": {"total": [{"numeric": [">=", 100]}]}}))?;
/// assert!(pattern.matches(&json!({"detail": {"total": 250}})));
/// assert!(!pattern.matches(&json!({"detail": {"total": 7}})));
/// # Ok::<(), throughline_sources::BadPattern>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Fields);

/// A pattern that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the pattern at {place}: {reason}")]
pub struct BadPattern {
    /// The keys that lead to what is wrong, joined by dots.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// All of these must hold.
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    fields: Vec<(String, Field)>,
    /// Of each of these groups one must hold.
    any_of: Vec<Vec<Fields>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Inner(Fields),
    /// One of these must hold.
    Value(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exact(Value),
    Exists(bool),
    Not(Vec<Test>),
    Prefix(String),
    PrefixIgnoringCase(String),
    Suffix(String),
    SuffixIgnoringCase(String),
    IgnoringCase(String),
    Wildcard(Wildcard),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpAddr, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// The first part of it that means nothing.
    pub fn try_new(pattern: &Value) -> Result<Self, BadPattern> {
        compile::pattern(pattern).map(Self)
    }

    /// Whether the event has what the pattern asks for.
    pub fn matches(&self, event: &Value) -> bool {
        self.0.match_value(Some(event))
    }

    /// The tests of one top-level key, and whether they are for a text or for what is inside an object.
    pub(crate) fn shape_of(&self, key: &str) -> Option<Shape> {
        let (_, field) = self.0.fields.iter().find(|(name, _)| name == key)?;
        Some(match field {
            Field::Inner(_) => Shape::Object,
            Field::Value(_) => Shape::Text,
        })
    }
}

/// What a pattern expects under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Text,
}

impl Fields {
    /// Arrays match where one of their elements does; what is missing matches only tests that ask for absence.
    fn match_value(&self, value: Option<&Value>) -> bool {
        match value {
            Some(Value::Array(elements)) if !elements.is_empty() => elements
                .iter()
                .any(|element| self.match_value(Some(element))),
            Some(Value::Object(object)) => self.match_object(object),
            _ => self.match_object(&Map::new()),
        }
    }

    fn match_object(&self, object: &Map<String, Value>) -> bool {
        let fields = self.fields.iter().all(|(key, field)| match field {
            Field::Inner(inner) => inner.match_value(object.get(key)),
            Field::Value(tests) => tests.iter().any(|test| test.field(object.get(key))),
        });
        let groups = self.any_of.iter().all(|group| {
            group
                .iter()
                .any(|alternative| alternative.match_object(object))
        });
        fields && groups
    }
}

impl Test {
    fn field(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // As on AWS, only a leaf exists; an object between does not.
            (Self::Exists(wanted), value) => {
                value.is_some_and(|value| !value.is_object()) == *wanted
            }
            (_, None | Some(Value::Object(_))) => false,
            (Self::Not(tests), Some(Value::Array(elements))) => !elements
                .iter()
                .any(|element| tests.iter().any(|test| test.leaf(element))),
            (test, Some(Value::Array(elements))) => {
                elements.iter().any(|element| test.leaf(element))
            }
            (test, Some(value)) => test.leaf(value),
        }
    }

    fn leaf(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Exact(wanted), value) => same(wanted, value),
            (Self::Not(tests), value) => !tests.iter().any(|test| test.leaf(value)),
            (Self::Numeric(bounds), Value::Number(number)) => {
                number.as_f64().is_some_and(|number| {
                    bounds
                        .iter()
                        .all(|(comparison, bound)| comparison.holds(number, *bound))
                })
            }
            (test, Value::String(text)) => test.text(text),
            _ => false,
        }
    }

    fn text(&self, text: &str) -> bool {
        let lower = |text: &str| text.to_lowercase();
        match self {
            Self::Prefix(start) => text.starts_with(start),
            Self::PrefixIgnoringCase(start) => lower(text).starts_with(&lower(start)),
            Self::Suffix(end) => text.ends_with(end),
            Self::SuffixIgnoringCase(end) => lower(text).ends_with(&lower(end)),
            Self::IgnoringCase(whole) => lower(text) == lower(whole),
            Self::Wildcard(wildcard) => wildcard.matches(text),
            Self::Cidr(network, bits) => {
                text.parse().is_ok_and(|ip| in_network(ip, *network, *bits))
            }
            _ => false,
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            #[allow(clippy::float_cmp)] // an exact comparison is what the pattern asks for
            Self::Equal => left == right,
            Self::GreaterOrEqual => left >= right,
            Self::Greater => left > right,
        }
    }
}

/// Numbers are equal by what they say, not by how they are written.
fn same(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(wanted), Some(value)) => Comparison::Equal.holds(value, wanted),
        _ => wanted == value,
    }
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let differs = u32::from(ip) ^ u32::from(network);
            differs.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let differs = u128::from(ip) ^ u128::from(network);
            differs.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
