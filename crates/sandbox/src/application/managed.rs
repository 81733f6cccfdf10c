//! Lambda Managed Instances: how both languages put a function on them.

use super::function::{ENVIRONMENTS, LOG_FORMAT};
use super::reader::{Dialect, Key, Range, Reader, Section};
use crate::function::{Function, Initialization, MANAGED_MEMORY_MB_MIN, ManagedInstances};
use crate::logging::LogFormat;

impl Reader {
    /// Whether the function is to run on Managed Instances.
    pub(super) fn is_managed(&self, section: &Section<'_>) -> bool {
        self.has(section, MANAGED)
    }

    /// Puts the function on Managed Instances if its file says so, and checks what they exclude.
    pub(super) fn managed_instances(&mut self, section: &Section<'_>, function: &mut Function) {
        let Some(config) = self.section(section, MANAGED, "a table of settings") else {
            return;
        };
        // CloudFormation has one level more than SAM.
        let config = match self.section(&config, MANAGED_OF_CLOUDFORMATION, "a map") {
            Some(inner) if self.dialect() == Dialect::Sam => inner,
            _ => config,
        };
        if self.dialect() == Dialect::Toml {
            self.reject_unknown(&config, &[MAX_CONCURRENCY.toml, ENVIRONMENTS_MIN.toml]);
        }
        let mut instances = ManagedInstances::default();
        let take = |number: Option<u32>, target: &mut usize| {
            if let Some(number) = number.and_then(|number| usize::try_from(number).ok()) {
                *target = number;
            }
        };
        let at_once = self.integer(&config, MAX_CONCURRENCY, AT_ONCE);
        take(at_once, &mut instances.max_concurrency);
        let scaling = match self.dialect() {
            Dialect::Toml => Some(config.clone()),
            Dialect::Sam => self.section(section, SCALING, "a map"),
        };
        if let Some(scaling) = &scaling {
            let least = self.integer(scaling, ENVIRONMENTS_MIN, ENVIRONMENTS);
            take(least, &mut instances.environments_min);
            let most = match self.dialect() {
                Dialect::Toml => None, // it is the function's concurrency
                Dialect::Sam => self.integer(scaling, ENVIRONMENTS_MAX, ENVIRONMENTS),
            };
            function.concurrency = most
                .and_then(|most| usize::try_from(most).ok())
                .or(function.concurrency);
        }
        match function.concurrency {
            Some(most) if most < instances.environments_min => {
                let message = format!(
                    "{most} environments at most are fewer than the {} that are always there",
                    instances.environments_min
                );
                self.problem(&config.place, &message);
            }
            _ => {}
        }
        if function.initialization != Initialization::OnDemand {
            let message = "neither provisioned environments nor SnapStart, as on Lambda";
            self.problem(&config.place, message);
        }
        let mut changed = std::mem::replace(function, Function::new("", ""))
            .initialization(Initialization::Managed(instances));
        if !self.has(section, super::function::MEMORY) {
            changed.memory_mb = MANAGED_MEMORY_MB_MIN;
        }
        *function = changed;
    }

    /// A log that is text by name, where only JSON is written.
    pub(super) fn managed_log(&mut self, section: &Section<'_>, function: &mut Function) {
        if function.initialization.is_managed() && function.logging.format != LogFormat::Json {
            let place = section.place_of(self.name(LOG_FORMAT));
            self.problem(&place, "the log of managed instances is JSON");
        }
    }
}

pub(super) const MANAGED: Key = Key {
    toml: "managed_instances",
    sam: "CapacityProviderConfig",
};
const MANAGED_OF_CLOUDFORMATION: Key = Key {
    toml: "",
    sam: "LambdaManagedInstancesCapacityProviderConfig",
};
const MAX_CONCURRENCY: Key = Key {
    toml: "max_concurrency",
    sam: "PerExecutionEnvironmentMaxConcurrency",
};
const SCALING: Key = Key::only("FunctionScalingConfig");
const ENVIRONMENTS_MIN: Key = Key {
    toml: "environments",
    sam: "MinExecutionEnvironments",
};
const ENVIRONMENTS_MAX: Key = Key::only("MaxExecutionEnvironments");
/// Lambda's own limits.
const AT_ONCE: Range = Range {
    least: 1,
    most: 1_600,
    unit: "invocations at once",
};
pub(super) const MEMORY_MB_MANAGED: Range = Range {
    least: MANAGED_MEMORY_MB_MIN,
    most: 32_768,
    unit: "MB on managed instances",
};
