use expect_test::{Expect, expect};

use super::*;

/// Runs a story: one step a line, `@millis what`, and shows what came of each.
fn check(story: &str, expected: Expect) {
    let mut state = State::AwaitSubscribed {
        flush_max: FLUSH_MAX,
    };
    let mut shown = String::new();
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, what) = line
            .strip_prefix('@')
            .and_then(|line| line.split_once(' '))
            .expect("@ms what");
        let now = UnixNanos::from_millis(at.parse().expect("milliseconds"));
        let mut effects = Effects::new();
        state = state.step(happened(what), now, &mut effects);
        let effects: Vec<String> = effects.iter().map(shown_effect).collect();
        shown += &format!("{line:32} {:28} {}\n", name(&state), effects.join(", "));
    }
    let trimmed: Vec<&str> = shown.lines().map(str::trim_end).collect();
    expected.assert_eq(&format!("{}\n", trimmed.join("\n")));
}

fn shown_effect(effect: &Effect) -> String {
    match effect {
        Effect::Flush { .. } => "Flush".to_owned(),
        Effect::LastFlush { .. } => "LastFlush".to_owned(),
        other => format!("{other:?}"),
    }
}

fn happened(what: &str) -> Happened {
    let words: Vec<&str> = what.split(' ').collect();
    let millis = |at: usize| UnixNanos::from_millis(words[at].parse().expect("milliseconds"));
    match words[0] {
        "telemetry" => Happened::Subscribed(Telemetry::On),
        "no-telemetry" => Happened::Subscribed(Telemetry::Off),
        "nowhere-to-send" => Happened::Subscribed(Telemetry::Idle),
        "invoke" | "invoke-ahead" => Happened::Invoked {
            request_id: words[1].into(),
            deadline: millis(2),
            pace: match words[0] {
                "invoke" => Pace::AtEnd,
                _ => Pace::Ahead,
            },
        },
        // Told at once, unless it says when it was.
        "done" => Happened::RuntimeDone {
            request_id: words[1].into(),
            ended: match words.get(2) {
                Some(_) => millis(2),
                None => UnixNanos(u64::MAX),
            },
        },
        "signal" => Happened::Signalled {
            request_id: words.get(1).map(|id| (*id).to_owned()),
        },
        "report" => Happened::Reported {
            request_id: words[1].into(),
        },
        "flushed" => Happened::Flushed,
        "shutdown" => Happened::ShutDown {
            deadline: millis(1),
        },
        "tick" => Happened::Tick,
        other => panic!("{other}"),
    }
}

fn name(state: &State) -> String {
    let name = match state {
        State::AwaitSubscribed { .. } => "AwaitSubscribed",
        State::AwaitInvoke(_) => "AwaitInvoke",
        State::AwaitRuntimeDone(_) => "AwaitRuntimeDone",
        State::AwaitFlush(_) => "AwaitFlush",
        State::AwaitReport(_) => "AwaitReport",
        State::AwaitLastFlush(_) => "AwaitLastFlush",
        State::Done => "Done",
    };
    match state.wakes_at() {
        Some(until) => format!("{name} until {}", until.0 / 1_000_000),
        None => name.to_owned(),
    }
}

#[test]
fn two_invocations_and_the_end() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @60 done a
         @63 flushed
         @500 invoke b 3500
         @501 report a
         @520 done b
         @523 flushed
         @9000 shutdown 11000
         @9005 report b
         @9020 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @60 done a                       AwaitFlush until 108         Flush
            @63 flushed                      AwaitInvoke                  Next
            @500 invoke b 3500               AwaitRuntimeDone until 3250
            @501 report a                    AwaitRuntimeDone until 3250
            @520 done b                      AwaitFlush until 568         Flush
            @523 flushed                     AwaitInvoke                  Next
            @9000 shutdown 11000             AwaitReport until 9100       Deliver
            @9005 report b                   AwaitLastFlush until 10405   LastFlush
            @9020 flushed                    Done                         Exit
        "#]],
    );
}

#[test]
fn a_dead_server_costs_one_bounded_wait() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @60 done a
         @107 tick
         @108 tick
         @500 invoke b 3500
         @520 done b
         @520 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @60 done a                       AwaitFlush until 108         Flush
            @107 tick                        AwaitFlush until 108
            @108 tick                        AwaitInvoke                  GiveUpFlush, Next
            @500 invoke b 3500               AwaitRuntimeDone until 3250
            @520 done b                      AwaitFlush until 568         Flush
            @520 flushed                     AwaitInvoke                  Next
        "#]],
    );
}

#[test]
fn a_timeout() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @2760 tick
         @2762 flushed
         @3012 done a
         @3014 shutdown 5014
         @3015 done a
         @3020 report a
         @3030 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @2760 tick                       AwaitFlush until 2808        Flush
            @2762 flushed                    AwaitInvoke                  Next
            @3012 done a                     AwaitInvoke                  Deliver
            @3014 shutdown 5014              AwaitReport until 3114       Deliver
            @3015 done a                     AwaitReport until 3114
            @3020 report a                   AwaitLastFlush until 4420    LastFlush
            @3030 flushed                    Done                         Exit
        "#]],
    );
}

#[test]
fn a_crash_whose_report_is_lost() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @30 done a
         @33 flushed
         @40 shutdown 2040
         @140 tick
         @1540 tick",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @30 done a                       AwaitFlush until 78          Flush
            @33 flushed                      AwaitInvoke                  Next
            @40 shutdown 2040                AwaitReport until 140        Deliver
            @140 tick                        AwaitLastFlush until 1540    LastFlush
            @1540 tick                       Done                         Exit
        "#]],
    );
}

#[test]
fn a_late_report_of_an_older_invocation_ends_nothing() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @20 done a
         @21 flushed
         @500 invoke b 3500
         @510 report a
         @511 done a
         @520 done b
         @521 report a
         @522 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @20 done a                       AwaitFlush until 68          Flush
            @21 flushed                      AwaitInvoke                  Next
            @500 invoke b 3500               AwaitRuntimeDone until 3250
            @510 report a                    AwaitRuntimeDone until 3250
            @511 done a                      AwaitRuntimeDone until 3250
            @520 done b                      AwaitFlush until 568         Flush
            @521 report a                    AwaitFlush until 568
            @522 flushed                     AwaitInvoke                  Next
        "#]],
    );
}

#[test]
fn telemetry_is_missing() {
    check(
        "@0 no-telemetry
         @10 invoke a 3010
         @34 tick
         @35 tick
         @36 flushed
         @9000 shutdown 11000
         @9001 flushed",
        expect![[r#"
            @0 no-telemetry                  AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 35
            @34 tick                         AwaitRuntimeDone until 35
            @35 tick                         AwaitFlush until 83          Flush
            @36 flushed                      AwaitInvoke                  Next
            @9000 shutdown 11000             AwaitLastFlush until 10400   LastFlush
            @9001 flushed                    Done                         Exit
        "#]],
    );
}

#[test]
fn there_is_nowhere_to_send_to() {
    check(
        "@0 nowhere-to-send
         @10 invoke a 3010
         @10 tick
         @10 flushed
         @9000 shutdown 11000
         @9000 flushed",
        expect![[r#"
            @0 nowhere-to-send               AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 10
            @10 tick                         AwaitFlush until 58          Flush
            @10 flushed                      AwaitInvoke                  Next
            @9000 shutdown 11000             AwaitLastFlush until 10400   LastFlush
            @9000 flushed                    Done                         Exit
        "#]],
    );
}

#[test]
fn runtime_done_overtakes_invoke() {
    check(
        "@0 telemetry
         @10 done a
         @11 invoke a 3010
         @12 flushed
         @20 invoke b 3020
         @30 report b
         @31 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 done a                       AwaitInvoke
            @11 invoke a 3010                AwaitFlush until 59          Flush
            @12 flushed                      AwaitInvoke                  Next
            @20 invoke b 3020                AwaitRuntimeDone until 2770
            @30 report b                     AwaitFlush until 78          Flush
            @31 flushed                      AwaitInvoke                  Next
        "#]],
    );
}

#[test]
fn shutdown_in_the_middle_of_everything() {
    check(
        "@0 shutdown 2000\n@1 flushed",
        expect![[r#"
        @0 shutdown 2000                 AwaitLastFlush until 1400    LastFlush
        @1 flushed                       Done                         Exit
    "#]],
    );
    check(
        "@0 telemetry
         @10 invoke a 3010
         @20 shutdown 2020
         @21 shutdown 2020
         @25 done a
         @26 report a
         @30 flushed
         @31 tick",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @20 shutdown 2020                AwaitReport until 120        Deliver
            @21 shutdown 2020                AwaitReport until 120
            @25 done a                       AwaitReport until 120
            @26 report a                     AwaitLastFlush until 1426    LastFlush
            @30 flushed                      Done                         Exit
            @31 tick                         Done
        "#]],
    );
    check(
        "@0 telemetry
         @10 invoke a 3010
         @15 done a
         @20 shutdown 2020
         @30 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @15 done a                       AwaitFlush until 63          Flush
            @20 shutdown 2020                AwaitLastFlush until 1420    LastFlush
            @30 flushed                      Done                         Exit
        "#]],
    );
    check(
        "@0 no-telemetry\n@10 invoke a 3010\n@20 shutdown 120\n@20 tick",
        expect![[r#"
            @0 no-telemetry                  AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 35
            @20 shutdown 120                 AwaitLastFlush until 20      LastFlush
            @20 tick                         Done                         Exit
        "#]],
    );
}

#[test]
fn a_function_with_next_to_no_time_left() {
    check(
        "@0 telemetry
         @10 invoke a 110
         @10 tick
         @11 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 110                 AwaitRuntimeDone until 10
            @10 tick                         AwaitFlush until 58          Flush
            @11 flushed                      AwaitInvoke                  Next
        "#]],
    );
}

#[test]
fn nobody_waits_for_an_extension_that_is_ahead() {
    check(
        "@0 telemetry
         @10 invoke-ahead a 3010
         @40 signal a
         @60 done a
         @500 invoke-ahead b 3500
         @501 report a
         @510 invoke-ahead c 3510
         @530 done b
         @540 done c
         @550 done d
         @551 invoke-ahead d 3550
         @600 invoke-ahead e 3600
         @700 shutdown 2700
         @705 report e
         @710 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke-ahead a 3010          AwaitInvoke                  Next
            @40 signal a                     AwaitInvoke                  Deliver
            @60 done a                       AwaitInvoke                  Deliver
            @500 invoke-ahead b 3500         AwaitInvoke                  Next
            @501 report a                    AwaitInvoke
            @510 invoke-ahead c 3510         AwaitInvoke                  Next
            @530 done b                      AwaitInvoke                  Deliver
            @540 done c                      AwaitInvoke                  Deliver
            @550 done d                      AwaitInvoke
            @551 invoke-ahead d 3550         AwaitInvoke                  Next, Deliver
            @600 invoke-ahead e 3600         AwaitInvoke                  Next
            @700 shutdown 2700               AwaitReport until 800        Deliver
            @705 report e                    AwaitLastFlush until 2105    LastFlush
            @710 flushed                     Done                         Exit
        "#]],
    );
}

#[test]
fn the_wait_is_counted_from_the_end_of_the_invocation() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @90 done a 60
         @110 tick
         @500 invoke b 3500
         @900 done b 600
         @900 tick",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @90 done a 60                    AwaitFlush until 108         Flush
            @110 tick                        AwaitInvoke                  GiveUpFlush, Next
            @500 invoke b 3500               AwaitRuntimeDone until 3250
            @900 done b 600                  AwaitFlush until 900         Flush
            @900 tick                        AwaitInvoke                  GiveUpFlush, Next
        "#]],
    );
}

#[test]
fn a_signal_ends_an_invocation_before_the_platform_does() {
    check(
        "@0 telemetry
         @10 invoke a 3010
         @20 signal z
         @40 signal a
         @43 flushed
         @60 done a
         @500 invoke b 3500
         @510 signal
         @520 done b
         @525 flushed
         @600 shutdown 2600
         @605 report b
         @606 flushed",
        expect![[r#"
            @0 telemetry                     AwaitInvoke                  Next
            @10 invoke a 3010                AwaitRuntimeDone until 2760
            @20 signal z                     AwaitRuntimeDone until 2760
            @40 signal a                     AwaitFlush until 88          Flush
            @43 flushed                      AwaitInvoke                  Next
            @60 done a                       AwaitInvoke                  Deliver
            @500 invoke b 3500               AwaitRuntimeDone until 3250
            @510 signal                      AwaitFlush until 558         Flush
            @520 done b                      AwaitFlush until 558
            @525 flushed                     AwaitInvoke                  Next
            @600 shutdown 2600               AwaitReport until 700        Deliver
            @605 report b                    AwaitLastFlush until 2005    LastFlush
            @606 flushed                     Done                         Exit
        "#]],
    );
}
