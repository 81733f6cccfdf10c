//! What waits for the core: one queue in the order of arrival, bounded in bytes by two rooms.
//!
//! A flood of the function's exports fills the function's room and nothing else, and the other way
//! round. Both are made of the budget of which the core has the rest: see [`Shares`]. Our own news (answers of the server, the subscription) need no room: there are never more
//! of them than batches in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use throughline_extension::Event;
use throughline_extension::room::{Charge, Full, Room, Shares};
use tokio::sync::mpsc;

/// Where events are put.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    queue: mpsc::UnboundedSender<Entry>,
    function: Arc<Room>,
    platform: Arc<Room>,
    /// Whether the function is told to come again, because the environment ends.
    ends: Arc<AtomicBool>,
    /// Whether what the core takes is written to `/tmp`.
    has_books: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

/// Where the core takes them.
#[derive(Debug)]
pub(super) struct Outlet {
    queue: mpsc::UnboundedReceiver<Entry>,
    counts: Arc<Counts>,
    /// Whether the core has one in hand.
    is_out: bool,
}

/// How many events were put, and how many of them the core is done with.
#[derive(Debug, Default)]
struct Counts {
    put: AtomicU64,
    done: AtomicU64,
}

/// The event, and the room it takes while it waits.
#[derive(Debug)]
struct Entry {
    event: Event,
    _charge: Option<Charge>,
}

/// Why an event is not put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotPut {
    /// The last batch has left.
    Ending,
    /// Nobody takes anything any more.
    Closed,
}

impl Inbox {
    /// An empty one.
    pub(super) fn new(shares: Shares) -> (Self, Outlet) {
        Inbox::with_room(shares.function, shares.platform)
    }

    pub(super) fn with_room(function: usize, platform: usize) -> (Self, Outlet) {
        let (sender, queue) = mpsc::unbounded_channel();
        let counts: Arc<Counts> = Arc::default();
        let inbox = Inbox {
            queue: sender,
            function: Room::new(function, ENTRY_BYTES),
            platform: Room::new(platform, ENTRY_BYTES),
            ends: Arc::default(),
            has_books: Arc::default(),
            counts: Arc::clone(&counts),
        };
        let outlet = Outlet {
            queue,
            counts,
            is_out: false,
        };
        (inbox, outlet)
    }

    /// So much of the budget is with the core.
    pub(super) fn core_has(&self, bytes: usize) {
        self.function.lend(bytes);
    }

    /// Takes nothing more of the function: what would be taken now would be in no ledger.
    pub(super) fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    fn ends(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    /// Room for something of the function.
    pub(super) fn function_room(&self) -> Result<Charge, Full> {
        if self.ends() {
            return Err(Full);
        }
        self.function.open()
    }

    /// Room for something of the platform.
    pub(super) fn platform_room(&self) -> Result<Charge, Full> {
        self.platform.open()
    }

    /// Puts an event behind the others; its room is free again when the core has it.
    pub(super) fn put(&self, event: Event, charge: Charge) -> Result<(), NotPut> {
        if self.ends() && matches!(event, Event::Exported(_)) {
            return Err(NotPut::Ending);
        }
        self.push(event, Some(charge))
    }

    /// From here on who exports waits for the books.
    pub(super) fn keeps_books(&self) {
        self.has_books.store(true, Ordering::Relaxed);
    }

    /// Waits until the core has all that is here by now in its books, if it keeps any. Not for ever:
    /// where it has no turn it may be stuck, and whoever put something is to go on.
    pub(super) async fn written_down(&self) {
        let put = self.counts.put.load(Ordering::Relaxed);
        let is_due = || self.counts.done.load(Ordering::Relaxed) < put;
        let mut turns = TURNS_MAX;
        while turns > 0 && is_due() && self.has_books.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
            turns -= 1;
        }
    }

    /// Puts our own news. Where nobody listens any more nobody needs them.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.push(event, None);
    }

    fn push(&self, event: Event, charge: Option<Charge>) -> Result<(), NotPut> {
        let entry = Entry {
            event,
            _charge: charge,
        };
        // Before it is there: rather too many than one too few.
        self.counts.put.fetch_add(1, Ordering::Relaxed);
        self.queue.send(entry).map_err(|_| NotPut::Closed)
    }
}

impl Outlet {
    /// The core is done with what it took before, if it took something.
    pub(super) fn done(&mut self) {
        let is_out = std::mem::take(&mut self.is_out);
        let done = &self.counts.done;
        done.fetch_add(u64::from(is_out), Ordering::Relaxed);
    }

    /// The oldest event; `None` when there will be no more. Whoever asks is done with the one before.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.done();
        let entry = self.queue.recv().await;
        self.hand_out(entry)
    }

    /// The oldest event, if there is one. Whoever asks is done with the one before.
    pub(super) fn now(&mut self) -> Option<Event> {
        self.done();
        let entry = self.queue.try_recv().ok();
        self.hand_out(entry)
    }

    fn hand_out(&mut self, entry: Option<Entry>) -> Option<Event> {
        self.is_out = entry.is_some();
        entry.map(|entry| entry.event)
    }

    #[cfg(test)]
    pub(super) fn close(&mut self) {
        self.queue.close();
    }
}

/// An event without its contents, about.
const ENTRY_BYTES: usize = 256;
/// One is enough where the core has nothing else to do. It may be in the middle of an event, in which it
/// gives others a few turns, and takes no more than some hundred events in one.
const TURNS_MAX: u32 = 16;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use throughline_telemetry::wire;

    use super::*;

    fn telemetry() -> Event {
        Event::Telemetry(Bytes::new())
    }

    #[test]
    fn neither_room_takes_from_the_other() {
        let (inbox, mut outlet) = Inbox::with_room(1000, 1000);
        let mut flood = inbox.function_room().unwrap();
        assert!(flood.grow(700).is_ok());
        inbox.put(telemetry(), flood).unwrap();
        assert!(inbox.function_room().is_err(), "full");
        assert!(inbox.platform_room().is_ok(), "not its room");
        inbox.tell(Event::Tick);
        assert!(outlet.now().is_some());
        assert!(inbox.function_room().is_ok(), "the core has it");
        assert!(matches!(outlet.now(), Some(Event::Tick)), "in order");
    }

    #[tokio::test]
    async fn who_waits_for_the_books_goes_on_when_the_core_is_done() {
        let (inbox, mut outlet) = Inbox::with_room(1000, 1000);
        inbox.keeps_books();
        inbox.written_down().await;
        let order = std::sync::Mutex::new(Vec::new());
        let says = |word: &'static str| order.lock().unwrap().push(word);
        let core = async {
            while let Some(event) = outlet.next().await {
                // Whatever the core waits for, it is not done.
                tokio::task::yield_now().await;
                says("written");
                if matches!(event, Event::Tick) {
                    outlet.done();
                    return;
                }
            }
        };
        let function = async {
            let room = inbox.function_room().unwrap();
            inbox.put(telemetry(), room).unwrap();
            inbox.written_down().await;
            says("answered");
            inbox.tell(Event::Tick);
            inbox.written_down().await;
            says("answered");
        };
        tokio::join!(function, core);
        let order = order.into_inner().unwrap();
        assert_eq!(order, ["written", "answered", "written", "answered"]);
        // Nobody takes it, and nobody waits for ever.
        inbox.tell(Event::Tick);
        inbox.written_down().await;
    }

    #[test]
    fn the_end_is_for_the_function_only() {
        let (inbox, mut outlet) = Inbox::with_room(1000, 1000);
        let before = inbox.function_room().unwrap();
        inbox.end();
        let export = Event::Exported(wire::Request::Traces(wire::traces_request(&[])));
        assert_eq!(inbox.put(export, before), Err(NotPut::Ending));
        assert!(inbox.function_room().is_err());
        let platform = inbox.platform_room().unwrap();
        assert_eq!(inbox.put(telemetry(), platform), Ok(()));
        assert!(outlet.now().is_some());
    }
}
