//! Where the code of a function and the content of a layer are.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::Translator;
use super::names::layer_arn;
use super::template::Declared;
use crate::application::InlineCode;
use crate::application::function::absolute;
use crate::application::reader::{place_of, shortened};
use crate::function::Runtime;

impl Translator<'_> {
    /// The folder of a function's code; nothing if a problem has been told.
    pub(super) fn code(
        &mut self,
        declared: &Declared,
        properties: &Map<String, Value>,
        runtime: Option<&Runtime>,
    ) -> Option<PathBuf> {
        let place = declared.properties_place();
        if properties.get("PackageType").and_then(Value::as_str) == Some("Image") {
            self.reader.problem(
                &place_of(&place, "PackageType"),
                "Image cannot be run, there is no Docker here: package the function as Zip",
            );
            return None;
        }
        self.check_built(declared)?;
        if let Some(inline) = properties.get("InlineCode") {
            return self.inline(declared, &place_of(&place, "InlineCode"), inline, runtime?);
        }
        // What `cdk synth` writes: the code is uploaded from a folder that the metadata names.
        if let Some(asset) = declared
            .metadata
            .get("aws:asset:path")
            .and_then(Value::as_str)
        {
            return Some(absolute(self.surroundings.folder, asset));
        }
        let key = match declared.kind.as_str() {
            "AWS::Lambda::Function" => "Code",
            _ => "CodeUri",
        };
        let place = place_of(&place, key);
        match properties.get(key) {
            Some(Value::Object(code)) if code.contains_key("ZipFile") => {
                let inline = &code["ZipFile"];
                self.inline(declared, &place_of(&place, "ZipFile"), inline, runtime?)
            }
            Some(value) => self.folder(&place, value),
            None => {
                self.reader
                    .problem(&place, "missing, the folder with the function's code");
                None
            }
        }
    }

    /// The content of a layer becomes a folder or a zip that functions refer to by the layer's ARN.
    pub(super) fn layer(&mut self, declared: &Declared) {
        let key = match declared.kind.as_str() {
            "AWS::Lambda::LayerVersion" => "Content",
            _ => "ContentUri",
        };
        let properties = self.properties(declared, &[key]);
        let place = place_of(&declared.properties_place(), key);
        if self.check_built(declared).is_none() {
            return;
        }
        let asset = declared
            .metadata
            .get("aws:asset:path")
            .and_then(Value::as_str);
        let content = match (asset, properties.get(key)) {
            (Some(asset), _) => Some(absolute(self.surroundings.folder, asset)),
            (None, Some(value)) => self.folder(&place, value),
            (None, None) => {
                self.reader.problem(
                    &place,
                    "missing, the folder or zip with the layer's content",
                );
                None
            }
        };
        let name = self.name_of(declared);
        self.layers
            .insert(layer_arn(&name), content.unwrap_or_default());
    }

    fn folder(&mut self, place: &str, value: &Value) -> Option<PathBuf> {
        match value {
            Value::String(text) if !text.is_empty() && !text.contains("://") => {
                Some(absolute(self.surroundings.folder, text))
            }
            Value::Null => None,
            other => {
                self.reader.problem(
                    place,
                    &format!(
                        "expected a folder or a zip on this machine, found {}",
                        shortened(other)
                    ),
                );
                None
            }
        }
    }

    /// Source code that only `sam build` turns into something that runs.
    fn check_built(&mut self, declared: &Declared) -> Option<()> {
        let method = declared.metadata.get("BuildMethod").and_then(Value::as_str);
        let Some(method) = method.filter(|_| !self.is_built()) else {
            return Some(());
        };
        let what_to_do = match self.surroundings.built {
            true => "what sam build made of it is read with --app .aws-sam/build/template.yaml",
            false => "run sam build, then read .aws-sam/build/template.yaml",
        };
        self.reader.problem(
            &place_of(&place_of(&declared.place(), "Metadata"), "BuildMethod"),
            &format!("{method} is not built here: {what_to_do}"),
        );
        None
    }

    /// Whether this is a template that `sam build` has written: paths in it lead to what was built.
    fn is_built(&self) -> bool {
        self.surroundings.folder.ends_with(".aws-sam/build")
    }

    fn inline(
        &mut self,
        declared: &Declared,
        place: &str,
        value: &Value,
        runtime: &Runtime,
    ) -> Option<PathBuf> {
        let text = self.reader.text(place, value)?;
        let file = match runtime {
            Runtime::Python(_) => "index.py",
            // What has `import` at the beginning of a line is a module of the newer kind.
            Runtime::Node(_) if is_es_module(&text) => "index.mjs",
            Runtime::Node(_) => "index.js",
            other => {
                self.reader.problem(
                    place,
                    &format!("code in a template is Python or Node, found {other}"),
                );
                return None;
            }
        };
        let folder =
            self.surroundings
                .cache
                .join(format!("{}-{:016x}", declared.name, fnv_1a(&text)));
        self.inline.push(InlineCode {
            folder: folder.clone(),
            file,
            text,
        });
        Some(folder)
    }
}

fn is_es_module(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("import ") || line.starts_with("export "))
}

/// A name for the text: the same text is written once.
fn fnv_1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
