//! What an API has beside its routes: variables of its stage, binary media types and authorizers, in both languages.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::reader::{Dialect, Key, Range, Reader, Section};
use crate::source::{Authorizer, AuthorizerEvent, HttpApiKind, Identity};

impl Reader {
    pub(super) fn stage_variables(&mut self, api: &Section<'_>) -> BTreeMap<String, String> {
        let key = match api.map.contains_key(VARIABLES_OF_REST) {
            true => Key::only(VARIABLES_OF_REST),
            false => VARIABLES,
        };
        let Some(section) = self.section(api, key, "a table of variables") else {
            return BTreeMap::new();
        };
        let mut variables = BTreeMap::new();
        for (name, value) in section.map {
            if let Some(text) = self.text(&section.place_of(name), value) {
                variables.insert(name.clone(), text);
            }
        }
        variables
    }

    /// SAM writes `~1` for the slash, as API Gateway's own API does.
    pub(super) fn binary_media_types(&mut self, api: &Section<'_>) -> Option<Vec<String>> {
        let types = self.strings(api, BINARY)?;
        let types = types.into_iter().map(|text| text.replace("~1", "/"));
        Some(types.collect())
    }

    /// `[apis.NAME.authorizers]`.
    pub(super) fn authorizers(&mut self, api: &Section<'_>, kind: HttpApiKind) -> Vec<Authorizer> {
        let Some(table) = self.section(api, AUTHORIZERS, "a table of authorizers") else {
            return Vec::new();
        };
        let mut authorizers = Vec::new();
        for (name, value) in table.map {
            let Some(section) = self.as_section(table.place_of(name), value, "a table") else {
                continue;
            };
            self.reject_unknown(&section, &AUTHORIZER_KEYS);
            let kinds: &[_] = match kind {
                HttpApiKind::Rest => &[
                    ("token", AuthorizerEvent::Token),
                    ("request", AuthorizerEvent::Request1),
                ],
                HttpApiKind::Http => &[
                    ("simple", AuthorizerEvent::Request2 { simple: true }),
                    ("policy", AuthorizerEvent::Request2 { simple: false }),
                    ("1.0", AuthorizerEvent::Request1),
                ],
            };
            let event = self.choice(&section, KIND, kinds);
            let Some(function) = self.string(&section, FUNCTION) else {
                if !self.has(&section, FUNCTION) {
                    self.problem(&section.place, "missing key function");
                }
                continue;
            };
            let identity = self.strings(&section, IDENTITY).unwrap_or_default();
            let place = section.place_of(IDENTITY.toml);
            let identity = identity
                .iter()
                .filter_map(|text| self.identity(&place, text));
            let identity: Vec<_> = identity.collect();
            authorizers.push(Authorizer {
                name: name.clone(),
                function,
                event: event.unwrap_or(kinds[0].1),
                identity: match identity.is_empty() {
                    true => vec![Identity::Header(TOKEN_HEADER.to_owned())],
                    false => identity,
                },
                keep: self.keep(&section),
            });
        }
        authorizers
    }

    fn identity(&mut self, place: &str, text: &str) -> Option<Identity> {
        match text.split_once(':') {
            Some(("header", name)) => Some(Identity::Header(name.to_owned())),
            Some(("query", name)) => Some(Identity::Query(name.to_owned())),
            Some(("stage", name)) => Some(Identity::StageVariable(name.to_owned())),
            Some(("context", name)) => Some(Identity::Context(name.to_owned())),
            _ => {
                let message = format!(
                    "expected header:NAME, query:NAME, stage:NAME or context:NAME, found {text:?}"
                );
                self.problem(place, &message);
                None
            }
        }
    }

    /// How long answers are kept.
    pub(super) fn keep(&mut self, section: &Section<'_>) -> Duration {
        let seconds = self.integer(section, KEEP, KEEP_RANGE);
        Duration::from_secs(seconds.unwrap_or(KEEP_DEFAULT).into())
    }

    /// SAM's `Identity`, the token's header if there is nothing in it.
    pub(super) fn sam_identity(
        &mut self,
        authorizer: &Section<'_>,
        event: AuthorizerEvent,
    ) -> Vec<Identity> {
        let token = || match event {
            AuthorizerEvent::Token => vec![Identity::Header(TOKEN_HEADER.to_owned())],
            AuthorizerEvent::Request1 | AuthorizerEvent::Request2 { .. } => Vec::new(),
        };
        let Some(section) = self.section(authorizer, SAM_IDENTITY, "a map") else {
            return token();
        };
        if event == AuthorizerEvent::Token {
            let header = self.string(&section, Key::only("Header"));
            return header.map_or_else(token, |name| vec![Identity::Header(name)]);
        }
        let mut identity = Vec::new();
        let mut take = |key: &'static str, of: fn(String) -> Identity| {
            let names = self.strings(&section, Key::only(key)).unwrap_or_default();
            identity.extend(names.into_iter().map(of));
        };
        take("Headers", Identity::Header);
        take("QueryStrings", Identity::Query);
        take("StageVariables", Identity::StageVariable);
        take("Context", Identity::Context);
        identity
    }

    /// SAM's `ReauthorizeEvery`, which is within `Identity`.
    pub(super) fn sam_keep(&mut self, authorizer: &Section<'_>) -> Duration {
        debug_assert_eq!(self.dialect(), Dialect::Sam);
        match authorizer.map.get(SAM_IDENTITY.sam) {
            Some(Value::Object(map)) => {
                let place = authorizer.place_of(SAM_IDENTITY.sam);
                self.keep(&Section { place, map })
            }
            _ => Duration::from_secs(KEEP_DEFAULT.into()),
        }
    }
}

/// Of `[apis.NAME]`.
pub(super) const KEYS: [&str; 6] = [
    "kind",
    "listen",
    "stage",
    VARIABLES.toml,
    BINARY.toml,
    AUTHORIZERS.toml,
];
/// Of a route, its authorizer.
pub(super) const AUTHORIZER: Key = Key::only("authorizer");
const AUTHORIZER_KEYS: [&str; 4] = [FUNCTION.toml, KIND.toml, IDENTITY.toml, KEEP.toml];
const VARIABLES_OF_REST: &str = "Variables";
const VARIABLES: Key = Key {
    toml: "stage_variables",
    sam: "StageVariables",
};
const BINARY: Key = Key {
    toml: "binary_media_types",
    sam: "BinaryMediaTypes",
};
const AUTHORIZERS: Key = Key::only("authorizers");
const FUNCTION: Key = Key::only("function");
const KIND: Key = Key::only("kind");
const IDENTITY: Key = Key::only("identity");
const SAM_IDENTITY: Key = Key::only("Identity");
const KEEP: Key = Key {
    toml: "keep_seconds",
    sam: "ReauthorizeEvery",
};
const KEEP_RANGE: Range = Range {
    least: 0,
    most: 3600,
    unit: "seconds",
};
const KEEP_DEFAULT: u32 = 300;
const TOKEN_HEADER: &str = "Authorization";
