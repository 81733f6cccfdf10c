//! The server's settings: what was written where, and what follows from it.
//!
//! A flag beats an environment variable, a variable beats the file, the file beats the default.
//! Texts are collected first ([`RawSettings`]), then checked all at once, so that one run tells of
//! every mistake.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use throughline_server::{Config, Listen, Retention};

use crate::actuator::ActionsBy;
use crate::cli::Serve;
use crate::logging::LogFormat;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Flag,
    Variable(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => write!(f, "flag"),
            Origin::Variable(name) => write!(f, "variable {name}"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Default => write!(f, "default"),
        }
    }
}

/// A setting's name in the file. Its flag has dashes, its variable is `THROUGHLINE_` in capitals.
const KEYS: [&str; 11] = [
    "data_dir",
    "otlp_grpc",
    "otlp_http",
    "http",
    "api_key",
    "log_format",
    "retention",
    "retention_traces",
    "retention_logs",
    "retention_metrics",
    "actions",
];

/// Reads environment variables; a map in tests.
pub(crate) trait Source {
    /// The variable's value, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<OsString>;
}

/// The environment of this process.
pub(crate) struct ProcessEnvironment;

impl Source for ProcessEnvironment {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where the server's environment is read"
    )]
    fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name).filter(|value| !value.is_empty())
    }
}

/// What was written, and where.
#[derive(Debug)]
pub(crate) struct RawSettings {
    values: BTreeMap<&'static str, (String, Origin)>,
    problems: Vec<String>,
}

/// What follows from it.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) server: Config,
    pub(crate) log_format: LogFormat,
    pub(crate) actions: ActionsBy,
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("; "))
    }
}

impl std::error::Error for Problems {}

impl RawSettings {
    /// Collects flags, variables, the file and the defaults.
    pub(crate) fn collect(flags: &Serve, environment: &impl Source) -> Self {
        let mut raw = RawSettings {
            values: BTreeMap::new(),
            problems: Vec::new(),
        };
        let file = raw.read_file(flags);
        for (key, flag) in KEYS.into_iter().zip(flag_values(flags)) {
            let variable = format!("THROUGHLINE_{}", key.to_ascii_uppercase());
            let found = flag
                .map(|value| (value, Origin::Flag))
                .or_else(|| {
                    let value = raw.read_variable(&variable, environment)?;
                    Some((value, Origin::Variable(variable)))
                })
                .or_else(|| file.get(key).cloned())
                .or_else(|| default(key, environment).map(|value| (value, Origin::Default)));
            raw.values.extend(found.map(|found| (key, found)));
        }
        raw
    }

    fn read_variable(&mut self, name: &str, environment: &impl Source) -> Option<String> {
        let value = environment.variable(name)?.into_string();
        value
            .map_err(|_| {
                let problem = format!("variable {name} is not UTF-8 text");
                self.problems.push(problem);
            })
            .ok()
    }

    fn read_file(&mut self, flags: &Serve) -> BTreeMap<String, (String, Origin)> {
        let Some(path) = &flags.config else {
            return BTreeMap::new();
        };
        let shown = path.display();
        let table = match std::fs::read_to_string(path) {
            Err(error) => Err(format!("cannot read {shown}: {error}")),
            Ok(text) => text.parse::<toml::Table>().map_err(|error| {
                format!("cannot read {shown} as TOML: {}", located(&error, &text))
            }),
        };
        let mut values = BTreeMap::new();
        for (key, value) in table
            .map_err(|problem| self.problems.push(problem))
            .unwrap_or_default()
        {
            match value {
                _ if !KEYS.contains(&key.as_str()) => self.problems.push(unknown(&key, path)),
                toml::Value::String(text) => {
                    values.insert(key, (text, Origin::File(path.clone())));
                }
                _ => self
                    .problems
                    .push(format!("{key} in {shown} must be text in quotes")),
            }
        }
        values
    }

    /// Checks everything.
    pub(crate) fn resolve(&self) -> Result<Settings, Problems> {
        let mut problems = self.problems.clone();
        let listen = Listen {
            otlp_grpc: self
                .parsed("otlp_grpc", &mut problems)
                .unwrap_or(Listen::default().otlp_grpc),
            otlp_http: self
                .parsed("otlp_http", &mut problems)
                .unwrap_or(Listen::default().otlp_http),
            http: self
                .parsed("http", &mut problems)
                .unwrap_or(Listen::default().http),
        };
        let log_format = self
            .parsed("log_format", &mut problems)
            .unwrap_or(LogFormat::Text);
        let key = self.parsed("api_key", &mut problems);
        let actions = self.parsed("actions", &mut problems);
        let actions = actions.unwrap_or(ActionsBy::Off);
        let retention = self.retention(&mut problems);
        let data_dir = self
            .values
            .get("data_dir")
            .map(|(text, _)| PathBuf::from(text));
        match self.values.get("data_dir") {
            None => problems.push("no folder for the data: set --data-dir, or HOME".to_owned()),
            Some((text, origin)) if text.is_empty() => {
                problems.push(format!("data_dir ({origin}) is empty"));
            }
            Some(_) => {}
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let server = Config::try_new(data_dir.unwrap_or_default(), listen, key)
            .map_err(|error| Problems(vec![error.to_string()]))?
            .with_retention(retention);
        Ok(Settings {
            server,
            log_format,
            actions,
        })
    }

    /// What is said of one signal beats what is said of all.
    fn retention(&self, problems: &mut Vec<String>) -> Retention {
        let each = self.parsed("retention", problems).unwrap_or_default();
        let mut of = |key| self.parsed(key, problems).unwrap_or(each);
        Retention {
            traces: of("retention_traces"),
            logs: of("retention_logs"),
            metrics: of("retention_metrics"),
        }
    }

    fn parsed<T: std::str::FromStr<Err: fmt::Display>>(
        &self,
        key: &str,
        problems: &mut Vec<String>,
    ) -> Option<T> {
        let (text, origin) = self.values.get(key)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                problems.push(format!("{key} ({origin}) is {}: {error}", shown(key, text)));
                None
            }
        }
    }
}

impl fmt::Display for RawSettings {
    /// The file that would give the same settings; behind each where it came from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in KEYS {
            match self.values.get(key) {
                Some((text, origin)) => {
                    writeln!(
                        f,
                        "{:<42} # {origin}",
                        format!("{key} = {:?}", shown(key, text))
                    )?;
                }
                None => writeln!(f, "{:<42} # not set", format!("# {key} ="))?,
            }
        }
        Ok(())
    }
}

/// In the order of [`KEYS`].
fn flag_values(flags: &Serve) -> [Option<String>; 11] {
    let Serve {
        data_dir,
        otlp_grpc,
        otlp_http,
        http,
        api_key,
        log_format,
        retention,
        retention_traces,
        retention_logs,
        retention_metrics,
        actions,
        ..
    } = flags;
    [
        data_dir,
        otlp_grpc,
        otlp_http,
        http,
        api_key,
        log_format,
        retention,
        retention_traces,
        retention_logs,
        retention_metrics,
        actions,
    ]
    .map(Clone::clone)
}

fn default(key: &str, environment: &impl Source) -> Option<String> {
    let listen = Listen::default();
    match key {
        "data_dir" => data_home(environment).map(|home| format!("{home}/throughline")),
        "otlp_grpc" => Some(listen.otlp_grpc.to_string()),
        "otlp_http" => Some(listen.otlp_http.to_string()),
        "http" => Some(listen.http.to_string()),
        "log_format" => Some(LogFormat::Text.to_string()),
        "retention" => Some(RETENTION_DEFAULT.to_owned()),
        "actions" => Some(ActionsBy::Off.to_string()),
        _ => None,
    }
}

/// What is kept unless told. A disk must not fill up for ever, and a month is what most want to look
/// back. How many bytes that is depends on who sends, so there is no limit of bytes.
pub(crate) const RETENTION_DEFAULT: &str = "30d";

/// Where the XDG Base Directory Specification wants data of a user.
pub(crate) fn data_home(environment: &impl Source) -> Option<String> {
    let text = |name| environment.variable(name)?.into_string().ok();
    text("XDG_DATA_HOME").or_else(|| text("HOME").map(|home| format!("{home}/.local/share")))
}

fn shown<'a>(key: &str, text: &'a str) -> &'a str {
    if key == "api_key" { "****" } else { text }
}

/// What is wrong with a file, and in which line.
fn located(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            format!("line {line}: {}", error.message())
        }
        None => error.message().to_owned(),
    }
}

fn unknown(key: &str, path: &std::path::Path) -> String {
    let nearest = KEYS.into_iter().max_by(|a, b| {
        let near = |known: &str| strsim::jaro_winkler(known, key);
        near(a).total_cmp(&near(b))
    });
    let hint = nearest.filter(|known| strsim::jaro_winkler(known, key) > 0.8);
    let path = path.display();
    match hint {
        Some(known) => format!("unknown setting {key} in {path}: did you mean {known}?"),
        None => format!(
            "unknown setting {key} in {path}: there are {}",
            KEYS.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests;
