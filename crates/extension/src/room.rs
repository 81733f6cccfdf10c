//! Room in bytes: how much of somebody else's data may be here at once.
//!
//! Every body is charged to a [`Room`] while it is read, while it is unpacked, and until the core
//! has it. The function and the platform have a room each, so that neither can fill the other's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// There is no room now; there may be in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much waits; try again")]
pub struct Full;

/// A number of bytes that may be taken.
#[derive(Debug)]
pub struct Room {
    used: AtomicUsize,
    bytes_max: usize,
    bytes_each: usize,
}

impl Room {
    /// An empty one. Each charge takes `bytes_each` beside what it asks for: otherwise endless
    /// empty ones would fit.
    pub fn new(bytes_max: usize, bytes_each: usize) -> Arc<Self> {
        Arc::new(Room {
            used: AtomicUsize::new(0),
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

    /// How many bytes are taken.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<(), Full> {
        let fit = |used: usize| {
            let used = used.checked_add(bytes)?;
            (used <= self.bytes_max).then_some(used)
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
}
