//! The Telemetry API and the Logs API.

use crate::table::Here::{Differs, Same};
use crate::table::{Section, row};

const WRONG: &str = "telemetry::subscription_that_is_wrong_is_told_all_that_is_wrong";
const FIELDS: &str =
    "lib::lifecycle::subscription::tests::whole_subscription_is_read_and_defaults_fill_the_rest";

pub(crate) const SUBSCRIBE: Section = Section {
    title: "Telemetry API: subscription",
    rows: &[
        row(
            "`PUT /2022-07-01/telemetry`",
            "200 `\"OK\"`",
            Same(&["telemetry::subscription_is_ok_in_all_three_schemas"]),
        ),
        row(
            "`schemaVersion`",
            "`2022-07-01`, `2022-12-13` and `2025-01-29`; on Managed Instances the last only",
            Same(&[
                "telemetry::subscription_is_ok_in_all_three_schemas",
                "managed::only_the_newest_schema_is_taken",
            ]),
        ),
        row(
            "`types`",
            "at least one of platform, function, extension",
            Same(&[
                WRONG,
                "lib::telemetry_api::hub::tests::late_subscriber_gets_what_was_told_before_and_only_what_it_wants",
            ]),
        ),
        row(
            "`maxItems`",
            "1,000 to 10,000; 10,000 unless told (one page says 1,000)",
            Same(&[WRONG, FIELDS]),
        ),
        row(
            "`maxBytes`",
            "262,144 to 1,048,576; 262,144 unless told",
            Same(&[WRONG, FIELDS]),
        ),
        row(
            "`timeoutMs`",
            "25 to 30,000; 1,000 unless told",
            Same(&[WRONG, FIELDS]),
        ),
        row(
            "HTTP destination",
            "`http://sandbox.localdomain:PORT/…` or `http://sandbox:…`, no HTTPS",
            Same(&[
                WRONG,
                "lib::lifecycle::subscription::tests::destination_stays_inside_the_environment",
            ]),
        ),
        row(
            "port 9001",
            "reserved",
            Differs("free: the Runtime API is elsewhere", &[FIELDS]),
        ),
        row(
            "TCP destination",
            "a line of JSON for each event",
            Same(&[
                "story::telemetry::connection_gets_everything_to_the_last_report",
                "lib::telemetry_api::hub::tests::connection_gets_lines_and_is_made_anew_when_it_ends",
            ]),
        ),
        row(
            "400 `ValidationError`",
            "all that is wrong in one line",
            Same(&[WRONG]),
        ),
        row(
            "403 `Telemetry.SubscriptionClosed`",
            "after the init",
            Same(&["telemetry::subscription_needs_a_registration_and_closes_with_the_init"]),
        ),
        row(
            "202 `Telemetry.NotSupported`",
            "of emulators without telemetry",
            Differs(
                "on demand, with `Sandbox::without_telemetry`",
                &["telemetry::sandbox_without_telemetry_says_so_with_202"],
            ),
        ),
        row(
            "second subscription of an extension",
            "replaces the first",
            Same(&["lib::telemetry_api::hub::tests::second_subscription_replaces_the_first"]),
        ),
    ],
};

pub(crate) const DELIVERY: Section = Section {
    title: "Telemetry API: delivery",
    rows: &[
        row(
            "form",
            "POST, `application/json`, an array of `{\"time\",\"type\",\"record\"}`",
            Same(&["telemetry::batches_are_posts_of_arrays_to_the_path_that_was_given"]),
        ),
        row(
            "`Sequence-Id`",
            "of Managed Instances only",
            Same(&["managed::batch_is_named_by_its_hash_and_sent_once"]),
        ),
        row(
            "a batch goes",
            "at `maxItems`, `maxBytes` or `timeoutMs`, and when the environment ends",
            Same(&[
                "lib::telemetry_api::queue::tests::batch_is_due_by_time_count_or_size",
                "lib::telemetry_api::queue::tests::flush_makes_due_what_is_there_and_nothing_else",
            ]),
        ),
        row(
            "late subscriber",
            "hears of the init from its start",
            Same(&["telemetry::late_subscriber_hears_of_the_init_from_its_start"]),
        ),
        row(
            "no listener, or an answer that is not 2xx",
            "tried again after a while, with what came since",
            Same(&[
                "telemetry::delivery_that_fails_is_tried_again",
                "lib::telemetry_api::hub::tests::refused_batch_goes_again_with_what_came_since",
                "lib::telemetry_api::hub::tests::refused_connection_is_tried_again_and_then_told",
            ]),
        ),
        row(
            "how often",
            "not known",
            Differs(
                "five times, then dropped and counted",
                &[
                    "lib::telemetry_api::queue::tests::event_is_given_up_after_five_attempts_and_younger_ones_are_not",
                ],
            ),
        ),
        row(
            "slow subscriber",
            "lines are dropped, and `platform.logsDropped` says how many",
            Same(&[
                "lib::telemetry_api::queue::tests::full_queue_drops_logs_before_platform_events_and_tells_so",
            ]),
        ),
        row(
            "record above `maxBytes`",
            "cut inside its value and continued in the next POST",
            Same(&[
                "lib::telemetry_api::hub::tests::record_above_the_limit_comes_in_two_posts",
                "lib::telemetry_api::event::tests::cut_repeats_the_envelope_and_loses_nothing",
            ]),
        ),
        row(
            "`time`",
            "ISO 8601, UTC, milliseconds; when it was told",
            Same(&[
                "telemetry::batches_are_posts_of_arrays_to_the_path_that_was_given",
                "lib::time::tests::times_print_as_iso_8601",
            ]),
        ),
        row(
            "durations",
            "milliseconds with three decimals",
            Same(&["lib::time::tests::billing_rounds_up_and_metrics_keep_microseconds"]),
        ),
    ],
};

const OLD: &str = "logs_api::logs_api_tells_the_same_in_older_words";
const FORMS: &str = "lib::telemetry_api::logs::tests::events_have_the_form_of_their_time";

pub(crate) const LOGS_API: Section = Section {
    title: "Logs API (before the Telemetry API)",
    rows: &[
        row(
            "`PUT /2020-08-15/logs`",
            "200 `\"OK\"`; the same types, buffering and destinations",
            Same(&[OLD]),
        ),
        row(
            "`schemaVersion`",
            "`2020-08-15` or `2021-03-18`",
            Same(&[
                "lib::lifecycle::subscription::tests::logs_api_has_its_own_versions_and_a_method",
            ]),
        ),
        row(
            "`destination.method`",
            "deliveries as POST or PUT",
            Same(&[OLD]),
        ),
        row(
            "beside the Telemetry API",
            "an extension has one of them; the other is an error",
            Differs(
                "400 `ValidationError`; Lambda's own words are not known",
                &[
                    OLD,
                    "lib::lifecycle::tests::calls::extension_uses_one_of_the_two_apis_for_its_telemetry",
                ],
            ),
        ),
        row(
            "after the init",
            "refused",
            Same(&["telemetry::subscription_needs_a_registration_and_closes_with_the_init"]),
        ),
        row(
            "where there is none",
            "202 `Logs.NotSupported`",
            Same(&["telemetry::sandbox_without_telemetry_says_so_with_202"]),
        ),
        row(
            "`platform.start`, `platform.end`, `platform.report`",
            "of each invocation, the report without status and spans",
            Same(&[OLD, FORMS]),
        ),
        row(
            "`platform.runtimeDone`",
            "from `2021-03-18` on: `success`, `failure` or `timeout`",
            Same(&[
                OLD,
                "lib::telemetry_api::hub::tests::logs_api_tells_in_its_own_words_and_telemetry_hears_nothing_of_it",
            ]),
        ),
        row(
            "`platform.fault`",
            "`RequestId: … Process exited before completing request`",
            Same(&[
                "logs_api::crash_is_a_fault_to_the_logs_api_and_a_timeout_is_not",
                FORMS,
            ]),
        ),
        row(
            "`platform.extension`, `platform.logsSubscription`",
            "as with the Telemetry API",
            Same(&[OLD]),
        ),
        row(
            "`platform.logsDropped`",
            "what was too much",
            Same(&[
                "lib::telemetry_api::queue::tests::full_queue_drops_logs_before_platform_events_and_tells_so",
            ]),
        ),
        row(
            "`function`, `extension`",
            "text, with JSON logs too",
            Same(&[
                OLD,
                "lib::telemetry_api::hub::tests::json_lines_are_objects_for_those_who_know_them",
            ]),
        ),
    ],
};
