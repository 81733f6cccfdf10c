//! Hysteresis: what opens, what stays open, what closes.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Kind};
use super::history::Minute;

/// Every finding that was there of late.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tracks {
    all: Vec<Track>,
    pub(super) left_out: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Track {
    finding: Finding,
    /// Whether it was there, by tick; the last one is the lowest bit.
    there: u8,
    is_open: bool,
    /// Until when something that happens once stays open.
    stays_until: Minute,
}

impl Tracks {
    /// Something that happens once: it opens at once and stays until then.
    pub(super) fn note(&mut self, finding: Finding, stays_until: Minute) {
        self.add(finding, |track| {
            track.is_open = true;
            track.stays_until = stays_until;
        });
    }

    /// Takes what is there in this tick; what is open after it.
    pub(super) fn tick(&mut self, found: Vec<Finding>, to: Minute) -> Vec<Finding> {
        for track in &mut self.all {
            track.there <<= 1;
        }
        for finding in found {
            self.add(finding, |track| track.there |= 1);
        }
        for track in &mut self.all {
            let times = (track.there & OF_FIVE).count_ones();
            track.is_open = match track.is_open {
                true => times > 0 || track.stays_until > to,
                false => times >= OPENS_AT,
            };
        }
        self.all
            .retain(|track| track.is_open || track.there & OF_FIVE != 0);
        let open = self.all.iter().filter(|track| track.is_open);
        open.map(|track| track.finding.clone()).collect()
    }

    pub(super) fn findings(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.all.iter_mut().map(|track| &mut track.finding)
    }

    fn add(&mut self, finding: Finding, mark: impl FnOnce(&mut Track)) {
        let same = |track: &&mut Track| track.finding.is_same(&finding);
        let is_full = self.all.len() >= TRACKS_MAX;
        match self.all.iter_mut().find(same) {
            Some(track) => {
                let since = track.finding.since.min(finding.since);
                track.finding = Finding { since, ..finding };
                mark(track);
            }
            None if is_full => self.left_out += 1,
            None => {
                let mut track = Track {
                    finding,
                    there: 0,
                    is_open: false,
                    stays_until: 0,
                };
                mark(&mut track);
                self.all.push(track);
            }
        }
    }
}

impl Finding {
    /// Whether two are of the same, seen at different times.
    pub(super) fn is_same(&self, other: &Finding) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (Kind::NewError { signature: one }, Kind::NewError { signature: other }) => {
                one == other
            }
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        same_kind && self.subject == other.subject
    }
}

/// The last five ticks.
const OF_FIVE: u8 = 0b1_1111;
/// In so many of them it must be there to open.
const OPENS_AT: u32 = 2;
/// Findings that are followed at once.
const TRACKS_MAX: usize = 2000;
