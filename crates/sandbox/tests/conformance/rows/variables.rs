//! Variables and the start of processes.

use crate::table::Here::{Differs, Same};
use crate::table::{Section, row};

const BOTH: &str = "variables::both_kinds_of_process_get_these";
const RUNTIME: &str = "variables::runtime_alone_gets_these";
const CUSTOMER: &str = "variables::variables_of_the_customer_do_not_begin_with_an_underscore";
const EACH: &str = "lib::environment::variables::tests::each_kind_of_process_gets_its_own";

pub(crate) const VARIABLES: Section = Section {
    title: "Environment variables",
    rows: &[
        row(
            "order",
            "the customer's, the platform's unreserved ones, credentials, the runtime's, the platform's; later ones win",
            Same(&[BOTH, CUSTOMER]),
        ),
        row(
            "the customer's that begin with `_`",
            "dropped, but for four",
            Same(&[CUSTOMER]),
        ),
        row(
            "the customer's, 4 KB in all",
            "refused above",
            Differs(
                "refused in `throughline.toml`; Rust code may set more",
                &["lib::application::tests::environment_variables_have_an_end"],
            ),
        ),
        row(
            "`AWS_LAMBDA_RUNTIME_API`",
            "`host:port`, for both",
            Same(&[BOTH]),
        ),
        row(
            "`AWS_LAMBDA_FUNCTION_NAME`, `_MEMORY_SIZE`, `_VERSION`",
            "for both",
            Same(&[BOTH]),
        ),
        row(
            "`AWS_REGION`, `AWS_DEFAULT_REGION`",
            "for both",
            Same(&[BOTH]),
        ),
        row(
            "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`",
            "for both",
            Same(&[BOTH]),
        ),
        row(
            "the same with SnapStart",
            "`AWS_CONTAINER_CREDENTIALS_FULL_URI` and `AWS_CONTAINER_AUTHORIZATION_TOKEN` instead",
            Same(&[
                "snapshots::keys_are_asked_for_with_the_token_from_the_variables",
                "lib::environment::variables::tests::what_comes_from_a_snapshot_asks_for_its_keys_and_has_no_log_stream",
            ]),
        ),
        row(
            "`AWS_LAMBDA_INITIALIZATION_TYPE`",
            "`on-demand`, `provisioned-concurrency`, `snap-start`, `lambda-managed-instances`",
            Same(&[
                BOTH,
                "snapshots::log_stream_is_not_known_before_the_restore",
            ]),
        ),
        row(
            "`AWS_LAMBDA_LOG_FORMAT`, `AWS_LAMBDA_LOG_LEVEL`",
            "the level with JSON only",
            Same(&["variables::level_of_the_log_is_told_with_the_json_format"]),
        ),
        row(
            "`AWS_LAMBDA_METADATA_API`, `AWS_LAMBDA_METADATA_TOKEN`",
            "for both",
            Same(&[BOTH]),
        ),
        row("`TZ`", "`:UTC`", Same(&[BOTH])),
        row("`LANG`", "`en_US.UTF-8`", Same(&[BOTH])),
        row(
            "`PATH`, `LD_LIBRARY_PATH`",
            "Lambda's own",
            Differs(
                "the machine's, since its programs are elsewhere",
                &[BOTH, EACH],
            ),
        ),
        row("the customer's own", "for both", Same(&[BOTH, EACH])),
        row("`_HANDLER`", "for the runtime", Same(&[RUNTIME])),
        row(
            "`AWS_EXECUTION_ENV`",
            "for the runtime; not for `provided.*`",
            Same(&[
                RUNTIME,
                "lib::environment::variables::tests::only_managed_runtimes_say_what_they_are",
            ]),
        ),
        row(
            "`AWS_LAMBDA_LOG_GROUP_NAME`, `AWS_LAMBDA_LOG_STREAM_NAME`",
            "for the runtime; not with SnapStart",
            Same(&[
                RUNTIME,
                "snapshots::log_stream_is_not_known_before_the_restore",
            ]),
        ),
        row(
            "`LAMBDA_TASK_ROOT`, `LAMBDA_RUNTIME_DIR`",
            "for the runtime",
            Same(&[RUNTIME]),
        ),
        row(
            "`AWS_XRAY_DAEMON_ADDRESS`, `AWS_XRAY_CONTEXT_MISSING`, `_AWS_XRAY_DAEMON_ADDRESS`, `_PORT`",
            "for the runtime; `169.254.100.1:2000`",
            Differs("at `127.0.0.1:2000`", &[RUNTIME]),
        ),
        row(
            "`_LAMBDA_TELEMETRY_LOG_FD`",
            "for the runtime",
            Differs(
                "for managed runtimes only",
                &["lib::environment::output::tests::frame_is_one_message_whatever_is_in_it"],
            ),
        ),
        row(
            "`AWS_LAMBDA_MAX_CONCURRENCY`",
            "with Managed Instances",
            Same(&["managed::workers_of_one_environment_have_invocations_at_once"]),
        ),
        row(
            "`NODE_PATH`, `PYTHONPATH`",
            "for language runtimes",
            Same(&[EACH]),
        ),
        row(
            "`AWS_LAMBDA_EXEC_WRAPPER`",
            "managed runtimes start through it",
            Same(&[
                "lib::code::command::tests::wrapper_gets_the_command_as_its_arguments",
                "lib::code::command::tests::only_managed_runtimes_are_wrapped",
            ]),
        ),
        row(
            "what an extension gets",
            "the customer's, credentials and the platform's, nothing that begins with `_`, no `AWS_XRAY_CONTEXT_MISSING`",
            Same(&[RUNTIME, CUSTOMER, EACH]),
        ),
    ],
};

pub(crate) const START: Section = Section {
    title: "Start of processes",
    rows: &[
        row(
            "`bootstrap`",
            "looked for in `/var/runtime`, `/var/task`, `/opt`",
            Same(&["lib::code::command::tests::the_nearest_program_is_taken"]),
        ),
        row(
            "working directory",
            "`/var/task`",
            Same(&[
                "variables::processes_have_groups_of_their_own_and_the_runtime_stands_in_its_code",
            ]),
        ),
        row(
            "an environment's own world",
            "its own loopback, `/var/task`, `/opt` and `/tmp`",
            Differs(
                "the same where the machine allows it; elsewhere ports and folders of the machine, told by variables",
                &[
                    "story::world::two_environments_listen_on_the_same_ports",
                    "story::world::folders_are_those_of_lambda_and_survive_a_reset",
                    "story::world::which_world_it_is_can_be_asked",
                ],
            ),
        ),
        row(
            "process groups",
            "one for each process",
            Same(&[
                "variables::processes_have_groups_of_their_own_and_the_runtime_stands_in_its_code",
            ]),
        ),
    ],
};
