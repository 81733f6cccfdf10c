//! Room in bytes: how much of somebody else's data may be here at once.
//!
//! Every body is charged to a [`Room`] while it is read, while it is unpacked, and until the core
//! has it. The function and the platform have a room each, so that neither can fill the other's;
//! [`Shares`] makes them and the core's own room out of one budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// There is no room now; there may be in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much waits; try again")]
pub struct Full;

/// What each may take of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The core, for what it joins and for batches. What it does not use is the function's.
    pub core: usize,
    /// What the platform tells.
    pub platform: usize,
    /// What the function sends, if the core uses nothing.
    pub function: usize,
}

impl Shares {
    /// One half for the core, one for taking in, which has [`TAKING_IN_BYTES_MIN`] at least: with
    /// less a POST of the platform would not fit.
    pub fn of(budget: usize) -> Self {
        let core = budget / 2;
        let taking_in = (budget - core).max(TAKING_IN_BYTES_MIN);
        let platform = taking_in / 8 * 3;
        Shares {
            core,
            platform,
            function: core + taking_in - platform,
        }
    }
}

/// A number of bytes that may be taken.
#[derive(Debug)]
pub struct Room {
    used: AtomicUsize,
    /// Taken by somebody else, who asks nobody.
    lent: AtomicUsize,
    bytes_max: usize,
    bytes_each: usize,
}

impl Room {
    /// An empty one. Each charge takes `bytes_each` beside what it asks for: otherwise endless
    /// empty ones would fit.
    pub fn new(bytes_max: usize, bytes_each: usize) -> Arc<Self> {
        Arc::new(Room {
            used: AtomicUsize::new(0),
            lent: AtomicUsize::new(0),
            bytes_max,
            bytes_each,
        })
    }

    /// Begins to take bytes.
    ///
    /// # Errors
    /// [`Full`] if not even an empty charge fits.
    pub fn open(self: &Arc<Self>) -> Result<Charge, Full> {
        self.take(self.bytes_each)?;
        Ok(Charge {
            room: Arc::clone(self),
            bytes: 0,
        })
    }

    /// So many of its bytes are somebody else's for now.
    pub fn lend(&self, bytes: usize) {
        self.lent.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes can be taken at most, as long as no more are lent.
    fn bytes_max(&self) -> usize {
        let lent = self.lent.load(Ordering::Relaxed);
        self.bytes_max.saturating_sub(lent)
    }

    /// How many bytes are taken.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<(), Full> {
        let fit = |used: usize| {
            let used = used.checked_add(bytes)?;
            (used <= self.bytes_max()).then_some(used)
        };
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fit);
        taken.map(|_| ()).map_err(|_| Full)
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes taken of a room; given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    room: Arc<Room>,
    bytes: usize,
}

impl Charge {
    /// Takes more.
    ///
    /// # Errors
    /// [`Full`] if they do not fit; nothing is taken then.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        self.room.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes as much as that in all, more or less than before.
    ///
    /// # Errors
    /// [`Full`] if it does not fit; what was taken stays taken then.
    pub fn resize(&mut self, bytes: usize) -> Result<(), Full> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.grow(more),
            None => {
                self.room.give_back(self.bytes - bytes);
                self.bytes = bytes;
                Ok(())
            }
        }
    }
}

impl Charge {
    /// The same, but for what is larger than the whole room: that takes all of it.
    ///
    /// # Errors
    /// [`Full`] if it does not fit now.
    pub fn resize_at_most(&mut self, bytes: usize) -> Result<(), Full> {
        let most = self.room.bytes_max();
        self.resize(bytes.min(most.saturating_sub(self.room.bytes_each)))
    }
}

/// About two of the POSTs that the platform was asked for, and some exports.
const TAKING_IN_BYTES_MIN: usize = 2 << 20;

impl Drop for Charge {
    fn drop(&mut self) {
        self.room.give_back(self.bytes + self.room.bytes_each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let room = Room::new(12, 1);
        let mut first = room.open().unwrap();
        assert_eq!(first.grow(7), Ok(()));
        let mut second = room.open().unwrap();
        assert_eq!(second.grow(4), Err(Full));
        assert_eq!(second.grow(3), Ok(()));
        assert_eq!(room.open().err(), Some(Full));
        assert_eq!(first.resize(8), Err(Full));
        assert_eq!(first.resize(2), Ok(()));
        assert_eq!(room.used(), 7);
        drop(first);
        assert_eq!(second.grow(usize::MAX), Err(Full), "no overflow");
        assert_eq!(second.resize(11), Ok(()));
        drop(second);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_is_larger_than_all_takes_all_and_what_is_lent_is_not_there() {
        let room = Room::new(100, 10);
        room.lend(20);
        let mut large = room.open().unwrap();
        assert_eq!(large.resize_at_most(1000), Ok(()));
        assert_eq!(room.used(), 80);
        assert_eq!(room.open().err(), Some(Full));
        drop(large);
        let mut small = room.open().unwrap();
        assert_eq!(small.grow(71), Err(Full));
        assert_eq!(small.grow(30), Ok(()));
        room.lend(90);
        assert_eq!(room.open().err(), Some(Full));
        assert_eq!(small.resize_at_most(50), Ok(()), "less than before");
        room.lend(0);
        drop(small);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn all_shares_are_one_budget() {
        for budget in [0, 65_536, 4 << 20, 6_710_886, 16_000_000] {
            let Shares {
                core,
                platform,
                function,
            } = Shares::of(budget);
            let most = function + platform;
            assert_eq!(most, budget.max(budget / 2 + TAKING_IN_BYTES_MIN));
            assert!(function - core >= most / 5, "however much the core has");
        }
    }
}
