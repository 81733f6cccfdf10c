//! Time, and everything that happens in it. All times here are real ones in milliseconds; the core is
//! told those of a wall clock that may jump.

#[path = "world/edge.rs"]
mod edge;
#[path = "world/function.rs"]
mod function;
#[path = "world/judge.rs"]
mod judge;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use throughline_extension::counters::Counters;
use throughline_extension::join::{Function, Invoked, ShutdownReason};
use throughline_extension::outbox::{Account, Export, Held, Limits, Packing};
use throughline_extension::{Core, Delivery, Event, Place, Strategy, Telemetry};
use throughline_scrub::Rules;
use throughline_telemetry::UnixNanos;

use super::platform::{Invocation, Plan};
use super::random::Random;
use super::server::Server;
use super::tmp::{self, HOME, Tmp};

pub(crate) struct World {
    seed: u64,
    random: Random,
    plan: Plan,
    loud: bool,
    now: u64,
    /// Wall time minus real time.
    offset: i64,
    core: Core,
    counters: Arc<Counters>,
    environment: String,
    delivery: Delivery,
    /// What is to happen when, in the order in which it was planned.
    agenda: BTreeMap<(u64, u64), Thing>,
    planned: u64,
    /// When the core wants a tick.
    wake: Option<u64>,
    /// What cannot reach a frozen environment.
    held: VecDeque<Thing>,
    frozen: bool,
    /// The extension waits in `/next`.
    asked: bool,
    over: bool,
    shut_down_by: Option<u64>,
    invocation: Option<Invocation>,
    invoked: u64,
    server: Server,
    tmp: Tmp,
    printed: BTreeSet<String>,
    prints: bool,
    /// What each life took in, by id.
    accepted: BTreeMap<String, BTreeSet<String>>,
    /// The last books of each life.
    books: BTreeMap<String, (Account, Held)>,
    /// Lives of which not everything is in a record.
    unknown: BTreeSet<String>,
    /// The record of this life is that of an event before, because of panics.
    is_behind: bool,
    in_flight_bytes: BTreeMap<(String, u64), usize>,
    tally: Tally,
}

/// Something that reaches the extension, or that the platform does.
#[derive(Clone, Debug)]
enum Thing {
    Invoke,
    Export(u64),
    Line(u64),
    Done,
    /// Telemetry about a request.
    Told {
        kind: &'static str,
        request_id: String,
    },
    Answer {
        event: Event,
        life: u64,
    },
    /// After a timeout the environment goes on with a new extension.
    ShutDown(ShutdownReason),
    End,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) printed: u64,
    pub(crate) dropped: u64,
    pub(crate) spilled: u64,
    pub(crate) kills: u64,
    pub(crate) freezes: u64,
    pub(crate) timeouts: u64,
    pub(crate) jumps: u64,
    pub(crate) faults: u64,
    pub(crate) invocations: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.printed += other.printed;
        self.dropped += other.dropped;
        self.spilled += other.spilled;
        self.kills += other.kills;
        self.freezes += other.freezes;
        self.timeouts += other.timeouts;
        self.jumps += other.jumps;
        self.faults += other.faults;
        self.invocations += other.invocations;
    }
}

impl World {
    pub(crate) fn new(seed: u64, loud: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::new(&mut random);
        let delivery = Delivery {
            strategy: random.one_of(&[
                Strategy::Auto,
                Strategy::Auto,
                Strategy::End,
                Strategy::Periodic(Duration::from_secs(1)),
            ]),
            limits: Limits {
                memory_bytes: random.one_of(&[4 << 10, 64 << 10, 4 << 20]),
                spill_bytes: random.one_of(&[0, 8 << 10, 64 << 20, 64 << 20]),
                home: HOME,
            },
            packing: Packing::Gzip,
            ..Delivery::default()
        };
        let (core, counters) = new_core("e-0", delivery);
        let mut world = World {
            seed,
            random,
            plan,
            loud,
            now: 0,
            offset: START,
            core,
            counters,
            environment: "e-0".to_owned(),
            delivery,
            agenda: BTreeMap::new(),
            planned: 0,
            wake: None,
            held: VecDeque::new(),
            frozen: false,
            asked: false,
            over: false,
            shut_down_by: None,
            invocation: None,
            invoked: 0,
            server: Server::new(),
            tmp: Tmp::default(),
            printed: BTreeSet::new(),
            prints: true,
            accepted: BTreeMap::new(),
            books: BTreeMap::new(),
            unknown: BTreeSet::new(),
            is_behind: false,
            in_flight_bytes: BTreeMap::new(),
            tally: Tally::default(),
        };
        world.say(&format!("{plan:?} {delivery:?}"));
        world.begin_life();
        world.plan_next_invocation();
        world
    }

    pub(crate) fn live(mut self) -> Tally {
        let mut steps = 0;
        while !self.over {
            steps += 1;
            assert!(steps < 100_000, "it goes on for ever");
            self.misfortune();
            self.step();
        }
        self.judge()
    }

    fn begin_life(&mut self) {
        let telemetry = if self.plan.telemetry {
            Telemetry::On
        } else {
            Telemetry::Off
        };
        self.feed(Event::Subscribed(telemetry));
        if self.delivery.limits.spill_bytes > 0 {
            let leftovers = self.tmp.leftovers();
            let ours: Vec<_> = leftovers.into_iter().collect();
            if !ours.is_empty() {
                self.feed(Event::Found(ours));
            }
        }
    }

    fn step(&mut self) {
        let next = self.agenda.keys().next().copied();
        let wake = self.wake.filter(|_| !self.frozen);
        match (next, wake) {
            (Some((at, _)), wake) if wake.is_none_or(|wake| at <= wake) => {
                self.now = self.now.max(at);
                let ((_, _), thing) = self.agenda.pop_first().expect("it is there");
                self.happen(thing);
            }
            (_, Some(wake)) => {
                self.now = self.now.max(wake);
                self.feed(Event::Tick);
            }
            _ => panic!("nothing will ever happen again"),
        }
        self.check_patience();
        self.freeze();
    }

    fn happen(&mut self, thing: Thing) {
        if self.frozen && matches!(thing, Thing::Answer { .. } | Thing::Told { .. }) {
            self.held.push_back(thing);
            return;
        }
        match thing {
            Thing::Invoke => self.invoke(),
            Thing::Export(count) => self.export(count),
            Thing::Line(number) => self.line(number),
            Thing::Done => self.done(),
            Thing::Told { kind, request_id } => self.tell(kind, &request_id),
            Thing::Answer { event, life } => {
                if life == self.tally.kills + self.tally.timeouts {
                    if let Event::Answered { key, .. } = &event {
                        self.in_flight_bytes
                            .remove(&(key.environment.to_string(), key.sequence));
                    }
                    self.feed(event);
                }
            }
            Thing::ShutDown(reason) => self.shut_down(reason),
            Thing::End => self.end(),
        }
    }

    // --- what the platform does

    fn plan_next_invocation(&mut self) {
        let gap = self.plan.gap(&mut self.random);
        let is_last = self.invoked == self.plan.invocations;
        let thing = if is_last {
            Thing::ShutDown(ShutdownReason::Spindown)
        } else {
            Thing::Invoke
        };
        self.after(gap, thing);
    }

    fn invoke(&mut self) {
        if !self.asked {
            // The platform waits for the extension; check_patience says how long that may be.
            return self.after(1, Thing::Invoke);
        }
        self.thaw();
        self.invoked += 1;
        self.tally.invocations += 1;
        let request_id = format!("r-{}", self.invoked);
        let deadline = self.now + TIMEOUT;
        self.asked = false;
        let invoked = Invoked {
            request_id: request_id.clone(),
            deadline_millis: self.wall_millis(deadline),
            ..Invoked::default()
        };
        let is_told = self.plan.telemetry && !self.random.chance(self.plan.deaf);
        self.invocation = Some(Invocation {
            request_id: request_id.clone(),
            deadline,
            done: None,
            is_told,
        });
        self.feed(Event::Invoked(invoked));
        let times_out = self.random.chance(self.plan.timeouts);
        let takes = if times_out {
            TIMEOUT
        } else {
            self.random.from(1, 300)
        };
        for _ in 0..self.random.from(0, 6) {
            let (at, count) = (self.random.from(0, takes), self.random.from(1, 20));
            self.after(at, Thing::Export(count));
        }
        for number in 0..self.random.from(0, 4) {
            let at = self.random.from(0, takes);
            self.after(at + 25, Thing::Line(number));
        }
        if times_out {
            self.after(takes, Thing::ShutDown(ShutdownReason::Timeout));
        } else {
            self.after(takes, Thing::Done);
        }
    }

    fn done(&mut self) {
        let Some(invocation) = &mut self.invocation else {
            return;
        };
        invocation.done = Some(self.now);
        if invocation.is_told {
            let request_id = invocation.request_id.clone();
            let again = request_id.clone();
            self.after(
                25,
                Thing::Told {
                    kind: "runtimeDone",
                    request_id,
                },
            );
            self.after(
                60,
                Thing::Told {
                    kind: "report",
                    request_id: again,
                },
            );
        }
        self.plan_next_invocation();
    }

    /// The end of a flush after the function is done is bounded, whatever the server does.
    fn check_patience(&mut self) {
        let Some(Invocation {
            done: Some(done),
            is_told,
            deadline,
            ..
        }) = self.invocation
        else {
            return;
        };
        if self.asked || self.shut_down_by.is_some() {
            return;
        }
        // A told end costs the budget at most, and a jump of the clock once more. An end of which
        // nobody hears costs what is left to the deadline.
        let (until, jump) = match is_told {
            true => (done + 100, 75),
            false => (deadline.max(done + 100), TIMEOUT),
        };
        let until = until + jump * self.tally.jumps;
        assert!(
            self.now <= until,
            "seed {}: /next was not asked {} ms after the end",
            self.seed,
            self.now - done
        );
    }

    fn freeze(&mut self) {
        let is_done = self
            .invocation
            .as_ref()
            .is_none_or(|invocation| invocation.done.is_some());
        let freezes = self.asked && is_done && self.shut_down_by.is_none() && !self.frozen;
        // Lambda freezes soon, not at once.
        if freezes && self.random.chance(700) {
            self.frozen = true;
            self.tally.freezes += 1;
        }
    }

    fn thaw(&mut self) {
        self.frozen = false;
        let held: Vec<Thing> = self.held.drain(..).collect();
        for thing in held {
            let delay = self.random.from(0, 3);
            self.after(delay, thing);
        }
        // Timers that were due fire at once.
        self.wake = self.wake.map(|wake| wake.max(self.now));
    }

    fn shut_down(&mut self, reason: ShutdownReason) {
        if self.shut_down_by.is_some() {
            return;
        }
        if !self.asked {
            // It is still in a flush, or waits for the end of an invocation that timed out.
            return self.after(1, Thing::ShutDown(reason));
        }
        self.thaw();
        self.asked = false;
        self.agenda
            .retain(|_, thing| matches!(thing, Thing::Answer { .. } | Thing::Told { .. }));
        let deadline = self.now + 2000;
        self.shut_down_by = Some(deadline);
        self.prints = !self.random.chance(100);
        if reason == ShutdownReason::Timeout {
            self.plan.timeouts = 0;
        }
        let deadline = UnixNanos::from_millis(self.wall_millis(deadline));
        self.after(2000, Thing::End);
        self.feed(Event::ShutDown { reason, deadline });
        if reason != ShutdownReason::Spindown && self.shut_down_by.is_some() {
            self.invoked = self.invoked.min(self.plan.invocations - 1);
        }
    }

    /// The time of a shutdown is over, or the extension has ended.
    fn end(&mut self) {
        assert!(
            self.shut_down_by.is_none(),
            "seed {}: it did not end by itself",
            self.seed
        );
    }

    fn ended(&mut self) {
        self.shut_down_by = None;
        self.invocation = None;
        self.note_books();
        if self.is_behind {
            self.unknown.insert(self.environment.clone());
        }
        self.say("ended");
        let goes_on = self.invoked < self.plan.invocations;
        if goes_on {
            self.tally.timeouts += 1;
            self.reborn();
        } else {
            self.over = true;
        }
    }

    fn kill(&mut self) {
        self.note_books();
        let is_blind = self.delivery.limits.spill_bytes == 0 || self.tmp.mode == tmp::Mode::Gone;
        if is_blind || self.is_behind || self.tmp.unwritten.contains(&self.environment) {
            self.unknown.insert(self.environment.clone());
        }
        self.tally.kills += 1;
        self.say("killed");
        self.reborn();
    }

    /// A new extension in the same environment.
    fn reborn(&mut self) {
        self.agenda
            .retain(|_, thing| matches!(thing, Thing::Answer { .. }));
        self.held.clear();
        self.in_flight_bytes.clear();
        self.frozen = false;
        self.is_behind = false;
        self.asked = false;
        self.shut_down_by = None;
        self.invocation = None;
        self.environment = format!("e-{}", self.tally.kills + self.tally.timeouts);
        let (core, counters) = new_core(&self.environment, self.delivery);
        (self.core, self.counters) = (core, counters);
        self.begin_life();
        self.plan_next_invocation();
    }

    fn misfortune(&mut self) {
        if self.random.chance(self.plan.moods) {
            self.server.change(&mut self.random);
            self.say(&format!("the server: {:?}", self.server.mood));
        }
        if self.random.chance(self.plan.moods / 4) {
            self.tmp.mode =
                self.random
                    .one_of(&[tmp::Mode::Works, tmp::Mode::Full, tmp::Mode::Gone]);
            self.say(&format!("/tmp: {:?}", self.tmp.mode));
        }
        if self.random.chance(self.plan.moods / 20) {
            self.tmp.tear(&mut self.random);
        }
        if self.random.chance(self.plan.jumps) {
            self.offset += (self.random.from(0, 7_200_000) as i64) - 3_600_000;
            self.tally.jumps += 1;
            self.say("the clock jumps");
        }
        if self.random.chance(self.plan.faults) {
            let (place, times) = (self.random.one_of(Place::ALL), self.random.from(1, 4));
            self.core.fail_at(place, times as u32);
            self.tally.faults += 1;
            self.say(&format!("panics {times} times: {place:?}"));
        }
        let may_die = self.shut_down_by.is_none() || self.invoked < self.plan.invocations;
        if may_die && self.random.chance(self.plan.kills) {
            self.kill();
        }
    }

    // --- time

    fn after(&mut self, millis: u64, thing: Thing) {
        self.planned += 1;
        self.agenda.insert((self.now + millis, self.planned), thing);
    }

    fn wall_millis(&self, real: u64) -> u64 {
        u64::try_from(i64::try_from(real).unwrap() + self.offset).unwrap()
    }

    /// As the platform writes it; the days before are not needed here.
    fn iso(&self) -> String {
        let millis = self.wall_millis(self.now);
        let of_day = millis % 86_400_000;
        let day = (millis / 86_400_000) - (START as u64 / 86_400_000) + 10;
        format!(
            "2026-10-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            of_day / 3_600_000,
            of_day / 60_000 % 60,
            of_day / 1000 % 60,
            of_day % 1000
        )
    }

    fn say(&self, text: &str) {
        if self.loud {
            println!("{:>8} {text}", self.now);
        }
    }
}

fn new_core(environment: &str, delivery: Delivery) -> (Core, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    let function = Function {
        name: "checkout".into(),
        ..Function::default()
    };
    let core = Core::new(
        function,
        environment,
        Rules::default(),
        Export::On,
        Arc::clone(&counters),
    );
    (core.with_delivery(delivery), counters)
}

/// 2026-10-10T12:00:00Z.
const START: i64 = 1_791_633_600_000;
/// Of an invocation.
const TIMEOUT: u64 = 3000;
