//! Places for connections. Who comes when all are taken gets the place of the one that has been
//! quiet the longest, so that connections which a function forgot, or which never end what they
//! began, do not keep others out; if none has been quiet for a while, the newcomer is turned away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The places of one listener.
#[derive(Clone, Debug)]
pub(super) struct Seats(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    taken: Vec<Taken>,
    seats_max: usize,
    last_id: u64,
}

#[derive(Debug)]
struct Taken {
    id: u64,
    last_active: Instant,
    task: Option<AbortHandle>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    id: u64,
    seats: Seats,
}

impl Seats {
    /// So many.
    pub(super) fn new(seats_max: usize) -> Self {
        Seats(Arc::new(Mutex::new(Table {
            taken: Vec::new(),
            seats_max,
            last_id: 0,
        })))
    }

    /// A place and how many connections were closed for it; `None` if there is none to be had.
    pub(super) fn sit(&self, now: Instant) -> Option<(Seat, u64)> {
        let mut table = self.table();
        let mut closed = 0;
        if table.taken.len() >= table.seats_max {
            let quietest = table.taken.iter().min_by_key(|taken| taken.last_active)?;
            if now.saturating_duration_since(quietest.last_active) < QUIET_MIN {
                return None;
            }
            let id = quietest.id;
            table.leave(id);
            closed = 1;
        }
        table.last_id += 1;
        let id = table.last_id;
        table.taken.push(Taken {
            id,
            last_active: now,
            task: None,
        });
        let seats = self.clone();
        Some((Seat { id, seats }, closed))
    }

    /// The task that ends when the place is given to another.
    pub(super) fn held_by(&self, id: u64, task: AbortHandle) {
        if let Some(taken) = self.table().find(id) {
            taken.task = Some(task);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn find(&mut self, id: u64) -> Option<&mut Taken> {
        self.taken.iter_mut().find(|taken| taken.id == id)
    }

    fn leave(&mut self, id: u64) {
        let at = self.taken.iter().position(|taken| taken.id == id);
        if let Some(at) = at
            && let Some(task) = self.taken.swap_remove(at).task
        {
            task.abort();
        }
    }
}

impl Seat {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Its connection sent a request.
    pub(super) fn is_active(&self, now: Instant) {
        if let Some(taken) = self.seats.table().find(self.id) {
            taken.last_active = now;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Its task has ended or is about to; ending it again changes nothing.
        self.seats.table().leave(self.id);
    }
}

/// A connection that sent nothing for so long does not miss much.
const QUIET_MIN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_quietest_leaves_first() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let seats = Seats::new(2);
        let (first, _) = seats.sit(start).unwrap();
        let (second, _) = seats.sit(at(1)).unwrap();
        assert!(seats.sit(at(499)).is_none(), "both are new");
        first.is_active(at(2));
        let forgotten = tokio::spawn(async move {
            let _second = second;
            std::future::pending::<()>().await;
        });
        seats.held_by(2, forgotten.abort_handle());
        let (third, closed) = seats.sit(at(501)).unwrap();
        assert_eq!((third.id(), closed), (3, 1));
        assert!(forgotten.await.unwrap_err().is_cancelled());
        assert!(seats.sit(at(501)).is_none(), "none is quiet now");
        drop(first);
        assert_eq!(seats.sit(at(501)).unwrap().1, 0, "a free one");
    }
}
