//! A life in which the first event of a kind meets a panic, at every place where one can be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use throughline_scrub::Rules;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use super::*;
use crate::core::Delivery;
use crate::counters::{Counter, Counters};
use crate::join::{Function, Invoked, ShutdownReason};
use crate::outbox::{Batch, Export, Limits, Order, Outcome};
use crate::process::When;
use crate::unpack;

const KINDS: &[&str] = &[
    "Subscribed",
    "Invoked",
    "Measured",
    "Exported",
    "Telemetry",
    "Signalled",
    "Answered",
    "Saved",
    "Loaded",
    "Printed",
    "Found",
    "Restored",
    "Tick",
    "ShutDown",
];

#[test]
fn whatever_is_handled_when_it_panics_what_is_gone_is_counted() {
    // What is asked for here is no news on stderr.
    std::panic::set_hook(Box::new(|info| {
        if !is_asked_for(info.payload()) {
            eprintln!("{info}");
        }
    }));
    let mut met = BTreeSet::new();
    for server in [Server::Recovers, Server::Dead] {
        for kind in KINDS {
            for place in Place::ALL {
                for times in [1, 2, 3, 5] {
                    let case = format!("{kind} {place:?} {times} {server:?}");
                    let mut world = World::new(server, (kind, *place, times));
                    world.live(&case);
                    if world.kind.is_none() {
                        met.insert(*kind);
                        let panics = *place == Place::Take;
                        assert!(!panics || world.core.faults() > 0, "{case}");
                    }
                }
            }
        }
    }
    assert_eq!(met.len(), KINDS.len(), "{met:?}");
}

#[test]
fn a_panic_costs_the_event_that_it_comes_with_and_nothing_else() {
    for (kind, place, gone) in [
        ("Exported", Place::Take, 2),
        ("Exported", Place::Join, 2),
        ("Exported", Place::Pump, 0),
        ("Invoked", Place::Step, 0),
        ("Answered", Place::Take, 0),
        ("Telemetry", Place::Join, 1),
        ("Saved", Place::Record, 0),
    ] {
        let mut world = World::new(Server::Recovers, (kind, place, 1));
        world.live(kind);
        let panicked = world.counters.count(Counter::Fault);
        assert_eq!(panicked, gone, "{kind} {place:?}");
    }
}

#[test]
fn who_panics_for_ever_is_lost_and_asks_for_the_next_event_all_the_same() {
    let mut world = World::new(Server::Recovers, ("Exported", Place::Pump, u32::MAX));
    world.invoke("r-1");
    world.asked = false;
    for _ in 0..IN_A_ROW_MAX {
        world.export(1);
    }
    assert!(world.core.is_lost());
    assert!(world.asked);
    assert!(world.core.is_balanced());
}

fn is_asked_for(payload: &dyn std::any::Any) -> bool {
    payload.downcast_ref::<&str>() == Some(&"as it was asked for")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// Its first answer is a failure.
    Recovers,
    Dead,
}

struct World {
    core: Core,
    counters: Arc<Counters>,
    now: u64,
    server: Server,
    answers: u32,
    /// What is to meet its fault.
    kind: Option<&'static str>,
    fault: (Place, u32),
    tmp: BTreeMap<u64, Bytes>,
    asked: bool,
    ended: bool,
    exported: u64,
    names: BTreeSet<String>,
    out: String,
}

impl World {
    fn new(server: Server, (kind, place, times): (&'static str, Place, u32)) -> Self {
        let counters = Arc::new(Counters::default());
        let core = Core::new(
            Function::default(),
            "environment-1",
            Rules::default(),
            Export::On,
            Arc::clone(&counters),
        );
        let limits = Limits {
            spill_bytes: 1 << 20,
            ..Limits::default()
        };
        let core = core.with_delivery(Delivery {
            limits,
            ..Delivery::default()
        });
        let mut world = World {
            core,
            counters,
            now: 1000,
            server,
            answers: 0,
            kind: Some(kind),
            fault: (place, times),
            tmp: BTreeMap::new(),
            asked: false,
            ended: false,
            exported: 0,
            names: BTreeSet::new(),
            out: String::new(),
        };
        world.feed(Event::Subscribed(Telemetry::On));
        world
    }

    fn live(&mut self, case: &str) {
        assert!(self.asked, "{case}: the init ends");
        self.feed(Event::Found(Vec::new()));
        self.feed(Event::Restored("environment-2".to_owned()));
        for request in ["r-1", "r-2", "r-3"] {
            assert!(self.asked, "{case}: {request}");
            self.asked = false;
            self.invoke(request);
            self.feed(Event::Measured(When::Begin, Box::default()));
            self.export(2);
            self.tell(r#""type":"function","record":"a line\n""#);
            self.feed(Event::Signalled {
                request_id: Some("nobody's".to_owned()),
            });
            let done = format!(
                r#""type":"platform.runtimeDone","record":{{"requestId":"{request}","status":"success"}}"#
            );
            self.tell(&done);
            // At the latest when the function would have been stopped.
            let latest = self.now + 4000;
            while !self.asked && self.now < latest {
                self.pass(10);
            }
            self.pass(500);
        }
        assert!(self.asked, "{case}: the end");
        self.feed(Event::ShutDown {
            reason: ShutdownReason::Spindown,
            deadline: UnixNanos::from_millis(self.now + 2000),
        });
        let latest = self.now + 2000;
        while !self.ended && self.now < latest {
            self.pass(10);
        }
        assert!(self.ended, "{case}: it ends by itself");
        assert!(self.core.is_balanced(), "{case}");
        let (mut dropped, mut taken) = (0, 0);
        for (account, held) in self.core.books() {
            assert_eq!(held.waiting + held.spilled, 0, "{case}: {account:?}");
            dropped += account.dropped.values().sum::<u64>();
            taken += account.taken;
        }
        let missing = self.names.iter().filter(|name| !self.out.contains(*name));
        let missing = missing.count() as u64;
        assert!(
            missing <= dropped,
            "{case}: {missing} of {taken} are missing, {dropped} counted"
        );
    }

    fn invoke(&mut self, request: &str) {
        self.feed(Event::Invoked(Invoked {
            request_id: request.to_owned(),
            deadline_millis: self.now + 3000,
            ..Invoked::default()
        }));
    }

    fn export(&mut self, spans: u64) {
        let spans: Vec<String> = (0..spans)
            .map(|_| {
                self.exported += 1;
                let name = format!("span-{}.", self.exported);
                let json = format!(r#"{{"traceId":"00000000000000000000000000000001","spanId":"00000000000000b1","name":"{name}"}}"#);
                self.names.insert(name);
                json
            })
            .collect();
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
            spans.join(",")
        );
        let request = Request::from_json(Signal::Traces, json.as_bytes()).unwrap();
        self.feed(Event::Exported(request));
    }

    fn tell(&mut self, event: &str) {
        let body = format!(r#"[{{"time":"1970-01-01T00:00:01.000Z",{event}}}]"#);
        self.feed(Event::Telemetry(body.into()));
    }

    /// Time, with a tick where the core wants one.
    fn pass(&mut self, millis: u64) {
        let until = UnixNanos::from_millis(self.now + millis);
        for _ in 0..100 {
            let Some(at) = self.core.wakes_at().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at.0.div_ceil(1_000_000));
            self.feed(Event::Tick);
        }
        self.now = until.0 / 1_000_000;
    }

    fn feed(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            if self.ended {
                return;
            }
            let text = format!("{event:?}");
            if self.kind.is_some_and(|kind| text.starts_with(kind)) {
                self.kind = None;
                self.core.fail_at(self.fault.0, self.fault.1);
            }
            for action in self.core.handle(event, UnixNanos::from_millis(self.now)) {
                match action {
                    Action::Next => self.asked = true,
                    Action::Exit => self.ended = true,
                    Action::Order(order) => events.extend(self.perform(order)),
                    Action::Record { .. } | Action::Name | Action::Renew(_) | Action::Say(_) => {}
                }
            }
            assert!(self.core.is_balanced(), "{text}");
        }
    }

    fn perform(&mut self, order: Order) -> Option<Event> {
        match order {
            Order::Send(parcel) => {
                self.answers += 1;
                let fails = self.server == Server::Dead || self.answers == 1;
                let outcome = match fails {
                    true => Outcome::Failed {
                        why: "it is down".to_owned(),
                        retry_after: None,
                    },
                    false => {
                        self.keep(&parcel.batch);
                        Outcome::Delivered { refused: 0 }
                    }
                };
                Some(Event::Answered {
                    key: parcel.batch.key(),
                    outcome,
                })
            }
            Order::Print(parcel) => {
                self.keep(&parcel.batch);
                Some(Event::Printed {
                    key: parcel.batch.key(),
                    done: true,
                })
            }
            Order::Save(batch) => {
                self.tmp.insert(batch.sequence, batch.body.clone());
                Some(Event::Saved {
                    key: batch.key(),
                    kept: true,
                })
            }
            Order::Load(key, _) => {
                let body = self.tmp.get(&key.sequence).cloned();
                Some(Event::Loaded { key, body })
            }
            Order::Remove(..) | Order::Close(_) => None,
        }
    }

    fn keep(&mut self, batch: &Batch) {
        let plain = match batch.packed {
            true => unpack::gzip(&batch.body, 1 << 20).unwrap(),
            false => batch.body.to_vec(),
        };
        self.out.push_str(&String::from_utf8_lossy(&plain));
    }
}
