//! What carries bytes through a door.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{DoorState, Frame, Patience};
use crate::time::UnixNanos;

/// Takes connections of one world for as long as it is polled. `listen` listens anew after the door has refused.
pub(crate) async fn attend(
    frame: Arc<Frame>,
    listener: TcpListener,
    listen: impl Fn() -> io::Result<TcpListener>,
) {
    let mut state = frame.state.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        if is_shut(&mut state) {
            listener = None; // resets what nobody has accepted yet
            if state.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            match listen() {
                Ok(open) => listener = Some(open),
                Err(error) => {
                    tracing::warn!(%error, door = %frame.planned.name, "cannot listen again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => match accepted {
                Ok((connection, _)) => admit(&frame, connection, &mut connections),
                // Such as too many open files: there is nothing to do but wait.
                Err(_) => tokio::time::sleep(AGAIN).await,
            },
            changed = state.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn is_shut(state: &mut watch::Receiver<DoorState>) -> bool {
    *state.borrow_and_update() == DoorState::Refuse
}

fn admit(frame: &Arc<Frame>, connection: TcpStream, connections: &mut JoinSet<()>) {
    let Ok(room) = frame.room.clone().try_acquire_owned() else {
        count(&frame.dropped, 1);
        return;
    };
    count(&frame.connections, 1);
    let frame = frame.clone();
    connections.spawn(async move {
        pass(&frame, connection).await;
        drop(room);
    });
}

/// One connection, to its end.
async fn pass(frame: &Frame, mut near: TcpStream) {
    let mut far = None;
    let mut state = frame.state.subscribe();
    let mut change = frame.state.subscribe();
    let shut = change.wait_for(|state| matches!(state, DoorState::Refuse | DoorState::BlackHole));
    let shut_as = tokio::select! {
        shut = shut => shut.map_or(DoorState::Refuse, |state| *state),
        () = carry(frame, &mut near, &mut far) => DoorState::Open,
    };
    match shut_as {
        DoorState::BlackHole => {
            let _ = state.wait_for(|state| *state != DoorState::BlackHole).await;
            reset(&near, far.as_ref());
        }
        DoorState::Refuse => reset(&near, far.as_ref()),
        DoorState::Open | DoorState::Slow { .. } => {}
    }
}

/// Connects and carries both ways until both have ended.
async fn carry(frame: &Frame, near: &mut TcpStream, far: &mut Option<TcpStream>) {
    let speed = || match *frame.state.borrow() {
        DoorState::Slow {
            bytes_per_second, ..
        } => bytes_per_second,
        _ => None,
    };
    let delay = match *frame.state.borrow() {
        DoorState::Slow { delay, .. } => delay,
        _ => Duration::ZERO,
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let connecting = TcpStream::connect(frame.planned.target());
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
    let Ok(Ok(connected)) = connected else {
        count(&frame.unanswered, 1);
        tracing::debug!(door = %frame.planned.name, target = %frame.planned.target(), "nobody answers outside");
        reset(near, None);
        return;
    };
    let far = far.insert(connected);
    // Small requests and answers are what goes through here.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let last_use = LastUse::new(&frame.patience);
    let (near_in, near_out) = near.split();
    let (far_in, far_out) = far.split();
    let out = async {
        match pump(near_in, far_out, &frame.bytes_out, speed, &last_use).await {
            Pumped::ToTheEnd => Ok(()),
            Pumped::Forgotten => Err(Forgotten),
        }
    };
    let back = async {
        // What comes from outside goes nowhere then, and inside nobody hears of it before the next word.
        pump(far_in, near_out, &frame.bytes_in, speed, &last_use).await;
        Ok(())
    };
    if let Err(Forgotten) = tokio::try_join!(out, back) {
        count(&frame.idle, 1);
        reset(near, Some(far));
    }
}

/// Whoever is in between has forgotten the connection.
struct Forgotten;

/// When something last went through a connection.
struct LastUse<'a> {
    patience: &'a Patience,
    at: AtomicU64,
}

impl<'a> LastUse<'a> {
    fn new(patience: &'a Patience) -> Self {
        let at = AtomicU64::new(patience.clock.now().as_nanos());
        Self { patience, at }
    }

    /// Whether the connection may still be used. One that was forgotten once is so for ever.
    fn again(&self) -> bool {
        let now = self.patience.clock.now();
        let last = UnixNanos::new(self.at.load(Ordering::Relaxed));
        let known = now.since(last) <= self.patience.idle_max;
        if known {
            self.at.store(now.as_nanos(), Ordering::Relaxed);
        }
        known
    }
}

enum Pumped {
    ToTheEnd,
    Forgotten,
}

/// One way, to its end, which is passed on.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: &AtomicU64,
    speed: impl Fn() -> Option<u64>,
    last_use: &LastUse<'_>,
) -> Pumped {
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let piece = match speed() {
            // Ten pieces a second, so that a slow door is slow all the time.
            Some(speed) => usize::try_from(speed / 10).unwrap_or(PIECE_BYTES),
            None => PIECE_BYTES,
        };
        let piece = piece.clamp(1, PIECE_BYTES);
        let read = from.read(&mut buffer[..piece]).await;
        if !last_use.again() {
            return Pumped::Forgotten;
        }
        let Ok(length @ 1..) = read else {
            break;
        };
        if let Some(speed) = speed() {
            let seconds = length as f64 / speed.max(1) as f64;
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
        count(counter, length as u64);
    }
    let _ = to.shutdown().await;
    Pumped::ToTheEnd
}

/// So that both ends see a broken connection, not one that ended in order.
fn reset(near: &TcpStream, far: Option<&TcpStream>) {
    for stream in [Some(near), far].into_iter().flatten() {
        let _ = stream.set_zero_linger();
    }
}

fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

const AGAIN: Duration = Duration::from_millis(50);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const PIECE_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::{Doors, IDLE_MAX};
    use crate::source::Door;
    use crate::time::Clock;

    /// A connection through a door to an echo, the clock that the door looks at, and the door.
    async fn connection() -> (TcpStream, Clock, Doors) {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = echo.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut connection, _) = echo.accept().await.unwrap();
            let (mut from, mut to) = connection.split();
            tokio::io::copy(&mut from, &mut to).await.unwrap();
        });
        let patience = Patience {
            clock: Clock::start(),
            idle_max: IDLE_MAX,
        };
        let door = Door {
            name: "echo".to_owned(),
            target,
        };
        let (doors, listeners) = Doors::of_shared_world(&[door], &[], &patience).unwrap();
        for (frame, listener) in doors.frames().zip(listeners) {
            let at = frame.inside();
            let listener = TcpListener::from_std(listener).unwrap();
            let again = move || crate::doors::listen_again(at);
            tokio::spawn(attend(frame.clone(), listener, again));
        }
        let at = doors.frames().next().unwrap().inside();
        let connection = TcpStream::connect(at).await.unwrap();
        (connection, patience.clock, doors)
    }

    async fn says(connection: &mut TcpStream, word: &[u8]) -> io::Result<Vec<u8>> {
        connection.write_all(word).await?;
        let mut heard = vec![0; word.len()];
        connection.read_exact(&mut heard).await?;
        Ok(heard)
    }

    #[tokio::test]
    async fn connection_that_was_idle_for_too_long_is_reset_with_its_next_word() {
        let (mut connection, clock, doors) = connection().await;
        let second = Duration::from_secs(1);
        assert_eq!(says(&mut connection, b"one").await.unwrap(), b"one");
        clock.jump(IDLE_MAX - second);
        assert_eq!(says(&mut connection, b"two").await.unwrap(), b"two");
        clock.jump(IDLE_MAX + second);
        // Not `readable`, which may tell of the word before.
        let mut byte = [0];
        let silent = connection.peek(&mut byte);
        let silent = tokio::time::timeout(Duration::from_millis(50), silent).await;
        assert!(silent.is_err(), "nobody says that it is gone");
        let reset = says(&mut connection, b"three").await.unwrap_err();
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(doors.told()[0].idle, 1);
    }
}
