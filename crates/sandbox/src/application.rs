//! `throughline.toml`: the functions of one application, checked as a whole so that all mistakes show at once.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use crate::function::{Function, Runtime};
use crate::logging::{LogFormat, LogLevel, SystemLogLevel};
use crate::source::{Door, HttpApi, Resource};

/// The functions that belong together, in the order of their names.
#[derive(Debug, Clone)]
pub struct Application {
    pub(crate) functions: Vec<Function>,
    pub(crate) apis: Vec<HttpApi>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) doors: Vec<Door>,
    pub(crate) aws_endpoint: Option<String>,
}

impl Application {
    /// Reads an application file. Paths in it are relative to the file's folder.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or says something that cannot be; all such problems at once.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ApplicationError> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).map_err(|source| ApplicationError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        Self::parse(&text, folder.unwrap_or(Path::new("."))).map_err(|problems| {
            ApplicationError::Invalid {
                path: path.to_owned(),
                problems,
            }
        })
    }

    /// Reads the text of an application file whose paths are relative to `folder`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Problems> {
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => return Err(Problems(vec![not_toml(text, &error)])),
        };
        let mut reader = Reader {
            folder,
            problems: Vec::new(),
        };
        let functions = reader.application(&table);
        if reader.problems.is_empty() {
            Ok(Self {
                functions,
                apis: Vec::new(),
                resources: Vec::new(),
                doors: Vec::new(),
                aws_endpoint: None,
            })
        } else {
            Err(Problems(reader.problems))
        }
    }

    /// The same application with every function URL on a free port, for tests that run beside each other.
    #[must_use]
    pub fn on_free_ports(mut self) -> Self {
        for url in self
            .functions
            .iter_mut()
            .filter_map(|function| function.url.as_mut())
        {
            url.set_port(0);
        }
        self
    }

    /// The functions of the application.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The resources that must be there before anything runs.
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Where AWS's services are, if not at AWS.
    pub fn aws_endpoint(&self) -> Option<&str> {
        self.aws_endpoint.as_deref()
    }
}

/// The parser's own text is a picture of several lines; one line with the number says as much.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    format!("line {line} is not TOML: {}", error.message())
}

/// Why an application file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file says things that cannot be.
    #[error("cannot use {}: {problems}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All of them.
        problems: Problems,
    },
}

/// All that is wrong with an application file, one sentence each.
#[derive(Debug, Clone)]
pub struct Problems(Vec<String>);

impl Problems {
    /// One sentence for each problem, beginning with the key that has it.
    pub fn sentences(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Problems {}

/// Walks the tables by hand rather than through serde, which stops at the first mistake.
struct Reader<'a> {
    folder: &'a Path,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn application(&mut self, table: &Table) -> Vec<Function> {
        self.reject_unknown("", table, &["functions"]);
        let functions = match table.get("functions") {
            Some(Value::Table(functions)) => functions,
            Some(other) => {
                self.mismatch("functions", "a table of functions", other);
                return Vec::new();
            }
            None => {
                self.problem(
                    "functions",
                    "missing: an application has at least one [functions.NAME]",
                );
                return Vec::new();
            }
        };
        if functions.is_empty() {
            self.problem(
                "functions",
                "empty: an application has at least one [functions.NAME]",
            );
        }
        let functions: Vec<_> = functions
            .iter()
            .filter_map(|(name, value)| self.function(name, value))
            .collect();
        self.reject_shared_urls(&functions);
        functions
    }

    fn function(&mut self, name: &str, value: &Value) -> Option<Function> {
        let path = format!("functions.{name}");
        let Value::Table(table) = value else {
            self.mismatch(&path, "a table", value);
            return None;
        };
        if !is_function_name(name) {
            self.problem(
                &path,
                "a function name is 1 to 64 letters, digits, hyphens and underscores",
            );
        }
        self.reject_unknown(&path, table, FUNCTION_KEYS);
        let code = self.code(&path, table);
        let runtime = self.runtime(&path, table);
        let mut function = Function::new(name, code.unwrap_or_default());
        function.runtime = runtime.unwrap_or(function.runtime);
        function.handler = self.handler(&path, table, &function.runtime);
        if let Some(memory_mb) = self.integer(&path, table, "memory_mb", "MB", MEMORY_MB) {
            function.memory_mb = memory_mb;
        }
        if let Some(seconds) =
            self.integer(&path, table, "timeout_seconds", "seconds", TIMEOUT_SECONDS)
        {
            function.timeout = Duration::from_secs(u64::from(seconds));
        }
        function.url = self.url(&path, table);
        self.logging(&path, table, &mut function);
        self.environment(&path, table, &mut function);
        Some(function)
    }

    fn code(&mut self, path: &str, table: &Table) -> Option<PathBuf> {
        let Some(text) = self.string(path, table, "code") else {
            if !table.contains_key("code") {
                self.problem(
                    path,
                    "missing key code, the folder with the function's code",
                );
            }
            return None;
        };
        let code = self.folder.join(text);
        // Processes start with this folder as their working directory, so it must not depend on ours.
        Some(std::path::absolute(&code).unwrap_or(code))
    }

    fn runtime(&mut self, path: &str, table: &Table) -> Option<Runtime> {
        let Some(text) = self.string(path, table, "runtime") else {
            if !table.contains_key("runtime") {
                self.problem(
                    path,
                    "missing key runtime, such as provided.al2023, python3.13 or nodejs22.x",
                );
            }
            return None;
        };
        match text.parse() {
            Ok(runtime) => Some(runtime),
            Err(error) => {
                self.problem(&format!("{path}.runtime"), &error.to_string());
                None
            }
        }
    }

    fn handler(&mut self, path: &str, table: &Table, runtime: &Runtime) -> String {
        if let Some(handler) = self.string(path, table, "handler") {
            return handler.to_owned();
        }
        if runtime.is_managed() && !table.contains_key("handler") {
            self.problem(path, "missing key handler, such as app.handler");
        }
        "bootstrap".to_owned()
    }

    fn url(&mut self, path: &str, table: &Table) -> Option<SocketAddr> {
        let text = self.string(path, table, "url")?;
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Some(address),
            Ok(address) => {
                let message = format!(
                    "{address} is not on loopback: the sandbox runs any request that reaches it"
                );
                self.problem(&format!("{path}.url"), &message);
                None
            }
            Err(_) => {
                self.problem(
                    &format!("{path}.url"),
                    &format!("expected address:port such as 127.0.0.1:4310, found {text:?}"),
                );
                None
            }
        }
    }

    fn logging(&mut self, path: &str, table: &Table, function: &mut Function) {
        let logging = &mut function.logging;
        if let Some(format) = self.choice(path, table, "log_format", LogFormat::ALL) {
            logging.format = format;
        }
        for key in ["application_log_level", "system_log_level"] {
            if table.contains_key(key) && logging.format != LogFormat::Json {
                self.problem(
                    &format!("{path}.{key}"),
                    "only with log_format = \"JSON\", as on Lambda",
                );
            }
        }
        if let Some(level) = self.choice(path, table, "application_log_level", LogLevel::ALL) {
            logging.application = level;
        }
        if let Some(level) = self.choice(path, table, "system_log_level", SystemLogLevel::ALL) {
            logging.system = level;
        }
    }

    fn choice<T: Copy>(
        &mut self,
        path: &str,
        table: &Table,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.string(path, table, key)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let message = format!("expected one of {}, found {text:?}", names.join(", "));
            self.problem(&format!("{path}.{key}"), &message);
        }
        found.map(|(_, choice)| *choice)
    }

    fn environment(&mut self, path: &str, table: &Table, function: &mut Function) {
        let path = format!("{path}.environment");
        let variables = match table.get("environment") {
            None => return,
            Some(Value::Table(variables)) => variables,
            Some(other) => return self.mismatch(&path, "a table of strings", other),
        };
        for (key, value) in variables {
            match value {
                Value::String(value) if is_variable_name(key) => {
                    function.environment.insert(key.clone(), value.clone());
                }
                Value::String(_) => {
                    self.problem(
                        &format!("{path}.{key}"),
                        "a variable name is letters, digits and underscores, a letter first",
                    );
                }
                other => self.mismatch(&format!("{path}.{key}"), "a string", other),
            }
        }
    }

    fn string<'t>(&mut self, path: &str, table: &'t Table, key: &str) -> Option<&'t str> {
        match table.get(key)? {
            Value::String(text) if text.is_empty() => {
                self.problem(&format!("{path}.{key}"), "empty");
                None
            }
            Value::String(text) => Some(text),
            other => {
                self.mismatch(&format!("{path}.{key}"), "a string", other);
                None
            }
        }
    }

    fn integer(
        &mut self,
        path: &str,
        table: &Table,
        key: &str,
        unit: &str,
        (least, most): (u32, u32),
    ) -> Option<u32> {
        let value = table.get(key)?;
        let number = value
            .as_integer()
            .and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
            return Some(number);
        }
        let expected = format!("a whole number of {unit} from {least} to {most}");
        self.mismatch(&format!("{path}.{key}"), &expected, value);
        None
    }

    fn reject_unknown(&mut self, path: &str, table: &Table, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let place = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            self.problem(
                &place,
                &format!("unknown key, expected one of {}", known.join(", ")),
            );
        }
    }

    fn reject_shared_urls(&mut self, functions: &[Function]) {
        for (index, function) in functions.iter().enumerate() {
            let taken = |other: &&Function| {
                other.url == function.url && other.url.is_some_and(|url| url.port() != 0)
            };
            if let Some(other) = functions[..index].iter().find(taken) {
                self.problem(
                    &format!("functions.{}.url", function.name),
                    &format!("already the url of {}", other.name),
                );
            }
        }
    }

    fn mismatch(&mut self, path: &str, expected: &str, found: &Value) {
        self.problem(path, &format!("expected {expected}, found {found}"));
    }

    fn problem(&mut self, path: &str, message: &str) {
        self.problems.push(format!("{path}: {message}"));
    }
}

fn is_function_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

const FUNCTION_KEYS: &[&str] = &[
    "runtime",
    "handler",
    "code",
    "memory_mb",
    "timeout_seconds",
    "url",
    "log_format",
    "application_log_level",
    "system_log_level",
    "environment",
];
/// Lambda's own limits.
const MEMORY_MB: (u32, u32) = (128, 10_240);
const TIMEOUT_SECONDS: (u32, u32) = (1, 900);

#[cfg(test)]
mod tests;
