//! The environment variables of each kind of process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::code::Code;
use crate::doors::Doors;
use crate::function::{Function, Initialization, REGION, Runtime, VERSION};
use crate::logging::LogFormat;
use crate::world::Place;

/// Everything that the variables are made from.
#[derive(Debug, Clone)]
pub(crate) struct Variables {
    pub(crate) function: Function,
    /// For all functions, from whoever runs the sandbox.
    pub(crate) shared: BTreeMap<String, String>,
    /// What the machine needs to find and run programs; Lambda has its own values for these.
    pub(crate) inherited: BTreeMap<String, String>,
    pub(crate) instance: String,
    pub(crate) runtime_api: SocketAddr,
    pub(crate) lambda_api: SocketAddr,
    pub(crate) otlp_port: u16,
    pub(crate) metadata_token: String,
    pub(crate) credentials_token: String,
    /// Where the function's processes see its parts.
    pub(crate) code: Code,
    pub(crate) place: Place,
    pub(crate) doors: Doors,
}

type Map = BTreeMap<String, String>;

impl Variables {
    /// For the runtime: the customer's, then what Lambda reserves, which wins.
    pub(crate) fn of_runtime(&self) -> Map {
        let mut variables = self.customer();
        variables.extend(self.credentials());
        variables.extend(self.platform());
        set(&mut variables, "_HANDLER", &self.function.handler);
        let runtime = self.code.runtime.as_deref().map(text);
        set(&mut variables, "LAMBDA_TASK_ROOT", &text(&self.code.task));
        set(
            &mut variables,
            "LAMBDA_RUNTIME_DIR",
            runtime.as_deref().unwrap_or("/var/runtime"),
        );
        if !self.has_snapshot() {
            let log_group = format!("/aws/lambda/{}", self.function.name);
            set(&mut variables, "AWS_LAMBDA_LOG_GROUP_NAME", &log_group);
            set(&mut variables, "AWS_LAMBDA_LOG_STREAM_NAME", &self.instance);
        }
        set(&mut variables, "AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000");
        set(&mut variables, "AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
        set(&mut variables, "_AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1");
        set(&mut variables, "_AWS_XRAY_DAEMON_PORT", "2000");
        if let Some(instances) = self.function.initialization.managed() {
            set(
                &mut variables,
                "AWS_LAMBDA_MAX_CONCURRENCY",
                &instances.max_concurrency.to_string(),
            );
        }
        if self.function.runtime.is_managed() {
            set(
                &mut variables,
                "AWS_EXECUTION_ENV",
                &format!("AWS_Lambda_{}", self.function.runtime),
            );
        }
        self.add_paths_of_language(&mut variables);
        variables
    }

    /// Where the language finds the function's packages and those of its layers.
    fn add_paths_of_language(&self, variables: &mut Map) {
        let below = |folder: Option<&PathBuf>, path: &str| Some(text(&folder?.join(path)));
        let (task, opt) = (Some(&self.code.task), self.code.opt.as_ref());
        let (key, paths) = match &self.function.runtime {
            Runtime::Python(identifier) => {
                let packages = format!("python/lib/{identifier}/site-packages");
                let paths = [
                    task.map(|task| text(task)),
                    below(opt, "python"),
                    below(opt, &packages),
                ];
                ("PYTHONPATH", paths)
            }
            Runtime::Node(identifier) => {
                let major = identifier.trim_end_matches(".x").replace("js", "");
                let paths = [
                    below(task, "node_modules"),
                    below(opt, "nodejs/node_modules"),
                    below(opt, &format!("nodejs/{major}/node_modules")),
                ];
                ("NODE_PATH", paths)
            }
            Runtime::Provided(_) | Runtime::Java(_) => return,
        };
        for path in paths.into_iter().flatten() {
            add_path(variables, key, &path);
        }
    }

    /// For an external extension: the customer's, credentials and the platform's, but nothing private to the runtime.
    pub(crate) fn of_extension(&self) -> Map {
        let mut variables = self.customer();
        variables.extend(self.credentials());
        variables.extend(self.platform());
        variables.retain(|key, _| !key.starts_with('_') && key != "AWS_XRAY_CONTEXT_MISSING");
        variables
    }

    /// `KEY=VALUE` that all processes of this environment are started with, and no others.
    pub(crate) fn marker(&self) -> String {
        format!("{METADATA_TOKEN}={}", self.metadata_token)
    }

    /// The function's own variables above those of the sandbox above what the machine has.
    fn customer(&self) -> Map {
        let mut variables = self.inherited.clone();
        match self.place.tmp() {
            Some(tmp) => set(&mut variables, "TMPDIR", &tmp.display().to_string()),
            None => drop(variables.remove("TMPDIR")),
        }
        if let Some(opt) = &self.code.opt {
            add_path(&mut variables, "PATH", &text(&opt.join("bin")));
        }
        let (task, opt) = (&self.code.task, self.code.opt.as_ref());
        let libraries = [
            Some(task.clone()),
            Some(task.join("lib")),
            opt.map(|opt| opt.join("lib")),
        ];
        for folder in libraries.iter().flatten() {
            add_path(&mut variables, "LD_LIBRARY_PATH", &text(folder));
        }
        set(&mut variables, "LANG", "en_US.UTF-8");
        set(
            &mut variables,
            "AWS_ENDPOINT_URL_LAMBDA",
            &self.doors.translate(&format!("http://{}", self.lambda_api)),
        );
        set(
            &mut variables,
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            &format!("http://127.0.0.1:{}", self.otlp_port),
        );
        let own = self.shared.iter().chain(&self.function.environment);
        let allowed = own.filter(|(key, _)| {
            !key.starts_with('_') || RESERVED_BUT_ALLOWED.contains(&key.as_str())
        });
        variables.extend(allowed.map(|(key, value)| (key.clone(), self.doors.translate(value))));
        variables
    }

    /// A snapshot must not hold keys that are older than the environment made from it: it asks for them.
    fn has_snapshot(&self) -> bool {
        self.function.initialization == Initialization::SnapStart
    }

    /// What the credentials endpoint wants to hear, where there is one.
    pub(crate) fn credentials_token(&self) -> Option<String> {
        self.has_snapshot().then(|| self.credentials_token.clone())
    }

    /// Made up, so that an SDK signs its requests; nothing here checks them.
    fn credentials(&self) -> Map {
        let mut variables = Map::new();
        if self.has_snapshot() {
            let uri = format!("http://{}{CREDENTIALS_PATH}", self.runtime_api);
            set(&mut variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri);
            set(
                &mut variables,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                &self.credentials_token,
            );
            return variables;
        }
        set(&mut variables, "AWS_ACCESS_KEY_ID", ACCESS_KEY_ID);
        set(&mut variables, "AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
        // On AWS a function's keys are its own: whoever takes a call can tell by them who makes it.
        let token = format!("{SESSION_TOKEN}.{}", self.function.name);
        set(&mut variables, "AWS_SESSION_TOKEN", &token);
        variables
    }

    fn platform(&self) -> Map {
        let mut variables = Map::new();
        set(
            &mut variables,
            "AWS_LAMBDA_RUNTIME_API",
            &self.runtime_api.to_string(),
        );
        set(
            &mut variables,
            "AWS_LAMBDA_METADATA_API",
            &self.runtime_api.to_string(),
        );
        set(&mut variables, METADATA_TOKEN, &self.metadata_token);
        set(
            &mut variables,
            "AWS_LAMBDA_FUNCTION_NAME",
            &self.function.name,
        );
        set(&mut variables, "AWS_LAMBDA_FUNCTION_VERSION", VERSION);
        set(
            &mut variables,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            &self.function.memory_mb.to_string(),
        );
        set(
            &mut variables,
            "AWS_LAMBDA_INITIALIZATION_TYPE",
            self.function.initialization.as_str(),
        );
        let logging = self.function.logging;
        set(
            &mut variables,
            "AWS_LAMBDA_LOG_FORMAT",
            logging.format.as_str(),
        );
        if logging.format == LogFormat::Json {
            set(
                &mut variables,
                "AWS_LAMBDA_LOG_LEVEL",
                logging.application.as_str(),
            );
        }
        set(&mut variables, "AWS_REGION", REGION);
        set(&mut variables, "AWS_DEFAULT_REGION", REGION);
        set(&mut variables, "TZ", ":UTC");
        // Lambda has no such variable: there every environment has its own loopback and the port can be fixed.
        set(
            &mut variables,
            "THROUGHLINE_OTLP_LISTEN",
            &format!("127.0.0.1:{}", self.otlp_port),
        );
        if !self.place.is_own() {
            // Every environment would want the same port of the one loopback that they share.
            let grpc = variables.entry("THROUGHLINE_OTLP_GRPC_LISTEN".to_owned());
            grpc.or_insert_with(|| "off".to_owned());
        }
        variables
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn set(variables: &mut Map, key: &str, value: &str) {
    variables.insert(key.to_owned(), value.to_owned());
}

fn add_path(variables: &mut Map, key: &str, path: &str) {
    let before = variables
        .get(key)
        .map(|before| format!("{before}:"))
        .unwrap_or_default();
    variables.insert(key.to_owned(), format!("{before}{path}"));
}

/// Where an SDK finds the keys that the variables do not have.
pub(crate) const CREDENTIALS_PATH: &str = "/2021-04-23/credentials";
/// The keys that AWS's own documentation uses.
pub(crate) const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// Of functions that get their keys by variables, with the function's name behind a dot.
pub(crate) const SESSION_TOKEN: &str = "sandbox";

/// Customer variables with an underscore in front that Lambda lets through.
const RESERVED_BUT_ALLOWED: &[&str] = &[
    "_HANDLER",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_LAMBDA_TELEMETRY_LOG_FD",
];

/// What processes get from the machine.
pub(crate) const INHERITED: &[&str] = &["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];

/// Differs for each environment.
const METADATA_TOKEN: &str = "AWS_LAMBDA_METADATA_TOKEN";

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables {
            function: Function::new("f", "/code")
                .runtime("python3.13".parse().unwrap())
                .handler("app.handler")
                .env("OWN", "function")
                .env("_PRIVATE", "x")
                .env("AWS_REGION", "mars"),
            shared: Map::from([
                ("OWN".to_owned(), "shared".to_owned()),
                ("ALL".to_owned(), "1".to_owned()),
            ]),
            inherited: Map::from([("PATH".to_owned(), "/bin".to_owned())]),
            instance: "stream".to_owned(),
            runtime_api: "127.0.0.1:9001".parse().unwrap(),
            lambda_api: "127.0.0.1:4301".parse().unwrap(),
            otlp_port: 16_000,
            metadata_token: "t".to_owned(),
            credentials_token: "c".to_owned(),
            code: Code {
                task: "/code".into(),
                opt: Some("/layers".into()),
                runtime: None,
            },
            place: Place::of_test(),
            doors: Doors::default(),
        }
    }

    #[test]
    fn each_kind_of_process_gets_its_own() {
        let (runtime, extension) = (variables().of_runtime(), variables().of_extension());
        let cases = [
            ("PATH", Some("/bin:/layers/bin"), Some("/bin:/layers/bin")),
            ("OWN", Some("function"), Some("function")),
            ("ALL", Some("1"), Some("1")),
            ("_PRIVATE", None, None),
            ("AWS_REGION", Some("us-east-1"), Some("us-east-1")),
            (
                "AWS_LAMBDA_RUNTIME_API",
                Some("127.0.0.1:9001"),
                Some("127.0.0.1:9001"),
            ),
            ("AWS_LAMBDA_FUNCTION_NAME", Some("f"), Some("f")),
            (
                "AWS_ACCESS_KEY_ID",
                Some("AKIAIOSFODNN7EXAMPLE"),
                Some("AKIAIOSFODNN7EXAMPLE"),
            ),
            (
                "AWS_ENDPOINT_URL_LAMBDA",
                Some("http://127.0.0.1:4301"),
                Some("http://127.0.0.1:4301"),
            ),
            (
                "THROUGHLINE_OTLP_LISTEN",
                Some("127.0.0.1:16000"),
                Some("127.0.0.1:16000"),
            ),
            ("THROUGHLINE_OTLP_GRPC_LISTEN", Some("off"), Some("off")),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                Some("http://127.0.0.1:16000"),
                Some("http://127.0.0.1:16000"),
            ),
            ("_HANDLER", Some("app.handler"), None),
            ("AWS_EXECUTION_ENV", Some("AWS_Lambda_python3.13"), None),
            ("LAMBDA_TASK_ROOT", Some("/code"), None),
            ("AWS_LAMBDA_LOG_STREAM_NAME", Some("stream"), None),
            ("AWS_XRAY_CONTEXT_MISSING", Some("LOG_ERROR"), None),
            (
                "PYTHONPATH",
                Some("/code:/layers/python:/layers/python/lib/python3.13/site-packages"),
                None,
            ),
            ("NODE_PATH", None, None),
            (
                "LD_LIBRARY_PATH",
                Some("/code:/code/lib:/layers/lib"),
                Some("/code:/code/lib:/layers/lib"),
            ),
        ];
        for (key, for_runtime, for_extension) in cases {
            assert_eq!(
                runtime.get(key).map(String::as_str),
                for_runtime,
                "{key} of the runtime"
            );
            assert_eq!(
                extension.get(key).map(String::as_str),
                for_extension,
                "{key} of an extension"
            );
        }
    }

    #[test]
    fn log_level_is_told_with_json_only() {
        let mut variables = variables();
        let of = |variables: &Variables| {
            let runtime = variables.of_runtime();
            ["AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL"].map(|key| runtime.get(key).cloned())
        };
        assert_eq!(of(&variables), [Some("Text".to_owned()), None]);
        variables.function = variables
            .function
            .log_format(LogFormat::Json)
            .application_log_level(crate::LogLevel::Debug);
        assert_eq!(
            of(&variables),
            ["JSON", "DEBUG"].map(|value| Some(value.to_owned()))
        );
    }

    #[test]
    fn what_comes_from_a_snapshot_asks_for_its_keys_and_has_no_log_stream() {
        let mut variables = variables();
        variables.function = variables.function.initialization(Initialization::SnapStart);
        let cases = [
            ("AWS_LAMBDA_INITIALIZATION_TYPE", Some("snap-start")),
            (
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                Some("http://127.0.0.1:9001/2021-04-23/credentials"),
            ),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", Some("c")),
            ("AWS_ACCESS_KEY_ID", None),
            ("AWS_SECRET_ACCESS_KEY", None),
            ("AWS_SESSION_TOKEN", None),
            ("AWS_LAMBDA_LOG_GROUP_NAME", None),
            ("AWS_LAMBDA_LOG_STREAM_NAME", None),
        ];
        for (key, expected) in cases {
            for found in [variables.of_runtime(), variables.of_extension()] {
                assert_eq!(found.get(key).map(String::as_str), expected, "{key}");
            }
        }
    }

    #[test]
    fn only_managed_runtimes_say_what_they_are() {
        let mut variables = variables();
        variables.function = Function::new("f", "/code");
        assert!(!variables.of_runtime().contains_key("AWS_EXECUTION_ENV"));
    }
}
