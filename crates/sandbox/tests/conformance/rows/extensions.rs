//! The Extensions API.

use crate::table::Here::{Differs, Same};
use crate::table::{Section, row};

const REASONS: &str = "extensions::registrations_are_refused_for_these_reasons";
const WHO: &str = "extensions::extension_must_say_who_it_is";

pub(crate) const REGISTER: Section = Section {
    title: "Extensions API: registration",
    rows: &[
        row(
            "`POST /2020-01-01/extension/register`",
            "200, `Lambda-Extension-Identifier`, name, version and handler of the function",
            Same(&["extensions::registration_tells_the_function_and_gives_an_identifier"]),
        ),
        row(
            "`Lambda-Extension-Accept-Feature: accountId`",
            "`accountId` in the answer",
            Same(&["extensions::account_is_told_to_whoever_accepts_it"]),
        ),
        row(
            "external and internal",
            "external is who has the name of a file in `/opt/extensions`; internal ones may not have SHUTDOWN",
            Same(&[
                "extensions::name_of_a_file_is_an_external_extension_and_any_other_an_internal_one",
                "lib::lifecycle::tests::calls::internal_extension_takes_part_like_an_external_one",
            ]),
        ),
        row(
            "`configurationKeys`",
            "403 `InvalidRequestFormat`",
            Same(&[REASONS]),
        ),
        row(
            "more than ten",
            "the eleventh registration gets 403",
            Same(&[REASONS]),
        ),
        row(
            "more than ten files",
            "the first ten are started, and then the init fails with `Extension.LaunchError`, `TooManyExtensions`",
            Same(&[
                "extensions::eleventh_file_is_one_too_many",
                "lib::lifecycle::tests::failures::eleventh_extension_is_too_many",
            ]),
        ),
        row(
            "`/opt/disable-extensions-jwigqn8j`",
            "no extension is started, and every path of this API answers 404",
            Same(&["story::layers::file_that_switches_extensions_off_does"]),
        ),
        row(
            "`/opt/extensions` of the layers",
            "every executable file in it",
            Differs(
                "those, and for every function what `Sandbox::extension` names",
                &[
                    "lib::code::layers::tests::extensions_are_the_files_in_their_folder",
                    "story::layers::extension_in_a_zip_layer_runs_and_sees_the_layers_below",
                ],
            ),
        ),
        row(
            "end of registration",
            "the runtime's first `next` or `restore/next`",
            Same(&[
                REASONS,
                "lib::lifecycle::tests::calls::registration_happens_once_and_closes_with_the_runtimes_init",
            ]),
        ),
    ],
};

pub(crate) const REFUSALS: Section = Section {
    title: "Extensions API: refusals, all with 403",
    rows: &[
        row(
            "`Extension.InvalidExtensionName`",
            "an empty name",
            Same(&[REASONS]),
        ),
        row(
            "`InvalidRequestFormat`",
            "a body of another form",
            Same(&[REASONS]),
        ),
        row(
            "`Extension.InvalidEventType`",
            "neither INVOKE nor SHUTDOWN, or SHUTDOWN of an internal one",
            Same(&[
                REASONS,
                "extensions::name_of_a_file_is_an_external_extension_and_any_other_an_internal_one",
            ]),
        ),
        row(
            "`Extension.RegistrationClosed`",
            "after the runtime's init",
            Same(&[REASONS]),
        ),
        row(
            "`Extension.InvalidExtensionState`",
            "a name for the second time, a call in a wrong state",
            Same(&[
                REASONS,
                "lib::lifecycle::tests::calls::init_error_comes_before_the_first_next_only",
            ]),
        ),
        row(
            "`Extension.TooManyExtensions`",
            "the limit is reached",
            Same(&[REASONS]),
        ),
        row(
            "`Extension.MissingExtensionIdentifier`",
            "no identifier",
            Same(&[WHO]),
        ),
        row(
            "`Extension.InvalidExtensionIdentifier`",
            "no UUID",
            Same(&[WHO]),
        ),
        row(
            "`Extension.UnknownExtensionIdentifier`",
            "nobody's",
            Same(&[WHO]),
        ),
        row(
            "`Extension.MissingHeader`",
            "an error without its type",
            Same(&["extensions::init_error_is_heard_once_and_ends_the_init"]),
        ),
    ],
};

pub(crate) const EVENTS: Section = Section {
    title: "Extensions API: events and errors",
    rows: &[
        row(
            "`GET …/event/next`",
            "waits; 200 with `Lambda-Extension-Event-Identifier`",
            Same(&["extensions::invoke_event_says_what_is_invoked_and_not_with_what"]),
        ),
        row(
            "INVOKE",
            "deadline, request id, ARN, tracing; no payload",
            Same(&["extensions::invoke_event_says_what_is_invoked_and_not_with_what"]),
        ),
        row(
            "INVOKE without a trace",
            "no `tracing`",
            Differs(
                "every invocation has a trace",
                &["extensions::invoke_event_says_what_is_invoked_and_not_with_what"],
            ),
        ),
        row(
            "SHUTDOWN",
            "`spindown`, `timeout` or `failure`, in lower case, and the deadline",
            Same(&[
                "extensions::shutdown_event_says_why_and_until_when",
                "lifecycle::extension_that_does_not_ask_again_makes_a_finished_invocation_time_out",
                "lifecycle::environment_starts_anew_inside_the_invocation_after_a_reset",
            ]),
        ),
        row(
            "`POST …/init/error`",
            "202 before the first `next`, and then no call succeeds; the init fails with `Extension.InitError`",
            Same(&["extensions::init_error_is_heard_once_and_ends_the_init"]),
        ),
        row(
            "`POST …/exit/error`",
            "202, and then no call succeeds; `Extension.ExitError`",
            Same(&["extensions::exit_error_is_heard_once_and_fails_the_invocation"]),
        ),
        row(
            "states in `platform.extension`",
            "Started, Registered, Ready, Running, InitError, ExitError, ShutdownFailed, Exited, LaunchError",
            Differs(
                "told at the end of each init; how extensions end is not told, since nobody is left to hear it",
                &[
                    "lifecycle::init_comes_in_this_order",
                    "lib::lifecycle::tests::calls::extension_that_reports_an_error_is_heard_once_and_then_not_at_all",
                ],
            ),
        ),
        row(
            "`LaunchError`",
            "`PermissionDenied`, `TooManyExtensions` or `UnknownError`",
            Same(&[
                "lib::lifecycle::tests::failures::extension_that_cannot_start_says_why",
                "lib::lifecycle::tests::failures::eleventh_extension_is_too_many",
            ]),
        ),
    ],
};
