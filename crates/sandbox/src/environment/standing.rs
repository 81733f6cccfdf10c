//! What those who answer calls beside the machine must know of it.

/// How far an environment has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// How often it was initialized.
    pub(crate) generation: u32,
    /// Whether it comes from a snapshot.
    snapshot: bool,
    /// Whether that has been restored, so that what is told now will hold.
    pub(crate) settled: bool,
}

impl Standing {
    pub(super) fn new(snapshot: bool) -> Self {
        Self {
            generation: 0,
            snapshot,
            settled: !snapshot,
        }
    }

    /// A process of this generation starts.
    pub(super) fn begin(&mut self, generation: u32) {
        if generation != self.generation {
            self.settled = !self.snapshot;
        }
        self.generation = generation;
    }

    /// The runtime has its first event, or was restored. Says whether that is news.
    pub(super) fn settle(&mut self) -> bool {
        !std::mem::replace(&mut self.settled, true)
    }

    #[cfg(test)]
    pub(crate) fn of_generation(generation: u32) -> Self {
        Self {
            generation,
            ..Self::new(false)
        }
    }
}
