//! What was looked at before and comes again: names of attributes, and resources.

use std::collections::HashMap;

use throughline_telemetry::wire::otlp::common::v1::KeyValue;

use crate::keys::{Kind, is_secret};
use crate::payload::{Named, named};
use crate::rules::Rules;
use crate::text;

/// What the name of an attribute means for the value under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether a text under it is secret.
    text: bool,
    /// Whether a number under it is.
    number: bool,
    /// Whether the value is a payload.
    pub(crate) named: Named,
}

impl Verdict {
    pub(crate) fn of(name: &str, rules: &Rules) -> Self {
        Verdict {
            text: is_secret(name, Kind::Text, rules),
            number: is_secret(name, Kind::Number, rules),
            named: named(name),
        }
    }

    pub(crate) fn is_secret(self, kind: Kind) -> bool {
        match kind {
            Kind::Text => self.text,
            Kind::Number => self.number,
        }
    }
}

/// The first names that came without a secret in them, and the last resources that had none. An
/// environment sees few of either, and sees them in every span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    names: HashMap<Box<str>, Verdict>,
    resources: Vec<Vec<KeyValue>>,
}

impl Known {
    /// `None` for a name with a secret in it.
    pub(crate) fn name(&mut self, name: &str, rules: &Rules) -> Option<Verdict> {
        if let Some(verdict) = self.names.get(name) {
            return Some(*verdict);
        }
        let has_secret = !text::find(name, rules).is_empty() || rules.has_pattern_in(name);
        let verdict = (!has_secret).then(|| Verdict::of(name, rules))?;
        if self.names.len() < NAMES_MAX && name.len() <= NAME_BYTES_MAX {
            self.names.insert(name.into(), verdict);
        }
        Some(verdict)
    }

    /// Whether this resource was looked at, and nothing was in it.
    pub(crate) fn has(&self, resource: &[KeyValue]) -> bool {
        self.resources.iter().any(|known| known == resource)
    }

    /// Nothing was in this resource.
    pub(crate) fn learn(&mut self, resource: Vec<KeyValue>) {
        if self.resources.len() == RESOURCES_MAX {
            self.resources.remove(0);
        }
        self.resources.push(resource);
    }
}

const NAMES_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 96;
/// The extension's own, and those of a few agents.
const RESOURCES_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_same_each_time_and_names_are_remembered_up_to_a_limit() {
        let rules = Rules::default().key("badge");
        let mut known = Known::default();
        for _ in 0..2 {
            for name in [
                "password",
                "badge",
                "tokens.count",
                "http.route",
                "faas.payload",
            ] {
                let verdict = known.name(name, &rules);
                assert_eq!(verdict, Some(Verdict::of(name, &rules)), "{name}");
            }
            assert_eq!(known.name("of jane@example.com", &rules), None);
        }
        assert_eq!(known.names.len(), 5);
        for number in 0..2 * NAMES_MAX {
            assert!(known.name(&format!("name{number}"), &rules).is_some());
        }
        assert_eq!(known.names.len(), NAMES_MAX);
    }
}
