//! Which function this is.

use throughline_prices::Architecture;
use throughline_telemetry::{Attributes, Resource, Value};

/// What the environment variables say about the function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its version, `$LATEST` or a number.
    pub version: String,
    /// The same for the same code, and hardly ever for other code; empty if nobody has looked.
    pub code: String,
    /// Where it runs; empty if not said.
    pub region: String,
    /// How much memory it has; 0 if not said.
    pub memory_mb: i64,
    /// Where the platform keeps its log; empty if not said.
    pub log_group: String,
    /// The part of the log that is this environment's; empty if not said.
    pub log_stream: String,
    /// What whoever deployed it says of it, such as the commit that it was made of.
    pub attributes: Vec<(String, String)>,
}

/// What only the platform can tell of the function and of this environment, and tells later.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    /// The environment's name: of its log stream, or what the platform says.
    pub(super) instance: String,
    /// The account, from the ARN that is called.
    pub(super) account_id: String,
    /// `nodejs:22.v50`; empty for custom runtimes.
    pub(super) runtime: String,
}

impl Function {
    /// The resource of everything that this environment emits.
    pub(super) fn resource(&self, told: &Told) -> Resource {
        let (runtime, runtime_version) = told.runtime.split_once(':').unwrap_or_default();
        let texts = [
            ("service.name", self.name.as_str()),
            ("service.version", &self.version),
            ("cloud.provider", "aws"),
            ("cloud.platform", "aws_lambda"),
            ("cloud.region", &self.region),
            ("host.arch", ARCHITECTURE),
            ("faas.name", &self.name),
            ("faas.version", &self.version),
            ("throughline.code.digest", &self.code),
            ("faas.instance", &told.instance),
            ("cloud.account.id", &told.account_id),
            ("process.runtime.name", runtime),
            ("process.runtime.version", runtime_version),
        ];
        let known = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut attributes: Attributes = known.collect();
        if self.memory_mb > 0 {
            attributes.set("faas.max_memory", Value::Int(self.memory_mb << 20));
        }
        let names = [
            ("aws.log.group.names", &self.log_group),
            ("aws.log.stream.names", &self.log_stream),
        ];
        for (key, name) in names.into_iter().filter(|(_, name)| !name.is_empty()) {
            attributes.set(key, Value::Array(vec![Value::from(name.as_str())]));
        }
        for (key, text) in &self.attributes {
            // Lambda's version of the code is a number or `$LATEST`; that of whoever made it says more.
            if key == "service.version" || attributes.get(key).is_none() {
                attributes.set(key.as_str(), text.as_str());
            }
        }
        Resource { attributes }
    }
}

/// What this program was built for is what the function runs on, as OpenTelemetry calls it.
const ARCHITECTURE: &str = match Architecture::OURS {
    Architecture::Arm => "arm64",
    Architecture::X86 => "amd64",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deployers_say_fills_gaps_and_names_the_version() {
        let said = |key: &str, text: &str| (key.to_owned(), text.to_owned());
        let function = Function {
            name: "pay".into(),
            version: "$LATEST".into(),
            attributes: vec![
                said("service.version", "1.4.0"),
                said("vcs.ref.head.revision", "6c79f3e"),
                said("faas.name", "another"),
            ],
            ..Function::default()
        };
        let resource = function.resource(&Told::default());
        let text = |key| resource.attributes.text(key);
        assert_eq!(text("service.version"), Some("1.4.0"));
        assert_eq!(text("faas.version"), Some("$LATEST"));
        assert_eq!(text("vcs.ref.head.revision"), Some("6c79f3e"));
        assert_eq!(text("faas.name"), Some("pay"));
        let architecture = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            _ => "amd64",
        };
        assert_eq!(text("host.arch"), Some(architecture));
    }
}
