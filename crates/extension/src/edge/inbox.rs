//! What waits for the core: one queue in the order of arrival, bounded in bytes by two rooms.
//!
//! A flood of the function's exports fills the function's room and nothing else, and the other way
//! round. Both are made of the budget of which the core has the rest: see [`Shares`]. Our own news (answers of the server, the subscription) need no room: there are never more
//! of them than batches in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
}

/// Where the core takes them.
#[derive(Debug)]
pub(super) struct Outlet(mpsc::UnboundedReceiver<Entry>);

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
        let (queue, outlet) = mpsc::unbounded_channel();
        let inbox = Inbox {
            queue,
            function: Room::new(function, ENTRY_BYTES),
            platform: Room::new(platform, ENTRY_BYTES),
            ends: Arc::default(),
        };
        (inbox, Outlet(outlet))
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
        let entry = Entry {
            event,
            _charge: Some(charge),
        };
        self.queue.send(entry).map_err(|_| NotPut::Closed)
    }

    /// Puts our own news. Where nobody listens any more nobody needs them.
    pub(super) fn tell(&self, event: Event) {
        let entry = Entry {
            event,
            _charge: None,
        };
        let _ = self.queue.send(entry);
    }
}

impl Outlet {
    /// The oldest event; `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.0.recv().await.map(|entry| entry.event)
    }
}

impl Outlet {
    /// The oldest event, if there is one.
    pub(super) fn now(&mut self) -> Option<Event> {
        self.0.try_recv().ok().map(|entry| entry.event)
    }
}

#[cfg(test)]
impl Outlet {
    pub(super) fn close(&mut self) {
        self.0.close();
    }
}

/// An event without its contents, about.
const ENTRY_BYTES: usize = 256;

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
