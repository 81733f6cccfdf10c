//! What an extension asks of the Telemetry API or of the Logs API that was before it, checked.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::function::Initialization;

/// A subscription whose every field is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) api: LogsOrTelemetry,
    pub(crate) platform: bool,
    pub(crate) function: bool,
    pub(crate) extension: bool,
    /// Whether it knows more than the first schema of its API: records of `function` events that are objects, or
    /// `platform.runtimeDone`.
    pub(crate) newer_schema: bool,
    pub(crate) items_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) timeout: Duration,
    pub(crate) destination: Destination,
    pub(crate) profile: Profile,
}

/// Where the extension runs, which decides about the schema and how hard delivery tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// All schemas; what is not taken is offered again.
    Classic,
    /// The newest schema only; one batch at a time, each once, with a `Sequence-Id`.
    Managed,
}

impl Profile {
    pub(super) fn of(initialization: Initialization) -> Self {
        if initialization.is_managed() {
            Self::Managed
        } else {
            Self::Classic
        }
    }
}

/// The two APIs of which an extension may use one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogsOrTelemetry {
    Telemetry,
    Logs,
}

impl LogsOrTelemetry {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Telemetry => "Telemetry",
            Self::Logs => "Logs",
        }
    }

    /// From the second on JSON logs are objects, or there is `platform.runtimeDone`. `2025-01-29` adds fields only,
    /// which are always sent here.
    fn schema_versions(self, profile: Profile) -> &'static [&'static str] {
        match (self, profile) {
            (Self::Telemetry, Profile::Managed) => &["2025-01-29"],
            (Self::Telemetry, Profile::Classic) => &["2022-07-01", "2022-12-13", "2025-01-29"],
            (Self::Logs, _) => &["2020-08-15", "2021-03-18"],
        }
    }
}

/// Where an extension listens, inside its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Http { port: u16, path: String, put: bool },
    Tcp { port: u16 },
}

impl Subscription {
    /// Reads the body of `PUT /2022-07-01/telemetry` or `PUT /2020-08-15/logs`.
    ///
    /// # Errors
    /// All that is wrong with it, in one line as Lambda does.
    pub(crate) fn parse(
        api: LogsOrTelemetry,
        profile: Profile,
        body: &[u8],
    ) -> Result<Self, String> {
        let document: Value =
            serde_json::from_slice(body).map_err(|error| format!("body is no JSON: {error}"))?;
        let Value::Object(document) = document else {
            return Err("body is no JSON object".to_owned());
        };
        let mut check = Check {
            api,
            profile,
            problems: Vec::new(),
        };
        let newer_schema = check.schema_version(&document);
        let types = check.types(&document);
        let empty = Map::new();
        let buffering = check.object(&document, "buffering").unwrap_or(&empty);
        let items_max = check.number(buffering, "maxItems", (1_000, 10_000), 10_000);
        let bytes_max = check.number(buffering, "maxBytes", (262_144, 1_048_576), 262_144);
        let timeout_ms = check.number(buffering, "timeoutMs", (25, 30_000), 1_000);
        let destination = check.destination(&document);
        let Some(destination) = destination.filter(|_| check.problems.is_empty()) else {
            return Err(check.problems.join("; "));
        };
        let has = |name: &str| types.iter().any(|found| found == name);
        Ok(Self {
            api,
            platform: has("platform"),
            function: has("function"),
            extension: has("extension"),
            newer_schema,
            items_max,
            bytes_max,
            timeout: Duration::from_millis(timeout_ms as u64),
            destination,
            profile,
        })
    }

    /// Whether an event of this type is wanted.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        match kind {
            "function" => self.function,
            "extension" => self.extension,
            _ => self.platform,
        }
    }

    pub(crate) fn types(&self) -> Vec<&'static str> {
        let types = [
            (self.platform, "platform"),
            (self.function, "function"),
            (self.extension, "extension"),
        ];
        types
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| name)
            .collect()
    }
}

struct Check {
    api: LogsOrTelemetry,
    profile: Profile,
    problems: Vec<String>,
}

impl Check {
    /// Whether it is not the first version of the API. The Logs API takes none for its first.
    fn schema_version(&mut self, document: &Map<String, Value>) -> bool {
        let versions = self.api.schema_versions(self.profile);
        let first = self.api.schema_versions(Profile::Classic)[0];
        match document.get("schemaVersion").and_then(Value::as_str) {
            Some(version) if versions.contains(&version) => return version != first,
            Some(version) => self.problem(format!(
                "schemaVersion {version} is not one of {}",
                versions.join(", ")
            )),
            None if self.api == LogsOrTelemetry::Logs => {}
            None => self.problem("schemaVersion is not provided"),
        }
        false
    }

    fn types(&mut self, document: &Map<String, Value>) -> Vec<String> {
        let Some(types) = document.get("types").and_then(Value::as_array) else {
            self.problem("types should not be empty");
            return Vec::new();
        };
        if types.is_empty() {
            self.problem("types should not be empty");
        }
        let mut known = Vec::new();
        for found in types {
            match found.as_str() {
                Some(name @ ("platform" | "function" | "extension")) => known.push(name.to_owned()),
                _ => self.problem(format!(
                    "types contains {found}, which is not platform, function or extension"
                )),
            }
        }
        known
    }

    fn number(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        (least, most): (usize, usize),
        default: usize,
    ) -> usize {
        let Some(value) = object.get(key).filter(|value| !value.is_null()) else {
            return default;
        };
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        match number.filter(|number| (least..=most).contains(number)) {
            Some(number) => number,
            None => {
                self.problem(format!("{key} {value} is not between {least} and {most}"));
                default
            }
        }
    }

    /// `None` only after a problem.
    fn destination(&mut self, document: &Map<String, Value>) -> Option<Destination> {
        let Some(destination) = self.object(document, "destination") else {
            if matches!(document.get("destination"), None | Some(Value::Null)) {
                self.problem("destination is not provided");
            }
            return None;
        };
        match destination.get("protocol").and_then(Value::as_str) {
            Some("HTTP") => match destination.get("URI").and_then(Value::as_str) {
                Some(uri) => {
                    let put = self.wants_put(destination);
                    self.uri(uri, put)
                }
                None => {
                    self.problem("URI is not provided");
                    None
                }
            },
            Some("TCP") => self.tcp(destination),
            _ => {
                self.problem("destination protocol is not HTTP or TCP");
                None
            }
        }
    }

    fn tcp(&mut self, destination: &Map<String, Value>) -> Option<Destination> {
        let Some(port) = destination.get("port").filter(|port| !port.is_null()) else {
            self.problem("port is not provided");
            return None;
        };
        let number = port.as_u64().and_then(|port| u16::try_from(port).ok());
        let Some(port) = number.filter(|port| *port != 0) else {
            self.problem(format!("port {port} is not between 1 and 65535"));
            return None;
        };
        Some(Destination::Tcp { port })
    }

    /// Deliveries of the Logs API are POSTs or PUTs, as the extension likes.
    fn wants_put(&mut self, destination: &Map<String, Value>) -> bool {
        let method = destination
            .get("method")
            .filter(|_| self.api == LogsOrTelemetry::Logs);
        match method.map(|method| method.as_str()) {
            None | Some(Some("POST")) => false,
            Some(Some("PUT")) => true,
            Some(_) => {
                self.problem("destination method is not POST or PUT");
                false
            }
        }
    }

    fn uri(&mut self, text: &str, put: bool) -> Option<Destination> {
        let Ok(uri) = text.parse::<http::Uri>() else {
            self.problem(format!("URI {text} is malformed"));
            return None;
        };
        if uri.scheme_str() != Some("http") {
            self.problem("URI scheme is not http");
            return None;
        }
        if !matches!(uri.host(), Some("sandbox.localdomain" | "sandbox")) {
            self.problem("URI host is not sandbox.localdomain");
            return None;
        }
        let Some(port) = uri.port_u16().filter(|port| *port != 0) else {
            self.problem("URI port is not provided");
            return None;
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Some(Destination::Http {
            port,
            path: path.to_owned(),
            put,
        })
    }

    fn object<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        key: &str,
    ) -> Option<&'a Map<String, Value>> {
        match object.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::Object(inner)) => Some(inner),
            Some(_) => {
                self.problem(format!("{key} is not an object"));
                None
            }
        }
    }

    fn problem(&mut self, message: impl Into<String>) {
        self.problems.push(message.into());
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(body: &str, expected: Expect) {
        check_of(LogsOrTelemetry::Telemetry, body, expected);
    }

    fn check_of(api: LogsOrTelemetry, body: &str, expected: Expect) {
        let found = match Subscription::parse(api, Profile::Classic, body.as_bytes()) {
            Ok(subscription) => format!("{subscription:?}"),
            Err(problems) => problems,
        };
        expected.assert_eq(&found);
    }

    #[test]
    fn whole_subscription_is_read_and_defaults_fill_the_rest() {
        check(
            r#"{"schemaVersion":"2022-12-13","types":["platform","function"],
                "buffering":{"maxItems":1000,"maxBytes":262144,"timeoutMs":25},
                "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/path?x=1"}}"#,
            expect![[
                r#"Subscription { api: Telemetry, platform: true, function: true, extension: false, newer_schema: true, items_max: 1000, bytes_max: 262144, timeout: 25ms, destination: Http { port: 8080, path: "/path?x=1", put: false }, profile: Classic }"#
            ]],
        );
        check(
            r#"{"schemaVersion":"2025-01-29","types":["extension"],"destination":{"protocol":"HTTP","URI":"http://sandbox:8080"}}"#,
            expect![[
                r#"Subscription { api: Telemetry, platform: false, function: false, extension: true, newer_schema: true, items_max: 10000, bytes_max: 262144, timeout: 1s, destination: Http { port: 8080, path: "/", put: false }, profile: Classic }"#
            ]],
        );
    }

    #[test]
    fn logs_api_has_its_own_versions_and_a_method() {
        let logs = LogsOrTelemetry::Logs;
        check_of(
            logs,
            r#"{"schemaVersion":"2021-03-18","types":["platform"],
                "destination":{"protocol":"HTTP","URI":"http://sandbox:8080","method":"PUT","encoding":"JSON"}}"#,
            expect![[
                r#"Subscription { api: Logs, platform: true, function: false, extension: false, newer_schema: true, items_max: 10000, bytes_max: 262144, timeout: 1s, destination: Http { port: 8080, path: "/", put: true }, profile: Classic }"#
            ]],
        );
        check_of(
            logs,
            r#"{"types":["function"],"destination":{"protocol":"TCP","port":1701}}"#,
            expect![
                "Subscription { api: Logs, platform: false, function: true, extension: false, newer_schema: false, items_max: 10000, bytes_max: 262144, timeout: 1s, destination: Tcp { port: 1701 }, profile: Classic }"
            ],
        );
        check_of(
            logs,
            r#"{"schemaVersion":"2022-07-01","types":["function"],
                "destination":{"protocol":"HTTP","URI":"http://sandbox:8080","method":"GET"}}"#,
            expect![
                "schemaVersion 2022-07-01 is not one of 2020-08-15, 2021-03-18; destination method is not POST or PUT"
            ],
        );
    }

    #[test]
    fn all_problems_are_told_in_one_line() {
        check(
            r#"{"schemaVersion":"2020-01-01","types":[],"buffering":{"maxItems":1,"maxBytes":1,"timeoutMs":1},
                "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain"}}"#,
            expect![
                "schemaVersion 2020-01-01 is not one of 2022-07-01, 2022-12-13, 2025-01-29; types should not be empty; maxItems 1 is not between 1000 and 10000; maxBytes 1 is not between 262144 and 1048576; timeoutMs 1 is not between 25 and 30000; URI port is not provided"
            ],
        );
        check(
            "{}",
            expect![
                "schemaVersion is not provided; types should not be empty; destination is not provided"
            ],
        );
        check("[]", expect!["body is no JSON object"]);
        check(
            "nonsense",
            expect!["body is no JSON: expected ident at line 1 column 2"],
        );
    }

    #[test]
    fn destination_stays_inside_the_environment() {
        let with = |destination: &str| {
            format!(
                r#"{{"schemaVersion":"2022-12-13","types":["platform"],"destination":{destination}}}"#
            )
        };
        check(
            &with(r#"{"protocol":"HTTP","URI":"http://example.com:80/"}"#),
            expect!["URI host is not sandbox.localdomain"],
        );
        check(
            &with(r#"{"protocol":"HTTP","URI":"https://sandbox.localdomain:80/"}"#),
            expect!["URI scheme is not http"],
        );
        check(
            &with(r#"{"protocol":"TCP"}"#),
            expect!["port is not provided"],
        );
        check(
            &with(r#"{"protocol":"TCP","port":70000}"#),
            expect!["port 70000 is not between 1 and 65535"],
        );
        check(
            &with(r#"{"protocol":"TCP","port":1701}"#),
            expect![
                "Subscription { api: Telemetry, platform: true, function: false, extension: false, newer_schema: true, items_max: 10000, bytes_max: 262144, timeout: 1s, destination: Tcp { port: 1701 }, profile: Classic }"
            ],
        );
        check(
            &with(r#"{"protocol":"UDP"}"#),
            expect!["destination protocol is not HTTP or TCP"],
        );
        check(&with("7"), expect!["destination is not an object"]);
    }
}
