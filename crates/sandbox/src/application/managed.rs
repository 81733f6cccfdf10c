//! Lambda Managed Instances: how both languages put a function on them.

use serde_json::Value;

use super::function::{ENVIRONMENTS, LOG_FORMAT};
use super::reader::{Dialect, Key, Range, Reader, Section};
use crate::function::{
    Function, Initialization, MANAGED_MEMORY_MB_MIN, MAX_CONCURRENCY_MAX, ManagedInstances, Runtime,
};
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
            self.reject_unknown(
                &config,
                &[
                    MAX_CONCURRENCY.toml,
                    MEMORY_PER_CORE.toml,
                    ENVIRONMENTS_MIN.toml,
                ],
            );
        }
        let mut instances = ManagedInstances::default();
        let take = |number: Option<u32>, target: &mut usize| {
            if let Some(number) = number.and_then(|number| usize::try_from(number).ok()) {
                *target = number;
            }
        };
        if !self.has(section, super::function::MEMORY) {
            function.memory_mb = MANAGED_MEMORY_MB_MIN;
        }
        let per_core = self.memory_per_core(&config);
        let per_core_mb = per_core.unwrap_or(MEMORY_GIB_PER_CORE_DEFAULT) * 1024.0;
        let cores = (f64::from(function.memory_mb) / per_core_mb)
            .max(1.0)
            .floor();
        instances.max_concurrency = at_once_by_default(&function.runtime, cores);
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
        *function = std::mem::replace(function, Function::new("", ""))
            .initialization(Initialization::Managed(instances));
    }

    /// In GiB, if it is told.
    fn memory_per_core(&mut self, config: &Section<'_>) -> Option<f64> {
        let value = self.value(config, MEMORY_PER_CORE)?;
        let number = match value {
            Value::String(text) if self.dialect() == Dialect::Sam => text.parse().ok(),
            value => value.as_f64(),
        };
        let number = number.filter(|number| MEMORY_GIB_PER_CORE.contains(number));
        if number.is_none() {
            let place = config.place_of(self.name(MEMORY_PER_CORE));
            self.mismatch(&place, "GiB of memory for each core, from 2 to 8", value);
        }
        number
    }

    /// A log that is text by name, where only JSON is written.
    pub(super) fn managed_log(&mut self, section: &Section<'_>, function: &mut Function) {
        if function.initialization.is_managed() && function.logging.format != LogFormat::Json {
            let place = section.place_of(self.name(LOG_FORMAT));
            self.problem(&place, "the log of managed instances is JSON");
        }
    }
}

/// Lambda's own defaults for each core, from its pages on each language.
fn at_once_by_default(runtime: &Runtime, cores: f64) -> usize {
    let each = match runtime {
        Runtime::Provided(_) => 8.0,
        Runtime::Python(_) => 16.0,
        Runtime::Node(_) => 64.0,
        Runtime::Java(_) => 32.0,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small, and positive
    let at_once = (each * cores) as usize;
    at_once.min(MAX_CONCURRENCY_MAX)
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
const MEMORY_PER_CORE: Key = Key {
    toml: "memory_gib_per_core",
    sam: "ExecutionEnvironmentMemoryGiBPerVCpu",
};
/// Lambda's own limits.
const MEMORY_GIB_PER_CORE: std::ops::RangeInclusive<f64> = 2.0..=8.0;
const MEMORY_GIB_PER_CORE_DEFAULT: f64 = 2.0;
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
/// Lambda's core goes beyond the 15 minutes of other functions there, and no limit is published; a day is ours.
pub(super) const TIMEOUT_SECONDS_MANAGED: Range = Range {
    least: 1,
    most: 86_400,
    unit: "seconds",
};
pub(super) const MEMORY_MB_MANAGED: Range = Range {
    least: MANAGED_MEMORY_MB_MIN,
    most: 32_768,
    unit: "MB on managed instances",
};
