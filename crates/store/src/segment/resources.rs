//! The resources of a file, less what tells the environments of one function apart.
//!
//! A resource takes some seven hundred bytes and each environment has its own, but they differ by an
//! id or two. So a file has two columns:
//!
//! ```text
//! resource              ->  {"service.name":"orders","faas.instance":\u{1},"faas.version":"7"}
//! resource_environment  ->  "2026/11/20/[$LATEST]117f27"
//! ```
//!
//! The JSON has the character U+0001 in place of each value of an [id](IDS), in their order; JSON has
//! it escaped, so it stands for nothing else. The values, as they are in the JSON, are joined by the same
//! character. Putting them back is exact, whatever the text is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};

use super::table::Damage;
use crate::batch::typed;
use crate::hash::HashMap;

/// The column of a file with the values of ids.
pub(super) const ENVIRONMENT: &str = "resource_environment";

/// The column with the rest, and canonically with all.
pub(super) const RESOURCE: &str = "resource";

/// That column of a file.
pub(super) fn field() -> Field {
    let texts = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Field::new(ENVIRONMENT, texts, true)
}

/// Resources to what they share and their ids.
pub(super) fn split(resources: &ArrayRef) -> Result<(ArrayRef, ArrayRef), Damage> {
    let (keys, texts) = dictionary(resources, RESOURCE)?;
    let (mut shared, mut ids) = (Numbered::default(), Numbered::default());
    let numbers = texts
        .iter()
        .map(|text| match cut(text.unwrap_or_default()) {
            Some((rest, values)) => (shared.number(rest), Some(ids.number(values))),
            None => (shared.number(text.unwrap_or_default().to_owned()), None),
        });
    let numbers: Vec<(i32, Option<i32>)> = numbers.collect();
    let number = |key: &i32| {
        let place = usize::try_from(*key).ok();
        let number = place.and_then(|place| numbers.get(place)).copied();
        number.ok_or_else(|| Damage::new("column resource has bad codes"))
    };
    let numbers = keys.values().iter().map(number);
    let numbers = numbers.collect::<Result<Vec<_>, Damage>>()?;
    let shared_keys = numbers.iter().map(|(shared, _)| *shared);
    let own_keys = numbers.iter().map(|(_, own)| *own);
    Ok((
        shared.column(Int32Array::from_iter_values(shared_keys))?,
        ids.column(own_keys.collect())?,
    ))
}

/// Puts the ids back into the resources of a batch that was read, if it has both columns.
pub(super) fn whole(batch: RecordBatch) -> Result<RecordBatch, Damage> {
    let schema = batch.schema();
    let Some((own, _)) = schema.column_with_name(ENVIRONMENT) else {
        return Ok(batch);
    };
    let (resource, _) = schema
        .column_with_name(RESOURCE)
        .ok_or_else(|| Damage::new("ids of resources without resources"))?;
    let joined = join(batch.column(resource), batch.column(own))?;
    let mut columns = batch.columns().to_vec();
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    columns[resource] = joined;
    columns.remove(own);
    fields.remove(own);
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

fn join(resources: &ArrayRef, ids: &ArrayRef) -> Result<ArrayRef, Damage> {
    if ids.null_count() == ids.len() {
        return Ok(Arc::clone(resources));
    }
    let (shared_keys, shared) = dictionary(resources, RESOURCE)?;
    let (own_keys, own) = dictionary(ids, ENVIRONMENT)?;
    let text = |texts: &StringArray, key: i32| -> Result<String, Damage> {
        let place = usize::try_from(key).ok().filter(|at| *at < texts.len());
        let place = place.ok_or_else(|| Damage::new("column resource has bad codes"))?;
        Ok(texts.value(place).to_owned())
    };
    let mut known: HashMap<(i32, Option<i32>), i32> = HashMap::default();
    let mut texts: Vec<String> = Vec::new();
    let mut keys: Vec<i32> = Vec::with_capacity(ids.len());
    // Rows of one environment follow each other.
    let mut last = None;
    for row in 0..ids.len() {
        let pair = (
            shared_keys.value(row),
            own_keys.is_valid(row).then(|| own_keys.value(row)),
        );
        let key = match last {
            Some((last, key)) if last == pair => key,
            _ => match known.get(&pair) {
                Some(key) => *key,
                None => {
                    let rest = text(shared, pair.0)?;
                    texts.push(match pair.1 {
                        None => rest,
                        Some(key) => put_back(&rest, &text(own, key)?)?,
                    });
                    let key = number(texts.len() - 1);
                    known.insert(pair, key);
                    key
                }
            },
        };
        last = Some((pair, key));
        keys.push(key);
    }
    let texts = Arc::new(StringArray::from(texts));
    let column = DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), texts)?;
    Ok(Arc::new(column))
}

/// A resource without the values of its ids, and those; none if it has none.
fn cut(json: &str) -> Option<(String, String)> {
    if json.contains(MARK) {
        return None;
    }
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for id in IDS {
        let mut from = 0;
        while let Some(at) = json[from..].find(id) {
            let (begin, value) = (from + at, from + at + id.len());
            from = value;
            // A quote within a text has a backslash before it.
            let is_key = matches!(json[..begin].bytes().last(), Some(b'{' | b','));
            if let Some(length) = value_length(&json[value..]).filter(|_| is_key) {
                found.push(value..value + length);
            }
        }
    }
    found.sort_by_key(|range| range.start);
    let mut rest = String::with_capacity(json.len());
    let mut values = String::new();
    let mut from = 0;
    for range in &found {
        rest.push_str(&json[from..range.start]);
        rest.push(MARK);
        if !values.is_empty() {
            values.push(MARK);
        }
        values.push_str(&json[range.clone()]);
        from = range.end;
    }
    rest.push_str(&json[from..]);
    (!found.is_empty()).then_some((rest, values))
}

fn put_back(rest: &str, values: &str) -> Result<String, Damage> {
    let mut json = String::with_capacity(rest.len() + values.len());
    let mut values = values.split(MARK);
    for (place, part) in rest.split(MARK).enumerate() {
        if place > 0 {
            let value = values.next();
            json.push_str(value.ok_or_else(|| Damage::new("an id of a resource is missing"))?);
        }
        json.push_str(part);
    }
    Ok(json)
}

/// How long the text or number is that this begins with.
fn value_length(json: &str) -> Option<usize> {
    let bytes = json.as_bytes();
    if bytes.first() != Some(&b'"') {
        let length = bytes.iter().take_while(|byte| byte.is_ascii_digit());
        return Some(length.count()).filter(|length| *length > 0);
    }
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn dictionary<'a>(
    column: &'a ArrayRef,
    name: &str,
) -> Result<(&'a Int32Array, &'a StringArray), Damage> {
    let column: &DictionaryArray<Int32Type> = typed(column, name)?;
    Ok((column.keys(), typed(column.values(), name)?))
}

/// Distinct texts in the order in which they came.
#[derive(Default)]
struct Numbered {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, i32>,
}

impl Numbered {
    fn number(&mut self, text: String) -> i32 {
        let text: Arc<str> = text.into();
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let next = number(self.texts.len());
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, next);
        next
    }

    fn column(self, keys: Int32Array) -> Result<ArrayRef, Damage> {
        let texts = Arc::new(StringArray::from_iter_values(self.texts));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
            keys, texts,
        )?))
    }
}

fn number(place: usize) -> i32 {
    i32::try_from(place).expect("a batch has fewer than 2^31 rows")
}

/// In place of a value, and between values.
const MARK: char = '\u{1}';

/// The beginnings of attributes that each environment, host or process has another value of, after
/// OpenTelemetry's conventions for resources.
const IDS: [&str; 9] = [
    "\"faas.instance\":",
    "\"service.instance.id\":",
    "\"aws.log.stream.names\":",
    "\"host.id\":",
    "\"host.name\":",
    "\"container.id\":",
    "\"k8s.pod.name\":",
    "\"k8s.pod.uid\":",
    "\"process.pid\":",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(json: &str, rest: &str, values: &str) {
        let cut = cut(json).unwrap();
        assert_eq!((cut.0.as_str(), cut.1.as_str()), (rest, values));
        assert_eq!(put_back(rest, values).unwrap(), json);
    }

    #[test]
    fn values_of_ids_are_cut_out_and_put_back() {
        check(
            r#"{"service.name":"a","faas.instance":"2026/[$LATEST]\"x\\","v":"1"}"#,
            "{\"service.name\":\"a\",\"faas.instance\":\u{1},\"v\":\"1\"}",
            r#""2026/[$LATEST]\"x\\""#,
        );
        check(
            r#"{"process.pid":17,"host.id":"h"}"#,
            "{\"process.pid\":\u{1},\"host.id\":\u{1}}",
            "17\u{1}\"h\"",
        );
    }

    #[test]
    fn what_only_looks_like_an_id_stays() {
        for json in [
            r#"{"a":"\"faas.instance\":\"x\""}"#,
            r#"{"faas.instance":["x"],"process.pid":-1}"#,
            r#"{"faas.instance":"x"#,
            "{\"faas.instance\":\"\u{1}\"}",
            "",
        ] {
            assert_eq!(cut(json), None, "{json}");
        }
    }

    #[test]
    fn an_id_that_is_missing_is_damage() {
        assert!(put_back("\u{1},\u{1}", "1").is_err());
    }

    proptest! {
        #[test]
        fn a_column_comes_back(
            texts in proptest::collection::vec(
                r#"\{("(faas\.instance|host\.id|a)":("[a-c"\\,\x01]{0,3}"|[0-9]{0,2}),?){0,3}\}?"#,
                1..8,
            ),
            rows in proptest::collection::vec(0_usize..8, 0..40),
        ) {
            let rows: Vec<&str> = rows.iter().map(|row| &*texts[row % texts.len()]).collect();
            let column: DictionaryArray<Int32Type> = rows.iter().copied().collect();
            let (shared, own) = split(&(Arc::new(column) as ArrayRef)).unwrap();
            let back = join(&shared, &own).unwrap();
            let (keys, texts) = dictionary(&back, RESOURCE).unwrap();
            let keys = keys.values().iter();
            let back: Vec<&str> = keys.map(|key| texts.value(usize::try_from(*key).unwrap())).collect();
            prop_assert_eq!(back, rows);
        }
    }
}
