//! Which function a request of an API belongs to. Pure.

use std::collections::BTreeMap;
use std::fmt;

use crate::source::{Authorizer, HttpApiKind};

/// The routes of one API.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    kind: HttpApiKind,
    routes: Vec<Route>,
}

/// A route and the function behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) function: String,
    pub(crate) authorizer: Option<Authorizer>,
    segments: Vec<Segment>,
}

/// In the order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Fixed(String),
    /// `{name}`
    One(String),
    /// `{name+}`: all that follows, of which there is something.
    Rest(String),
}

/// A request's route, and what its path holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matched<'a> {
    pub(crate) route: &'a Route,
    pub(crate) path_parameters: BTreeMap<String, String>,
}

impl Route {
    /// # Errors
    /// What is wrong with the path.
    pub(crate) fn parse(method: &str, path: &str, function: &str) -> Result<Self, &'static str> {
        let mut segments = Vec::new();
        if path != DEFAULT {
            let rest = path.strip_prefix('/').ok_or("a path begins with /")?;
            for text in rest.split('/') {
                if matches!(segments.last(), Some(Segment::Rest(_))) {
                    return Err("nothing comes after {name+}");
                }
                segments.push(Segment::parse(text)?);
            }
        }
        Ok(Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            function: function.to_owned(),
            authorizer: None,
            segments,
        })
    }

    /// As events of payload format 2.0 tell it.
    pub(crate) fn key(&self) -> String {
        if self.path == DEFAULT {
            DEFAULT.to_owned()
        } else {
            self.to_string()
        }
    }

    fn takes_method(&self, method: &str) -> bool {
        self.path == DEFAULT || self.method == ANY || self.method == method
    }

    /// What the variables of the path stand for, if the request's path is one of this route's.
    fn matched(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        if self.path == DEFAULT {
            return Some(found);
        }
        let mut rest = Some(path.strip_prefix('/')?);
        for segment in &self.segments {
            let text = rest?;
            let (first, after) = match text.split_once('/') {
                Some((first, after)) => (first, Some(after)),
                None => (text, None),
            };
            match segment {
                Segment::Fixed(fixed) if fixed == first => rest = after,
                Segment::One(name) if !first.is_empty() => {
                    found.insert(name.clone(), first.to_owned());
                    rest = after;
                }
                Segment::Rest(name) if !text.is_empty() => {
                    found.insert(name.clone(), text.to_owned());
                    rest = None;
                }
                _ => return None,
            }
        }
        rest.is_none().then_some(found)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(inside) = text.strip_prefix('{') else {
            return match text.contains(['{', '}']) {
                true => Err("a variable takes a whole segment of the path"),
                false => Ok(Self::Fixed(text.to_owned())),
            };
        };
        let name = inside.strip_suffix('}').ok_or("a { is never closed")?;
        let (name, greedy) = match name.strip_suffix('+') {
            Some(name) => (name, true),
            None => (name, false),
        };
        if name.is_empty() || name.contains(['{', '}', '+']) {
            return Err("a variable has a name, as in {name} or {name+}");
        }
        Ok(match greedy {
            true => Self::Rest(name.to_owned()),
            false => Self::One(name.to_owned()),
        })
    }
}

impl Routes {
    pub(crate) fn new(kind: HttpApiKind, mut routes: Vec<Route>) -> Self {
        // The most specific first: `$default` last, ANY after a method, fixed segments before variables.
        routes.sort_by(|a, b| {
            let order = |route: &Route| (route.path == DEFAULT, route.method == ANY);
            let (a_default, a_any) = order(a);
            let (b_default, b_any) = order(b);
            let segments = a_default.cmp(&b_default).then_with(|| by_segments(a, b));
            segments.then(a_any.cmp(&b_any))
        });
        Self { kind, routes }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The route that takes the request.
    ///
    /// An HTTP API looks for the most specific route that has the method too. A REST API settles on a resource by the
    /// path alone, and then that resource has the method or nobody has.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let path = match self.kind {
            HttpApiKind::Rest if path.len() > 1 => path.strip_suffix('/').unwrap_or(path),
            _ => path,
        };
        let mut candidates = self
            .routes
            .iter()
            .filter_map(|route| Some((route, route.matched(path)?)))
            .peekable();
        let resource = match self.kind {
            HttpApiKind::Rest => Some(candidates.peek()?.0.path.clone()),
            HttpApiKind::Http => None,
        };
        let (route, path_parameters) = candidates.find(|(route, _)| {
            let here = resource.as_ref().is_none_or(|path| *path == route.path);
            here && route.takes_method(method)
        })?;
        Some(Matched {
            route,
            path_parameters: match self.kind {
                HttpApiKind::Rest => path_parameters,
                HttpApiKind::Http => decoded(path_parameters),
            },
        })
    }
}

fn by_segments(a: &Route, b: &Route) -> std::cmp::Ordering {
    a.segments.cmp(&b.segments)
}

/// HTTP APIs decode what a path holds, REST APIs do not.
fn decoded(parameters: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let decode = |value: String| {
        let value = value.replace('+', "%2B");
        let pair = format!("v={value}").replace('&', "%26");
        let mut pairs = form_urlencoded::parse(pair.as_bytes());
        pairs.next().map_or(value, |(_, value)| value.into_owned())
    };
    parameters
        .into_iter()
        .map(|(name, value)| (name, decode(value)))
        .collect()
}

/// The route of whatever no other takes.
pub(crate) const DEFAULT: &str = "$default";
const ANY: &str = "ANY";

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(kind: HttpApiKind, keys: &[&str]) -> Routes {
        let parse = |key: &&str| {
            let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
            Route::parse(method, path, "f").unwrap()
        };
        Routes::new(kind, keys.iter().map(parse).collect())
    }

    fn found(routes: &Routes, request: &str) -> String {
        let (method, path) = request.split_once(' ').unwrap();
        match routes.find(method, path) {
            None => "none".to_owned(),
            Some(matched) => {
                let parameters = matched.path_parameters.iter();
                let parameters = parameters.map(|(name, value)| format!(" {name}={value}"));
                matched.route.key() + &parameters.collect::<String>()
            }
        }
    }

    #[test]
    fn http_api_takes_the_most_specific_route_that_has_the_method() {
        // The example of API Gateway's own guide, and what it leaves open.
        let routes = routes(
            HttpApiKind::Http,
            &[
                "$default",
                "ANY /{proxy+}",
                "GET /pets/{proxy+}",
                "GET /pets/dog/{id}",
                "GET /pets/dog/1",
                "ANY /pets/dog/1/toys",
                "PUT /pets/dog/1/toys",
            ],
        );
        let cases = [
            ("GET /pets/dog/1", "GET /pets/dog/1"),
            ("GET /pets/dog/2", "GET /pets/dog/{id} id=2"),
            ("GET /pets/dog/a%20b", "GET /pets/dog/{id} id=a b"),
            ("GET /pets/dog/a+b&c", "GET /pets/dog/{id} id=a+b&c"),
            ("GET /pets/cat", "GET /pets/{proxy+} proxy=cat"),
            (
                "GET /pets/dog/2/toys",
                "GET /pets/{proxy+} proxy=dog/2/toys",
            ),
            ("POST /pets/dog/1", "ANY /{proxy+} proxy=pets/dog/1"),
            ("PUT /pets/dog/1/toys", "PUT /pets/dog/1/toys"),
            ("POST /pets/dog/1/toys", "ANY /pets/dog/1/toys"),
            ("GET /", "$default"),
            ("GET /pets/", "ANY /{proxy+} proxy=pets/"),
        ];
        for (request, expected) in cases {
            assert_eq!(found(&routes, request), expected, "{request}");
        }
    }

    #[test]
    fn rest_api_settles_on_a_resource_first() {
        let routes = routes(
            HttpApiKind::Rest,
            &["ANY /{proxy+}", "GET /orders", "POST /orders/{id}", "GET /"],
        );
        let cases = [
            ("GET /orders", "GET /orders"),
            ("GET /orders/", "GET /orders"),
            ("POST /orders", "none"),
            ("POST /orders/a%20b", "POST /orders/{id} id=a%20b"),
            ("GET /orders/7", "none"),
            ("GET /orders/7/lines", "ANY /{proxy+} proxy=orders/7/lines"),
            ("GET /", "GET /"),
            ("PUT /", "none"),
        ];
        for (request, expected) in cases {
            assert_eq!(found(&routes, request), expected, "{request}");
        }
    }

    #[test]
    fn paths_that_are_none_are_refused() {
        let cases = [
            ("orders", "a path begins with /"),
            ("/{proxy+}/x", "nothing comes after {name+}"),
            ("/{id", "a { is never closed"),
            ("/{}", "a variable has a name, as in {name} or {name+}"),
            ("/a{id}", "a variable takes a whole segment of the path"),
        ];
        for (path, expected) in cases {
            assert_eq!(Route::parse("GET", path, "f"), Err(expected), "{path}");
        }
    }
}
