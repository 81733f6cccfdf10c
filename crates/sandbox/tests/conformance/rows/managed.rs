//! Lambda Managed Instances.

use crate::table::Here::{Differs, Not, Same};
use crate::table::{Section, row};

pub(crate) const MANAGED: Section = Section {
    title: "Managed Instances",
    rows: &[
        row(
            "`next`",
            "up to `AWS_LAMBDA_MAX_CONCURRENCY` at once",
            Same(&[
                "managed::workers_of_one_environment_have_invocations_at_once",
                "lib::lifecycle::tests::managed::invocations_run_at_once_and_end_with_their_answers_in_any_order",
            ]),
        ),
        row(
            "end of the init",
            "when one worker has called `next`, and every extension",
            Same(&[
                "lib::lifecycle::tests::managed::init_is_over_when_one_worker_asks_and_nothing_freezes",
            ]),
        ),
        row(
            "time for the init",
            "15 minutes, and no second try",
            Same(&[
                "lib::lifecycle::tests::managed::init_has_a_quarter_of_an_hour_and_no_second_try",
            ]),
        ),
        row(
            "freeze",
            "never",
            Same(&[
                "managed::workers_of_one_environment_have_invocations_at_once",
                "lib::lifecycle::tests::managed::random::any_order_of_events_on_a_managed_instance_keeps_the_promises",
            ]),
        ),
        row(
            "events of extensions",
            "SHUTDOWN only: INVOKE is 403 `Extension.InvalidEventType`",
            Same(&["managed::extensions_may_register_for_shutdown_only"]),
        ),
        row(
            "internal extensions",
            "may register, for no event: 403 else",
            Same(&["managed::extensions_may_register_for_shutdown_only"]),
        ),
        row(
            "Telemetry API",
            "schema `2025-01-29`; older ones are 400",
            Same(&["managed::only_the_newest_schema_is_taken"]),
        ),
        row(
            "Logs API",
            "not there: 404",
            Same(&["managed::only_the_newest_schema_is_taken"]),
        ),
        row(
            "`platform.runtimeDone`",
            "not told",
            Same(&[
                "managed::report_has_the_duration_and_two_spans_and_there_is_no_runtime_done",
                "lib::lifecycle::tests::managed::runtime_done_is_never_told",
            ]),
        ),
        row(
            "`platform.report`",
            "`metrics.durationMs`, spans `responseLatency` and `responseDuration`; nothing billed, no memory",
            Same(&["managed::report_has_the_duration_and_two_spans_and_there_is_no_runtime_done"]),
        ),
        row(
            "its status after `/error`",
            "`error`, with the type that the runtime names",
            Same(&["lib::lifecycle::tests::managed::error_of_the_function_is_one_of_the_report"]),
        ),
        row(
            "`initializationType`",
            "`lambda-managed-instances`",
            Same(&["managed::report_has_the_duration_and_two_spans_and_there_is_no_runtime_done"]),
        ),
        row(
            "delivery of telemetry",
            "a status of 400 or more loses the batch, told as `platform.logsDropped`; no second try",
            Same(&["managed::batch_is_named_by_its_hash_and_sent_once"]),
        ),
        row(
            "a slow subscriber",
            "one batch on its way; what is full or due meanwhile is dropped and told",
            Same(&["managed::what_is_due_while_a_batch_is_on_its_way_is_dropped_and_told"]),
        ),
        row(
            "path of the destination",
            "left out by Lambda's own emulator",
            Differs(
                "used, as elsewhere",
                &["managed::batch_is_named_by_its_hash_and_sent_once"],
            ),
        ),
        row(
            "timeout",
            "the caller is told; the code goes on, its late answer is 410",
            Same(&[
                "managed::timeout_is_the_callers_and_the_code_goes_on",
                "lib::lifecycle::tests::managed::timeout_ends_the_invocation_alone_and_its_late_answer_is_gone",
            ]),
        ),
        row(
            "crash of the runtime",
            "ends all invocations and the environment; no second init in it",
            Same(&[
                "managed::crash_of_the_runtime_ends_all_invocations_and_the_environment",
                "lib::lifecycle::tests::managed::crash_ends_all_invocations_and_the_environment",
            ]),
        ),
        row(
            "memory used up",
            "`Runtime.OutOfMemory`",
            Same(&["lib::lifecycle::tests::managed::memory_that_is_used_up_has_a_name_of_its_own"]),
        ),
        row(
            "crash of an extension",
            "the same, `Extension.Crash`",
            Same(&[
                "managed::crash_of_an_extension_ends_the_environment",
                "lib::lifecycle::tests::managed::crash_of_an_extension_ends_the_environment",
            ]),
        ),
        row(
            "no free worker",
            "429",
            Differs(
                "a new environment up to the limit; 429 beyond it, and after a second in which no worker asks",
                &[
                    "managed::without_a_free_worker_calls_are_throttled",
                    "lib::lifecycle::tests::managed::invocation_without_a_free_worker_is_rejected_after_a_second",
                ],
            ),
        ),
        row(
            "environments that are always there",
            "3 unless told, ahead of all invocations; replaced when they end",
            Same(&["story::managed::environments_are_there_from_the_start_and_are_replaced"]),
        ),
        row(
            "shutdown",
            "600 ms for the runtime, up to 1 s to deliver telemetry, SHUTDOWN, all within 2 s",
            Same(&[
                "managed::shutdown_ends_the_runtime_flushes_and_then_tells_the_extensions",
                "lib::lifecycle::tests::managed::shutdown_flushes_between_the_runtime_and_the_extensions",
            ]),
        ),
        row(
            "shutdown without extensions",
            "SIGKILL at once",
            Same(&[
                "lib::lifecycle::tests::managed::without_extensions_the_runtime_is_killed_at_once",
            ]),
        ),
        row(
            "reasons of a shutdown",
            "`spindown`, `failure`",
            Same(&[
                "managed::shutdown_ends_the_runtime_flushes_and_then_tells_the_extensions",
                "lib::lifecycle::tests::managed::crash_ends_all_invocations_and_the_environment",
            ]),
        ),
        row(
            "`GetFunctionConfiguration`",
            "`CapacityProviderConfig`",
            Differs(
                "with a made-up capacity provider",
                &["story::managed::configuration_names_the_capacity_provider"],
            ),
        ),
        row(
            "invocations at once unless told",
            "8 (Rust), 16 (Python), 32 (Java), 64 (Node) for each core of 2 GiB or as told",
            Same(&["lib::application::tests::managed_instances_are_read_with_their_limits"]),
        ),
        row(
            "TCP destination whose connection has ended",
            "not connected again by Lambda's own emulator",
            Differs(
                "connected again for the next batch",
                &[
                    "lib::telemetry_api::hub::tests::connection_gets_lines_and_is_made_anew_when_it_ends",
                ],
            ),
        ),
        row(
            "`_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET`",
            "a socket for the log of each worker",
            Not("clients write to their standard output, a line of JSON for each message"),
        ),
        row(
            "`_X_AMZN_TRACE_ID`",
            "not set: the trace is in the headers of each event",
            Same(&["managed::workers_of_one_environment_have_invocations_at_once"]),
        ),
        row(
            "log format",
            "JSON only",
            Same(&[
                "lib::function::tests::managed_instances_ask_for_memory_a_json_log_and_workers",
            ]),
        ),
        row(
            "memory",
            "2,048 MB at least",
            Same(&[
                "managed::definition_asks_for_memory",
                "lib::application::tests::managed_instances_are_read_with_their_limits",
            ]),
        ),
        row(
            "invocations of more than 15 minutes",
            "newer versions of Lambda's core reconnect the caller",
            Differs(
                "its caller waits on one connection; the timeout is a day at most",
                &["story::managed::invocation_goes_on_beyond_a_quarter_of_an_hour"],
            ),
        ),
    ],
};
