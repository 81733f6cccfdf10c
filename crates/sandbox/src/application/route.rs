//! Routes of an API: `GET /orders/{id}`.

use std::collections::BTreeSet;

use super::reader::{Dialect, Reader};
use crate::function::Function;
use crate::source::{EventSource, HttpApiKind};

/// The method in capitals and the path.
pub(super) fn parse(text: &str, kind: HttpApiKind) -> Result<(String, String), String> {
    if text == DEFAULT && kind == HttpApiKind::Http {
        return Ok(("ANY".to_owned(), DEFAULT.to_owned()));
    }
    let expected =
        || format!("expected a method and a path such as GET /orders/{{id}}, found {text:?}");
    let (method, path) = text.split_once(' ').ok_or_else(expected)?;
    Ok((method_of(method)?, path_of(path.trim())?))
}

pub(super) fn method_of(text: &str) -> Result<String, String> {
    // SAM writes them in any case, and * for any.
    let method = match text {
        "*" => "ANY".to_owned(),
        _ => text.to_ascii_uppercase(),
    };
    if METHODS.contains(&method.as_str()) {
        Ok(method)
    } else {
        Err(format!(
            "expected one of {}, found {text:?}",
            METHODS.join(", ")
        ))
    }
}

pub(super) fn path_of(text: &str) -> Result<String, String> {
    let Some(rest) = text.strip_prefix('/') else {
        return Err(format!("a path begins with /, found {text:?}"));
    };
    let segments: Vec<_> = rest.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            None if segment.contains(['{', '}']) => {
                return Err(format!(
                    "{{name}} is a whole segment of a path, found {text:?}"
                ));
            }
            None => {}
            Some(name) => {
                let greedy = name.ends_with('+');
                if name.trim_end_matches('+').is_empty() || name.contains(['{', '}']) {
                    return Err(format!("a segment {{}} needs a name, found {text:?}"));
                }
                if greedy && index + 1 != segments.len() {
                    return Err(format!("{{name+}} is the last segment, found {text:?}"));
                }
            }
        }
    }
    Ok(text.to_owned())
}

impl Reader {
    /// One route leads to one function.
    pub(super) fn reject_shared_routes(&mut self, functions: &[Function]) {
        let mut taken = BTreeSet::new();
        for function in functions {
            for source in &function.sources {
                if let EventSource::Http(route) = source
                    && !taken.insert((&route.api, &route.method, &route.path))
                {
                    let tables = match self.dialect() {
                        Dialect::Toml => "functions",
                        Dialect::Sam => "Resources",
                    };
                    self.problem(
                        &format!("{tables}.{}", function.name),
                        &format!(
                            "the route {} {} of {} leads to another function already",
                            route.method, route.path, route.api
                        ),
                    );
                }
            }
        }
    }
}

const DEFAULT: &str = "$default";
const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY",
];
