//! `throughline.toml`, our own language for an application.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value};

use super::api;
use super::function::{
    APPLICATION_LEVEL, CONCURRENCY, ENVIRONMENTS, EVENT_AGE, EVENT_RETRIES, HANDLER, LOG_FORMAT,
    MEMORY, RUNTIME, STORAGE, SYSTEM_LEVEL, TIMEOUT, absolute, is_function_name,
};
use super::managed::MANAGED;
use super::reader::{Dialect, Key, Lines, Reader, Section, nearest};
use super::resource::{KINDS, Kind};
use super::source::is_host_and_port;
use super::throughline_sources::Names;
use super::{AWS_ITSELF, Application};
use crate::function::{self, Function, Initialization};
use crate::source::{Door, EventDestinations, HttpApi, HttpApiKind, Resource};

/// Reads the text; the problems are all that there are.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Application, Vec<String>> {
    let table: toml::Table = text.parse().map_err(|error| vec![not_toml(text, &error)])?;
    let root = as_json(toml::Value::Table(table));
    let mut reader = Reader::new(Dialect::Toml, Lines::new());
    let application = match &root {
        Value::Object(map) => reader.application(map, folder),
        _ => Application::default(),
    };
    let problems = reader.into_problems();
    if problems.is_empty() {
        Ok(application)
    } else {
        Err(problems)
    }
}

/// The parser's own text is a picture of several lines; one line with the number says as much.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    format!("line {line} is not TOML: {}", error.message())
}

fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| (key, as_json(value)))
            .collect(),
    }
}

impl Reader {
    fn application(&mut self, map: &Map<String, Value>, folder: &Path) -> Application {
        let root = Section {
            place: String::new(),
            map,
        };
        self.reject_unknown(&root, ROOT_KEYS);
        let aws_endpoint = self.aws_endpoint(&root);
        let doors = self.doors(&root);
        let apis = self.apis(&root);
        let resources = self.resources(&root);
        let Some(table) = self.function_table(&root) else {
            return Application::default();
        };
        let mut names = Names {
            functions: table.map.keys().cloned().collect(),
            resources: BTreeMap::new(),
            apis: apis
                .iter()
                .map(|(api, kind)| (api.name.clone(), *kind))
                .collect(),
        };
        for resource in &resources {
            names.add(resource);
        }
        let functions: Vec<_> = table
            .map
            .iter()
            .filter_map(|(name, value)| self.function(name, value, folder, &names))
            .collect();
        self.reject_shared_urls(&functions, &apis);
        self.reject_shared_routes(&functions);
        Application {
            functions,
            apis: apis.into_iter().map(|(api, _)| api).collect(),
            resources,
            doors,
            aws_endpoint,
            notes: Vec::new(),
            inline: Vec::new(),
        }
    }

    fn function_table<'v>(&mut self, root: &Section<'v>) -> Option<Section<'v>> {
        let place = FUNCTIONS.toml;
        if !self.has(root, FUNCTIONS) {
            self.problem(
                place,
                "missing: an application has at least one [functions.NAME]",
            );
            return None;
        }
        let table = self.section(root, FUNCTIONS, "a table of functions")?;
        if table.map.is_empty() {
            self.problem(
                place,
                "empty: an application has at least one [functions.NAME]",
            );
        }
        Some(table)
    }

    fn function(
        &mut self,
        name: &str,
        value: &Value,
        folder: &Path,
        names: &Names,
    ) -> Option<Function> {
        let section = self.as_section(format!("functions.{name}"), value, "a table")?;
        if !is_function_name(name) {
            self.problem(
                &section.place,
                "a function name is 1 to 64 letters, digits, hyphens and underscores",
            );
        }
        self.reject_unknown(&section, FUNCTION_KEYS);
        let code = self.string(&section, CODE);
        if code.is_none() && !self.has(&section, CODE) {
            self.problem(
                &section.place,
                "missing key code, the folder with the function's code",
            );
        }
        let code = code.map(|code| absolute(folder, &code));
        let runtime = self.runtime(&section);
        let mut function = Function::new(name, code.unwrap_or_default());
        function.runtime = runtime.unwrap_or(function.runtime);
        function.handler = self.handler(&section, &function.runtime);
        self.sizes(&section, &mut function);
        self.events(&section, &mut function);
        self.initialization(&section, &mut function);
        self.managed_instances(&section, &mut function);
        let layers = self.strings(&section, LAYERS).unwrap_or_default();
        self.layer_count(&section.place_of(LAYERS.toml), layers.len());
        function.layers = layers.iter().map(|layer| absolute(folder, layer)).collect();
        function.url = self.listen(&section, URL);
        if let Some(streams) = self.boolean(&section, URL_STREAMS) {
            function.url_streams = streams;
            if !self.has(&section, URL) {
                self.problem(&section.place_of(URL_STREAMS.toml), "only with url");
            }
        }
        self.logging(&section, &mut function);
        if let Some(variables) = self.section(&section, ENVIRONMENT, "a table of strings") {
            self.variables(&variables, &mut function);
        }
        if let Some(destinations) = self.section(&section, DESTINATIONS, "a table") {
            function.destinations = self.destinations(&destinations, names);
        }
        function.sources = self.sources(&section, name, names);
        Some(function)
    }

    fn initialization(&mut self, section: &Section<'_>, function: &mut Function) {
        let snap_start = self.boolean(section, SNAP_START).unwrap_or(false);
        let provisioned = self.integer(section, PROVISIONED, ENVIRONMENTS);
        let place = section.place_of(SNAP_START.toml);
        match (snap_start, provisioned) {
            (true, Some(_)) => self.problem(&place, "not together with provisioned, as on Lambda"),
            (true, None) => {
                self.snap_start(&place, function);
                function.initialization = Initialization::SnapStart;
            }
            (false, Some(number)) if number > 0 => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                if function.concurrency.is_some_and(|most| most < number) {
                    let message = format!(
                        "{number} environments are more than {} allows",
                        CONCURRENCY.toml
                    );
                    self.problem(&section.place_of(PROVISIONED.toml), &message);
                }
                function.initialization = Initialization::Provisioned(number);
            }
            (false, _) => {}
        }
    }

    fn destinations(&mut self, section: &Section<'_>, names: &Names) -> EventDestinations {
        self.reject_unknown(
            section,
            &[ON_SUCCESS.toml, ON_FAILURE.toml, DEAD_LETTER.toml],
        );
        let dead_letter = self.destination(section, DEAD_LETTER, names);
        if let Some(arn) = dead_letter
            .as_ref()
            .filter(|arn| !(arn.starts_with("arn:aws:sqs:") || arn.starts_with("arn:aws:sns:")))
        {
            self.problem(
                &section.place_of(DEAD_LETTER.toml),
                &format!("expected a queue or a topic, found {arn}"),
            );
        }
        EventDestinations {
            on_success: self.destination(section, ON_SUCCESS, names),
            on_failure: self.destination(section, ON_FAILURE, names),
            dead_letter,
        }
    }

    /// The ARN that is written, or that of a function or resource of this file.
    pub(super) fn destination(
        &mut self,
        section: &Section<'_>,
        key: Key,
        names: &Names,
    ) -> Option<String> {
        let text = self.string(section, key)?;
        if text.starts_with("arn:") {
            return Some(text);
        }
        let resource = names.resources.get(&text);
        let function = names.functions.contains(&text);
        let place = section.place_of(self.name(key));
        match (resource, function) {
            (Some(_), true) => {
                self.problem(
                    &place,
                    &format!("{text} is a function and a resource, write the ARN of the one that is meant"),
                );
                None
            }
            (Some(resource), false) => {
                if resource.arn.is_none() {
                    self.problem(&place, &format!("{text} cannot be a destination"));
                }
                resource.arn.clone()
            }
            (None, true) => Some(function::arn(&text)),
            (None, false) => {
                self.problem(
                    &place,
                    &format!(
                        "expected an ARN, or the name of a function or of a [resources.NAME] of this file, found {text:?}"
                    ),
                );
                None
            }
        }
    }

    fn aws_endpoint(&mut self, root: &Section<'_>) -> Option<String> {
        let aws = self.section(root, AWS, "a table")?;
        self.reject_unknown(&aws, &[ENDPOINT.toml]);
        let endpoint = self.string(&aws, ENDPOINT)?;
        if !is_endpoint(&endpoint) && endpoint != AWS_ITSELF {
            self.problem(
                &aws.place_of(ENDPOINT.toml),
                &format!(
                    "expected a URL such as http://127.0.0.1:5000, or {AWS_ITSELF} for AWS itself, found {endpoint:?}"
                ),
            );
        }
        Some(endpoint.trim_end_matches('/').to_owned())
    }

    fn doors(&mut self, root: &Section<'_>) -> Vec<Door> {
        let Some(table) = self.section(root, DOORS, "a table of host:port") else {
            return Vec::new();
        };
        let mut doors = Vec::new();
        for (name, value) in table.map {
            let place = table.place_of(name);
            let Some(target) = self.text(&place, value) else {
                continue;
            };
            if is_host_and_port(&target) {
                doors.push(Door {
                    name: name.clone(),
                    target,
                });
            } else {
                self.problem(
                    &place,
                    &format!("expected host:port such as 127.0.0.1:5432, found {target:?}"),
                );
            }
        }
        doors
    }

    fn apis(&mut self, root: &Section<'_>) -> Vec<(HttpApi, HttpApiKind)> {
        let Some(table) = self.section(root, APIS, "a table of APIs") else {
            return Vec::new();
        };
        let mut apis = Vec::new();
        for (name, value) in table.map {
            let Some(section) = self.as_section(table.place_of(name), value, "a table") else {
                continue;
            };
            self.reject_unknown(&section, &api::KEYS);
            let kinds = [("http", HttpApiKind::Http), ("rest", HttpApiKind::Rest)];
            let kind = self
                .choice(&section, KIND, &kinds)
                .unwrap_or(HttpApiKind::Http);
            let stage_default = match kind {
                HttpApiKind::Http => "$default",
                HttpApiKind::Rest => "prod",
            };
            let free_port = SocketAddr::from(([127, 0, 0, 1], 0));
            let listen = self.listen(&section, LISTEN).unwrap_or(free_port);
            let stage = self.string(&section, STAGE);
            let stage = stage.unwrap_or_else(|| stage_default.to_owned());
            let api = HttpApi {
                stage_variables: self.stage_variables(&section),
                binary_media_types: self.binary_media_types(&section),
                authorizers: self.authorizers(&section, kind),
                ..HttpApi::new(name, listen, stage)
            };
            apis.push((api, kind));
        }
        apis
    }

    fn resources(&mut self, root: &Section<'_>) -> Vec<Resource> {
        let Some(table) = self.section(root, RESOURCES, "a table of resources") else {
            return Vec::new();
        };
        let mut resources = Vec::new();
        for (name, value) in table.map {
            let Some(section) = self.as_section(table.place_of(name), value, "a table") else {
                continue;
            };
            let Some(text) = self.string(&section, TYPE) else {
                if !self.has(&section, TYPE) {
                    self.problem(&section.place, "missing key type, such as AWS::SQS::Queue");
                }
                continue;
            };
            let Some(kind) = Kind::of(&text) else {
                let known: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
                let message = match nearest(&text, &known) {
                    Some(near) => format!("no type {text:?}, did you mean {near}"),
                    None => format!("expected one of {}, found {text:?}", known.join(", ")),
                };
                self.problem(&section.place_of(TYPE.toml), &message);
                continue;
            };
            let mut properties = section.map.clone();
            properties.remove(TYPE.toml);
            resources.push(kind.resource(name, properties));
        }
        resources
    }

    fn listen(&mut self, section: &Section<'_>, key: Key) -> Option<SocketAddr> {
        let text = self.string(section, key)?;
        let place = section.place_of(self.name(key));
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Some(address),
            Ok(address) => {
                let message = format!(
                    "{address} is not on loopback: the sandbox runs any request that reaches it"
                );
                self.problem(&place, &message);
                None
            }
            Err(_) => {
                self.problem(
                    &place,
                    &format!("expected address:port such as 127.0.0.1:4310, found {text:?}"),
                );
                None
            }
        }
    }

    fn reject_shared_urls(&mut self, functions: &[Function], apis: &[(HttpApi, HttpApiKind)]) {
        let mut taken: BTreeMap<SocketAddr, String> = BTreeMap::new();
        let urls = functions.iter().filter_map(|function| {
            let place = format!("functions.{}.url", function.name);
            Some((
                place,
                function.url?,
                format!("the url of {}", function.name),
            ))
        });
        let listens = apis.iter().map(|(api, _)| {
            let place = format!("apis.{}.listen", api.name);
            (place, api.listen, format!("where {} listens", api.name))
        });
        for (place, listen, what) in urls.chain(listens) {
            match taken.get(&listen) {
                Some(other) => self.problem(&place, &format!("already {other}")),
                None if listen.port() != 0 => _ = taken.insert(listen, what),
                None => {}
            }
        }
    }
}

fn is_endpoint(text: &str) -> bool {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| !host.trim_end_matches('/').is_empty() && !host.contains([' ', '@']))
}

/// `extension` is for `throughline-extension`, which reads that table and nothing else from a file of this name.
const ROOT_KEYS: &[&str] = &[
    "functions",
    "apis",
    "resources",
    "doors",
    "aws",
    "extension",
];
pub(super) const FUNCTION_KEYS: &[&str] = &[
    RUNTIME.toml,
    HANDLER.toml,
    CODE.toml,
    LAYERS.toml,
    MEMORY.toml,
    TIMEOUT.toml,
    STORAGE.toml,
    CONCURRENCY.toml,
    PROVISIONED.toml,
    SNAP_START.toml,
    MANAGED.toml,
    URL.toml,
    URL_STREAMS.toml,
    EVENT_RETRIES.toml,
    EVENT_AGE.toml,
    LOG_FORMAT.toml,
    APPLICATION_LEVEL.toml,
    SYSTEM_LEVEL.toml,
    ENVIRONMENT.toml,
    DESTINATIONS.toml,
    SOURCES.toml,
];
const FUNCTIONS: Key = Key::only("functions");
const APIS: Key = Key::only("apis");
const RESOURCES: Key = Key::only("resources");
const DOORS: Key = Key::only("doors");
const AWS: Key = Key::only("aws");
const ENDPOINT: Key = Key::only("endpoint");
const KIND: Key = Key::only("kind");
const LISTEN: Key = Key::only("listen");
const STAGE: Key = Key::only("stage");
const TYPE: Key = Key::only("type");
const CODE: Key = Key::only("code");
const LAYERS: Key = Key::only("layers");
const PROVISIONED: Key = Key::only("provisioned");
const SNAP_START: Key = Key::only("snap_start");
const URL: Key = Key::only("url");
const URL_STREAMS: Key = Key::only("url_streams");
const ENVIRONMENT: Key = Key::only("environment");
const DESTINATIONS: Key = Key::only("destinations");
pub(super) const SOURCES: Key = Key::only("sources");
const ON_SUCCESS: Key = Key::only("on_success");
const ON_FAILURE: Key = Key::only("on_failure");
const DEAD_LETTER: Key = Key::only("dead_letter");
