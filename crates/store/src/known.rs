//! Which batches are stored: what the writer asks before it stores one.
//!
//! The truth is in the buffers, for generations that are not yet sealed, and in the catalog for the
//! others. Both are as durable as the rows themselves. What is kept here besides is a hint of fixed
//! size: for the environments that sent last, the highest number stored. Batches mostly come in
//! order, and one above the highest is new without a look anywhere. One below it is looked up, in
//! the buffers first: a generation that is published between the two looks is found by the first.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use rusqlite::Connection;

use crate::buffer::Buffer;
use crate::catalog::environments;
use crate::origin::{EnvironmentId, Origin, Sequence};
use crate::snapshot::Live;

/// What the writer's thread knows of environments.
#[derive(Debug)]
pub(crate) struct Known {
    catalog: Connection,
    half_max: usize,
    /// Environments that sent since the last turn of the two halves.
    young: HashMap<EnvironmentId, Newest>,
    /// Those that sent before it; forgotten at the next.
    old: HashMap<EnvironmentId, Newest>,
    /// Numbers of the group that is being collected, which are in no buffer yet.
    pending: HashSet<(EnvironmentId, Sequence)>,
}

/// The newest of an environment.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    /// The highest number stored.
    number: u64,
    /// The revision of the newest ledger; none if there is none.
    revision: Option<u64>,
}

/// What is to be done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is to be stored.
    New,
    /// It is stored already, but its ledger is newer than what is known.
    LedgerOnly,
    /// It is stored already, and nothing in it is new.
    Already,
}

impl Known {
    /// Remembers some of the environments that sent last, about `entries_max`.
    pub(crate) fn open(catalog: &Path, entries_max: usize) -> rusqlite::Result<Self> {
        Ok(Known {
            half_max: entries_max / 2,
            catalog: crate::catalog::open_to_read(catalog)?,
            young: HashMap::new(),
            old: HashMap::new(),
            pending: HashSet::new(),
        })
    }

    /// Forgets the last group, which is in a buffer by now or will never be.
    pub(crate) fn begin_group(&mut self) {
        self.pending.clear();
    }

    /// Forgets all that is not in a buffer or the catalog, after a group that could not be stored.
    pub(crate) fn forget(&mut self) {
        self.pending.clear();
        self.young.clear();
        self.old.clear();
    }

    /// Whether a body is new. From now on it is known.
    pub(crate) fn admit(&mut self, origin: &Origin, live: &Live) -> rusqlite::Result<Fate> {
        let mut newest = self.newest(&origin.environment, live)?;
        let stored = match origin.sequence {
            // Without a number it is its ledger that counts, and its items, if it has any.
            None => false,
            Some(sequence) if self.is_pending(&origin.environment, sequence) => true,
            Some(sequence) if sequence.number() > newest.number => false,
            Some(sequence) => self.is_stored(&origin.environment, sequence, live)?,
        };
        let revision = origin.ledger.as_ref().map(|ledger| ledger.revision);
        let verdict = match (stored, revision > newest.revision) {
            (false, _) => Fate::New,
            (true, true) => Fate::LedgerOnly,
            (true, false) => Fate::Already,
        };
        newest.revision = newest.revision.max(revision);
        if let (Fate::New, Some(sequence)) = (verdict, origin.sequence) {
            newest.number = newest.number.max(sequence.number());
            self.pending.insert((origin.environment.clone(), sequence));
        }
        self.remember(&origin.environment, newest);
        Ok(verdict)
    }

    fn is_stored(
        &self,
        environment: &EnvironmentId,
        sequence: Sequence,
        live: &Live,
    ) -> rusqlite::Result<bool> {
        let number = sequence.number();
        let holds = |buffer: &Buffer| buffer.holds(environment, number);
        if live.buffers().iter().any(|buffer| holds(buffer)) {
            return Ok(true);
        }
        environments::is_stored(&self.catalog, environment, number)
    }

    fn is_pending(&self, environment: &EnvironmentId, sequence: Sequence) -> bool {
        self.pending.contains(&(environment.clone(), sequence))
    }

    fn newest(&self, environment: &EnvironmentId, live: &Live) -> rusqlite::Result<Newest> {
        let remembered = self
            .young
            .get(environment)
            .or_else(|| self.old.get(environment));
        if let Some(newest) = remembered {
            return Ok(*newest);
        }
        let buffers = live.buffers();
        let (number, revision) = environments::newest(&self.catalog, environment)?;
        let mut newest = Newest { number, revision };
        for activity in buffers
            .iter()
            .filter_map(|buffer| buffer.activity(environment))
        {
            newest.number = newest.number.max(activity.stored.highest());
            newest.revision = newest
                .revision
                .max(activity.ledger.map(|ledger| ledger.revision));
        }
        Ok(newest)
    }

    /// Two halves instead of a list by age: half of what is remembered goes at once, and an entry
    /// costs no more than its place in a map.
    fn remember(&mut self, environment: &EnvironmentId, newest: Newest) {
        if self.young.len() >= self.half_max && !self.young.contains_key(environment) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(environment.clone(), newest);
    }
}
