//! The life after `register`: listen, subscribe, and then feed the core and do as it says.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use throughline_extension::aws::KeyName;
use throughline_extension::config::{Config, RawConfig, Target};
use throughline_extension::counters::{Counter, Counters};
use throughline_extension::flavour::Flavour;
use throughline_extension::outbox::{Export, Order, Outcome, Parcel, envelope};
use throughline_extension::process;
use throughline_extension::room::Shares;
use throughline_extension::{Action, Core, Event, Telemetry};
use throughline_telemetry::UnixNanos;
use tokio::net::TcpListener;

use super::api::{Api, NextEvent};
use super::courier::Courier;
use super::environment::{
    Environment, SANDBOX, config_file, flavour, is_snapshot, new_id, now, sandbox_address, say, tmp,
};
use super::inbox::{Inbox, Outlet};
use super::keeper::Keeper;
use super::listeners::{self, Listeners};
use super::poller::Poller;
use super::process::Meter;
use super::register::Registration;
use super::spill::Spill;
use super::{code, fault};
use super::{stdout, telemetry};

/// Lives until the platform says SHUTDOWN. Whatever happens in it, the way to the next event goes
/// on: a registered extension that ends takes the function down with it.
pub(crate) async fn live(address: &str, who: Registration) {
    let api = Api::new(address);
    let mut poller = Poller::start(api.clone(), who.clone());
    let life = async {
        let (mut config, problems) = RawConfig::read_with(&Environment, &config_file()).resolve();
        problems
            .iter()
            .for_each(|problem| say(&problem.to_string()));
        config.function.code = code::digest();
        let counters = Arc::new(Counters::default());
        fault::count(&counters);
        Life::begin(config, api, who, counters)
            .await
            .run(&mut poller)
            .await
    };
    if AssertUnwindSafe(life).catch_unwind().await.is_err() {
        say("nothing is taken in any more");
    }
    poller.idle().await;
}

fn keeper(name: KeyName) -> Keeper {
    Keeper::new(name, Box::new(Environment))
}

/// The core and what it needs of the world.
struct Life {
    core: Core,
    courier: Option<Arc<Courier>>,
    spill: Spill,
    /// How often at most is still looked for what killed lives left in `/tmp`, and from when on.
    looks: (u32, UnixNanos),
    environment: String,
    inbox: Inbox,
    events: Outlet,
    /// Reads what the kernel knows of the function, if anybody wants it.
    meter: Option<Meter>,
    listeners: Listeners,
    /// Whether the process still has to become another one when its snapshot is restored.
    from_snapshot: bool,
}

impl Life {
    /// Builds the parts, and starts to listen before anybody is told where.
    async fn begin(
        mut config: Config,
        api: Api,
        who: Registration,
        counters: Arc<Counters>,
    ) -> Self {
        let mut delivery = config.delivery;
        let shares = Shares::of(delivery.limits.memory_bytes);
        delivery.limits.memory_bytes = shares.core;
        let (inbox, events) = Inbox::new(shares);
        let listeners = listeners::listen(&config, &inbox, &counters).await;
        let environment = new_id();
        let (export, courier) = match config.export {
            Target::To(endpoint) => (
                Export::On,
                Some(Arc::new(
                    Courier::new(endpoint, config.request_timeout)
                        .with_keeper(config.key_name.map(keeper)),
                )),
            ),
            Target::Off(_) => (Export::Off, None),
        };
        let function = &mut config.function;
        if function.name.is_empty() {
            function.name = who.function_name.clone();
        }
        if function.version.is_empty() {
            function.version = who.function_version.clone();
        }
        match export {
            Export::On => subscribe(api, who, &inbox, &counters).await,
            Export::Off => inbox.tell(Event::Subscribed(Telemetry::Idle)),
        }
        let meter = config
            .signals
            .metrics
            .then(|| Meter::new(Arc::clone(&counters)));
        let tmp = tmp();
        delivery.limits.spill_bytes = match export {
            Export::On => delivery.limits.spill_bytes.min(Spill::room(&tmp)),
            Export::Off => 0,
        };
        if delivery.limits.spill_bytes > 0 {
            inbox.keeps_books();
        }
        let mut core = Core::new(
            config.function,
            &environment,
            config.rules,
            export,
            counters,
        );
        core.make(config.signals);
        delivery.strategy = flavour().strategy(delivery.strategy);
        if flavour() == Flavour::Managed {
            core.expect_a_crowd();
        }
        if is_snapshot() {
            core.expect_a_restore();
        }
        Life {
            core: core.with_delivery(delivery),
            courier,
            spill: Spill::new(&tmp, delivery.limits.home),
            looks: match delivery.limits.spill_bytes {
                0 => (0, UnixNanos::default()),
                _ => (LOOKS_MAX, UnixNanos::default()),
            },
            environment,
            inbox,
            events,
            meter,
            listeners,
            from_snapshot: is_snapshot(),
        }
    }

    /// Feeds the core until it says that it is over. A panic in one turn is no reason to leave out the
    /// next one.
    async fn run(mut self, poller: &mut Poller) {
        let mut faults = 0;
        while faults < FAULTS_MAX && !self.core.is_lost() {
            match AssertUnwindSafe(self.turn(poller)).catch_unwind().await {
                Ok(true) => return,
                Ok(false) => faults = 0,
                Err(_) => {
                    faults += 1;
                    poller.ask();
                }
            }
        }
        say("one fault of ours follows the other: nothing is taken in any more");
    }

    /// One event, and whether it was the last.
    async fn turn(&mut self, poller: &mut Poller) -> bool {
        let event = self.next_event(poller).await;
        // Whichever comes first: who was restored in vain is told to end.
        if self.from_snapshot && matches!(event, Event::Invoked(_) | Event::ShutDown { .. }) {
            let restored = self.renew();
            self.feed(restored, poller);
        }
        if let Event::ShutDown { .. } = event {
            // It comes over another connection than what happened before it, so whoever has
            // something in a socket has a turn first.
            for _ in 0..TURNS_BEFORE_END {
                tokio::task::yield_now().await;
            }
            for _ in 0..EVENTS_BEFORE_END_MAX {
                let Some(event) = self.events.now() else {
                    break;
                };
                self.handle(event, poller);
            }
            for request in self.listeners.last_words(now()) {
                self.handle(Event::Exported(request), poller);
            }
        }
        let begins = match &event {
            Event::Invoked(invoked) => Some(invoked.request_id.clone()),
            _ => None,
        };
        let mut is_over = self.handle(event, poller);
        if !is_over && self.core.has_put_off() {
            self.events.done();
            for _ in 0..TURNS_TO_ANSWER {
                tokio::task::yield_now().await;
            }
            is_over = self.handle(Event::Tick, poller);
        }
        if let Some(request_id) = begins.filter(|_| !is_over) {
            // The call for the next event is on its way before anything else is done.
            for _ in 0..TURNS_TO_ASK {
                tokio::task::yield_now().await;
            }
            if let Some(reading) = self.read(|meter| Some(meter.begin(request_id))) {
                self.feed(reading, poller);
            }
        }
        is_over
    }

    /// Gives the core one event, with what the kernel says of the function before it. Whether it is
    /// over.
    fn handle(&mut self, event: Event, poller: &mut Poller) -> bool {
        if matches!(&event, Event::Telemetry(body) if process::tells_end(body)) {
            self.listeners.count_datagrams();
        }
        let before = self.read(|meter| meter.before(&event));
        let mut events = before.into_iter().chain([event]);
        events.any(|event| self.feed(event, poller))
    }

    /// What came while the time ran out.
    fn leave(&mut self) {
        self.inbox.end();
        let mut late = 0;
        while let Some(event) = self.events.now() {
            late += event.items();
        }
        if late > 0 {
            say(&format!(
                "{late} items came too late to be delivered and are lost"
            ));
        }
    }

    fn read(&mut self, reading: impl FnOnce(&mut Meter) -> Option<Event>) -> Option<Event> {
        let meter = self.meter.as_mut()?;
        catch_unwind(AssertUnwindSafe(|| reading(meter)))
            .ok()
            .flatten()
    }

    /// Gives the core one event, and what its files answer to that. Whether it is over.
    fn feed(&mut self, event: Event, poller: &mut Poller) -> bool {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            fault::in_core(&mut self.core);
            for action in self.core.handle(event, now()) {
                match action {
                    Action::Next => poller.ask(),
                    Action::Order(order) => events.extend(self.perform_guarded(order)),
                    Action::Record { environment, line } => self.spill.record(&environment, &line),
                    Action::Name => {
                        self.environment = new_id();
                        events.push_back(Event::Named(self.environment.clone()));
                    }
                    Action::Renew(told) => {
                        events.push_back(self.renew());
                        events.push_back(Event::Telemetry(told));
                    }
                    Action::Say(text) => say(&text),
                    Action::Exit => {
                        self.leave();
                        return true;
                    }
                }
            }
            self.inbox.core_has(self.core.memory_bytes());
            if self.core.has_said_farewell() {
                self.inbox.end();
            }
            // The way to the first invocation does not wait for it.
            if self.looks.0 > 0 && poller.is_waiting() && now() >= self.looks.1 {
                let leftovers = self.spill.leftovers(&self.environment);
                if !leftovers.is_empty() {
                    events.push_back(Event::Found(leftovers));
                }
                self.looks = match self.spill.is_held() {
                    true => (self.looks.0 - 1, now().plus(LOOK_PAUSE)),
                    false => (0, now()),
                };
            }
        }
        false
    }

    /// An order that is lost in a panic is one that failed.
    fn perform_guarded(&mut self, order: Order) -> Option<Event> {
        let failed = failed(&order);
        catch_unwind(AssertUnwindSafe(|| {
            fault::here("order");
            self.perform(order)
        }))
        .unwrap_or(failed)
    }

    fn perform(&mut self, order: Order) -> Option<Event> {
        match order {
            Order::Send(parcel) => self.send(parcel),
            Order::Print(parcel) => self.print(&parcel),
            Order::Save(batch) => {
                let (kept, key) = (self.spill.save(&batch), batch.key());
                return Some(Event::Saved { key, kept });
            }
            Order::Load(key, signal) => {
                let body = self.spill.load(&key, signal);
                return Some(Event::Loaded { key, body });
            }
            Order::Remove(key, signal) => self.spill.remove(&key, signal),
            Order::Close(environment) => self.spill.close(&environment),
        }
        None
    }

    /// INVOKE before all else: what the function exports is joined to it.
    async fn next_event(&mut self, poller: &mut Poller) -> Event {
        self.events.done();
        let wait = self
            .core
            .wakes_at()
            .map_or(WAIT_MAX, |at| at.since(now()).min(WAIT_MAX));
        tokio::select! {
            biased;
            next = poller.answer() => match next {
                NextEvent::Invoke(invoked) => Event::Invoked(invoked),
                NextEvent::ShutDown { reason, deadline } => Event::ShutDown { reason, deadline },
                NextEvent::Unknown(_) => Event::Tick,
            },
            Some(event) = self.events.next() => event,
            () = tokio::time::sleep(wait) => Event::Tick,
        }
    }

    /// A snapshot is made while this waits for its first invocation, and restored for it, as often as
    /// environments are needed. What must differ between them is made anew.
    fn renew(&mut self) -> Event {
        self.from_snapshot = false;
        self.environment = new_id();
        if let Some(courier) = self.courier.clone() {
            tokio::spawn(async move { courier.renew().await });
        }
        Event::Restored(self.environment.clone())
    }

    fn send(&self, parcel: Parcel) {
        let Some(courier) = self.courier.clone() else {
            return;
        };
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let outcome = courier.deliver(&parcel).await;
            let key = parcel.batch.key();
            inbox.tell(Event::Answered { key, outcome });
        });
    }

    fn print(&self, parcel: &Parcel) {
        let url = self
            .courier
            .as_ref()
            .map(|courier| courier.url(&parcel.batch));
        let line = envelope(&parcel.batch, &parcel.ledger, &url.unwrap_or_default());
        stdout::print(parcel.batch.key(), line, &self.inbox);
    }
}

/// What is told when an order could not be carried out.
fn failed(order: &Order) -> Option<Event> {
    match order {
        Order::Send(parcel) => Some(Event::Answered {
            key: parcel.batch.key(),
            outcome: Outcome::Failed {
                why: "a fault of ours".to_owned(),
                retry_after: None,
            },
        }),
        Order::Print(parcel) => Some(Event::Printed {
            key: parcel.batch.key(),
            done: false,
        }),
        Order::Save(batch) => Some(Event::Saved {
            key: batch.key(),
            kept: false,
        }),
        Order::Load(key, _) => Some(Event::Loaded {
            key: key.clone(),
            body: None,
        }),
        Order::Remove(..) | Order::Close(_) => None,
    }
}

/// Listens for the platform's telemetry and only then asks for it. The answer comes as an event.
async fn subscribe(api: Api, who: Registration, inbox: &Inbox, counters: &Arc<Counters>) {
    let bound = TcpListener::bind((sandbox_address(), 0)).await;
    let bound = bound.and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
    let (port, listener) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            counters.add(Counter::NotBound, 1);
            say(&format!(
                "cannot listen for telemetry on {SANDBOX}: {error}; going on without"
            ));
            return inbox.tell(Event::Subscribed(Telemetry::Off));
        }
    };
    tokio::spawn(telemetry::receive(
        listener,
        inbox.clone(),
        Arc::clone(counters),
    ));
    let inbox = inbox.clone();
    tokio::spawn(async move {
        let asked = async {
            fault::here("subscription");
            api.subscribe(&who, flavour().schema(), port).await
        };
        let asked = AssertUnwindSafe(asked).catch_unwind();
        let asked = async { asked.await.unwrap_or(Ok(false)) };
        let telemetry = match tokio::time::timeout(SUBSCRIBE_MAX, asked).await {
            Ok(Ok(true)) => Telemetry::On,
            Ok(Ok(false)) => {
                say("the platform has no telemetry here; going on with what the function exports");
                Telemetry::Off
            }
            Ok(Err(error)) => {
                say(&format!(
                    "cannot subscribe to telemetry: {error}; going on without"
                ));
                Telemetry::Off
            }
            Err(_) => {
                say("the platform does not answer the subscription; going on without telemetry");
                Telemetry::Off
            }
        };
        inbox.tell(Event::Subscribed(telemetry));
    });
}

const SUBSCRIBE_MAX: Duration = Duration::from_secs(1);
/// One to find out that there is something, one to read it, one to take it, and one more.
const TURNS_BEFORE_END: u32 = 4;
/// To connect, to find the connection there, to write the call, and one more.
const TURNS_TO_ASK: u32 = 4;
/// To see that the export is in the books, and to write the answer.
const TURNS_TO_ANSWER: u32 = 2;
/// So often is asked whether who held the account of a life before this one is gone.
const LOOKS_MAX: u32 = 5;
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// One can be bad luck with what came, so many in a row have another reason.
const FAULTS_MAX: u32 = 8;
/// What may wait for the core when the environment ends; the rest is taken in while it flushes.
const EVENTS_BEFORE_END_MAX: usize = 1000;
/// The core is asked for its deadlines at least this often: the wall clock may jump.
const WAIT_MAX: Duration = Duration::from_secs(60);
