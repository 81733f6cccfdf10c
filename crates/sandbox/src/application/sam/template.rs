//! The sections of a template, with its Globals merged into what they are for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::application::reader::{Reader, Section, nearest, place_of};

/// A template as it was written: nothing is resolved yet.
#[derive(Debug, Default)]
pub(super) struct Template {
    pub(super) parameters: Map<String, Value>,
    pub(super) mappings: Map<String, Value>,
    pub(super) conditions: Map<String, Value>,
    /// Also for the APIs that a template does not write.
    pub(super) globals: Map<String, Value>,
    pub(super) resources: BTreeMap<String, Declared>,
}

/// A resource as it was written.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) properties: Map<String, Value>,
    pub(super) condition: Option<String>,
    pub(super) metadata: Map<String, Value>,
}

impl Declared {
    pub(super) fn place(&self) -> String {
        place_of("Resources", &self.name)
    }

    pub(super) fn properties_place(&self) -> String {
        place_of(&self.place(), "Properties")
    }
}

impl Template {
    pub(super) fn new(value: &Value, reader: &mut Reader) -> Self {
        let mut template = Self::default();
        let Value::Object(map) = value else {
            reader.mismatch("template", "a map", value);
            return template;
        };
        let root = Section {
            place: String::new(),
            map,
        };
        for key in root
            .map
            .keys()
            .filter(|key| !SECTIONS.contains(&key.as_str()))
        {
            let message = match nearest(key, SECTIONS) {
                Some(near) => format!("unknown section, did you mean {near}"),
                None => format!("unknown section, expected one of {}", SECTIONS.join(", ")),
            };
            reader.problem(key, &message);
        }
        template.parameters = map_of(&root, "Parameters", reader);
        template.mappings = map_of(&root, "Mappings", reader);
        template.conditions = map_of(&root, "Conditions", reader);
        let globals = map_of(&root, "Globals", reader);
        let globals = Section {
            place: "Globals".to_owned(),
            map: &globals,
        };
        template.globals = globals.map.clone();
        let resources = map_of(&root, "Resources", reader);
        if resources.is_empty() && reader.is_content() {
            reader.problem("Resources", "missing: a template has at least one function");
        }
        for (name, value) in resources {
            template.declare(name, &value, &globals, reader);
        }
        template
    }

    fn declare(&mut self, name: String, value: &Value, globals: &Section<'_>, reader: &mut Reader) {
        let place = place_of("Resources", &name);
        if name.starts_with("Fn::ForEach") {
            return reader.problem(
                &place,
                "Fn::ForEach is not supported, write the resources out",
            );
        }
        let Some(section) = reader.as_section(place.clone(), value, "a map, the resource") else {
            return;
        };
        let kind = match section.map.get("Type") {
            Some(Value::String(kind)) => kind.clone(),
            _ => return reader.problem(&place, "missing Type, such as AWS::Serverless::Function"),
        };
        let mut properties = map_of(&section, "Properties", reader);
        if let Some(global) = GLOBALS.iter().find(|(_, of)| *of == kind) {
            let global = map_of(globals, global.0, reader);
            properties = merge_maps(&global, &properties);
        }
        let condition = match section.map.get("Condition") {
            Some(Value::String(condition)) => Some(condition.clone()),
            _ => None,
        };
        let metadata = match section.map.get("Metadata") {
            Some(Value::Object(metadata)) => metadata.clone(),
            _ => Map::new(),
        };
        let declared = Declared {
            name: name.clone(),
            kind,
            properties,
            condition,
            metadata,
        };
        self.resources.insert(name, declared);
    }
}

fn map_of(section: &Section<'_>, key: &str, reader: &mut Reader) -> Map<String, Value> {
    match section.map.get(key) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(other) => {
            reader.mismatch(&section.place_of(key), "a map", other);
            Map::new()
        }
    }
}

/// SAM's rules: maps merge, lists are added to those of the Globals, everything else is replaced. A reference counts
/// as one value although it is written as a map.
fn merge(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own))
            if !is_intrinsic(global) && !is_intrinsic(own) =>
        {
            Value::Object(merge_maps(global, own))
        }
        (Value::Array(global), Value::Array(own)) => global.iter().chain(own).cloned().collect(),
        (_, own) => own.clone(),
    }
}

fn merge_maps(global: &Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = global.clone();
    for (key, value) in own {
        let value = match global.get(key) {
            Some(global) => merge(global, value),
            None => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}

/// Whether a map is a reference: its one key says so.
pub(super) fn is_intrinsic(map: &Map<String, Value>) -> bool {
    map.len() == 1
        && map
            .keys()
            .all(|key| key == "Ref" || key.starts_with("Fn::"))
}

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Rules",
    "Globals",
    "Resources",
    "Outputs",
    "Hooks",
];
/// The sections of the Globals and the types they are for.
const GLOBALS: &[(&str, &str)] = &[
    ("Function", "AWS::Serverless::Function"),
    ("Api", "AWS::Serverless::Api"),
    ("HttpApi", "AWS::Serverless::HttpApi"),
    ("SimpleTable", "AWS::Serverless::SimpleTable"),
    ("LayerVersion", "AWS::Serverless::LayerVersion"),
];
