//! The Runtime API.

use crate::table::Here::{Differs, Not, Same};
use crate::table::{Section, row};

pub(crate) const ENDPOINTS: Section = Section {
    title: "Runtime API: endpoints",
    rows: &[
        row(
            "`GET /2018-06-01/ping`",
            "200 `pong`, whoever asks",
            Same(&["runtime_api::ping_is_answered_whoever_asks"]),
        ),
        row(
            "`GET …/runtime/invocation/next`",
            "200 with the event; waits for it without an end; the first call ends the init",
            Same(&["runtime_api::next_waits_for_an_event_and_the_first_one_ends_the_init"]),
        ),
        row(
            "`next` again before the answer",
            "the same event again",
            Same(&[
                "lib::lifecycle::tests::calls::runtime_that_asks_again_gets_the_same_event_again",
            ]),
        ),
        row(
            "`POST …/invocation/{id}/response`",
            "202 `{\"status\":\"OK\"}`",
            Same(&["runtime_api::response_and_error_are_taken_with_202"]),
        ),
        row(
            "`POST …/invocation/{id}/error`",
            "202 `{\"status\":\"OK\"}`; the caller gets the body as it is",
            Same(&["runtime_api::response_and_error_are_taken_with_202"]),
        ),
        row(
            "`POST …/runtime/init/error`",
            "202 `{\"status\":\"OK\"}`; the runtime then exits",
            Same(&["runtime_api::init_error_is_taken_and_the_second_one_is_the_invocations"]),
        ),
        row(
            "`GET …/runtime/restore/next`",
            "with SnapStart: ends the init, the snapshot is taken, 200 when it is restored",
            Differs(
                "no process is copied: the one that was initialized is frozen and goes on",
                &[
                    "snapshots::restore_next_ends_the_init_and_returns_with_the_first_invocation",
                    "lib::lifecycle::tests::snapshots::snapshot_is_taken_at_restore_next_and_restored_for_the_first_invocation",
                ],
            ),
        ),
        row(
            "`POST …/runtime/restore/error`",
            "202; the restore has failed, and `Invoke` answers 400 `SnapStartException`",
            Same(&[
                "snapshots::restore_that_fails_is_told_and_fails_the_invocation",
                "snapshots::callers_by_the_aws_api_hear_that_the_restore_failed",
            ]),
        ),
        row(
            "a restore that takes more than 10 s",
            "fails; `Invoke` answers 408 `SnapStartTimeoutException`",
            Same(&[
                "snapshots::callers_by_the_aws_api_hear_that_the_restore_failed",
                "lib::lifecycle::tests::snapshots::restore_has_ten_seconds",
            ]),
        ),
        row(
            "`restore` paths without SnapStart",
            "404",
            Same(&["snapshots::without_snap_start_the_paths_are_not_there"]),
        ),
        row(
            "SnapStart, and the runtime asks `next` without `restore/next`",
            "restored without its help",
            Same(&["snapshots::runtime_that_never_asks_to_be_restored_works_too"]),
        ),
        row(
            "restore calls in a wrong state",
            "403 `InvalidStateTransition`",
            Same(&["lib::lifecycle::tests::snapshots::calls_of_the_restore_have_their_time"]),
        ),
        row(
            "after a crash with SnapStart",
            "a new environment from the snapshot",
            Differs(
                "a new init before the next invocation, and then its restore",
                &[
                    "lib::lifecycle::tests::snapshots::restore_that_fails_fails_the_invocation_and_the_next_one_comes_from_a_new_snapshot",
                ],
            ),
        ),
        row(
            "`GET /2021-04-23/credentials`",
            "with SnapStart 200 with the keys for the token in `Authorization`; 404 without it or without SnapStart",
            Same(&[
                "snapshots::keys_are_asked_for_with_the_token_from_the_variables",
                "snapshots::without_snap_start_the_paths_are_not_there",
            ]),
        ),
        row(
            "`GET /2026-01-15/metadata/execution-environment`",
            "200 `{\"AvailabilityZoneID\":…}` with the bearer token, 401 without, 405 for other methods",
            Same(&["runtime_api::metadata_needs_its_token_and_may_be_kept"]),
        ),
        row(
            "`Cache-Control` of the metadata",
            "`private, max-age=43200, immutable`; short before a restore",
            Differs(
                "before a restore `max-age=1`; Lambda's own number is not known",
                &[
                    "runtime_api::metadata_needs_its_token_and_may_be_kept",
                    "snapshots::metadata_is_kept_for_long_only_after_the_restore",
                ],
            ),
        ),
        row(
            "metadata not at hand",
            "500 or 503",
            Differs(
                "on demand, with the fault `fail-metadata`; otherwise it is always at hand",
                &["runtime_api::metadata_needs_its_token_and_may_be_kept"],
            ),
        ),
        row(
            "Managed Instances",
            "several invocations at once in one environment, `AWS_LAMBDA_MAX_CONCURRENCY`",
            Same(&["managed::workers_of_one_environment_have_invocations_at_once"]),
        ),
    ],
};

pub(crate) const HEADERS: Section = Section {
    title: "Runtime API: headers of an event",
    rows: &[
        row(
            "`Lambda-Runtime-Aws-Request-Id`",
            "a UUID; a retry of an asynchronous event keeps it",
            Same(&[
                "runtime_api::event_comes_with_these_headers_and_no_empty_ones",
                "story::front::failed_events_are_tried_again_with_their_id_and_then_given_up",
            ]),
        ),
        row(
            "`Lambda-Runtime-Deadline-Ms`",
            "milliseconds since the epoch",
            Same(&["runtime_api::event_comes_with_these_headers_and_no_empty_ones"]),
        ),
        row(
            "`Lambda-Runtime-Invoked-Function-Arn`",
            "with the qualifier that was asked for",
            Same(&[
                "runtime_api::event_comes_with_these_headers_and_no_empty_ones",
                "lib::front::lambda_api::tests::functions_are_found_by_every_form_of_their_name",
            ]),
        ),
        row(
            "`Lambda-Runtime-Trace-Id`",
            "`Root`, `Parent`, `Sampled`, and what else the caller sent",
            Same(&[
                "runtime_api::event_comes_with_these_headers_and_no_empty_ones",
                "lib::trace_header::tests::missing_fields_are_added_in_their_place",
            ]),
        ),
        row(
            "`Lambda-Runtime-Client-Context`",
            "JSON text, from base64",
            Same(&[
                "runtime_api::event_comes_with_these_headers_and_no_empty_ones",
                "lib::front::lambda_api::tests::client_context_is_base64_of_an_object",
            ]),
        ),
        row(
            "`Lambda-Runtime-Cognito-Identity`",
            "JSON text",
            Differs(
                "from Rust callers only: `Invoke` of the AWS API has no field for it",
                &["runtime_api::event_comes_with_these_headers_and_no_empty_ones"],
            ),
        ),
        row(
            "`Lambda-Runtime-Aws-Tenant-Id`",
            "`X-Amz-Tenant-Id` of the caller",
            Same(&[
                "runtime_api::event_comes_with_these_headers_and_no_empty_ones",
                "snapshots::tenants_do_not_share_environments",
            ]),
        ),
        row(
            "environments and tenants",
            "never shared",
            Same(&["snapshots::tenants_do_not_share_environments"]),
        ),
        row(
            "`Lambda-Runtime-Invocation-Id`",
            "a nonce of the attempt; sent back with the answer, or not at all",
            Same(&["runtime_api::invocation_id_is_a_new_one_for_each_attempt_and_may_be_left_out"]),
        ),
        row(
            "`Content-Type`",
            "`application/json`",
            Same(&["runtime_api::event_comes_with_these_headers_and_no_empty_ones"]),
        ),
        row(
            "headers without a value",
            "left out",
            Same(&["runtime_api::event_comes_with_these_headers_and_no_empty_ones"]),
        ),
    ],
};

pub(crate) const REFUSALS: Section = Section {
    title: "Runtime API: refusals",
    rows: &[
        row(
            "400 `InvalidRequestID`",
            "the id is not the running one",
            Same(&["runtime_api::answers_that_are_not_due_are_refused"]),
        ),
        row(
            "400 `InvalidFunctionResponseMode`",
            "a response mode that does not exist; the invocation fails with `Runtime.InvalidResponseModeHeader`",
            Same(&["runtime_api::response_mode_must_be_spelt_as_it_is"]),
        ),
        row(
            "400 `TruncatedHTTPRequest`",
            "the body is cut; the invocation fails with `Runtime.TruncatedResponse`",
            Same(&["lib::lifecycle::tests::calls::answers_of_the_runtime_are_judged"]),
        ),
        row(
            "403 `InvalidStateTransition`",
            "a second response, an init error after `next`",
            Same(&["runtime_api::answers_that_are_not_due_are_refused"]),
        ),
        row(
            "410 `InvokeTimeout`",
            "the answer of an attempt that timed out, or with the nonce of another",
            Same(&[
                "runtime_api::answer_after_the_timeout_is_gone",
                "runtime_api::invocation_id_is_a_new_one_for_each_attempt_and_may_be_left_out",
            ]),
        ),
        row(
            "413 `RequestEntityTooLarge`",
            "a response above 6 MiB and 100 bytes; the invocation fails with `Function.ResponseSizeTooLarge`",
            Same(&["runtime_api::response_above_the_limit_is_refused_and_fails_the_invocation"]),
        ),
        row(
            "500 `InternalServerError`",
            "the container is broken: exit",
            Differs(
                "only while the environment ends",
                &["lib::environment::listener::render::tests::replies_have_lambdas_form"],
            ),
        ),
    ],
};

pub(crate) const ERRORS: Section = Section {
    title: "Runtime API: errors and what the caller sees",
    rows: &[
        row(
            "`Lambda-Runtime-Function-Error-Type`",
            "kept if it is `Runtime.` or `Function.` and a name; otherwise `Function.Unknown` or `Runtime.Unknown`",
            Same(&[
                "runtime_api::error_types_that_are_none_become_unknown_ones",
                "lib::lifecycle::fault::tests::claimed_error_types_are_kept_or_made_unknown",
            ]),
        ),
        row(
            "`Lambda-Runtime-Function-XRay-Error-Cause`",
            "checked, compacted to 64 KiB and written to X-Ray",
            Differs(
                "the same, but told with the invocation (`--json`, `Finished`): there is no X-Ray here",
                &[
                    "runtime_api::cause_of_an_error_is_told_with_the_invocation_and_not_to_the_caller",
                    "lib::environment::listener::error_cause::tests::cause_is_kept_if_it_says_something_in_the_form_of_one",
                    "lib::environment::listener::error_cause::tests::what_is_too_long_is_cut_until_it_fits",
                ],
            ),
        ),
        row(
            "`Content-Type: application/vnd.aws.lambda.error.cause+json`",
            "the cause is in the body, and the caller gets message, type and stack alone; `\"Invalid error body\"` if it is no such body",
            Same(&[
                "runtime_api::cause_of_an_error_is_told_with_the_invocation_and_not_to_the_caller",
                "lib::environment::listener::error_cause::tests::cause_in_the_body_is_not_the_callers",
            ]),
        ),
        row(
            "`Lambda-Runtime-Features` and the user agent",
            "tell the platform which client it is",
            Not("nothing here needs to know; a recording has both"),
        ),
        row(
            "runtime exits with a code",
            "`Runtime.ExitError`, `RequestId: … Error: Runtime exited with error: exit status 1`",
            Same(&["runtime_api::runtime_that_ends_is_told_with_how_it_ended"]),
        ),
        row(
            "runtime exits with 0",
            "`… Runtime exited without providing a reason`",
            Same(&["runtime_api::runtime_that_ends_is_told_with_how_it_ended"]),
        ),
        row(
            "runtime is killed",
            "`… signal: killed`",
            Same(&["runtime_api::runtime_that_ends_is_told_with_how_it_ended"]),
        ),
        row(
            "extension exits",
            "`Extension.Crash`, `exit code 0` or how it ended",
            Same(&["lifecycle::extension_that_ends_is_a_crash_whatever_its_code"]),
        ),
        row(
            "extension reports an error",
            "`Extension.InitError`, `Extension.ExitError`",
            Same(&[
                "extensions::init_error_is_heard_once_and_ends_the_init",
                "extensions::exit_error_is_heard_once_and_fails_the_invocation",
            ]),
        ),
        row(
            "program that cannot start",
            "`Runtime.InvalidEntrypoint`, `Extension.LaunchError`",
            Same(&[
                "lib::lifecycle::tests::failures::program_that_cannot_start_is_named",
                "lib::lifecycle::tests::failures::extension_that_cannot_start_says_why",
            ]),
        ),
        row(
            "timeout",
            "`Sandbox.Timedout`, `RequestId: … Error: Task timed out after 3.00 seconds`",
            Same(&[
                "runtime_api::answer_after_the_timeout_is_gone",
                "story::time::fifteen_minutes_are_over_in_milliseconds",
            ]),
        ),
        row(
            "the platform fails",
            "`Sandbox.Failure`",
            Same(&["lib::lifecycle::tests::snapshots::init_ahead_ends_with_the_environment"]),
        ),
        row(
            "`Invoke`",
            "200, `X-Amz-Function-Error: Unhandled`, the error as JSON",
            Same(&["story::front::aws_api_answers_as_lambda_does"]),
        ),
        row(
            "`InvokeWithResponseStream`",
            "`InvokeComplete` with `ErrorCode` and `ErrorDetails`: `Unhandled` and the error before the answer has begun",
            Same(&["story::streaming::aws_api_gets_chunks_as_they_are_made_and_then_how_it_ended"]),
        ),
        row(
            "a failure in the middle of a stream",
            "`ErrorCode` and `ErrorDetails` are what the runtime's trailers say; without them `Runtime.TruncatedResponse` (also after a crash), `Function.ResponseSizeTooLarge` or `Sandbox.Timeout`, and no details",
            Same(&["story::streaming::failures_in_the_middle_are_told_at_the_end"]),
        ),
        row(
            "`Runtime.InvalidWorkingDir`, `Runtime.InvalidTaskConfig`",
            "settings of container images",
            Not("there are no images here"),
        ),
    ],
};

pub(crate) const STREAMING: Section = Section {
    title: "Runtime API: streamed responses",
    rows: &[
        row(
            "`Lambda-Runtime-Function-Response-Mode: streaming`",
            "spelt exactly so",
            Same(&[
                "runtime_api::response_mode_must_be_spelt_as_it_is",
                "story::streaming::aws_api_gets_chunks_as_they_are_made_and_then_how_it_ended",
            ]),
        ),
        row(
            "trailers `…-Error-Type`, `…-Error-Body`",
            "a failure in the middle",
            Same(&["story::streaming::failures_in_the_middle_are_told_at_the_end"]),
        ),
        row(
            "`application/vnd.awslambda.http-integration-response`",
            "a JSON head, eight NUL bytes, the body",
            Same(&[
                "story::streaming::function_url_gets_head_and_chunks_as_they_are_made",
                "lib::front::function_url::prelude::tests::head_is_found_wherever_chunks_are_cut",
            ]),
        ),
        row(
            "bandwidth",
            "6 MiB at once, then 2 MiB per second",
            Same(&[
                "lib::environment::bandwidth::tests::first_six_mebibytes_pass_at_once_and_the_rest_at_two_per_second",
                "story::streaming::what_is_beyond_six_mebibytes_is_slowed_down",
            ]),
        ),
        row(
            "size",
            "at most 200 MiB",
            Same(&["lib::lifecycle::tests::streams::stream_that_is_too_long_or_too_slow_fails"]),
        ),
        row(
            "caller that leaves",
            "the function goes on and is billed",
            Same(&["story::streaming::function_is_not_stopped_when_the_caller_leaves"]),
        ),
        row(
            "end of the invocation",
            "`platform.runtimeDone` still comes with `next`",
            Same(&[
                "lib::lifecycle::tests::streams::stream_is_an_answer_from_its_first_byte_to_its_last",
            ]),
        ),
    ],
};

pub(crate) const LOGS: Section = Section {
    title: "Logs of the function",
    rows: &[
        row(
            "`_LAMBDA_TELEMETRY_LOG_FD`",
            "one frame is one event, whatever is in it",
            Same(&["lib::environment::output::tests::frame_is_one_message_whatever_is_in_it"]),
        ),
        row(
            "standard output and error",
            "a line is an event",
            Same(&[
                "lib::environment::output::tests::lines_end_at_line_feeds_and_at_the_end",
                "telemetry::lines_come_as_text_or_as_the_objects_that_they_are",
            ]),
        ),
        row(
            "a very long line",
            "comes in pieces",
            Same(&["lib::environment::output::tests::endless_line_comes_in_pieces"]),
        ),
        row(
            "`X-Amz-Log-Result`, text",
            "`INIT_START`, `INIT_REPORT`, `START`, `END`, `REPORT`, `XRAY TraceId`; the last 4 KiB",
            Same(&[
                "lib::log_tail::tests::platform_writes_these_lines",
                "lib::log_tail::tests::long_log_keeps_its_end",
            ]),
        ),
        row(
            "`X-Amz-Log-Result`, JSON",
            "the platform's events of the system log level",
            Same(&[
                "lib::log_tail::tests::json_log_has_events_of_its_level_for_lines",
                "lib::logging::tests::platform_events_have_lambdas_levels",
            ]),
        ),
        row(
            "version of a managed runtime",
            "`nodejs:22.v9` and its ARN",
            Differs(
                "`nodejs:22.sandbox`: whatever is installed",
                &["lib::log_tail::tests::platform_writes_these_lines"],
            ),
        ),
    ],
};

pub(crate) const TRACES: Section = Section {
    title: "Trace context",
    rows: &[
        row(
            "`_X_AMZN_TRACE_ID`",
            "set by the runtime for each invocation, not by the platform",
            Same(&["variables::runtime_alone_gets_these"]),
        ),
        row(
            "`Lineage`",
            "kept; loops are stopped after about 16 hops",
            Differs(
                "kept; counted on hops that the sandbox itself makes",
                &[
                    "runtime_api::event_comes_with_these_headers_and_no_empty_ones",
                    "lib::trace_header::tests::loop_is_stopped_after_sixteen_hops_to_one_function",
                ],
            ),
        ),
        row(
            "W3C context in the client context",
            "passed on as it is",
            Same(&["runtime_api::event_comes_with_these_headers_and_no_empty_ones"]),
        ),
    ],
};
