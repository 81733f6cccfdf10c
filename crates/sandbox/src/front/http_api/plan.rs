//! The APIs that an application's routes make. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::routes::{DEFAULT, Route, Routes};
use crate::function::Function;
use crate::source::{EventSource, HttpApi, HttpApiKind};

/// One API, checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) api: HttpApi,
    pub(crate) kind: HttpApiKind,
    pub(crate) routes: Routes,
}

/// Every API that has a route, in the order of their names.
///
/// # Errors
/// The API or the route that cannot be, and why.
pub(crate) fn plan(
    functions: &[Function],
    apis: &[HttpApi],
) -> Result<Vec<Plan>, (String, String)> {
    let mut declared = BTreeMap::new();
    for api in apis {
        if declared.insert(api.name.as_str(), api).is_some() {
            return Err((api.name.clone(), "it is declared twice".to_owned()));
        }
    }
    let mut found: BTreeMap<String, (HttpApiKind, Vec<Route>)> = BTreeMap::new();
    for api in apis {
        for authorizer in &api.authorizers {
            if !functions
                .iter()
                .any(|function| function.name == authorizer.function)
            {
                let (name, function) = (&authorizer.name, &authorizer.function);
                let why =
                    format!("the authorizer {name} is {function}, and there is no such function");
                return Err((api.name.clone(), why));
            }
        }
    }
    for function in functions {
        for source in &function.sources {
            let EventSource::Http(route) = source else {
                continue;
            };
            let refuse = |why: &str| {
                let key = format!("{} {}", route.method, route.path);
                (
                    route.api.clone(),
                    format!("{key} of {}: {why}", function.name),
                )
            };
            let (kind, routes) = found
                .entry(route.api.clone())
                .or_insert_with(|| (route.kind, Vec::new()));
            if *kind != route.kind {
                return Err(refuse("an API is a REST API or an HTTP API, not both"));
            }
            if route.kind == HttpApiKind::Rest && route.path == DEFAULT {
                return Err(refuse("only HTTP APIs have $default"));
            }
            let parsed = Route::parse(&route.method, &route.path, &function.name);
            let mut parsed = parsed.map_err(refuse)?;
            if let Some(name) = &route.authorizer {
                let known = declared.get(route.api.as_str()).into_iter();
                let mut known = known.flat_map(|api| &api.authorizers);
                let authorizer = known.find(|known| known.name == *name);
                parsed.authorizer = Some(
                    authorizer
                        .ok_or_else(|| refuse("the API has no such authorizer"))?
                        .clone(),
                );
            }
            routes.push(parsed);
        }
    }
    let plan_of = |(name, (kind, routes)): (String, (HttpApiKind, Vec<Route>))| {
        reject_twice(&name, &routes)?;
        let api = declared.get(name.as_str()).copied().cloned();
        Ok(Plan {
            api: api.unwrap_or_else(|| HttpApi::new(name, ANY_PORT, stage_default(kind))),
            routes: Routes::new(kind, routes),
            kind,
        })
    };
    found.into_iter().map(plan_of).collect()
}

fn reject_twice(api: &str, routes: &[Route]) -> Result<(), (String, String)> {
    let mut keys = BTreeSet::new();
    match routes.iter().find(|route| !keys.insert(route.key())) {
        Some(route) => Err((api.to_owned(), format!("two routes are {}", route.key()))),
        None => Ok(()),
    }
}

/// As SAM names them.
fn stage_default(kind: HttpApiKind) -> String {
    match kind {
        HttpApiKind::Rest => "Prod".to_owned(),
        HttpApiKind::Http => "$default".to_owned(),
    }
}

const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::HttpRoute;

    fn function(name: &str, routes: &[(HttpApiKind, &str, &str)]) -> Function {
        routes.iter().fold(
            Function::new(name, "/code"),
            |function, (kind, method, path)| {
                function.source(EventSource::Http(HttpRoute {
                    kind: *kind,
                    api: "shop".to_owned(),
                    method: (*method).to_owned(),
                    path: (*path).to_owned(),
                    authorizer: None,
                }))
            },
        )
    }

    #[test]
    fn routes_of_all_functions_make_one_api() {
        use HttpApiKind::Http;
        let functions = [
            function("a", &[(Http, "get", "/a"), (Http, "ANY", "$default")]),
            function("b", &[(Http, "POST", "/a")]),
        ];
        let plans = plan(&functions, &[]).unwrap();
        assert_eq!(plans.len(), 1);
        let told: Vec<_> = plans[0]
            .routes
            .iter()
            .map(|route| format!("{} {}", route.key(), route.function))
            .collect();
        assert_eq!(told, ["GET /a a", "POST /a b", "$default a"]);
        assert_eq!(
            (plans[0].api.stage.as_str(), plans[0].api.listen.port()),
            ("$default", 0)
        );
    }

    #[test]
    fn apis_that_cannot_be_say_why() {
        use HttpApiKind::{Http, Rest};
        let cases = [
            (
                function("a", &[(Rest, "GET", "/a"), (Http, "GET", "/b")]),
                "GET /b of a: an API is a REST API or an HTTP API, not both",
            ),
            (
                function("a", &[(Rest, "ANY", "$default")]),
                "ANY $default of a: only HTTP APIs have $default",
            ),
            (
                function("a", &[(Http, "GET", "a")]),
                "GET a of a: a path begins with /",
            ),
            (
                function("a", &[(Http, "GET", "/a"), (Http, "get", "/a")]),
                "two routes are GET /a",
            ),
        ];
        for (function, expected) in cases {
            let refused = plan(&[function], &[]).unwrap_err();
            assert_eq!(refused, ("shop".to_owned(), expected.to_owned()));
        }
    }
}
