//! Intrinsic functions, conditions and parameters: everything that stands for a value that is not written there.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};

use super::Translator;
use super::template::{Declared, is_intrinsic};
use crate::application::reader::{nearest, place_of};

/// What is known so far, and how much work it has been.
#[derive(Debug, Default)]
pub(super) struct Resolving {
    pub(super) parameters: BTreeMap<String, Value>,
    conditions: BTreeMap<String, bool>,
    /// Conditions and names that are being worked out, lest one needs itself.
    pub(super) underway: Vec<String>,
    depth: usize,
    /// Values and bytes made so far.
    made: usize,
}

impl Translator<'_> {
    /// What the parameters are: what the caller says, or their defaults.
    pub(super) fn parameters(&mut self) {
        let template = self.template;
        let given = &self.surroundings.overrides.parameters;
        let known: Vec<_> = template.parameters.keys().map(String::as_str).collect();
        for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = match nearest(name, &known) {
                Some(near) => format!("no parameter {name}, did you mean {near}"),
                None => format!("no parameter {name} in this template"),
            };
            self.reader.problem("Parameters", &message);
        }
        for (name, declared) in &template.parameters {
            let place = place_of("Parameters", name);
            let value = match (given.get(name), declared.get("Default")) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => match plain_text(default) {
                    Some(text) => text,
                    None => {
                        let place = place_of(&place, "Default");
                        self.reader.mismatch(&place, "a value", default);
                        continue;
                    }
                },
                (None, None) => {
                    self.reader.problem(
                        &place,
                        &format!("has no Default: say what it is with --parameter {name}=VALUE"),
                    );
                    String::new()
                }
            };
            if let Some(Value::Array(allowed)) = declared.get("AllowedValues") {
                let allowed: Vec<_> = allowed.iter().filter_map(plain_text).collect();
                if !allowed.contains(&value) {
                    self.reader.problem(
                        &place,
                        &format!("expected one of {}, found {value:?}", allowed.join(", ")),
                    );
                }
            }
            let kind = declared
                .get("Type")
                .and_then(Value::as_str)
                .unwrap_or("String");
            if kind.starts_with("AWS::SSM::") && !given.contains_key(name) {
                let message =
                    "is not looked up in the parameter store, its name is taken for its value";
                self.note(&place, message);
            }
            let value = if kind.contains("List") {
                value.split(',').map(str::trim).collect()
            } else {
                Value::String(value)
            };
            self.resolving.parameters.insert(name.clone(), value);
        }
    }

    pub(super) fn is_present(&mut self, declared: &Declared) -> bool {
        match &declared.condition {
            Some(condition) => {
                let place = place_of(&declared.place(), "Condition");
                self.condition(&place, condition)
            }
            None => true,
        }
    }

    /// The value with every reference replaced; nothing for `AWS::NoValue`.
    pub(super) fn resolve(&mut self, place: &str, value: &Value) -> Option<Value> {
        let cost = 1 + value.as_str().map_or(0, str::len);
        if !self.afford(place, cost) {
            return Some(Value::Null);
        }
        self.resolving.depth += 1;
        let resolved = match value {
            Value::Object(map) if is_intrinsic(map) => {
                let (name, argument) = map.iter().next()?;
                self.intrinsic(place, name, argument)
            }
            Value::Object(map) => Some(Value::Object(self.resolve_map(place, map))),
            Value::Array(items) => Some(Value::Array(self.resolve_items(place, items))),
            Value::String(text) if text.contains("{{resolve:") => {
                self.note(place, "is not looked up, {{resolve:…}} stays as it is");
                Some(value.clone())
            }
            other => Some(other.clone()),
        };
        self.resolving.depth -= 1;
        resolved
    }

    fn resolve_map(&mut self, place: &str, map: &Map<String, Value>) -> Map<String, Value> {
        map.iter()
            .filter_map(|(key, value)| {
                let value = self.resolve(&place_of(place, key), value)?;
                Some((key.clone(), value))
            })
            .collect()
    }

    fn resolve_items(&mut self, place: &str, items: &[Value]) -> Vec<Value> {
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.resolve(&format!("{place}[{index}]"), item))
            .collect()
    }

    fn intrinsic(&mut self, place: &str, name: &str, argument: &Value) -> Option<Value> {
        match name {
            "Ref" => match argument {
                Value::String(target) => self.reference(place, target),
                other => self.refuse(place, "Ref", "a name", other),
            },
            "Fn::GetAtt" => self.attribute(place, argument),
            "Fn::Sub" => self.substitute(place, argument),
            "Fn::Join" => self.join(place, argument),
            "Fn::Split" => self.split(place, argument),
            "Fn::Select" => self.select(place, argument),
            "Fn::If" => self.choose(place, argument),
            "Fn::FindInMap" => self.find_in_map(place, argument),
            "Fn::Base64" => {
                let text = self.text_of(place, argument)?;
                self.made_text(place, BASE64.encode(text))
            }
            "Fn::GetAZs" => Some(
                ["us-east-1a", "us-east-1b", "us-east-1c"]
                    .into_iter()
                    .collect(),
            ),
            "Fn::Length" => match self.resolve(place, argument)? {
                Value::Array(items) => Some(items.len().into()),
                other => self.refuse(place, name, "a list", &other),
            },
            "Fn::ToJsonString" => {
                let value = self.resolve(place, argument)?;
                self.made_text(place, value.to_string())
            }
            "Fn::ImportValue" => {
                self.reader.problem(
                    place,
                    "Fn::ImportValue is of another stack, which is not here: use a parameter",
                );
                Some(Value::Null)
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                self.reader
                    .problem(place, &format!("{name} stands in Conditions only"));
                Some(Value::Null)
            }
            other => {
                self.reader
                    .problem(place, &format!("{other} is not supported"));
                Some(Value::Null)
            }
        }
    }

    /// `${Name}`, `${Name.Attribute}`, `${!literal}`, with values of its own in the form of a list.
    fn substitute(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let (text, own) = match argument {
            Value::String(text) => (text, Map::new()),
            Value::Array(items) => match items.as_slice() {
                [Value::String(text), Value::Object(own)] => (text, self.resolve_map(place, own)),
                _ => return self.refuse(place, "Fn::Sub", "a text and a map", argument),
            },
            other => return self.refuse(place, "Fn::Sub", "a text", other),
        };
        let mut made = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            made.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                self.reader.problem(place, "Fn::Sub: a ${ without an end");
                return Some(Value::Null);
            };
            rest = after;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                made.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match (own.get(name), name.split_once('.')) {
                (Some(value), _) => Some(value.clone()),
                (None, Some((resource, attribute))) => {
                    self.attribute_of(place, resource, attribute)
                }
                (None, None) => self.reference(place, name),
            };
            let text = self.as_text(place, &value?)?;
            if !self.afford(place, text.len()) {
                return Some(Value::Null);
            }
            made.push_str(&text);
        }
        made.push_str(rest);
        self.made_text(place, made)
    }

    fn join(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let Value::Array(parts) = argument else {
            return self.refuse(place, "Fn::Join", "a delimiter and a list", argument);
        };
        let [Value::String(delimiter), list] = parts.as_slice() else {
            return self.refuse(place, "Fn::Join", "a delimiter and a list", argument);
        };
        let items = match self.resolve(place, list)? {
            Value::Array(items) => items,
            Value::Null => return Some(Value::Null),
            other => return self.refuse(place, "Fn::Join", "a list", &other),
        };
        let mut made = String::new();
        for (index, item) in items.iter().enumerate() {
            let text = self.as_text(place, item)?;
            if !self.afford(place, text.len() + delimiter.len()) {
                return Some(Value::Null);
            }
            if index > 0 {
                made.push_str(delimiter);
            }
            made.push_str(&text);
        }
        Some(Value::String(made))
    }

    fn split(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let Value::Array(parts) = argument else {
            return self.refuse(place, "Fn::Split", "a delimiter and a text", argument);
        };
        let [Value::String(delimiter), source] = parts.as_slice() else {
            return self.refuse(place, "Fn::Split", "a delimiter and a text", argument);
        };
        if delimiter.is_empty() {
            return self.refuse(place, "Fn::Split", "a delimiter", argument);
        }
        let text = self.text_of(place, source)?;
        if !self.afford(place, text.len()) {
            return Some(Value::Null);
        }
        Some(text.split(delimiter).collect())
    }

    fn select(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let Value::Array(parts) = argument else {
            return self.refuse(place, "Fn::Select", "an index and a list", argument);
        };
        let [index, list] = parts.as_slice() else {
            return self.refuse(place, "Fn::Select", "an index and a list", argument);
        };
        let index = self.resolve(place, index)?;
        let list = self.resolve(place, list)?;
        let at = plain_text(&index).and_then(|text| text.parse::<usize>().ok());
        match (at, &list) {
            (Some(at), Value::Array(items)) if at < items.len() => Some(items[at].clone()),
            (_, Value::Null) => Some(Value::Null),
            _ => self.refuse(place, "Fn::Select", "an index of the list", &index),
        }
    }

    fn choose(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let Value::Array(parts) = argument else {
            return self.refuse(place, "Fn::If", "a condition and two values", argument);
        };
        let [Value::String(condition), yes, no] = parts.as_slice() else {
            return self.refuse(place, "Fn::If", "a condition and two values", argument);
        };
        let chosen = if self.condition(place, condition) {
            yes
        } else {
            no
        };
        self.resolve(place, chosen)
    }

    fn find_in_map(&mut self, place: &str, argument: &Value) -> Option<Value> {
        let expected = "a map and two keys";
        let Value::Array(parts) = argument else {
            return self.refuse(place, "Fn::FindInMap", expected, argument);
        };
        let ([map, first, second] | [map, first, second, _]) = parts.as_slice() else {
            return self.refuse(place, "Fn::FindInMap", expected, argument);
        };
        let map = self.text_of(place, map)?;
        let first = self.text_of(place, first)?;
        let second = self.text_of(place, second)?;
        let template = self.template;
        let found = template
            .mappings
            .get(&map)
            .and_then(|map| map.get(&first))
            .and_then(|keys| keys.get(&second));
        if let Some(value) = found {
            return self.resolve(place, value);
        }
        if let Some(default) = parts.get(3).and_then(|options| options.get("DefaultValue")) {
            return self.resolve(place, default);
        }
        self.reader.problem(
            place,
            &format!("Fn::FindInMap: no Mappings.{map}.{first}.{second}"),
        );
        Some(Value::Null)
    }

    pub(super) fn condition(&mut self, place: &str, name: &str) -> bool {
        if let Some(holds) = self.resolving.conditions.get(name) {
            return *holds;
        }
        let template = self.template;
        let Some(value) = template.conditions.get(name) else {
            let known: Vec<_> = template.conditions.keys().map(String::as_str).collect();
            let message = match nearest(name, &known) {
                Some(near) => format!("no condition {name}, did you mean {near}"),
                None => format!("no condition {name} in this template"),
            };
            self.reader.problem(place, &message);
            return false;
        };
        let place = place_of("Conditions", name);
        let key = format!("condition {name}");
        if self.resolving.underway.contains(&key) {
            self.reader.problem(&place, "needs itself");
            return false;
        }
        self.resolving.underway.push(key);
        let holds = self.holds(&place, value);
        self.resolving.underway.pop();
        self.resolving.conditions.insert(name.to_owned(), holds);
        holds
    }

    fn holds(&mut self, place: &str, value: &Value) -> bool {
        if !self.afford(place, 1) {
            return false;
        }
        let (name, argument) = match value {
            Value::Object(map) if map.len() == 1 => match map.iter().next() {
                Some(entry) => entry,
                None => return false,
            },
            Value::Bool(holds) => return *holds,
            other => {
                self.reader.mismatch(place, "a condition", other);
                return false;
            }
        };
        self.resolving.depth += 1;
        let holds = match (name.as_str(), argument) {
            ("Condition", Value::String(name)) => self.condition(place, name),
            ("Fn::Equals", Value::Array(sides)) if sides.len() == 2 => {
                let one = self.resolve(place, &sides[0]);
                let other = self.resolve(place, &sides[1]);
                let texts = (
                    one.as_ref().and_then(plain_text),
                    other.as_ref().and_then(plain_text),
                );
                match texts {
                    (Some(one), Some(other)) => one == other,
                    _ => one == other,
                }
            }
            ("Fn::Not", Value::Array(parts)) if parts.len() == 1 => !self.holds(place, &parts[0]),
            ("Fn::And", Value::Array(parts)) => parts.iter().all(|part| self.holds(place, part)),
            ("Fn::Or", Value::Array(parts)) => parts.iter().any(|part| self.holds(place, part)),
            _ => {
                self.reader.mismatch(place, "a condition", value);
                false
            }
        };
        self.resolving.depth -= 1;
        holds
    }

    /// Counts what is made, so that no few lines grow into more than memory holds.
    pub(super) fn afford(&mut self, place: &str, cost: usize) -> bool {
        if self.resolving.depth > DEPTH_MAX {
            self.reader.problem(place, "references lead too far");
            return false;
        }
        let before = self.resolving.made;
        self.resolving.made = before.saturating_add(cost);
        if self.resolving.made > MADE_MAX {
            if before <= MADE_MAX {
                self.reader
                    .problem(place, "references grow beyond any template");
            }
            return false;
        }
        true
    }

    fn made_text(&mut self, place: &str, text: String) -> Option<Value> {
        match self.afford(place, text.len()) {
            true => Some(Value::String(text)),
            false => Some(Value::Null),
        }
    }

    fn text_of(&mut self, place: &str, value: &Value) -> Option<String> {
        let value = self.resolve(place, value)?;
        self.as_text(place, &value)
    }

    /// A value within a text. What could not be resolved has been told already.
    fn as_text(&mut self, place: &str, value: &Value) -> Option<String> {
        match value {
            Value::Null => Some(String::new()),
            Value::Array(items) => {
                let texts: Option<Vec<_>> = items.iter().map(plain_text).collect();
                Some(texts?.join(","))
            }
            other => {
                let text = plain_text(other);
                if text.is_none() {
                    self.reader.mismatch(place, "a text", other);
                }
                text
            }
        }
    }

    pub(super) fn refuse(
        &mut self,
        place: &str,
        name: &str,
        expected: &str,
        found: &Value,
    ) -> Option<Value> {
        if !found.is_null() {
            self.reader
                .mismatch(place, &format!("{expected} after {name}"), found);
        }
        Some(Value::Null)
    }
}

/// A scalar as CloudFormation passes it on: everything is text.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Levels of values and references below each other; each is a frame on the stack.
const DEPTH_MAX: usize = 150;
/// Values and bytes that references may make in all.
const MADE_MAX: usize = 8 * 1024 * 1024;
