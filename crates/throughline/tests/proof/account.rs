//! Whether everything that was taken in is accounted for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use throughline_testkit::intake::Received;

use crate::evidence::{Batch, Ledger};

/// Everything that is known of one run.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// What the server took, each batch once.
    stored: BTreeMap<(String, u64), Batch>,
    /// What was printed and the server does not have.
    printed: BTreeMap<(String, u64), Batch>,
    /// The newest of each environment.
    ledgers: BTreeMap<String, Ledger>,
    /// How many batches the server took more than once.
    pub(crate) repeats: usize,
    problems: Vec<String>,
}

impl Account {
    pub(crate) fn of(received: &Received, lines: &[String]) -> Self {
        let mut account = Account::default();
        // The last ledger of a life travels alone, so not all of them are in posts.
        for heard in &received.ledgers {
            match Ledger::read(&heard.text) {
                Ok(Some(ledger)) => account.hear(&heard.environment, &ledger),
                Ok(None) => {}
                Err(why) => account.problems.push(why),
            }
        }
        for post in &received.posts {
            match Batch::of(post) {
                Ok(batch) => account.add(batch, Place::Server),
                Err(why) => account.problems.push(why),
            }
        }
        for line in lines {
            match Batch::in_line(line) {
                Some(Ok(batch)) => account.add(batch, Place::Stdout),
                Some(Err(why)) => account.problems.push(format!("{why} in {line:.400}")),
                None if line.contains("fault of ours") => account.problems.push(line.clone()),
                None => {}
            }
        }
        account
    }

    fn add(&mut self, batch: Batch, place: Place) {
        if batch.environment.len() != 36 {
            let why = format!("no id of an environment: {:?}", batch.environment);
            self.problems.push(why);
        }
        if let Some(ledger) = &batch.ledger {
            self.hear(&batch.environment, ledger);
        }
        let Some(sequence) = batch.sequence else {
            if batch.items > 0 || batch.ledger.is_none() {
                let why = format!("without a number: {batch:?}");
                self.problems.push(why);
            }
            return;
        };
        let key = (batch.environment.clone(), sequence);
        let known = self.stored.get(&key).or_else(|| self.printed.get(&key));
        if let Some(known) = known {
            if (known.items, &known.spans) != (batch.items, &batch.spans) {
                let why = format!("two batches are {key:?}: {known:?} and {batch:?}");
                self.problems.push(why);
            }
            self.repeats += 1;
            return;
        }
        match place {
            Place::Server => self.stored.insert(key, batch),
            Place::Stdout => self.printed.insert(key, batch),
        };
    }

    fn hear(&mut self, environment: &str, ledger: &Ledger) {
        if !ledger.balances() {
            self.problems.push(format!("does not add up: {ledger:?}"));
        }
        let newest = self.ledgers.get(environment);
        if newest.is_none_or(|newest| newest.revision < ledger.revision) {
            self.ledgers.insert(environment.to_owned(), ledger.clone());
        }
    }

    /// The function's spans that are nowhere, of those that were taken.
    pub(crate) fn missing(&self, taken: &BTreeMap<u64, u64>) -> BTreeSet<u64> {
        let here = self.batches().flat_map(|batch| batch.spans.iter());
        let here: BTreeSet<_> = here.copied().collect();
        let taken = taken.keys().copied();
        taken.filter(|span| !here.contains(span)).collect()
    }

    /// How many items the ledgers say are gone, by reason.
    pub(crate) fn dropped(&self) -> BTreeMap<String, u64> {
        let mut dropped = BTreeMap::new();
        for (reason, count) in self.ledgers.values().flat_map(|ledger| &ledger.dropped) {
            *dropped.entry(reason.clone()).or_default() += count;
        }
        dropped
    }

    /// What is not as it must be, now that all is over.
    pub(crate) fn problems(&self, taken: &BTreeMap<u64, u64>, end: End) -> Vec<String> {
        let mut problems = self.problems.clone();
        let missing = self.missing(taken);
        let dropped: u64 = self.dropped().values().sum();
        let invocations: BTreeSet<_> = missing.iter().map(|span| taken[span]).collect();
        let untold = (missing.len() as u64).saturating_sub(dropped);
        if untold > 0 && end == End::Told {
            let count = missing.len();
            problems.push(format!(
                "{count} spans of invocations {invocations:?} are nowhere, and {dropped} items are told as lost"
            ));
        }
        if end != End::Silent {
            problems.extend(self.ledgers.iter().filter_map(|(environment, ledger)| {
                let why = self.unexplained(environment, ledger)?;
                Some(format!("{environment}: {why}: {ledger:?}"))
            }));
        }
        problems
    }

    /// What the newest ledger of an environment leaves open.
    fn unexplained(&self, environment: &str, ledger: &Ledger) -> Option<String> {
        let of_it = self
            .batches()
            .filter(|batch| batch.environment == environment);
        let is_gone = |number: &u64| {
            let mut gone = ledger.gone.iter();
            gone.any(|(first, last, _)| (first..=last).contains(&number))
        };
        let (mut here, mut sequences, mut twice) = (0, BTreeSet::new(), 0);
        for batch in of_it {
            here += batch.items;
            sequences.extend(batch.sequence);
            // The server had it when the extension lost hope, or its life.
            if batch.sequence.as_ref().is_some_and(is_gone) {
                twice += batch.items;
            }
        }
        let last = sequences.last().copied().unwrap_or(0).max(ledger.sealed);
        let gaps = (1..=last).filter(|number| !sequences.contains(number) && !is_gone(number));
        let gaps: Vec<_> = gaps.collect();
        if !gaps.is_empty() && ledger.gone.len() < GONE_MAX {
            return Some(format!("batches {gaps:?} are nowhere"));
        }
        let told = here + ledger.dropped() - twice.min(ledger.dropped());
        // What came after the newest ledger was made is here, too.
        let adds_up = told == ledger.accepted || (!ledger.is_final && told > ledger.accepted);
        (!adds_up).then(|| format!("{here} items are here"))
    }

    fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.stored.values().chain(self.printed.values())
    }
}

/// One line for the table.
impl Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = |batches: &BTreeMap<(String, u64), Batch>| -> u64 {
            batches.values().map(|batch| batch.items).sum()
        };
        let accepted: u64 = self.ledgers.values().map(|ledger| ledger.accepted).sum();
        write!(
            f,
            "accepted {accepted}, stored {}, printed {}",
            items(&self.stored),
            items(&self.printed)
        )?;
        for (reason, count) in self.dropped() {
            write!(f, ", {reason} {count}")?;
        }
        if self.repeats > 0 {
            write!(f, ", {} batches again", self.repeats)?;
        }
        Ok(())
    }
}

/// How the last environment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its extension, or the one after it, had the chance to say everything.
    Told,
    /// It was killed, and what it had not said is not known.
    Silent,
}

#[derive(Clone, Copy)]
enum Place {
    Server,
    Stdout,
}

/// A ledger tells so many ranges and no more.
const GONE_MAX: usize = 32;
