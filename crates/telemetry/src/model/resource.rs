//! Who emitted something, and through which library.

use super::Attributes;

/// What emitted the telemetry: a function in one environment, or any other program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// Attributes such as `service.name` and `faas.name`.
    pub attributes: Attributes,
}

impl Resource {
    /// `service.name`, or OTLP's fallback `unknown_service`.
    pub fn service(&self) -> &str {
        self.attributes
            .text("service.name")
            .filter(|name| !name.is_empty())
            .unwrap_or("unknown_service")
    }
}

/// The instrumentation scope: the library that made a span, log or metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Name of the library.
    pub name: String,
    /// Version of the library.
    pub version: String,
}
