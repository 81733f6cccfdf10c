//! The text of a template as JSON values: YAML with CloudFormation's short forms (`!Ref X` is `{"Ref": "X"}`), or JSON.
//!
//! Built from the parser's events, not from a loader's tree: the events have the tags and the lines, and everything
//! that could grow without end (nesting, aliases) is counted here.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value, json};

use crate::application::reader::{Lines, place_of};

/// A template and where its parts are.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) lines: Lines,
}

/// Reads the one document of the text.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(format!(
            "{} bytes are too many, CloudFormation takes {TEMPLATE_BYTES_MAX}",
            text.len()
        ));
    }
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            format!(
                "line {} is not YAML: {}",
                error.marker().line(),
                error.info()
            )
        })?;
        loader
            .take(event, span.start.line())
            .map_err(|problem| format!("line {}: {problem}", span.start.line()))?;
    }
    match loader.document {
        Some(value) => Ok(Document {
            value,
            lines: loader.lines,
        }),
        None => Err("empty: a template has Resources".to_owned()),
    }
}

#[derive(Default)]
struct Loader {
    /// The collections that are not closed yet, outermost first.
    open: Vec<Open>,
    /// What an alias may stand for.
    anchors: BTreeMap<usize, (Value, Size)>,
    /// How many values aliases have been replaced with.
    copied: usize,
    document: Option<Value>,
    lines: Lines,
}

struct Open {
    place: String,
    tag: Option<String>,
    anchor: usize,
    size: Size,
    items: Items,
}

/// Of how many values a value is made, and how many levels they have.
#[derive(Clone, Copy)]
struct Size {
    values: usize,
    levels: usize,
}

enum Items {
    List(Vec<Value>),
    Map {
        map: Map<String, Value>,
        /// The key whose value comes next.
        key: Option<String>,
        /// Maps named by `<<`, whose keys come in where the map has none of that name.
        merged: Vec<Value>,
    },
}

impl Loader {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.document.is_some() => {
                Err("a second document: a template is one".to_owned())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag_name(tag.as_deref())?;
                if let (Some(key), None) = (self.wants_key(), &tag) {
                    *key = Some(text.into_owned());
                    return self.note_line(line);
                }
                let value = scalar(&text, style, tag.as_deref());
                self.put(value, Size::ONE, anchor, tag, line)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Items::List(Vec::new()), anchor, tag.as_deref(), line)
            }
            Event::MappingStart(anchor, tag) => {
                let items = Items::Map {
                    map: Map::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(items, anchor, tag.as_deref(), line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(line),
            Event::Alias(anchor) => {
                let Some((value, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias within what it stands for".to_owned());
                };
                self.copied += size.values;
                if self.copied > COPIES_MAX {
                    return Err(format!("aliases stand for more than {COPIES_MAX} values"));
                }
                self.put(value, size, 0, None, line)
            }
            _ => Ok(()),
        }
    }

    /// Where the next key goes, if a key comes next.
    fn wants_key(&mut self) -> Option<&mut Option<String>> {
        match self.open.last_mut() {
            Some(Open {
                items: Items::Map { key, .. },
                ..
            }) if key.is_none() => Some(key),
            _ => None,
        }
    }

    fn begin(
        &mut self,
        items: Items,
        anchor: usize,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), String> {
        self.check_levels(1)?;
        if self.wants_key().is_some() {
            return Err("a key that is no text".to_owned());
        }
        self.note_line(line)?;
        self.open.push(Open {
            place: self.place(),
            tag: tag_name(tag)?,
            anchor,
            size: Size::ONE,
            items,
        });
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), String> {
        let Some(open) = self.open.pop() else {
            return Err("an end of nothing".to_owned());
        };
        let value = match open.items {
            Items::List(items) => Value::Array(items),
            Items::Map {
                mut map, merged, ..
            } => {
                for value in merged {
                    merge_into(&mut map, value)?;
                }
                Value::Object(map)
            }
        };
        self.put(value, open.size, open.anchor, open.tag, line)
    }

    /// Puts a finished value where it belongs.
    fn put(
        &mut self,
        value: Value,
        size: Size,
        anchor: usize,
        tag: Option<String>,
        line: usize,
    ) -> Result<(), String> {
        let value = match tag {
            Some(tag) => intrinsic(&tag, value),
            None => value,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
        self.note_line(line)?;
        self.check_levels(size.levels)?;
        let Some(open) = self.open.last_mut() else {
            self.document = Some(value);
            return Ok(());
        };
        open.size.values += size.values;
        open.size.levels = open.size.levels.max(size.levels + 1);
        match &mut open.items {
            Items::List(items) => items.push(value),
            Items::Map { map, key, merged } => match key.take() {
                None => return Err("a key that is no text".to_owned()),
                Some(key) if key == MERGE => merged.push(value),
                Some(key) if map.contains_key(&key) => {
                    return Err(format!("the key {key} is here twice"));
                }
                Some(key) => _ = map.insert(key, value),
            },
        }
        Ok(())
    }

    fn check_levels(&self, levels: usize) -> Result<(), String> {
        if self.open.len() + levels > NESTING_MAX {
            return Err(format!("more than {NESTING_MAX} levels"));
        }
        Ok(())
    }

    /// The place of the value that comes next.
    fn place(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(open) => match &open.items {
                Items::List(items) => format!("{}[{}]", open.place, items.len()),
                Items::Map { key: Some(key), .. } => place_of(&open.place, key),
                Items::Map { key: None, .. } => open.place.clone(),
            },
        }
    }

    /// The first line that a place has is where it begins.
    #[allow(clippy::unnecessary_wraps)] // ends what returns a result
    fn note_line(&mut self, line: usize) -> Result<(), String> {
        let place = self.place();
        self.lines.entry(place).or_insert(line);
        Ok(())
    }
}

impl Size {
    const ONE: Self = Self {
        values: 1,
        levels: 1,
    };
}

/// YAML's own tags say a type, which the text says as well; others are CloudFormation's.
fn tag_name(tag: Option<&Tag>) -> Result<Option<String>, String> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(Some(TEXT_TAG.to_owned())),
            _ => Ok(None),
        },
        Some(tag) if tag.handle == "!" && !tag.suffix.is_empty() => Ok(Some(tag.suffix.clone())),
        Some(tag) => Err(format!("unknown tag {}{}", tag.handle, tag.suffix)),
    }
}

/// The long form of a short form.
fn intrinsic(tag: &str, value: Value) -> Value {
    match (tag, value) {
        (TEXT_TAG, value) => value,
        ("Ref", value) => json!({ "Ref": value }),
        ("Condition", value) => json!({ "Condition": value }),
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) = text.split_once('.').unwrap_or((&text, ""));
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        (name, value) => {
            let mut map = Map::new();
            map.insert(format!("Fn::{name}"), value);
            Value::Object(map)
        }
    }
}

/// A plain scalar by YAML's core schema. What a number would not give back as it was written (`0123`, `1_000`, `+1`)
/// stays text: account numbers begin with zeros.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&str>) -> Value {
    if style != ScalarStyle::Plain || tag == Some(TEXT_TAG) {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return number.into();
    }
    let decimal = text.contains('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    let float = text.parse::<f64>().ok().filter(|_| decimal);
    match float.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned()),
    }
}

/// `<<: *defaults` or `<<: [*one, *other]`.
fn merge_into(map: &mut Map<String, Value>, value: Value) -> Result<(), String> {
    let maps = match value {
        Value::Array(items) => items,
        other => vec![other],
    };
    for other in maps {
        let Value::Object(other) = other else {
            return Err("<< takes a map or a list of maps".to_owned());
        };
        for (key, value) in other {
            map.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// CloudFormation's limit for a template in a bucket.
const TEMPLATE_BYTES_MAX: usize = 1024 * 1024;
/// Deeper than any template; what walks the values later does so by recursion.
const NESTING_MAX: usize = 64;
/// How many values aliases may stand for in all, since a few lines of them can stand for more than memory holds.
const COPIES_MAX: usize = 100_000;
const MERGE: &str = "<<";
const TEXT_TAG: &str = "!str";

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let found = match parse(text) {
            Ok(document) => document.value.to_string(),
            Err(problem) => problem,
        };
        expected.assert_eq(&found);
    }

    #[test]
    fn short_forms_become_long_ones() {
        check(
            "a: !Ref X\nb: !GetAtt X.Arn\nc: !Sub '${X}-y'\nd: !Join [',', [a, !Ref B]]\ne: !If [C, 1, !Ref 'AWS::NoValue']\nf: !GetAtt [X, Arn]\n",
            expect![[
                r#"{"a":{"Ref":"X"},"b":{"Fn::GetAtt":["X","Arn"]},"c":{"Fn::Sub":"${X}-y"},"d":{"Fn::Join":[",",["a",{"Ref":"B"}]]},"e":{"Fn::If":["C",1,{"Ref":"AWS::NoValue"}]},"f":{"Fn::GetAtt":["X","Arn"]}}"#
            ]],
        );
    }

    #[test]
    fn scalars_keep_what_numbers_would_lose() {
        check(
            "[1, -2, 1.5, 012, 0x10, 1_000, true, no, null, ~, '5', \"x\", 2010-09-09, 1e3, !!str 5, 99999999999999999999]",
            expect![[
                r#"[1,-2,1.5,"012","0x10","1_000",true,"no",null,null,"5","x","2010-09-09","1e3","5","99999999999999999999"]"#
            ]],
        );
    }

    #[test]
    fn json_is_yaml_too() {
        check(
            "{\n\t\"Resources\": {\"A\": {\"Type\": \"x\", \"n\": [1, 2.5, \"\\u00e4\"]}}\n}\n",
            expect![[r#"{"Resources":{"A":{"Type":"x","n":[1,2.5,"ä"]}}}"#]],
        );
    }

    #[test]
    fn anchors_and_merges_are_replaced() {
        check(
            "d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3\nf: *d\n",
            expect![[r#"{"d":{"a":1,"b":2},"e":{"a":1,"b":3},"f":{"a":1,"b":2}}"#]],
        );
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        check("", expect!["empty: a template has Resources"]);
        check(
            "a: 1\nb: [\n",
            expect!["line 3 is not YAML: while parsing a node, did not find expected node content"],
        );
        check("a: 1\na: 2\n", expect!["line 2: the key a is here twice"]);
        check(
            "a: &x [*x]\n",
            expect!["line 1: an alias within what it stands for"],
        );
        check(
            "a: *x\n",
            expect!["line 1 is not YAML: while parsing node, found unknown anchor"],
        );
        check("? [a]\n: 1\n", expect!["line 1: a key that is no text"]);
        check(
            "a: 1\n---\nb: 2\n",
            expect!["line 2: a second document: a template is one"],
        );
        check(
            "a: !<tag:x,2000:y> 2\n",
            expect!["line 1: unknown tag tag:x,2000:y"],
        );
        check(
            "<<: 3\n",
            expect!["line 2: << takes a map or a list of maps"],
        );
    }

    #[test]
    fn neither_nesting_nor_aliases_grow_without_end() {
        let deep = "[".repeat(65) + &"]".repeat(65);
        check(&deep, expect!["line 1: more than 64 levels"]);
        let deep: String = (0..70).map(|level| " ".repeat(level) + "a:\n").collect();
        check(&deep, expect!["line 65: more than 64 levels"]);
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{},", level - 1).repeat(10);
            laughs += &format!("a{level}: &a{level} [{alias}]\n");
        }
        check(
            &laughs,
            expect!["line 5: aliases stand for more than 100000 values"],
        );
    }

    #[test]
    fn every_place_has_its_line() {
        let document = parse("A:\n  B:\n    - x\n    - C: 1\n").unwrap();
        let lines: Vec<_> = document
            .lines
            .iter()
            .map(|(place, line)| format!("{place}:{line}"))
            .collect();
        expect![":1 A:1 A.B:2 A.B[0]:3 A.B[1]:4 A.B[1].C:4"].assert_eq(&lines.join(" "));
    }
}
