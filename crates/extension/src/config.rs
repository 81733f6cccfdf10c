//! What the extension is told: through environment variables of its own, through those that
//! OpenTelemetry has for all exporters, through a file, in this order.
//!
//! A bad value never stops the extension, because that would stop the function: it becomes a
//! [`Problem`], and the default is used, or what it was about is switched off.

mod attributes;
mod delivery;
mod endpoint;
mod file;
mod scrub;
mod server;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use throughline_scrub::Rules;

use crate::aws::KeyName;
use crate::core::Delivery;
use crate::join::{Function, Signals};

pub use endpoint::Endpoint;
pub use file::ConfigFile;

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
    /// The variable of OpenTelemetry that counts when this one is not set.
    pub standard: Option<&'static str>,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// What it is for.
    pub what: &'static str,
}

const fn key(name: &'static str, default: Option<&'static str>, what: &'static str) -> Key {
    Key {
        name,
        default,
        standard: None,
        secret: false,
        what,
    }
}

const CONFIG: &Key = &key(
    "THROUGHLINE_CONFIG",
    None,
    "a file with a table [extension]; else throughline.toml of the function or of a layer",
);
const ENDPOINT: &Key = &Key {
    standard: Some("OTEL_EXPORTER_OTLP_ENDPOINT"),
    ..key(
        "THROUGHLINE_ENDPOINT",
        Some("http://127.0.0.1:4318"),
        "the server, as the base of OTLP/HTTP",
    )
};
const HEADERS: &Key = &Key {
    standard: Some("OTEL_EXPORTER_OTLP_HEADERS"),
    secret: true,
    ..key(
        "THROUGHLINE_HEADERS",
        None,
        "headers of every request to the server: name=value,name=value",
    )
};
const COMPRESSION: &Key = &Key {
    standard: Some("OTEL_EXPORTER_OTLP_COMPRESSION"),
    ..key(
        "THROUGHLINE_COMPRESSION",
        Some("gzip"),
        "how batches are packed: gzip or none",
    )
};
const TIMEOUT: &Key = &Key {
    standard: Some("OTEL_EXPORTER_OTLP_TIMEOUT"),
    ..key(
        "THROUGHLINE_TIMEOUT_MS",
        Some("5000"),
        "how long a request to the server may take, in milliseconds",
    )
};
const OTLP_LISTEN: &Key = &key(
    "THROUGHLINE_OTLP_LISTEN",
    Some("127.0.0.1:4318"),
    "where the function's SDK sends OTLP/HTTP",
);
const OTLP_GRPC_LISTEN: &Key = &key(
    "THROUGHLINE_OTLP_GRPC_LISTEN",
    Some(OTLP_GRPC_ADDRESS),
    "where the function's SDK sends OTLP/gRPC, or off",
);
const XRAY_LISTEN: &Key = &key(
    "THROUGHLINE_XRAY_LISTEN",
    Some("off"),
    "on (127.0.0.1:2000) or the address where X-Ray SDKs send segments",
);
const STATSD_LISTEN: &Key = &key(
    "THROUGHLINE_STATSD_LISTEN",
    Some("off"),
    "on (127.0.0.1:8125) or the address where StatsD and DogStatsD clients send",
);
const API_KEY: &Key = &Key {
    secret: true,
    ..key(
        "THROUGHLINE_API_KEY",
        None,
        "sent to the server as a bearer token",
    )
};
const API_KEY_SECRET: &Key = &key(
    "THROUGHLINE_API_KEY_SECRET",
    None,
    "name or ARN of a secret in Secrets Manager that holds the key; NAME#MEMBER of a JSON secret",
);
const API_KEY_PARAMETER: &Key = &key(
    "THROUGHLINE_API_KEY_PARAMETER",
    None,
    "name or ARN of a parameter in SSM that holds the key",
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
const LOG_GROUP: &Key = &key("AWS_LAMBDA_LOG_GROUP_NAME", None, "where its log is kept");
const LOG_STREAM: &Key = &key(
    "AWS_LAMBDA_LOG_STREAM_NAME",
    None,
    "the part of the log that is this environment's",
);
const RESOURCE_ATTRIBUTES: &Key = &Key {
    standard: Some("OTEL_RESOURCE_ATTRIBUTES"),
    ..key(
        "THROUGHLINE_RESOURCE_ATTRIBUTES",
        None,
        "what all telemetry says of the function: name=value,name=value, such as deployment.environment.name and vcs.ref.head.revision",
    )
};
const METRICS: &Key = &key(
    "THROUGHLINE_METRICS",
    Some("on"),
    "metrics of invocations, and of the numbers in log lines: on or off",
);

/// All variables, in the order in which they are shown.
pub const KEYS: &[&Key] = &[
    CONFIG,
    ENDPOINT,
    HEADERS,
    COMPRESSION,
    TIMEOUT,
    OTLP_LISTEN,
    OTLP_GRPC_LISTEN,
    XRAY_LISTEN,
    STATSD_LISTEN,
    API_KEY,
    API_KEY_SECRET,
    API_KEY_PARAMETER,
    delivery::FLUSH,
    delivery::FLUSH_BUDGET,
    delivery::BUFFER,
    delivery::SPILL,
    scrub::PAYLOADS,
    scrub::KEYS,
    scrub::ALLOW,
    scrub::PATTERNS,
    scrub::DETECT,
    scrub::EMAILS,
    RESOURCE_ATTRIBUTES,
    METRICS,
    RUNTIME_API,
    FUNCTION_NAME,
    FUNCTION_VERSION,
    MEMORY_SIZE,
    REGION,
    LOG_GROUP,
    LOG_STREAM,
];

/// What was written, and where each value came from.
#[derive(Clone, Debug, Default)]
pub struct RawConfig {
    values: BTreeMap<&'static str, (String, Origin)>,
    /// The configuration file; empty if there is none.
    file: String,
    problems: Vec<Problem>,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Its variable.
    Environment,
    /// A variable that OpenTelemetry has for all exporters.
    Standard(&'static str),
    /// The configuration file.
    File,
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
    /// Where the key is looked up, if it is not given.
    pub key_name: Option<KeyName>,
    /// How long a request to the server may take.
    pub request_timeout: Duration,
    /// Where the function's SDK is listened to: `host:port`.
    pub otlp_listen: String,
    /// Where OTLP/gRPC is listened for, if it is.
    pub otlp_grpc_listen: Option<String>,
    /// Where X-Ray segments are listened for, if they are.
    pub xray_listen: Option<String>,
    /// Where StatsD is listened for, if it is.
    pub statsd_listen: Option<String>,
    /// When and how telemetry is delivered, and how much is kept.
    pub delivery: Delivery,
    /// What is taken out of whatever is sent.
    pub rules: Rules,
    /// What the environment says about the function.
    pub function: Function,
    /// What is made beside spans and log records.
    pub signals: Signals,
}

/// Where telemetry goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// To this server.
    To(Endpoint),
    /// Nowhere, and why.
    Off(Problem),
}

impl RawConfig {
    /// Reads every variable once; without a file.
    pub fn read(source: &dyn Source) -> Self {
        Self::read_with(source, &ConfigFile::default())
    }

    /// Reads every variable once, and from the file what no variable says.
    pub fn read_with(source: &dyn Source, file: &ConfigFile) -> Self {
        let mut raw = RawConfig {
            file: file.path().to_owned(),
            problems: file.problems().to_vec(),
            ..RawConfig::default()
        };
        for key in KEYS {
            let set = set_in(source, key.name).map(|value| (value, Origin::Environment));
            let in_file = || file.value(key.name).map(|value| (value, Origin::File));
            let default = || key.default.map(|value| (value.to_owned(), Origin::Default));
            if let Some(value) = set.or_else(in_file).or_else(default) {
                raw.values.insert(key.name, value);
            }
        }
        let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        for key in file.unknown(&names) {
            let text = format!("{}: there is no key {key}", file.path());
            raw.problems.push(Problem(text));
        }
        raw.take_standard(source);
        raw
    }

    /// Takes what OpenTelemetry's own variables say. They are also set for the function's SDK, and
    /// then their endpoint is this extension: that one is not taken, and neither are headers that
    /// are meant for somewhere else than where they would go.
    fn take_standard(&mut self, source: &dyn Source) {
        for key in KEYS {
            let Some((name, value)) = key
                .standard
                .and_then(|name| Some((name, set_in(source, name)?)))
            else {
                continue;
            };
            let set = self.values.get(key.name).map(|(_, origin)| *origin);
            let meant = match key.name {
                name if name == ENDPOINT.name => self.is_endpoint_of_others(&value, source),
                name if name == HEADERS.name => {
                    matches!(
                        self.values.get(ENDPOINT.name),
                        Some((_, Origin::Standard(_)))
                    )
                }
                _ => true,
            };
            if set != Some(Origin::Environment) && meant {
                self.values
                    .insert(key.name, (value, Origin::Standard(name)));
            }
        }
    }

    fn is_endpoint_of_others(&self, base: &str, source: &dyn Source) -> bool {
        let speaks = set_in(source, "OTEL_EXPORTER_OTLP_PROTOCOL");
        let listeners = [OTLP_LISTEN.name, "THROUGHLINE_OTLP_GRPC_LISTEN"];
        let mut listeners = listeners
            .iter()
            .filter_map(|name| self.values.get(name).map(|(value, _)| value));
        // A bad one is taken, so that somebody is told.
        let ours = Endpoint::try_new(base, None)
            .is_ok_and(|endpoint| listeners.any(|listener| endpoint.is_at(listener)));
        !ours && speaks.as_deref() != Some("grpc")
    }

    /// Checks the values and collects everything that is wrong with them.
    pub fn resolve(&self) -> (Config, Vec<Problem>) {
        let mut problems = self.problems.clone();
        let (memory_mb, export) = (self.memory_mb(&mut problems), self.target(&mut problems));
        let packing = self.packing(&mut problems);
        let delivery = delivery::resolve(self, memory_mb, packing, &export, &mut problems);
        let config = Config {
            export,
            key_name: self.key_name(&mut problems),
            delivery,
            request_timeout: self.request_timeout(&mut problems),
            otlp_listen: self.text(OTLP_LISTEN),
            otlp_grpc_listen: self.listener(OTLP_GRPC_LISTEN, OTLP_GRPC_ADDRESS, &mut problems),
            xray_listen: self.listener(XRAY_LISTEN, "127.0.0.1:2000", &mut problems),
            statsd_listen: self.listener(STATSD_LISTEN, "127.0.0.1:8125", &mut problems),
            rules: scrub::rules(self, &mut problems),
            function: Function {
                name: self.text(FUNCTION_NAME),
                version: self.text(FUNCTION_VERSION),
                code: String::new(),
                region: self.text(REGION),
                memory_mb,
                log_group: self.text(LOG_GROUP),
                log_stream: self.text(LOG_STREAM),
                attributes: self.resource_attributes(&mut problems),
            },
            signals: Signals {
                metrics: self.is_on(METRICS, &mut problems),
            },
        };
        if let Target::Off(problem) = &config.export {
            problems.push(problem.clone());
        }
        (config, problems)
    }

    /// The variable, or the file, that a value came from.
    fn name_in_use(&self, key: &Key) -> String {
        match self.values.get(key.name) {
            Some((_, Origin::Standard(name))) => (*name).to_owned(),
            Some((_, Origin::File)) => format!("{} of {}", key.name, self.file),
            _ => key.name.to_owned(),
        }
    }

    /// `on`, `off`, or `host:port`.
    fn listener(&self, key: &Key, address: &str, problems: &mut Vec<Problem>) -> Option<String> {
        let text = self.text(key);
        if text.eq_ignore_ascii_case("on") {
            return Some(address.to_owned());
        }
        if text.eq_ignore_ascii_case("off") {
            return None;
        }
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        let host = host.trim_matches(['[', ']']);
        let is_host = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok();
        if is_host && port.parse::<u16>().is_ok() {
            return Some(text);
        }
        problems.push(Problem(format!(
            "cannot use {} {text}: it is on, off, or an address such as {address}; it is off",
            key.name
        )));
        None
    }

    /// `name=value,name=value`, with `%20` and the like in values, as OpenTelemetry writes them.
    fn resource_attributes(&self, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
        let (attributes, wrong) = attributes::attributes(&self.text(RESOURCE_ATTRIBUTES));
        let name = self.name_in_use(RESOURCE_ATTRIBUTES);
        let wrong = wrong.into_iter();
        problems.extend(wrong.map(|why| Problem(format!("cannot use all of {name}: {why}"))));
        attributes
    }

    /// `on` or `off`; anything else is the default, which is on.
    fn is_on(&self, key: &Key, problems: &mut Vec<Problem>) -> bool {
        let text = self.text(key);
        let off = text.eq_ignore_ascii_case("off");
        if !off && !text.eq_ignore_ascii_case("on") {
            let text = format!("{} {text} is neither on nor off; it is on", key.name);
            problems.push(Problem(text));
        }
        !off
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
                        Origin::Standard(name) => name,
                        Origin::File => &self.file,
                        Origin::Default => "default",
                    };
                    writeln!(f, "{name:32} {shown}  ({origin})")?;
                }
            }
        }
        Ok(())
    }
}

/// What a variable is set to; a blank one counts as not set.
fn set_in(source: &dyn Source, name: &str) -> Option<String> {
    let value = source.value(name)?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// Without `user:password@`, which does not belong into an address and even less on a screen.
fn without_user(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => address.to_owned(),
    }
}

const OTLP_GRPC_ADDRESS: &str = "127.0.0.1:4317";

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;
