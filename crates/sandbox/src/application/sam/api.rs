//! APIs of a template and the routes that events declare.

use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::Translator;
use super::names::{IMPLICIT_HTTP, IMPLICIT_REST, function_name};
use super::template::Declared;
use crate::application::reader::{Key, Section, place_of};
use crate::application::route;
use crate::source::{Authorizer, AuthorizerEvent, EventSource, HttpApi, HttpApiKind, HttpRoute};

impl<'t> Translator<'t> {
    /// `AWS::Serverless::Api` and `AWS::Serverless::HttpApi`.
    pub(super) fn api(&mut self, declared: &'t Declared) {
        let properties = self.properties(declared, USED);
        let section = Section {
            place: declared.properties_place(),
            map: &properties,
        };
        let stage = self.reader.string(&section, Key::only("StageName"));
        let stage = match (stage, declared.kind.as_str()) {
            (Some(stage), _) => stage,
            (None, "AWS::Serverless::Api") => {
                if !properties.contains_key("StageName") {
                    self.reader
                        .problem(&section.place, "missing StageName, such as Prod");
                }
                return;
            }
            (None, _) => HTTP_STAGE.to_owned(),
        };
        let told = [
            (
                "DefinitionUri",
                "is not read, routes come from events and from DefinitionBody",
            ),
            ("Domain", "is not listened on"),
        ];
        for (key, note) in told {
            if declared.properties.contains_key(key) {
                self.note(&section.place_of(key), note);
            }
        }
        let kind = match declared.kind.as_str() {
            "AWS::Serverless::Api" => HttpApiKind::Rest,
            _ => HttpApiKind::Http,
        };
        self.add_api(declared.name.clone(), stage, kind, &section);
    }

    /// The routes that an API's own OpenAPI text leads to functions.
    pub(super) fn defined_routes(&mut self, declared: &'t Declared) {
        let mut properties = self.properties(declared, &["DefinitionBody"]);
        let kind = match declared.kind.as_str() {
            "AWS::Serverless::Api" => HttpApiKind::Rest,
            _ => HttpApiKind::Http,
        };
        let place = place_of(&declared.properties_place(), "DefinitionBody");
        let paths = properties
            .get_mut("DefinitionBody")
            .and_then(|body| body.get_mut("paths"))
            .map(Value::take);
        let Some(Value::Object(paths)) = paths else {
            return;
        };
        let place = place_of(&place, "paths");
        for (path, methods) in &paths {
            let place = place_of(&place, path);
            let Value::Object(methods) = methods else {
                continue;
            };
            for (method, operation) in methods {
                let Some(integration) = operation.get(INTEGRATION) else {
                    continue;
                };
                let place = place_of(&place, method);
                match integration.get("uri").and_then(Value::as_str) {
                    Some(uri) if uri.contains(":function:") => {
                        let event = DefinedRoute {
                            api: &declared.name,
                            kind,
                            method,
                            path,
                            uri,
                        };
                        self.defined_route(&place, &event);
                    }
                    _ => self.note(&place, "leads to no function, and is not answered"),
                }
            }
        }
    }

    fn defined_route(&mut self, place: &str, route: &DefinedRoute<'_>) {
        let method = match route.method {
            ANY_METHOD => "ANY",
            other => other,
        };
        let defined = route::method_of(method).and_then(|method| {
            let path = match (route.path, route.kind) {
                (DEFAULT | "/$default", HttpApiKind::Http) => DEFAULT.to_owned(),
                (path, _) => route::path_of(path)?,
            };
            Ok((method, path))
        });
        let (method, path) = match defined {
            Ok(defined) => defined,
            Err(message) => return self.reader.problem(place, &message),
        };
        let source = EventSource::Http(HttpRoute {
            kind: route.kind,
            api: route.api.to_owned(),
            method,
            path,
            authorizer: None,
        });
        // `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION-ARN/invocations`, or the ARN alone.
        let arn = match route.uri.split_once("/functions/") {
            Some((_, rest)) => rest.split('/').next().unwrap_or(rest),
            None => route.uri,
        };
        // SAM writes the routes of events into the same text, so one may be here twice.
        if let Some(function) = self.function_named(place, arn)
            && !function.sources.contains(&source)
        {
            function.sources.push(source);
        }
    }

    /// The source of an `Api` or `HttpApi` event.
    pub(super) fn route(&mut self, event: &Section<'_>, kind: HttpApiKind) -> Option<EventSource> {
        let (api_key, implicit, stage) = match kind {
            HttpApiKind::Rest => ("RestApiId", IMPLICIT_REST, REST_STAGE),
            HttpApiKind::Http => ("ApiId", IMPLICIT_HTTP, HTTP_STAGE),
        };
        let api = match event.map.get(api_key) {
            None => {
                if !self.apis.contains_key(implicit) {
                    self.add_implicit(implicit, stage, kind);
                }
                implicit.to_owned()
            }
            Some(value) => {
                let api = self.reader.text(&event.place_of(api_key), value)?;
                if !self.apis.contains_key(&api) {
                    let note =
                        format!("{api} is not an API of this template, it listens all the same");
                    self.note(&event.place_of(api_key), &note);
                    let none = Section {
                        place: event.place.clone(),
                        map: &Map::new(),
                    };
                    self.add_api(api.clone(), stage.to_owned(), kind, &none);
                }
                api
            }
        };
        let authorizer = self.authorizer_of(event, &api);
        if event
            .map
            .get("PayloadFormatVersion")
            .and_then(Value::as_str)
            == Some("1.0")
        {
            let message = "the function gets payload format 2.0 here";
            self.note(&event.place_of("PayloadFormatVersion"), message);
        }
        let (method, path) = self.method_and_path(event, kind)?;
        Some(EventSource::Http(HttpRoute {
            kind,
            api,
            method,
            path,
            authorizer,
        }))
    }

    /// The one that the event names, or else the API's own.
    fn authorizer_of(&mut self, event: &Section<'_>, api: &str) -> Option<String> {
        let default = self.default_authorizers.get(api).cloned();
        let Some(auth) = event.map.get("Auth").filter(|auth| !auth.is_null()) else {
            return default;
        };
        let place = event.place_of("Auth");
        let auth = self.reader.as_section(place, auth, "a map")?;
        let Some(name) = self.reader.string(&auth, Key::only("Authorizer")) else {
            self.note(
                &auth.place,
                "only authorizers that are functions are run here",
            );
            return default;
        };
        self.known_authorizer(&auth.place_of("Authorizer"), api, name)
    }

    fn known_authorizer(&mut self, place: &str, api: &str, name: String) -> Option<String> {
        let api = self.apis.get(api)?;
        let known = api.authorizers.iter().any(|known| known.name == name);
        if !known && name != "NONE" {
            let note = format!("{name} is not run here: requests pass without it");
            self.note(place, &note);
        }
        known.then_some(name)
    }

    /// The APIs that SAM makes for events without one have the settings of the Globals.
    fn add_implicit(&mut self, name: &str, stage: &str, kind: HttpApiKind) {
        let key = match kind {
            HttpApiKind::Rest => "Api",
            HttpApiKind::Http => "HttpApi",
        };
        let place = place_of("Globals", key);
        let mut settings = Map::new();
        if let Some(Value::Object(globals)) = self.template.globals.get(key) {
            for (key, value) in globals
                .iter()
                .filter(|(key, _)| USED.contains(&key.as_str()))
            {
                let resolved = self.resolve(&place_of(&place, key), value);
                settings.extend(resolved.map(|value| (key.clone(), value)));
            }
        }
        let section = Section {
            place,
            map: &settings,
        };
        self.add_api(name.to_owned(), stage.to_owned(), kind, &section);
    }

    fn authorizers(&mut self, auth: &Section<'_>, kind: HttpApiKind) -> Vec<Authorizer> {
        let Some(all) = self.reader.section(auth, Key::only("Authorizers"), "a map") else {
            return Vec::new();
        };
        let mut authorizers = Vec::new();
        for (name, value) in all.map {
            let Some(section) = self.reader.as_section(all.place_of(name), value, "a map") else {
                continue;
            };
            let Some(arn) = self.reader.string(&section, Key::only("FunctionArn")) else {
                self.note(
                    &section.place,
                    "is no function and not run here: requests pass without it",
                );
                continue;
            };
            let event = match kind {
                HttpApiKind::Rest => {
                    let kinds = [
                        ("TOKEN", AuthorizerEvent::Token),
                        ("REQUEST", AuthorizerEvent::Request1),
                    ];
                    let key = Key::only("FunctionPayloadType");
                    let kind = self.reader.choice(&section, key, &kinds);
                    kind.unwrap_or(AuthorizerEvent::Token)
                }
                HttpApiKind::Http => {
                    let simple = Key::only("EnableSimpleResponses");
                    let simple = self.reader.boolean(&section, simple).unwrap_or(false);
                    let kinds = [
                        ("1.0", AuthorizerEvent::Request1),
                        ("2.0", AuthorizerEvent::Request2 { simple }),
                    ];
                    let key = Key::only("AuthorizerPayloadFormatVersion");
                    let kind = self.reader.choice(&section, key, &kinds);
                    kind.unwrap_or(AuthorizerEvent::Request2 { simple })
                }
            };
            let is_checked = |identity: &Value| identity.get("ValidationExpression").is_some();
            if section.map.get("Identity").is_some_and(is_checked) {
                self.note(
                    &section.place_of("Identity"),
                    "the ValidationExpression is not looked at",
                );
            }
            authorizers.push(Authorizer {
                name: name.clone(),
                function: function_name(&arn),
                event,
                identity: self.reader.sam_identity(&section, event),
                keep: self.reader.sam_keep(&section),
            });
        }
        authorizers
    }

    fn method_and_path(
        &mut self,
        event: &Section<'_>,
        kind: HttpApiKind,
    ) -> Option<(String, String)> {
        let path = match (event.map.get("Path"), kind) {
            (Some(path), _) => self.reader.text(&event.place_of("Path"), path)?,
            (None, HttpApiKind::Http) => return Some(("ANY".to_owned(), DEFAULT.to_owned())),
            (None, HttpApiKind::Rest) => {
                self.reader
                    .problem(&event.place, "missing Path, such as /orders");
                return None;
            }
        };
        let method = match (event.map.get("Method"), kind) {
            (Some(method), _) => self.reader.text(&event.place_of("Method"), method)?,
            (None, HttpApiKind::Http) => "ANY".to_owned(),
            (None, HttpApiKind::Rest) => {
                self.reader
                    .problem(&event.place, "missing Method, such as get");
                return None;
            }
        };
        if path == DEFAULT && kind == HttpApiKind::Http {
            return Some(("ANY".to_owned(), path));
        }
        let method = route::method_of(&method);
        let method = self.sound(event, "Method", method)?;
        let path = route::path_of(&path);
        Some((method, self.sound(event, "Path", path)?))
    }

    fn sound(
        &mut self,
        event: &Section<'_>,
        key: &str,
        result: Result<String, String>,
    ) -> Option<String> {
        result
            .map_err(|message| self.reader.problem(&place_of(&event.place, key), &message))
            .ok()
    }

    /// APIs listen in the order in which they come up: those that are written, by name, then the implicit ones.
    fn add_api(&mut self, name: String, stage: String, kind: HttpApiKind, settings: &Section<'_>) {
        let index = u16::try_from(self.apis.len()).unwrap_or(u16::MAX);
        // Beyond the last port any free one has to do.
        let port = API_PORT_FIRST.checked_add(index).unwrap_or(0);
        let mut api = HttpApi {
            stage_variables: self.reader.stage_variables(settings),
            ..HttpApi::new(&name, SocketAddr::from(([127, 0, 0, 1], port)), stage)
        };
        if kind == HttpApiKind::Rest {
            let types = self.reader.binary_media_types(settings);
            api.binary_media_types = Some(types.unwrap_or_default());
        }
        let auth = self.reader.section(settings, Key::only("Auth"), "a map");
        if let Some(auth) = &auth {
            api.authorizers = self.authorizers(auth, kind);
        }
        self.apis.insert(name.clone(), api);
        let Some(auth) = auth else { return };
        let key = Key::only("DefaultAuthorizer");
        if let Some(default) = self.reader.string(&auth, key) {
            let default = self.known_authorizer(&auth.place_of(key.sam), &name, default);
            self.default_authorizers
                .extend(default.map(|default| (name, default)));
        }
    }
}

/// A route as OpenAPI with Amazon's extensions says it.
struct DefinedRoute<'r> {
    api: &'r str,
    kind: HttpApiKind,
    method: &'r str,
    path: &'r str,
    uri: &'r str,
}

/// The kind of API that an event is of, if of any.
pub(super) fn is_api_event(kind: &str) -> Option<HttpApiKind> {
    match kind {
        "Api" => Some(HttpApiKind::Rest),
        "HttpApi" => Some(HttpApiKind::Http),
        _ => None,
    }
}

/// Properties of an API that are read here, but for its text.
const USED: &[&str] = &[
    "StageName",
    "Variables",
    "StageVariables",
    "BinaryMediaTypes",
    "Auth",
];
const INTEGRATION: &str = "x-amazon-apigateway-integration";
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
const DEFAULT: &str = "$default";
/// The stage that SAM gives the implicit REST API.
const REST_STAGE: &str = "Prod";
const HTTP_STAGE: &str = "$default";
/// The APIs of a template listen from here on.
const API_PORT_FIRST: u16 = 4330;
