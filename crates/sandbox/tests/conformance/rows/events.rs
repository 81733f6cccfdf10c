//! What the Telemetry API tells.

use crate::table::Here::{Differs, Same};
use crate::table::{Section, row};

const INIT: &str = "telemetry::events_of_the_init_say_this";
const INVOCATION: &str = "telemetry::events_of_an_invocation_say_this";
const RESTORE: &str = "snapshots::restore_next_ends_the_init_and_returns_with_the_first_invocation";
const STATUS: &str = "telemetry::timeout_crash_and_handled_error_have_these_statuses";

pub(crate) const EVENTS: Section = Section {
    title: "Telemetry API: events",
    rows: &[
        row(
            "`platform.initStart`",
            "type, phase, function, version, instance, memory in bytes",
            Same(&[INIT]),
        ),
        row(
            "its `runtimeVersion`, `runtimeVersionArn`",
            "of managed runtimes",
            Differs(
                "`nodejs:22.sandbox` and a made-up ARN",
                &["lib::log_tail::tests::platform_writes_these_lines"],
            ),
        ),
        row(
            "its `instanceId`, `instanceMaxMemory`, and `functionArn` of `platform.start`",
            "with schema `2025-01-29`",
            Differs("with every schema", &[INIT, INVOCATION]),
        ),
        row(
            "`platform.initRuntimeDone`",
            "type, phase, status, error type",
            Same(&[
                INIT,
                "lib::lifecycle::tests::failures::failed_init_gets_its_second_try_inside_the_invocation",
            ]),
        ),
        row(
            "`platform.initReport`",
            "the same and the duration",
            Same(&[INIT]),
        ),
        row(
            "`platform.start`",
            "request id, version, ARN, tracing",
            Same(&[INVOCATION]),
        ),
        row(
            "`platform.runtimeDone`",
            "status, tracing, spans, duration, bytes; error type",
            Same(&[INVOCATION, STATUS]),
        ),
        row(
            "`platform.report`",
            "status, metrics, spans, tracing; `initDurationMs` when cold",
            Same(&[INVOCATION]),
        ),
        row(
            "`tenantId`",
            "in the events of a tenant's invocations",
            Same(&["telemetry::tenant_is_told_in_the_events_of_its_invocations"]),
        ),
        row(
            "`platform.restoreStart`",
            "function, version, instance, memory",
            Same(&[RESTORE]),
        ),
        row(
            "`platform.restoreRuntimeDone`",
            "status, error type",
            Same(&[
                RESTORE,
                "lib::lifecycle::tests::snapshots::restore_that_fails_fails_the_invocation_and_the_next_one_comes_from_a_new_snapshot",
            ]),
        ),
        row(
            "`platform.restoreReport`",
            "status, duration, error type",
            Same(&[RESTORE]),
        ),
        row(
            "`platform.extension`",
            "name, state, events, error type",
            Same(&["lifecycle::init_comes_in_this_order"]),
        ),
        row(
            "`platform.telemetrySubscription`",
            "name, state, types",
            Same(&[INIT]),
        ),
        row(
            "`platform.logsDropped`",
            "records, bytes, reason",
            Same(&[
                "lib::telemetry_api::hub::tests::batch_that_is_never_taken_is_dropped_and_told",
            ]),
        ),
        row(
            "`platform.fault`, `platform.end`",
            "of the Logs API; not seen in captures of the Telemetry API",
            Differs(
                "told by the Logs API only",
                &[
                    "lib::telemetry_api::hub::tests::logs_api_tells_in_its_own_words_and_telemetry_hears_nothing_of_it",
                ],
            ),
        ),
        row(
            "`function`",
            "text; the end of the line as the runtime framed it",
            Differs(
                "a line of standard output comes without its end, a frame as it is",
                &[
                    "telemetry::lines_come_as_text_or_as_the_objects_that_they_are",
                    "lib::environment::output::tests::frame_is_one_message_whatever_is_in_it",
                ],
            ),
        ),
        row(
            "`function` with JSON logs",
            "an object from `2022-12-13` on",
            Same(&["telemetry::lines_come_as_text_or_as_the_objects_that_they_are"]),
        ),
        row(
            "`extension`",
            "text",
            Same(&["telemetry::lines_come_as_text_or_as_the_objects_that_they_are"]),
        ),
    ],
};

pub(crate) const METRICS: Section = Section {
    title: "Telemetry API: metrics and spans",
    rows: &[
        row(
            "duration of `platform.runtimeDone`",
            "from the event to the runtime's `next`",
            Same(&["lib::lifecycle::tests::order::init_invoke_and_freeze_come_in_lambdas_order"]),
        ),
        row(
            "duration of `platform.report`",
            "to the last `next` of the extensions",
            Same(&[
                "lib::lifecycle::tests::order::init_invoke_and_freeze_come_in_lambdas_order",
                INVOCATION,
            ]),
        ),
        row(
            "`responseLatency`, `responseDuration`, `runtimeOverhead`",
            "to the first byte, to the last, to `next`",
            Same(&[
                INVOCATION,
                "lib::lifecycle::tests::streams::stream_is_an_answer_from_its_first_byte_to_its_last",
            ]),
        ),
        row(
            "`extensionOverhead`",
            "from the runtime's `next` to the last of the extensions",
            Same(&[INVOCATION]),
        ),
        row(
            "`billedDurationMs`",
            "duration and init, rounded up",
            Same(&[
                INVOCATION,
                "lib::time::tests::billing_rounds_up_and_metrics_keep_microseconds",
            ]),
        ),
        row(
            "`restoreDurationMs`, `billedRestoreDurationMs`",
            "of a restore; the hooks are billed",
            Differs(
                "billed is all of the restore, which here is nothing but the hooks",
                &[RESTORE],
            ),
        ),
        row(
            "`maxMemoryUsedMB`",
            "the most that was used",
            Same(&["story::invocations::memory_is_the_most_that_was_used"]),
        ),
    ],
};

pub(crate) const STATUSES: Section = Section {
    title: "Telemetry API: statuses",
    rows: &[
        row("good", "`success` twice", Same(&[INVOCATION])),
        row(
            "the runtime posts an error",
            "`success`, no bytes",
            Same(&[STATUS]),
        ),
        row(
            "timeout",
            "`timeout` without an error type; billed to the limit",
            Same(&[
                STATUS,
                "lib::lifecycle::tests::failures::timeout_is_told_then_all_are_shut_down_then_the_caller_hears",
            ]),
        ),
        row(
            "runtime exits",
            "`error`, `Runtime.ExitError`",
            Same(&[STATUS]),
        ),
        row(
            "extension exits",
            "`error`, `Extension.Crash`",
            Same(&[
                "lib::lifecycle::tests::failures::crash_of_an_extension_is_the_invocations_even_with_exit_code_0",
            ]),
        ),
        row(
            "the platform fails",
            "`failure`, `Sandbox.…`",
            Same(&["lib::lifecycle::tests::snapshots::init_ahead_ends_with_the_environment"]),
        ),
    ],
};

pub(crate) const ORDER: Section = Section {
    title: "Telemetry API: order",
    rows: &[
        row(
            "late init",
            "before `platform.start` of its invocation, which comes even when it fails",
            Same(&[
                "lifecycle::environment_starts_anew_inside_the_invocation_after_a_reset",
                "lib::lifecycle::tests::failures::init_that_fails_twice_is_the_invocations_failure",
            ]),
        ),
        row(
            "within an environment",
            "init, start, lines, runtimeDone, report",
            Same(&[
                "lifecycle::invocation_comes_in_this_order",
                "story::extensions::extension_is_told_everything_and_the_report_late",
            ]),
        ),
        row(
            "`platform.report`",
            "with the next invocation or at shutdown",
            Same(&[
                "lifecycle::invocation_comes_in_this_order",
                "story::extensions::extension_is_told_everything_and_the_report_late",
            ]),
        ),
        row(
            "report after a crash or a timeout",
            "lost",
            Same(&[
                STATUS,
                "telemetry::report_of_a_crash_is_not_told_to_the_next_life_either",
            ]),
        ),
        row(
            "`platform.runtimeDone`",
            "before the extension's `next` if that waits for it",
            Same(&["lifecycle::invocation_comes_in_this_order"]),
        ),
        row(
            "spin-down",
            "no `platform.runtimeDone`",
            Same(&[
                "lib::lifecycle::tests::order::spin_down_ends_the_runtime_and_then_the_extensions",
            ]),
        ),
    ],
};
