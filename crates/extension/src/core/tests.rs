mod restored;

use throughline_telemetry::wire::Request;

use super::*;
use crate::flavour::Flavour;
use crate::join::Invoked;
use crate::outbox::{Batch, Limits, Order, Parcel, Worth};

fn ms(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(1_791_460_800_000 + millis)
}

fn core() -> Core {
    let counters = Arc::new(Counters::default());
    let mut core = Core::new(
        Function::default(),
        "environment-1",
        Rules::default(),
        Export::On,
        counters,
    );
    core.handle(Event::Subscribed(Telemetry::On), ms(0));
    core
}

fn invoke(core: &mut Core, at: u64) -> Vec<Action> {
    let invoked = Invoked {
        request_id: "r-1".into(),
        deadline_millis: ms(at).0 / 1_000_000 + 3000,
        ..Invoked::default()
    };
    core.handle(Event::Invoked(invoked), ms(at))
}

/// An event of `r-1` that the platform made at one time, second 0 to 9, and posted at another.
fn tell(core: &mut Core, kind: &str, made: u64, posted: u64) -> Vec<Action> {
    let body = format!(
        r#"[{{"time":"2026-10-08T12:00:0{made}.000Z","type":"platform.{kind}","record":{{"requestId":"r-1","status":"success"}}}}]"#
    );
    core.handle(Event::Telemetry(body.into()), ms(posted))
}

/// The answers to all that is sent, and what they lead to.
fn answer(core: &mut Core, actions: &[Action], outcome: &Outcome, at: u64) -> Vec<Action> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Order(Order::Send(parcel)) => Some(parcel.batch.key()),
        _ => None,
    });
    let answers = sent.flat_map(|key| {
        let outcome = outcome.clone();
        core.handle(Event::Answered { key, outcome }, ms(at))
    });
    answers.collect()
}

#[test]
fn the_report_of_the_first_attempt_does_not_end_the_second() {
    let mut core = core();
    invoke(&mut core, 1000);
    let sent = tell(&mut core, "runtimeDone", 2, 2000);
    let delivered = Outcome::Delivered { refused: 0 };
    let next = answer(&mut core, &sent, &delivered, 2001);
    assert_eq!(next, [Action::Next]);
    invoke(&mut core, 5000);
    assert_eq!(tell(&mut core, "report", 2, 5100), [], "the function runs");
    assert_eq!(tell(&mut core, "runtimeDone", 2, 5101), [], "still");
    let sent = tell(&mut core, "runtimeDone", 6, 6000);
    let next = answer(&mut core, &sent, &delivered, 6001);
    assert_eq!(next.last(), Some(&Action::Next));
}

#[test]
fn a_server_that_refuses_everything_is_complained_of_once() {
    let mut core = core();
    let mut said = 0;
    for at in 1..=3 {
        invoke(&mut core, at * 1000);
        let sent = tell(&mut core, "runtimeDone", at, at * 1000 + 1);
        let refused = Outcome::Rejected { why: "401".into() };
        let actions = answer(&mut core, &sent, &refused, at * 1000 + 2);
        let is_said = |action: &&Action| matches!(action, Action::Say(_));
        said += actions.iter().filter(is_said).count();
    }
    assert_eq!(said, 1);
}

fn exported(name: &str) -> Event {
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"62e900b2710d76f009d6e7785905449a",
        "spanId":"00000000000000b1","name":"{name}"}}]}}]}}]}}"#
    );
    let request = Request::from_json(throughline_telemetry::Signal::Traces, json.as_bytes());
    Event::Exported(request.expect("OTLP"))
}

fn shut_down(core: &mut Core, at: u64) -> Vec<Action> {
    let (reason, deadline) = (ShutdownReason::Spindown, ms(at + 2000));
    core.handle(Event::ShutDown { reason, deadline }, ms(at))
}

#[test]
fn what_the_function_exports_while_the_environment_ends_leaves_too() {
    let mut core = core();
    core.handle(exported("before"), ms(900));
    let first = shut_down(&mut core, 1000);
    assert_eq!(core.handle(exported("meanwhile"), ms(1001)), []);
    assert!(core.has_put_off(), "who exports has an answer first");
    assert_eq!(core.wakes_at(), Some(ms(1001)));
    let second = core.handle(Event::Tick, ms(1001));
    assert!(!core.has_put_off());
    assert!(
        matches!(&second[..], [Action::Order(Order::Send(parcel))] if parcel.batch.items == 1),
        "{second:?}"
    );
    let delivered = Outcome::Delivered { refused: 0 };
    assert_eq!(answer(&mut core, &first, &delivered, 1002), []);
    let farewell = answer(&mut core, &second, &delivered, 1003);
    let is_ledger =
        |parcel: &Parcel| parcel.batch.sequence == 0 && parcel.ledger.contains(r#""final":true"#);
    assert!(
        matches!(&farewell[..], [Action::Order(Order::Send(parcel))] if is_ledger(parcel)),
        "{farewell:?}"
    );
    let end = answer(&mut core, &farewell, &delivered, 1004);
    assert_eq!(end.last(), Some(&Action::Exit));
}

#[test]
fn no_more_than_one_export_is_put_off() {
    let mut core = core();
    core.handle(exported("before"), ms(900));
    shut_down(&mut core, 1000);
    for name in ["first", "third"] {
        assert_eq!(core.handle(exported(name), ms(1001)), []);
        assert!(core.has_put_off());
        let both = core.handle(exported("the next"), ms(1001));
        assert!(!core.has_put_off());
        assert!(
            matches!(&both[..], [Action::Order(Order::Send(parcel))] if parcel.batch.items == 2),
            "{both:?}"
        );
    }
}

#[test]
fn what_comes_too_late_to_leave_is_counted() {
    let mut core = core();
    core.handle(exported("before"), ms(900));
    shut_down(&mut core, 1000);
    let end = core.handle(exported("too late"), ms(3000));
    assert_eq!(end.last(), Some(&Action::Exit));
    assert_eq!(core.counters.count(Counter::NotDelivered), 2);
}

#[test]
fn a_line_that_nobody_took_is_not_booked_as_printed() {
    let limits = Limits {
        spill_bytes: 1 << 20,
        ..Limits::default()
    };
    let mut core = core().with_delivery(Delivery {
        limits,
        ..Delivery::default()
    });
    invoke(&mut core, 1000);
    core.handle(exported("inside"), ms(1001));
    let mut orders = tell(&mut core, "runtimeDone", 1, 1002);
    let (reason, deadline) = (ShutdownReason::Timeout, ms(5000));
    let mut saved = Vec::new();
    let (mut printing, mut has_ended) = (0, false);
    for at in (1003..=5003).step_by(10) {
        if at == 2003 {
            orders.extend(core.handle(Event::ShutDown { reason, deadline }, ms(at)));
        }
        for action in std::mem::take(&mut orders) {
            assert!(!has_ended, "{action:?}");
            let Action::Order(order) = action else {
                has_ended |= action == Action::Exit;
                continue;
            };
            let event = match order {
                Order::Send(parcel) => Event::Answered {
                    key: parcel.batch.key(),
                    outcome: Outcome::Failed {
                        why: "refused".into(),
                        retry_after: None,
                    },
                },
                Order::Save(batch) => {
                    let key = batch.key();
                    saved.push(batch);
                    Event::Saved { key, kept: true }
                }
                Order::Load(key, _) => {
                    let batch = saved.iter().find(|batch| batch.key() == key);
                    let body = batch.map(|batch| batch.body.clone());
                    Event::Loaded { key, body }
                }
                // A pipe that nobody reads.
                Order::Print(_) => {
                    printing += 1;
                    continue;
                }
                Order::Remove(..) | Order::Close(_) => continue,
            };
            orders.extend(core.handle(event, ms(at)));
        }
        if !has_ended {
            orders.extend(core.handle(Event::Tick, ms(at)));
        }
    }
    assert!(has_ended);
    assert_eq!(printing, 1);
    let (account, held) = core.outbox.books().swap_remove(0);
    assert_eq!((account.printed, held.spilled), (0, account.taken));
}

fn sent(actions: &[Action]) -> Vec<&Batch> {
    let sent = actions.iter().filter_map(|action| match action {
        Action::Order(Order::Send(parcel)) => Some(&parcel.batch),
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_busy_function_waits_for_nothing() {
    let mut core = core();
    let delivered = Outcome::Delivered { refused: 0 };
    for at in 0..20 {
        let invoked = Invoked {
            request_id: format!("r-{at}"),
            deadline_millis: ms(at * 300).0 / 1_000_000 + 3000,
            ..Invoked::default()
        };
        let begun = core.handle(Event::Invoked(invoked), ms(at * 300));
        let is_busy = begun.first() == Some(&Action::Next);
        assert_eq!(is_busy, at >= 8, "invocation {at}");
        core.handle(exported("handler"), ms(at * 300 + 5));
        let (seconds, millis) = ((at * 300 + 6) / 1000, (at * 300 + 6) % 1000);
        let body = format!(
            r#"[{{"time":"2026-10-08T12:00:0{seconds}.{millis:03}Z","type":"platform.runtimeDone","record":{{"requestId":"r-{at}","status":"success"}}}}]"#
        );
        let told = core.handle(Event::Telemetry(body.into()), ms(at * 300 + 30));
        assert!(!sent(&told).is_empty(), "what it made leaves");
        let end = answer(&mut core, &told, &delivered, at * 300 + 31);
        assert_eq!(end.contains(&Action::Next), at < 8);
    }
}

#[test]
fn a_dead_server_is_waited_for_once() {
    let mut core = core();
    invoke(&mut core, 0);
    let told = tell(&mut core, "runtimeDone", 0, 30);
    assert!(!told.contains(&Action::Next), "the server may be quick");
    let gave_up = core.handle(Event::Tick, ms(80));
    assert!(gave_up.contains(&Action::Next));
    for at in 1..5 {
        let begun = invoke(&mut core, at * 1000);
        assert!(
            !begun.contains(&Action::Next),
            "an answer may lie in the socket"
        );
        let hopeless = core.handle(Event::Tick, ms(at * 1000 + 2));
        assert!(hopeless.contains(&Action::Next), "invocation {at}");
        let told = tell(&mut core, "runtimeDone", at, at * 1000 + 30);
        assert!(!told.contains(&Action::Next), "invocation {at}");
    }
}

#[test]
fn a_slow_first_answer_does_not_leave_the_next_invocation_behind() {
    let mut core = core();
    let delivered = Outcome::Delivered { refused: 0 };
    invoke(&mut core, 0);
    let first = tell(&mut core, "runtimeDone", 0, 30);
    assert!(core.handle(Event::Tick, ms(80)).contains(&Action::Next));
    invoke(&mut core, 1000);
    // It lay in the socket while the environment was frozen.
    answer(&mut core, &first, &delivered, 1001);
    let second = tell(&mut core, "runtimeDone", 1, 1030);
    assert!(!sent(&second).is_empty());
    assert!(!second.contains(&Action::Next), "waits for what it sent");
    let end = answer(&mut core, &second, &delivered, 1032);
    assert!(end.contains(&Action::Next));
}

#[test]
fn failed_invocations_leave_apart_and_first() {
    let mut core = core();
    let trace = "62e900b2710d76f009d6e7785905449a";
    let span = |name: &str, trace: &str, more: &str| {
        format!(r#"{{"traceId":"{trace}","spanId":"00000000000000b1","name":"{name}"{more}}}"#)
    };
    let spans = [
        span("fine", "00000000000000000000000000000001", r#","kind":2"#),
        span("failed", trace, r#","kind":2,"status":{"code":2}"#),
        span("its child", trace, ""),
        span(
            "a failed call",
            "00000000000000000000000000000001",
            r#","kind":3,"status":{"code":2}"#,
        ),
    ];
    let json = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    );
    let request = Request::from_json(throughline_telemetry::Signal::Traces, json.as_bytes());
    core.handle(Event::Exported(request.expect("OTLP")), ms(900));
    let end = shut_down(&mut core, 1000);
    let worths: Vec<_> = sent(&end)
        .iter()
        .map(|batch| (batch.worth, batch.items))
        .collect();
    assert_eq!(worths, [(Worth::Failure, 2), (Worth::Traces, 2)]);
}

#[test]
fn on_managed_instances_delivery_is_periodic_and_the_rest_goes_at_the_end() {
    let mut core = core().with_delivery(Delivery {
        strategy: Flavour::Managed.strategy(Strategy::Auto),
        ..Delivery::default()
    });
    core.expect_a_crowd();
    let report = r#"{"requestId":"r-1","status":"success","metrics":{"durationMs":5}}"#;
    let invocation = format!(
        r#"[{{"time":"2026-10-08T12:00:01.000Z","type":"platform.start","record":{{"requestId":"r-1"}}}},
            {{"time":"2026-10-08T12:00:01.005Z","type":"platform.report","record":{report}}}]"#
    );
    let tell = |core: &mut Core, id: &str, at: u64| {
        let body = invocation.replace("r-1", id);
        core.handle(Event::Telemetry(body.into()), ms(at))
    };
    let delivered = Outcome::Delivered { refused: 0 };
    let first = tell(&mut core, "r-1", 1010);
    assert!(!sends(&first).is_empty(), "{first:?}");
    answer(&mut core, &first, &delivered, 1020);
    let waits = tell(&mut core, "r-2", 1030);
    assert!(sends(&waits).is_empty(), "{waits:?}");
    let due = core.wakes_at().unwrap();
    assert!(due > ms(1030) && due <= ms(1010).plus(PERIOD), "{due:?}");
    let sent = core.handle(Event::Tick, due);
    assert!(!sends(&sent).is_empty(), "{sent:?}");
    answer(&mut core, &sent, &delivered, 7000);
    let waits = tell(&mut core, "r-3", 7010);
    assert!(sends(&waits).is_empty(), "{waits:?}");
    let shutdown = Event::ShutDown {
        reason: ShutdownReason::Spindown,
        deadline: ms(9000),
    };
    let sent = core.handle(shutdown, ms(7020));
    assert!(!sends(&sent).is_empty(), "{sent:?}");
    // The books come last.
    let last = answer(&mut core, &sent, &delivered, 7030);
    let ended = answer(&mut core, &last, &delivered, 7040);
    assert!(ended.contains(&Action::Exit), "{ended:?}");
}

fn sends(actions: &[Action]) -> Vec<&Action> {
    let is_send = |action: &&Action| matches!(action, Action::Order(Order::Send(_)));
    actions.iter().filter(is_send).collect()
}

#[test]
fn what_a_busy_function_leaves_goes_together() {
    let mut core = core();
    let delivered = Outcome::Delivered { refused: 0 };
    let mut sent = Vec::new();
    for number in 0..60 {
        let at = 1000 + number * 10;
        let invoked = Invoked {
            request_id: format!("r-{number}"),
            deadline_millis: ms(at).0 / 1_000_000 + 3000,
            ..Invoked::default()
        };
        let mut actions = core.handle(Event::Invoked(invoked), ms(at));
        let done = format!(
            r#"[{{"type":"platform.runtimeDone","record":{{"requestId":"r-{number}","status":"success"}}}}]"#
        );
        actions.extend(core.handle(Event::Telemetry(done.into()), ms(at + 1)));
        for action in &actions {
            if let Action::Order(Order::Send(parcel)) = action {
                sent.push((number, parcel.batch.items));
            }
        }
        answer(&mut core, &actions, &delivered, at + 2);
    }
    let (waited_for, together) = sent.split_at(8);
    assert!(waited_for.iter().all(|(_, items)| *items == 1), "{sent:?}");
    assert_eq!(together, [(27, 20), (47, 20)]);
}
