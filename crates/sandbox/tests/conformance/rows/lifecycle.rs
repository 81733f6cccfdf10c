//! Init, invoke, freeze and shutdown.

use crate::table::Here::{Differs, Same};
use crate::table::{Section, row};

const INIT_ORDER: &str = "lifecycle::init_comes_in_this_order";
const INVOKE_ORDER: &str = "lifecycle::invocation_comes_in_this_order";

pub(crate) const INIT: Section = Section {
    title: "Init",
    rows: &[
        row(
            "1",
            "`platform.initStart` of phase `init`, or `invoke` after a reset",
            Same(&[
                INIT_ORDER,
                "lifecycle::environment_starts_anew_inside_the_invocation_after_a_reset",
            ]),
        ),
        row(
            "2",
            "all external extensions start at once",
            Same(&["lifecycle::runtime_starts_when_every_external_extension_has_registered"]),
        ),
        row(
            "3",
            "each has to register",
            Same(&[
                "lifecycle::runtime_starts_when_every_external_extension_has_registered",
                "lib::lifecycle::tests::failures::extension_that_never_registers_uses_up_the_init_and_then_the_function",
            ]),
        ),
        row(
            "4",
            "the runtime starts",
            Same(&["lifecycle::runtime_starts_when_every_external_extension_has_registered"]),
        ),
        row(
            "5",
            "its first `next`: `platform.initRuntimeDone`, registration closes",
            Same(&[
                INIT_ORDER,
                "extensions::registrations_are_refused_for_these_reasons",
            ]),
        ),
        row(
            "6",
            "the first `next` of every extension, subscribed to an event or not",
            Same(&["lifecycle::init_waits_for_the_first_next_of_every_extension"]),
        ),
        row(
            "7",
            "subscriptions close; `platform.extension` for each; `platform.initReport`",
            Same(&[
                INIT_ORDER,
                "telemetry::subscription_needs_a_registration_and_closes_with_the_init",
            ]),
        ),
        row(
            "limit on demand",
            "10 s",
            Same(&[
                "lib::lifecycle::tests::failures::extension_that_never_registers_uses_up_the_init_and_then_the_function",
            ]),
        ),
        row(
            "init that fails or takes too long",
            "again inside the invocation, in the function's own time",
            Same(&[
                "lifecycle::first_init_that_takes_too_long_is_tried_again_inside_the_invocation",
                "runtime_api::init_error_is_taken_and_the_second_one_is_the_invocations",
                "lib::lifecycle::tests::failures::failed_init_gets_its_second_try_inside_the_invocation",
            ]),
        ),
        row(
            "limit ahead of invocations",
            "130 s or the function's timeout, at most 900 s",
            Same(&["lib::lifecycle::tests::snapshots::init_before_a_snapshot_may_take_longer"]),
        ),
        row(
            "provisioned",
            "the init is over before the first invocation",
            Same(&[
                "lib::lifecycle::tests::snapshots::init_ahead_of_all_invocations_is_the_first_ones_init",
                "story::upkeep::provisioned_environments_are_ready_and_more_start_as_needed",
            ]),
        ),
        row(
            "log lines",
            "`INIT_REPORT Init Duration: … Phase: init Status: timeout`",
            Same(&["lib::log_tail::tests::platform_writes_these_lines"]),
        ),
    ],
};

pub(crate) const INVOKE: Section = Section {
    title: "Invoke",
    rows: &[
        row(
            "1, 2",
            "`platform.start`; extensions get INVOKE, then the runtime its event",
            Same(&[
                INVOKE_ORDER,
                "lib::lifecycle::tests::order::init_invoke_and_freeze_come_in_lambdas_order",
            ]),
        ),
        row(
            "3",
            "the runtime's answer is the caller's at once",
            Same(&["lifecycle::caller_is_answered_before_the_runtime_asks_again"]),
        ),
        row(
            "4, 5",
            "the runtime's `next`, `platform.runtimeDone`",
            Same(&[INVOKE_ORDER]),
        ),
        row(
            "6",
            "the `next` of every extension that has INVOKE, and of no other",
            Same(&[
                INVOKE_ORDER,
                "lifecycle::init_waits_for_the_first_next_of_every_extension",
                "lib::lifecycle::tests::order::extension_without_invoke_is_not_waited_for",
            ]),
        ),
        row("7", "`platform.report`, freeze", Same(&[INVOKE_ORDER])),
        row(
            "extension that does not ask again",
            "the finished invocation times out; its caller has the answer",
            Same(&[
                "lifecycle::extension_that_does_not_ask_again_makes_a_finished_invocation_time_out",
            ]),
        ),
        row(
            "error that the runtime reports",
            "goes on normally, `success`",
            Same(&[
                "runtime_api::response_and_error_are_taken_with_202",
                "telemetry::timeout_crash_and_handled_error_have_these_statuses",
            ]),
        ),
        row(
            "process that ends",
            "`Runtime.ExitError` or `Extension.Crash`, reset; the first fault wins",
            Same(&[
                "runtime_api::runtime_that_ends_is_told_with_how_it_ended",
                "lifecycle::extension_that_ends_is_a_crash_whatever_its_code",
            ]),
        ),
        row(
            "after a reset",
            "a new init inside the next invocation, new processes and identifiers",
            Same(&["lifecycle::environment_starts_anew_inside_the_invocation_after_a_reset"]),
        ),
        row(
            "`/tmp` after a reset",
            "is as it was",
            Same(&["story::world::folders_are_those_of_lambda_and_survive_a_reset"]),
        ),
        row(
            "`PostRuntimeExtensionsDuration`",
            "a metric of CloudWatch",
            Differs(
                "the span `extensionOverhead` of the report",
                &["telemetry::events_of_an_invocation_say_this"],
            ),
        ),
    ],
};

pub(crate) const FREEZE: Section = Section {
    title: "Freeze",
    rows: &[
        row(
            "when",
            "everybody has asked for the next event",
            Same(&[INVOKE_ORDER]),
        ),
        row(
            "what",
            "all processes",
            Same(&[
                INVOKE_ORDER,
                "story::invocations::environment_is_frozen_between_calls",
            ]),
        ),
        row(
            "delivery of telemetry",
            "stands still too",
            Same(&[
                INVOKE_ORDER,
                "lib::telemetry_api::hub::tests::nothing_is_delivered_while_frozen",
            ]),
        ),
        row(
            "after a long sleep",
            "the wall clock has jumped, and nothing says so",
            Differs(
                "on demand too: a fault makes a sleep as long as one likes",
                &["story::faults::environment_finds_that_it_was_frozen_for_long"],
            ),
        ),
        row(
            "process that dies in its sleep",
            "costs the environment its processes, not an invocation its answer",
            Same(&[
                "lib::lifecycle::tests::failures::process_that_dies_in_its_sleep_costs_no_invocation",
            ]),
        ),
        row(
            "`next` whose reader has gone meanwhile",
            "the event is given again",
            Same(&["lib::lifecycle::tests::order::event_whose_reader_hung_up_is_handed_out_again"]),
        ),
    ],
};

pub(crate) const SHUTDOWN: Section = Section {
    title: "Shutdown",
    rows: &[
        row(
            "no extension",
            "SIGKILL at once",
            Same(&[
                "lifecycle::without_extensions_the_runtime_is_killed_without_a_word",
                "lib::lifecycle::tests::order::without_extensions_the_runtime_is_all_there_is",
            ]),
        ),
        row(
            "internal extensions only",
            "SIGTERM, SIGKILL after 500 ms",
            Same(&[
                "lib::lifecycle::tests::calls::internal_extension_takes_part_like_an_external_one",
            ]),
        ),
        row(
            "external extensions",
            "SIGTERM to the runtime, SIGKILL after its share; then SHUTDOWN to extensions that want it, all over after 2 s",
            Same(&[
                "lifecycle::shutdown_ends_the_runtime_first_and_then_tells_the_extensions",
                "lib::lifecycle::tests::order::processes_that_do_not_end_are_killed_at_their_deadlines",
            ]),
        ),
        row(
            "the runtime's share",
            "300 ms in the documentation, 600 ms in the code",
            Differs(
                "300 ms, the stricter; `Sandbox::shutdown_timeout` sets another",
                &["snapshots::share_of_the_runtime_in_a_shutdown_is_a_setting"],
            ),
        ),
        row(
            "extension without SHUTDOWN",
            "SIGKILL at once",
            Same(&[
                "lib::lifecycle::tests::order::extension_that_does_not_want_shutdown_is_killed",
            ]),
        ),
        row(
            "reasons",
            "`spindown`, `timeout`, `failure`; the same order after each",
            Same(&["story::extensions::extension_hears_why_it_ends"]),
        ),
        row(
            "idle environments",
            "end after some minutes",
            Differs(
                "after five minutes, or `Sandbox::idle_timeout`",
                &["story::invocations::idle_environment_ends"],
            ),
        ),
    ],
};
