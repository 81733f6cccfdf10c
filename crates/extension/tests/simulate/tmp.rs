//! `/tmp`, which may be full or broken, and whose files may be torn.

use std::collections::BTreeMap;

use bytes::Bytes;
use throughline_extension::outbox::frame::{self, HEAD_BYTES_MAX};
use throughline_extension::outbox::{Batch, Key, Leftover};
use throughline_telemetry::Signal;

use super::random::Random;

#[derive(Debug, Default)]
pub(crate) struct Tmp {
    files: BTreeMap<String, Bytes>,
    records: BTreeMap<String, String>,
    pub(crate) mode: Mode,
    /// Environments whose last record could not be written.
    pub(crate) unwritten: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Works,
    Full,
    Gone,
}

pub(crate) const HOME: u64 = 7;

impl Tmp {
    pub(crate) fn save(&mut self, batch: &Batch) -> bool {
        let works = self.mode == Mode::Works;
        if works {
            let file = frame::encode(batch, HOME).into();
            self.files.insert(frame::file_name(batch), file);
        }
        works
    }

    pub(crate) fn load(&self, key: &Key, signal: Signal) -> Option<Bytes> {
        let file = self.files.get(&name(key, signal))?;
        (self.mode != Mode::Gone).then(|| frame::decode_body(file, HOME))?
    }

    pub(crate) fn remove(&mut self, key: &Key, signal: Signal) {
        self.files.remove(&name(key, signal));
    }

    pub(crate) fn record(&mut self, environment: &str, line: &str) {
        self.unwritten.retain(|known| known != environment);
        // A full disk takes what overwrites.
        let is_new = !self.records.contains_key(environment);
        if self.mode == Mode::Gone || (self.mode == Mode::Full && is_new) {
            self.unwritten.push(environment.to_owned());
            return;
        }
        let rest = self
            .records
            .get(environment)
            .map_or("", |old| old.get(line.len()..).unwrap_or(""));
        self.records
            .insert(environment.to_owned(), format!("{line}{rest}"));
    }

    pub(crate) fn close(&mut self, environment: &str) {
        self.records.remove(environment);
    }

    /// A batch's file loses its end.
    pub(crate) fn tear(&mut self, random: &mut Random) {
        let at = random.next() as usize % self.files.len().max(1);
        if let Some(file) = self.files.values_mut().nth(at) {
            let end = random.next() as usize % file.len().max(1);
            file.truncate(end);
        }
    }

    pub(crate) fn leftovers(&self) -> Vec<Leftover> {
        if self.mode == Mode::Gone {
            return Vec::new();
        }
        let mut lives: BTreeMap<String, Leftover> = BTreeMap::new();
        for (environment, line) in &self.records {
            let record = frame::decode_record(line.as_bytes(), HOME);
            assert!(record.is_some(), "a record is read back: {line}");
            lives.entry(environment.clone()).or_default().record = record;
        }
        for file in self.files.values() {
            let beginning = &file[..file.len().min(HEAD_BYTES_MAX)];
            if let Some(stored) = frame::decode_head(beginning, file.len() as u64, HOME) {
                let life = lives
                    .entry(stored.batch.environment.to_string())
                    .or_default();
                life.batches.push(stored);
            }
        }
        lives.into_values().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

fn name(key: &Key, signal: Signal) -> String {
    format!("{}-{}.{signal}", key.environment, key.sequence)
}
