//! Every row of the page.

mod events;
mod extensions;
mod lifecycle;
mod managed;
mod runtime_api;
mod telemetry;
mod variables;

use crate::table::Section;

pub(crate) const SECTIONS: &[Section] = &[
    runtime_api::ENDPOINTS,
    runtime_api::HEADERS,
    runtime_api::REFUSALS,
    runtime_api::ERRORS,
    runtime_api::STREAMING,
    runtime_api::LOGS,
    runtime_api::TRACES,
    variables::VARIABLES,
    variables::START,
    extensions::REGISTER,
    extensions::REFUSALS,
    extensions::EVENTS,
    lifecycle::INIT,
    lifecycle::INVOKE,
    lifecycle::FREEZE,
    lifecycle::SHUTDOWN,
    telemetry::SUBSCRIBE,
    telemetry::DELIVERY,
    events::EVENTS,
    events::METRICS,
    events::STATUSES,
    events::ORDER,
    telemetry::LOGS_API,
    managed::MANAGED,
];
