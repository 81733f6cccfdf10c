//! Environments that are made from one snapshot: whatever each of them meets before it knows, a number
//! under an id stands for one batch.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::*;

/// What one clone meets between the snapshot and its first invocation.
type Story = &'static [Step];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The function exports so many spans of this name.
    Export(&'static str, usize),
    /// Time passes.
    Wait(u64),
    /// The platform tells of the restore.
    RestoreStart,
    /// `/next` answers, which the edge takes for a restore.
    Invoke,
    /// `/next` answers with the end.
    ShutDown,
}

use Step::{Export, Invoke, RestoreStart, ShutDown, Wait};

/// A core, and what is around it: the edge that gives it ids, and a server that takes everything.
struct Clone {
    core: Core,
    ids: Box<dyn Iterator<Item = String>>,
    now: u64,
    sent: Vec<Batch>,
    said: Vec<String>,
}

impl Clone {
    fn new(name: &'static str, delivery: Delivery, telemetry: Telemetry) -> Self {
        let mut core = Core::new(
            Function::default(),
            "of the snapshot",
            Rules::default(),
            crate::outbox::Export::On,
            Arc::new(Counters::default()),
        )
        .with_delivery(delivery);
        core.expect_a_restore();
        let mut clone = Clone {
            core,
            ids: Box::new((0..).map(move |number| format!("{name}-{number}"))),
            now: 0,
            sent: Vec::new(),
            said: Vec::new(),
        };
        clone.feed(Event::Subscribed(telemetry));
        clone.feed(exported("before the snapshot"));
        clone
    }

    fn feed(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.said
                .push(format!("{event:?}").chars().take(60).collect());
            assert!(self.said.len() < 10_000, "{:?}", &self.said[9900..]);
            for action in self.core.handle(event, ms(self.now)) {
                match action {
                    Action::Name => events.push_back(Event::Named(self.ids.next().unwrap())),
                    Action::Renew(told) => {
                        events.push_back(Event::Restored(self.ids.next().unwrap()));
                        events.push_back(Event::Telemetry(told));
                    }
                    Action::Order(Order::Send(parcel)) => {
                        let key = parcel.batch.key();
                        if key.sequence > 0 {
                            self.sent.push(parcel.batch);
                        }
                        let outcome = Outcome::Delivered { refused: 0 };
                        events.push_back(Event::Answered { key, outcome });
                    }
                    _ => {}
                }
            }
            assert!(self.core.is_balanced());
        }
    }

    fn live(mut self, story: Story) -> Vec<Batch> {
        for step in story {
            match *step {
                Export(name, spans) => (0..spans).for_each(|_| self.feed(exported(name))),
                Wait(millis) => {
                    self.now += millis;
                    self.feed(Event::Tick);
                }
                RestoreStart => self.feed(Event::Telemetry(RESTORE.into())),
                Invoke => {
                    let restored = Event::Restored(self.ids.next().unwrap());
                    self.feed(restored);
                    self.feed(Event::Invoked(Invoked {
                        request_id: "r-1".into(),
                        deadline_millis: ms(self.now).0 / 1_000_000 + 3000,
                        ..Invoked::default()
                    }));
                }
                ShutDown => {
                    let restored = Event::Restored(self.ids.next().unwrap());
                    self.feed(restored);
                }
            }
        }
        let deadline = ms(self.now + 2000);
        self.feed(Event::ShutDown {
            reason: ShutdownReason::Spindown,
            deadline,
        });
        self.now += 1900;
        self.feed(Event::Tick);
        self.sent
    }
}

const RESTORE: &str = r#"[{"time":"2026-10-08T12:00:01.000Z","type":"platform.restoreStart","record":{"functionName":"f","instanceId":"i"}},{"time":"2026-10-08T12:00:01.001Z","type":"function","record":"a line"}]"#;

/// As one, [`Export`] of so many spans takes more than may wait.
const MANY: usize = 3000;

#[test]
fn no_two_clones_send_different_batches_under_one_number() {
    let stories: &[Story] = &[
        &[Invoke, Export("a", 1)],
        &[RestoreStart, Export("a", 2), Invoke],
        &[Export("hook", 1), Wait(20_000), RestoreStart, Invoke],
        &[Wait(20_000), Export("other hook", 2), Wait(20_000), Invoke],
        &[Export("much", MANY), Invoke, RestoreStart],
        &[
            Export("much else", MANY),
            RestoreStart,
            Export("x", 1),
            Invoke,
        ],
        &[RestoreStart, ShutDown],
        &[ShutDown],
    ];
    let period = Duration::from_millis(100);
    for strategy in [Strategy::Auto, Strategy::End, Strategy::Periodic(period)] {
        for telemetry in [Telemetry::On, Telemetry::Off] {
            let delivery = Delivery {
                strategy,
                ..Delivery::default()
            };
            let mut bodies = HashMap::new();
            for (number, story) in stories.iter().enumerate() {
                let name: &'static str = ["a", "b", "c", "d", "e", "f", "g", "h"][number];
                let sent = Clone::new(name, delivery, telemetry).live(story);
                let items: u64 = sent.iter().map(|batch| batch.items).sum();
                assert!(items > 0, "{story:?} leaves what came before the snapshot");
                for batch in sent {
                    let key = (batch.environment.clone(), batch.sequence);
                    let body = bodies.entry(key.clone()).or_insert(batch.body.clone());
                    assert_eq!(
                        *body, batch.body,
                        "{strategy:?} {telemetry:?} {key:?} {story:?}"
                    );
                    assert_ne!(
                        &*key.0, "of the snapshot",
                        "{strategy:?} {telemetry:?} {story:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_restore_is_known_from_what_the_platform_tells_and_only_once() {
    let mut core = core();
    core.handle(exported("before"), ms(1));
    let told = core.handle(Event::Telemetry(RESTORE.into()), ms(2));
    assert_eq!(told, [Action::Renew(RESTORE.into())]);
    core.handle(Event::Restored("e-2".into()), ms(2));
    for _ in 0..2 {
        let told = core.handle(Event::Telemetry(RESTORE.into()), ms(3));
        assert!(!told.iter().any(|action| matches!(action, Action::Renew(_))));
    }
    let end = shut_down(&mut core, 10);
    let of: Vec<_> = sent(&end)
        .iter()
        .map(|batch| batch.environment.to_string())
        .collect();
    assert!(!of.is_empty() && of.iter().all(|of| of == "e-2"), "{of:?}");
}
