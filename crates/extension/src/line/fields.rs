//! The fields of an object that nobody has taken yet.

use serde_json::{Map, Value as Json};
use throughline_telemetry::{Attributes, Value};

/// Fields by name. A name with dots also finds what is nested: `log.level` is a field of that name,
/// or `level` inside of `log`.
pub(super) struct Fields(pub(super) Map<String, Json>);

impl Fields {
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        if let Some(found) = self.0.get(name) {
            return Some(found);
        }
        let mut steps = name.split('.');
        let first = self.0.get(steps.next()?)?;
        let found = steps.try_fold(first, |inside, step| inside.as_object()?.get(step));
        found.filter(|_| name.contains('.'))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        self.0
            .remove(name)
            .or_else(|| take_inside(&mut self.0, name))
    }

    /// Takes the first of the fields that `read` understands; one that it does not stays.
    pub(super) fn take_read<T>(
        &mut self,
        names: &[&'static str],
        read: impl Fn(&Json) -> Option<T>,
    ) -> Option<(&'static str, T)> {
        let found = self.look(names, read)?;
        self.take(found.0);
        Some(found)
    }

    /// The first of the fields that `read` understands. It stays.
    pub(super) fn look<T>(
        &self,
        names: &[&'static str],
        read: impl Fn(&Json) -> Option<T>,
    ) -> Option<(&'static str, T)> {
        let mut all = names.iter();
        all.find_map(|name| Some((*name, read(self.get(name)?)?)))
    }

    pub(super) fn into_attributes(self) -> Attributes {
        attributes(self.0)
    }
}

/// Takes `a.b.c` from the innermost object, and the objects around it that are empty then.
fn take_inside(fields: &mut Map<String, Json>, name: &str) -> Option<Json> {
    let (outer, inner) = name.split_once('.')?;
    let object = fields.get_mut(outer)?.as_object_mut()?;
    let taken = object.remove(inner).or_else(|| take_inside(object, inner));
    if taken.is_some() && object.is_empty() {
        fields.remove(outer);
    }
    taken
}

/// A value of JSON as a value of ours.
pub(super) fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(text),
        Json::Array(values) => Value::Array(values.into_iter().map(value).collect()),
        Json::Object(fields) => Value::Map(attributes(fields)),
    }
}

fn attributes(fields: Map<String, Json>) -> Attributes {
    let pairs = fields.into_iter().map(|(key, json)| (key, value(json)));
    Attributes(pairs.collect())
}

/// Text that says something.
pub(super) fn text(json: &Json) -> Option<String> {
    let text = json.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}
