//! AWS SAM's `template.yaml`, and what `sam build` and `cdk synth` make of it, read as they are.
//!
//! `yaml` makes values of the text, `template` finds its sections and merges the Globals, `intrinsics` and `names`
//! replace references with the names, ARNs and URLs that things have at the endpoint, and the rest translates each
//! type of resource. What the sandbox has no part for becomes a note, not an error.

mod api;
mod code;
mod events;
mod function;
mod intrinsics;
mod names;
mod plain;
mod template;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::reader::{Dialect, Reader};
use super::{Application, InlineCode, Overrides};
use crate::function::Function;
use crate::source::{HttpApi, Resource};
use template::Template;

/// What surrounds a template's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// What paths in the template are relative to.
    pub(super) folder: &'a Path,
    /// Where code goes that is written in the template itself.
    pub(super) cache: &'a Path,
    /// Whether `sam build` has left a template beside this one.
    pub(super) built: bool,
    pub(super) overrides: &'a Overrides,
}

/// Reads the text; the problems are all that there are.
pub(super) fn parse(
    text: &str,
    surroundings: Surroundings<'_>,
) -> Result<Application, Vec<String>> {
    let document = yaml::parse(text).map_err(|problem| vec![problem])?;
    let mut reader = Reader::new(Dialect::Sam, document.lines);
    let template = Template::new(&document.value, &mut reader);
    let mut translator = Translator::new(&template, reader, surroundings);
    translator.run();
    translator.finish()
}

/// Walks the resources of a template and collects what they become.
#[derive(Debug)]
struct Translator<'t> {
    template: &'t Template,
    reader: Reader,
    surroundings: Surroundings<'t>,
    resolving: intrinsics::Resolving,
    /// By the function's own name.
    functions: BTreeMap<String, Function>,
    apis: BTreeMap<String, HttpApi>,
    /// The authorizers of APIs whose routes need not say one.
    default_authorizers: BTreeMap<String, String>,
    resources: Vec<Resource>,
    inline: Vec<InlineCode>,
    /// Folders of layers by the layer's ARN.
    layers: BTreeMap<String, PathBuf>,
    notes: BTreeSet<String>,
    /// Types that are not run here, and the resources of them.
    not_run: BTreeMap<String, Vec<String>>,
}

impl<'t> Translator<'t> {
    fn new(template: &'t Template, reader: Reader, surroundings: Surroundings<'t>) -> Self {
        Self {
            template,
            reader,
            surroundings,
            resolving: intrinsics::Resolving::default(),
            functions: BTreeMap::new(),
            apis: BTreeMap::new(),
            default_authorizers: BTreeMap::new(),
            resources: Vec::new(),
            inline: Vec::new(),
            layers: BTreeMap::new(),
            notes: BTreeSet::new(),
            not_run: BTreeMap::new(),
        }
    }

    fn run(&mut self) {
        self.parameters();
        let present: Vec<&'t template::Declared> = self
            .template
            .resources
            .values()
            .filter(|declared| self.is_present(declared))
            .collect();
        // Functions refer to layers and APIs, and everything else to functions.
        for step in [Step::Around, Step::Functions, Step::Sources] {
            for declared in &present {
                self.translate(declared, step);
            }
        }
        if self.functions.is_empty() && self.reader.is_content() {
            self.reader.problem(
                "Resources",
                "no function: an application has at least one AWS::Serverless::Function",
            );
        }
        if self.surroundings.built {
            self.notes.insert(
                "sam build has been run: what it made is read with --app .aws-sam/build/template.yaml"
                    .to_owned(),
            );
        }
    }

    fn finish(mut self) -> Result<Application, Vec<String>> {
        let functions: Vec<_> = self.functions.into_values().collect();
        self.reader.reject_shared_routes(&functions);
        let problems = self.reader.into_problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut notes: Vec<_> = self.notes.into_iter().collect();
        for (kind, names) in self.not_run {
            notes.push(format!("{kind} is not run here ({})", names.join(", ")));
        }
        Ok(Application {
            functions,
            apis: self.apis.into_values().collect(),
            resources: self.resources,
            doors: Vec::new(),
            aws_endpoint: self.surroundings.overrides.aws_endpoint.clone(),
            notes,
            inline: self.inline,
        })
    }

    fn translate(&mut self, declared: &'t template::Declared, step: Step) {
        match (declared.kind.as_str(), step) {
            ("AWS::Serverless::Api" | "AWS::Serverless::HttpApi", Step::Around) => {
                self.api(declared);
            }
            ("AWS::Serverless::Api" | "AWS::Serverless::HttpApi", Step::Sources) => {
                self.defined_routes(declared);
            }
            ("AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion", Step::Around) => {
                self.layer(declared);
            }
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", Step::Functions) => {
                self.function(declared);
            }
            ("AWS::Serverless::SimpleTable", Step::Sources) => self.simple_table(declared),
            ("AWS::Lambda::EventSourceMapping", Step::Sources) => self.mapping(declared),
            ("AWS::Lambda::Url", Step::Sources) => self.url(declared),
            ("AWS::Lambda::EventInvokeConfig", Step::Sources) => self.invoke_config(declared),
            ("AWS::Scheduler::Schedule", Step::Sources) => self.scheduler(declared),
            (_, Step::Sources) => self.other(declared),
            _ => {}
        }
    }

    /// The properties of these names with every reference resolved. The others are not looked at: they may refer to
    /// what is not run here.
    fn properties(&mut self, declared: &template::Declared, used: &[&str]) -> Map<String, Value> {
        let place = declared.properties_place();
        let mut resolved = Map::new();
        for (key, value) in &declared.properties {
            if used.contains(&key.as_str())
                && let Some(value) = self.resolve(&super::reader::place_of(&place, key), value)
            {
                resolved.insert(key.clone(), value);
            }
        }
        resolved
    }

    /// What is neither used nor known to mean nothing here is a slip of the pen, or something to tell.
    fn unknown_properties(
        &mut self,
        declared: &template::Declared,
        used: &[&str],
        unheeded: &[&str],
    ) {
        for key in declared.properties.keys() {
            if used.contains(&key.as_str()) || unheeded.contains(&key.as_str()) {
                continue;
            }
            let place = super::reader::place_of(&declared.properties_place(), key);
            match super::reader::nearest(key, used) {
                Some(near) => self
                    .reader
                    .problem(&place, &format!("unknown property, did you mean {near}")),
                None => self.note(&place, "has no effect here"),
            }
        }
    }

    fn note(&mut self, place: &str, note: &str) {
        if self.notes.len() < NOTES_MAX {
            self.notes.insert(format!("{place}: {note}"));
        }
    }

    fn not_run(&mut self, kind: &str, name: &str) {
        let names = self.not_run.entry(kind.to_owned()).or_default();
        names.push(name.to_owned());
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Around,
    Functions,
    Sources,
}

/// More than anybody reads.
const NOTES_MAX: usize = 100;

#[cfg(test)]
mod tests;
