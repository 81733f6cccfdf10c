//! What the extension is told through environment variables.
//!
//! A bad value never stops the extension, because that would stop the function: it becomes a
//! [`Problem`], and what it was about is switched off.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::net::IpAddr;

use http::Uri;

use throughline_scrub::Rules;

use crate::join::Function;

/// Where values come from: the environment, or a map in tests.
pub trait Source {
    /// The value of a variable, if it is set and is text.
    fn value(&self, name: &str) -> Option<String>;
}

impl Source for BTreeMap<&str, &str> {
    fn value(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| (*value).to_owned())
    }
}

/// One variable.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Used when it is not set.
    pub default: Option<&'static str>,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// What it is for.
    pub what: &'static str,
}

const fn key(name: &'static str, default: Option<&'static str>, what: &'static str) -> Key {
    Key {
        name,
        default,
        secret: false,
        what,
    }
}

const ENDPOINT: &Key = &key(
    "THROUGHLINE_ENDPOINT",
    Some("http://127.0.0.1:4318"),
    "the server, as the base of OTLP/HTTP",
);
const OTLP_LISTEN: &Key = &key(
    "THROUGHLINE_OTLP_LISTEN",
    Some("127.0.0.1:4318"),
    "where the function's SDK sends OTLP/HTTP",
);
const API_KEY: &Key = &Key {
    secret: true,
    ..key(
        "THROUGHLINE_API_KEY",
        None,
        "sent to the server as a bearer token",
    )
};
const SCRUB_KEYS: &Key = &key(
    "THROUGHLINE_SCRUB_KEYS",
    None,
    "further names whose values are secret, with commas between them",
);
const SCRUB_ALLOW: &Key = &key(
    "THROUGHLINE_SCRUB_ALLOW",
    None,
    "names whose values are not secret, with commas between them",
);
const RUNTIME_API: &Key = &key(
    "AWS_LAMBDA_RUNTIME_API",
    None,
    "host and port of the platform",
);
const FUNCTION_NAME: &Key = &key("AWS_LAMBDA_FUNCTION_NAME", None, "name of the function");
const FUNCTION_VERSION: &Key = &key(
    "AWS_LAMBDA_FUNCTION_VERSION",
    None,
    "version of the function",
);
const MEMORY_SIZE: &Key = &key("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", None, "its memory in MB");
const REGION: &Key = &key("AWS_REGION", None, "where it runs");

/// All variables, in the order in which they are shown.
pub const KEYS: &[&Key] = &[
    ENDPOINT,
    OTLP_LISTEN,
    API_KEY,
    SCRUB_KEYS,
    SCRUB_ALLOW,
    RUNTIME_API,
    FUNCTION_NAME,
    FUNCTION_VERSION,
    MEMORY_SIZE,
    REGION,
];

/// What was written, and where each value came from.
#[derive(Clone, Debug, Default)]
pub struct RawConfig {
    values: BTreeMap<&'static str, (String, Origin)>,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The environment.
    Environment,
    /// Nobody set it.
    Default,
}

/// What is wrong with a value, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(String);

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The resolved configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where telemetry goes.
    pub export: Target,
    /// Where the function's SDK is listened to: `host:port`.
    pub otlp_listen: String,
    /// What is taken out of whatever is sent.
    pub rules: Rules,
    /// What the environment says about the function.
    pub function: Function,
}

/// Where telemetry goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// To this server.
    To(Endpoint),
    /// Nowhere, and why.
    Off(Problem),
}

/// A server that takes OTLP/HTTP.
#[derive(Clone)]
pub struct Endpoint {
    base: Uri,
    api_key: Option<String>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base)
    }
}

impl Endpoint {
    fn try_new(base: &str, api_key: Option<String>) -> Result<Self, String> {
        let uri: Uri = base.parse().map_err(|error| format!("{error}"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            _ => return Err("it must begin with http:// or https://".to_owned()),
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(format!("a key belongs into {}", API_KEY.name));
        }
        if uri.query().is_some() {
            return Err("it must not have a query".to_owned());
        }
        if api_key
            .as_ref()
            .is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(format!(
                "{} has characters that no header may have",
                API_KEY.name
            ));
        }
        Ok(Endpoint { base: uri, api_key })
    }

    /// The address of `path`, such as `/v1/traces`, below the base.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.to_string().trim_end_matches('/'))
    }

    /// Whether it is reached through TLS.
    pub fn is_tls(&self) -> bool {
        self.base.scheme_str() == Some("https")
    }

    /// The bearer token.
    pub fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    fn is_at(&self, address: &str) -> bool {
        let default_port = if self.is_tls() { 443 } else { 80 };
        let port = self.base.port_u16().unwrap_or(default_port);
        let Some((listener, listen_port)) = address.rsplit_once(':') else {
            return false;
        };
        let host = self.base.host().unwrap_or_default();
        listen_port.parse() == Ok(port) && is_same_host(host, listener)
    }
}

/// Whether who listens on one is found at the other. Names are not looked up, but `localhost` is
/// this machine and an unspecified address is all of its addresses.
fn is_same_host(host: &str, listener: &str) -> bool {
    let address = |name: &str| name.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let is_localhost = |name: &str| name.eq_ignore_ascii_case("localhost");
    let is_here = |name: &str| {
        let local = |address: IpAddr| address.is_loopback() || address.is_unspecified();
        is_localhost(name) || address(name).is_some_and(local)
    };
    let is_any = |name: &str| {
        is_localhost(name) || address(name).is_some_and(|address| address.is_unspecified())
    };
    host == listener || (is_here(host) && is_here(listener) && (is_any(host) || is_any(listener)))
}

impl RawConfig {
    /// Reads every variable once.
    pub fn read(source: &dyn Source) -> Self {
        let values = KEYS.iter().filter_map(|key| {
            let set = source
                .value(key.name)
                .filter(|value| !value.trim().is_empty());
            let set = set.map(|value| (value.trim().to_owned(), Origin::Environment));
            let default = || key.default.map(|value| (value.to_owned(), Origin::Default));
            set.or_else(default).map(|value| (key.name, value))
        });
        RawConfig {
            values: values.collect(),
        }
    }

    /// Checks the values and collects everything that is wrong with them.
    pub fn resolve(&self) -> (Config, Vec<Problem>) {
        let mut problems = Vec::new();
        let config = Config {
            export: self.target(),
            otlp_listen: self.text(OTLP_LISTEN),
            rules: self.rules(),
            function: Function {
                name: self.text(FUNCTION_NAME),
                version: self.text(FUNCTION_VERSION),
                region: self.text(REGION),
                memory_mb: self.memory_mb(&mut problems),
            },
        };
        if let Target::Off(problem) = &config.export {
            problems.push(problem.clone());
        }
        (config, problems)
    }

    fn target(&self) -> Target {
        let base = self.text(ENDPOINT);
        let api_key = self
            .values
            .get(API_KEY.name)
            .map(|(value, _)| value.clone());
        let off = |why: &str| {
            Target::Off(Problem(format!(
                "cannot use {} {}: {why}; nothing is sent",
                ENDPOINT.name,
                without_user(&base)
            )))
        };
        match Endpoint::try_new(&base, api_key) {
            Ok(endpoint) if endpoint.is_at(&self.text(OTLP_LISTEN)) => {
                off("the extension itself listens there")
            }
            Ok(endpoint) => Target::To(endpoint),
            Err(why) => off(&why),
        }
    }

    fn rules(&self) -> Rules {
        let (keys, allowed) = (self.text(SCRUB_KEYS), self.text(SCRUB_ALLOW));
        let rules = names_in(&keys).fold(Rules::default(), Rules::key);
        let rules = names_in(&allowed).fold(rules, Rules::allow_key);
        // Known to the senders of one account and to nobody else.
        let secret = self.text(API_KEY);
        rules.hash_key((
            crate::ids::hash(&["scrub", &secret]),
            crate::ids::hash(&[&secret, "scrub"]),
        ))
    }

    fn memory_mb(&self, problems: &mut Vec<Problem>) -> i64 {
        let text = self.text(MEMORY_SIZE);
        if text.is_empty() {
            return 0;
        }
        text.parse().unwrap_or_else(|_| {
            problems.push(Problem(format!(
                "{} {text} is not a number",
                MEMORY_SIZE.name
            )));
            0
        })
    }

    fn text(&self, key: &Key) -> String {
        self.values
            .get(key.name)
            .map(|(value, _)| value.clone())
            .unwrap_or_default()
    }
}

impl Display for RawConfig {
    /// One line a variable: name, value, where it came from. Secrets are masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in KEYS {
            let name = key.name;
            match self.values.get(name) {
                None => writeln!(f, "{name:32} -  (not set)")?,
                Some((value, origin)) => {
                    let shown = match key.secret {
                        true => "********".to_owned(),
                        false => without_user(value),
                    };
                    let origin = match origin {
                        Origin::Environment => "environment",
                        Origin::Default => "default",
                    };
                    writeln!(f, "{name:32} {shown}  ({origin})")?;
                }
            }
        }
        Ok(())
    }
}

fn names_in(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// Without `user:password@`, which does not belong into an address and even less on a screen.
fn without_user(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests;
