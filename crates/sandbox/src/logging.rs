//! How a function logs: Lambda's `LoggingConfig`.

use serde_json::Value;

/// The form of a function's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines as they are written.
    #[default]
    Text,
    /// One JSON object for each message; the platform's own lines are objects too.
    Json,
}

/// From which level on the runtime writes the messages of the function's code. It needs [`LogFormat::Json`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find mistakes.
    Debug,
    /// What is worth to know.
    #[default]
    Info,
    /// What may lead to an error.
    Warn,
    /// What failed.
    Error,
    /// What ends the function.
    Fatal,
}

/// From which level on the platform writes its events to the log. It needs [`LogFormat::Json`], and the Telemetry API
/// tells all events whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SystemLogLevel {
    /// Everything.
    Debug,
    /// Starts and reports.
    #[default]
    Info,
    /// Only what did not succeed.
    Warn,
}

/// All three for one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Logging {
    pub(crate) format: LogFormat,
    pub(crate) application: LogLevel,
    pub(crate) system: SystemLogLevel,
}

impl LogFormat {
    pub(crate) const ALL: &[(&str, Self)] = &[("Text", Self::Text), ("JSON", Self::Json)];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Json => "JSON",
        }
    }
}

impl LogLevel {
    pub(crate) const ALL: &[(&str, Self)] = &[
        ("TRACE", Self::Trace),
        ("DEBUG", Self::Debug),
        ("INFO", Self::Info),
        ("WARN", Self::Warn),
        ("ERROR", Self::Error),
        ("FATAL", Self::Fatal),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

impl SystemLogLevel {
    pub(crate) const ALL: &[(&str, Self)] = &[
        ("DEBUG", Self::Debug),
        ("INFO", Self::Info),
        ("WARN", Self::Warn),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
        }
    }

    /// The level of a platform event.
    pub(crate) fn of(kind: &str, record: &Value) -> Self {
        let failed = record["status"]
            .as_str()
            .is_some_and(|status| status != "success");
        match kind {
            "platform.initStart" | "platform.restoreStart"
                if record["runtimeVersion"].is_null() =>
            {
                Self::Debug
            }
            "platform.logsDropped" => Self::Warn,
            "platform.initRuntimeDone"
            | "platform.initReport"
            | "platform.restoreRuntimeDone"
            | "platform.restoreReport"
            | "platform.runtimeDone"
            | "platform.report"
                if failed =>
            {
                Self::Warn
            }
            "platform.initReport" if record["initializationType"] != "on-demand" => Self::Info,
            "platform.initRuntimeDone"
            | "platform.initReport"
            | "platform.restoreRuntimeDone"
            | "platform.runtimeDone" => Self::Debug,
            _ => Self::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn platform_events_have_lambdas_levels() {
        use SystemLogLevel::{Debug, Info, Warn};
        let (good, bad) = (json!({"status": "success"}), json!({"status": "timeout"}));
        let on_demand = json!({"status": "success", "initializationType": "on-demand"});
        let cases = [
            ("platform.initStart", json!({}), Debug),
            ("platform.initStart", json!({"runtimeVersion": "x"}), Info),
            ("platform.initRuntimeDone", good.clone(), Debug),
            ("platform.initRuntimeDone", bad.clone(), Warn),
            ("platform.initReport", on_demand, Debug),
            ("platform.initReport", good.clone(), Info),
            ("platform.initReport", bad.clone(), Warn),
            (
                "platform.restoreStart",
                json!({"runtimeVersion": "x"}),
                Info,
            ),
            ("platform.restoreRuntimeDone", good.clone(), Debug),
            ("platform.restoreReport", good.clone(), Info),
            ("platform.start", json!({}), Info),
            ("platform.runtimeDone", good.clone(), Debug),
            ("platform.runtimeDone", bad.clone(), Warn),
            ("platform.report", good, Info),
            ("platform.report", bad, Warn),
            ("platform.extension", json!({}), Info),
            ("platform.telemetrySubscription", json!({}), Info),
            ("platform.logsDropped", json!({}), Warn),
        ];
        for (kind, record, level) in cases {
            assert_eq!(SystemLogLevel::of(kind, &record), level, "{kind} {record}");
        }
    }

    #[test]
    fn names_are_those_of_the_variables() {
        assert!(
            LogFormat::ALL
                .iter()
                .all(|(name, format)| *name == format.as_str())
        );
        assert!(
            LogLevel::ALL
                .iter()
                .all(|(name, level)| *name == level.as_str())
        );
    }
}
