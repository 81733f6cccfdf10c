//! Which function this is.

use throughline_telemetry::{Attributes, Resource, Value};

/// What the environment variables say about the function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its version, `$LATEST` or a number.
    pub version: String,
    /// Where it runs; empty if not said.
    pub region: String,
    /// How much memory it has; 0 if not said.
    pub memory_mb: i64,
}

impl Function {
    /// The resource of everything that this environment emits. `instance` names the environment.
    pub(super) fn resource(&self, instance: &str) -> Resource {
        let texts = [
            ("service.name", self.name.as_str()),
            ("service.version", &self.version),
            ("cloud.provider", "aws"),
            ("cloud.platform", "aws_lambda"),
            ("cloud.region", &self.region),
            ("faas.name", &self.name),
            ("faas.version", &self.version),
            ("faas.instance", instance),
        ];
        let known = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut attributes: Attributes = known.collect();
        if self.memory_mb > 0 {
            attributes.set("faas.max_memory", Value::Int(self.memory_mb << 20));
        }
        Resource { attributes }
    }
}
