//! Ways out of an environment: each leads from an address inside to one outside, and can be made slow or shut.
//!
//! In a world of its own an environment reaches nothing else. In the shared world a door is a relay on a port of its own;
//! that is no wall, but whoever takes the address from the environment variables goes through the door, and so network
//! faults work there as well.

mod plan;
mod relay;

use std::fmt;
use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

pub use plan::BadDoor;
pub(crate) use plan::{Found, found};
use plan::{Planned, plan};
pub(crate) use relay::attend;

use crate::source::Door;
use crate::time::Clock;

/// How a door behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DoorState {
    /// Everything goes through as it comes.
    #[default]
    Open,
    /// A connection waits before it is made, and bytes wait before they go on.
    Slow {
        /// How long each connection waits.
        delay: Duration,
        /// How much goes through each way of each connection; as fast as it can unless told.
        bytes_per_second: Option<u64>,
    },
    /// Nobody listens: connecting fails at once, and the connections that there were are reset.
    Refuse,
    /// Connecting succeeds and nothing ever comes back, nor on the connections that there were. When the door gets another
    /// state, they are reset.
    BlackHole,
}

/// A door of a running sandbox, and what went through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorTold {
    /// Its name.
    pub name: String,
    /// `host:port` outside.
    pub target: String,
    /// How it behaves now.
    pub state: DoorState,
    /// The connections that were taken.
    pub connections: u64,
    /// The connections that were dropped because too many were open already.
    pub dropped: u64,
    /// The connections that found nobody outside.
    pub unanswered: u64,
    /// The connections that were used again after nothing had gone through them for too long, and were reset.
    pub idle: u64,
    /// The bytes that went out.
    pub bytes_out: u64,
    /// The bytes that came in.
    pub bytes_in: u64,
}

/// How long a connection may be without a byte before whoever is in between forgets it, as NAT gateways and load
/// balancers do. While an environment is frozen nothing keeps its connections alive.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    pub(crate) clock: Clock,
    pub(crate) idle_max: Duration,
}

/// All doors of a running sandbox. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Doors(Arc<Vec<Arc<Frame>>>);

/// One door, in however many worlds it is.
#[derive(Debug)]
pub(crate) struct Frame {
    planned: Planned,
    /// The address inside, which in the shared world is known when its relay listens.
    inside: SocketAddrV4,
    state: watch::Sender<DoorState>,
    patience: Patience,
    room: Arc<Semaphore>,
    connections: AtomicU64,
    dropped: AtomicU64,
    unanswered: AtomicU64,
    idle: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

impl Doors {
    /// Doors at addresses of their own, for worlds with a loopback of their own.
    pub(crate) fn of_own_worlds(
        doors: &[Door],
        found: &[Found],
        patience: &Patience,
    ) -> Result<Self, BadDoor> {
        let planned = plan(doors, found)?;
        let frames = planned.into_iter().map(|planned| {
            let inside = planned.inside;
            Arc::new(Frame::new(planned, inside, patience.clone()))
        });
        Ok(Self(Arc::new(frames.collect())))
    }

    /// Doors on free ports of the loopback that all share, each with the listener of its relay.
    pub(crate) fn of_shared_world(
        doors: &[Door],
        found: &[Found],
        patience: &Patience,
    ) -> Result<(Self, Vec<std::net::TcpListener>), BadDoor> {
        let mut frames = Vec::new();
        let mut listeners = Vec::new();
        for planned in plan(doors, found)? {
            let name = planned.name.clone();
            let (listener, inside) =
                free_port().map_err(|error| BadDoor::new(&name, error.to_string()))?;
            frames.push(Arc::new(Frame::new(planned, inside, patience.clone())));
            listeners.push(listener);
        }
        Ok((Self(Arc::new(frames)), listeners))
    }

    /// Changes how a door behaves, at once and in every environment.
    ///
    /// # Errors
    /// There is no door of this name.
    pub fn set(&self, name: &str, state: DoorState) -> Result<(), UnknownDoor> {
        let frame = self.0.iter().find(|frame| frame.planned.name == name);
        let frame = frame.ok_or_else(|| UnknownDoor {
            name: name.to_owned(),
            known: self.names(),
        })?;
        frame.state.send_replace(state);
        Ok(())
    }

    /// Every door as it is now.
    pub fn told(&self) -> Vec<DoorTold> {
        self.0.iter().map(|frame| frame.told()).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.0.iter().map(|frame| frame.planned.name.clone());
        names.collect()
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = &Arc<Frame>> {
        self.0.iter()
    }

    /// The text with the addresses inside where it has those outside.
    pub(crate) fn translate(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for frame in self.0.iter() {
            text = frame.planned.translate(&text, frame.inside);
        }
        text
    }

    /// What `/etc/hosts` says in a world of its own.
    pub(crate) fn hosts(&self) -> String {
        plan::hosts(self.0.iter().map(|frame| &frame.planned))
    }
}

impl Frame {
    fn new(planned: Planned, inside: SocketAddrV4, patience: Patience) -> Self {
        Self {
            planned,
            inside,
            state: watch::Sender::new(DoorState::Open),
            patience,
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            connections: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            idle: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
        }
    }

    /// Where it is inside.
    pub(crate) fn inside(&self) -> SocketAddrV4 {
        self.inside
    }

    fn told(&self) -> DoorTold {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DoorTold {
            name: self.planned.name.clone(),
            target: self.planned.target(),
            state: *self.state.borrow(),
            connections: count(&self.connections),
            dropped: count(&self.dropped),
            unanswered: count(&self.unanswered),
            idle: count(&self.idle),
            bytes_out: count(&self.bytes_out),
            bytes_in: count(&self.bytes_in),
        }
    }
}

/// No door has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDoor {
    name: String,
    known: Vec<String>,
}

impl fmt::Display for UnknownDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.join(", ");
        write!(f, "no door is named {}: there are {known}", self.name)
    }
}

impl std::error::Error for UnknownDoor {}

fn free_port() -> io::Result<(std::net::TcpListener, SocketAddrV4)> {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((
        listener,
        SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port),
    ))
}

/// Listens again where a relay of the shared world listened before.
pub(crate) fn listen_again(at: SocketAddrV4) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// AWS's NAT gateways and network load balancers forget connections after this time.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(350);
/// Connections that one door has open at once, over all environments; more are dropped and counted.
const CONNECTIONS_MAX: usize = 512;
