//! A budget of bytes for all bodies that are in the server but not yet on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes may be in flight together.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    bytes_max: usize,
}

/// The bytes that one request holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverBudget;

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Budget {
            used: AtomicUsize::new(0),
            bytes_max,
        })
    }

    /// A charge of no bytes yet.
    pub(crate) fn open(self: &Arc<Self>) -> Charge {
        Charge {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Charge {
    /// Holds `bytes` more, if they fit.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), OverBudget> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.bytes_max {
            self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
            return Err(OverBudget);
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_share_one_budget_and_give_it_back() {
        let budget = Budget::new(10);
        let (mut one, mut other) = (budget.open(), budget.open());
        assert_eq!(one.grow(6), Ok(()));
        assert_eq!(other.grow(5), Err(OverBudget));
        assert_eq!(other.grow(4), Ok(()));
        drop(one);
        assert_eq!(other.grow(6), Ok(()));
        drop(other);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
