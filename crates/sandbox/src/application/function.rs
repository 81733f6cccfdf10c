//! The settings of a function that both languages have, and Lambda's limits on them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::managed::{MEMORY_MB_MANAGED, TIMEOUT_SECONDS_MANAGED};
use super::reader::{Dialect, Key, Range, Reader, Section};
use super::source::seconds;
use crate::function::{Function, Runtime};
use crate::logging::{LogFormat, LogLevel, SystemLogLevel};

impl Reader {
    pub(super) fn runtime(&mut self, section: &Section<'_>) -> Option<Runtime> {
        let Some(text) = self.string(section, RUNTIME) else {
            if !self.has(section, RUNTIME) {
                self.problem(
                    &section.place,
                    &format!(
                        "missing key {}, such as provided.al2023, python3.13 or nodejs22.x",
                        self.name(RUNTIME)
                    ),
                );
            }
            return None;
        };
        match text.parse() {
            Ok(runtime) => Some(runtime),
            Err(error) => {
                self.problem(&section.place_of(self.name(RUNTIME)), &format!("{error}"));
                None
            }
        }
    }

    pub(super) fn handler(&mut self, section: &Section<'_>, runtime: &Runtime) -> String {
        if let Some(handler) = self.string(section, HANDLER) {
            return handler;
        }
        if runtime.is_managed() && !self.has(section, HANDLER) {
            self.problem(
                &section.place,
                &format!("missing key {}, such as app.handler", self.name(HANDLER)),
            );
        }
        "bootstrap".to_owned()
    }

    pub(super) fn sizes(&mut self, section: &Section<'_>, function: &mut Function) {
        let memory = match self.is_managed(section) {
            true => MEMORY_MB_MANAGED,
            false => MEMORY_MB,
        };
        if let Some(memory_mb) = self.integer(section, MEMORY, memory) {
            function.memory_mb = memory_mb;
        }
        let timeout = match self.is_managed(section) {
            true => TIMEOUT_SECONDS_MANAGED,
            false => TIMEOUT_SECONDS,
        };
        if let Some(timeout) = self.integer(section, TIMEOUT, timeout) {
            function.timeout = seconds(timeout);
        }
        let concurrency = self.integer(section, CONCURRENCY, ENVIRONMENTS);
        function.concurrency = concurrency.and_then(|number| usize::try_from(number).ok());
        let storage = match self.dialect() {
            Dialect::Toml => Some(section.clone()),
            Dialect::Sam => self.section(section, STORAGE_OF_TEMPLATE, "a map with Size"),
        };
        if let Some(mb) = storage.and_then(|storage| self.integer(&storage, STORAGE, STORAGE_MB)) {
            function.ephemeral_storage_mb = mb;
        }
    }

    /// Settings of asynchronous invocations.
    pub(super) fn events(&mut self, section: &Section<'_>, function: &mut Function) {
        function.event_retries_max = self.integer(section, EVENT_RETRIES, RETRIES);
        function.event_age_max = self.integer(section, EVENT_AGE, EVENT_SECONDS).map(seconds);
    }

    pub(super) fn logging(&mut self, section: &Section<'_>, function: &mut Function) {
        let logging = &mut function.logging;
        if let Some(format) = self.choice(section, LOG_FORMAT, LogFormat::ALL) {
            logging.format = format;
        }
        for key in [APPLICATION_LEVEL, SYSTEM_LEVEL] {
            if self.has(section, key) && logging.format != LogFormat::Json {
                let form = match self.dialect() {
                    Dialect::Toml => "log_format = \"JSON\"",
                    Dialect::Sam => "LogFormat: JSON",
                };
                self.problem(
                    &section.place_of(self.name(key)),
                    &format!("only with {form}, as on Lambda"),
                );
            }
        }
        if let Some(level) = self.choice(section, APPLICATION_LEVEL, LogLevel::ALL) {
            logging.application = level;
        }
        if let Some(level) = self.choice(section, SYSTEM_LEVEL, SystemLogLevel::ALL) {
            logging.system = level;
        }
        self.managed_log(section, function);
    }

    pub(super) fn variables(&mut self, variables: &Section<'_>, function: &mut Function) {
        for (key, value) in variables.map {
            let place = variables.place_of(key);
            if !is_variable_name(key) {
                self.problem(
                    &place,
                    "a variable name is letters, digits and underscores, a letter first",
                );
                continue;
            }
            // An empty variable is a variable, unlike other settings.
            let text = match value {
                Value::String(text) if text.is_empty() => Some(String::new()),
                Value::Null => continue,
                other => self.text(&place, other),
            };
            if let Some(text) = text {
                function.environment.insert(key.clone(), text);
            }
        }
        let bytes: usize = function
            .environment
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if bytes > VARIABLES_BYTES_MAX {
            self.problem(
                &variables.place,
                &format!(
                    "{bytes} bytes of names and values are too many, Lambda takes {VARIABLES_BYTES_MAX}"
                ),
            );
        }
    }

    pub(super) fn layer_count(&mut self, place: &str, layers: usize) {
        if layers > LAYERS_MAX {
            self.problem(
                place,
                &format!("{layers} layers are too many, Lambda takes {LAYERS_MAX}"),
            );
        }
    }

    /// SnapStart excludes what Lambda cannot snapshot.
    pub(super) fn snap_start(&mut self, place: &str, function: &Function) {
        if function.ephemeral_storage_mb > SNAP_START_STORAGE_MB_MAX {
            self.problem(
                place,
                &format!(
                    "SnapStart takes at most {SNAP_START_STORAGE_MB_MAX} MB of ephemeral storage, found {}",
                    function.ephemeral_storage_mb
                ),
            );
        }
    }
}

/// Processes start with this folder as their working directory, so it must not depend on ours.
pub(super) fn absolute(folder: &Path, path: &str) -> PathBuf {
    let joined = folder.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

pub(super) fn is_function_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) const RUNTIME: Key = key("runtime", "Runtime");
pub(super) const HANDLER: Key = key("handler", "Handler");
pub(super) const MEMORY: Key = key("memory_mb", "MemorySize");
pub(super) const TIMEOUT: Key = key("timeout_seconds", "Timeout");
pub(super) const CONCURRENCY: Key = key("concurrency", "ReservedConcurrentExecutions");
pub(super) const STORAGE: Key = key("ephemeral_storage_mb", "Size");
pub(super) const EVENT_RETRIES: Key = key("event_retries", "MaximumRetryAttempts");
pub(super) const EVENT_AGE: Key = key("event_age_seconds", "MaximumEventAgeInSeconds");
pub(super) const LOG_FORMAT: Key = key("log_format", "LogFormat");
pub(super) const APPLICATION_LEVEL: Key = key("application_log_level", "ApplicationLogLevel");
pub(super) const SYSTEM_LEVEL: Key = key("system_log_level", "SystemLogLevel");
const STORAGE_OF_TEMPLATE: Key = Key::only("EphemeralStorage");

const fn key(toml: &'static str, sam: &'static str) -> Key {
    Key { toml, sam }
}

const fn range(least: u32, most: u32, unit: &'static str) -> Range {
    Range { least, most, unit }
}

/// Lambda's own limits, all of them.
const MEMORY_MB: Range = range(128, 10_240, "MB");
const TIMEOUT_SECONDS: Range = range(1, 900, "seconds");
const STORAGE_MB: Range = range(512, 10_240, "MB");
/// What an account may have at once, unless AWS allows it more.
pub(super) const ENVIRONMENTS: Range = range(0, 1_000, "environments");
const RETRIES: Range = range(0, 2, "retries");
const EVENT_SECONDS: Range = range(60, 21_600, "seconds");
const SNAP_START_STORAGE_MB_MAX: u32 = 512;
const LAYERS_MAX: usize = 5;
const VARIABLES_BYTES_MAX: usize = 4_096;
