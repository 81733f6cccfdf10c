//! A random sample of each side that never becomes too large.
//!
//! An event is kept if the last `level` bits of the hash of its number are zero: one in `2^level`. When a
//! side has too many, its level grows by one, and with it about half of what is kept goes.

use std::ops::Range;

use foldhash::fast::FixedState;
use indexmap::Equivalent;

use super::{Given, Limits, Side, TEXT_BYTES_MAX, Wanted};

/// In the order in which they came.
type IndexSet<T> = indexmap::IndexSet<T, FixedState>;

#[derive(Debug)]
pub(super) struct Sample {
    limits: Limits,
    pub(super) sides: [Kept; 2],
    pub(super) keys: Vec<Key>,
    names: IndexSet<String>,
    pub(super) left_out: u64,
}

/// What is kept of one side.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) seen: u64,
    level: u32,
    pub(super) events: Vec<Event>,
    pub(super) cells: Vec<Cell>,
}

#[derive(Debug)]
pub(super) struct Event {
    level: u32,
    pub(super) cells: Range<usize>,
}

/// An attribute of an event: the number of its key, and that of its value among the key's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) key: u32,
    pub(super) value: u32,
}

/// The values of an attribute.
#[derive(Debug, Default)]
pub(super) struct Key {
    pub(super) values: IndexSet<Stored>,
    /// The event that had it last, so that it counts once.
    last: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stored {
    Text(Box<str>),
    /// Its bits.
    Number(u64),
}

#[derive(Hash)]
enum Asked<'a> {
    Text(&'a str),
    Number(u64),
}

impl Equivalent<Stored> for Asked<'_> {
    fn equivalent(&self, stored: &Stored) -> bool {
        match (self, stored) {
            (Asked::Text(one), Stored::Text(other)) => **one == **other,
            (Asked::Number(one), Stored::Number(other)) => one == other,
            _ => false,
        }
    }
}

impl Sample {
    pub(super) fn new(limits: Limits) -> Self {
        Sample {
            limits: Limits {
                events_max: limits.events_max.max(2),
                ..limits
            },
            sides: [Kept::default(), Kept::default()],
            keys: Vec::new(),
            names: IndexSet::default(),
            left_out: 0,
        }
    }

    pub(super) fn name(&self, key: usize) -> &str {
        self.names.get_index(key).map_or("", String::as_str)
    }

    /// Counts an event; up to which level it stays, if it is kept now.
    #[inline]
    pub(super) fn wants(&mut self, side: Side) -> Option<Wanted> {
        let kept = &mut self.sides[side as usize];
        kept.seen += 1;
        let (number, level) = (kept.seen, mixed(kept.seen).trailing_zeros());
        (level >= kept.level).then_some(Wanted {
            side,
            number,
            level,
        })
    }

    pub(super) fn keep<'a>(
        &mut self,
        wanted: Wanted,
        attributes: impl IntoIterator<Item = (&'a str, Given<'a>)>,
    ) {
        let which = wanted.side as usize;
        if wanted.level < self.sides[which].level {
            return;
        }
        let from = self.sides[which].cells.len();
        // Unlike that of any other event, and never zero.
        let stamp = wanted.number * 2 + u64::from(wanted.side == Side::Rest);
        for (name, given) in attributes {
            let Some(asked) = asked(given) else { continue };
            let Some(key) = self.key(name) else {
                self.left_out += 1;
                continue;
            };
            let of_key = &mut self.keys[key as usize];
            if std::mem::replace(&mut of_key.last, stamp) == stamp {
                continue;
            }
            let value = number_of(&mut of_key.values, &asked);
            self.sides[which].cells.push(Cell { key, value });
        }
        let kept = &mut self.sides[which];
        let cells = from..kept.cells.len();
        kept.events.push(Event {
            level: wanted.level,
            cells,
        });
        let full = |kept: &Kept| {
            kept.events.len() > self.limits.events_max || kept.cells.len() > self.limits.cells_max
        };
        if full(kept) {
            while full(kept) && !kept.events.is_empty() {
                kept.halve();
            }
            self.forget_values();
        }
    }

    fn key(&mut self, name: &str) -> Option<u32> {
        if let Some(key) = self.names.get_index_of(name) {
            return u32::try_from(key).ok();
        }
        if self.keys.len() >= self.limits.keys_max {
            return None;
        }
        self.keys.push(Key::default());
        u32::try_from(self.names.insert_full(name.to_owned()).0).ok()
    }

    /// Forgets the values that no kept event has any more.
    fn forget_values(&mut self) {
        let mut places: Vec<Vec<u32>> = self
            .keys
            .iter()
            .map(|key| vec![u32::MAX; key.values.len()])
            .collect();
        for cell in self.sides.iter().flat_map(|kept| &kept.cells) {
            places[cell.key as usize][cell.value as usize] = 0;
        }
        for (key, places) in self.keys.iter_mut().zip(&mut places) {
            let mut place = 0;
            let mut left = 0;
            key.values.retain(|_| {
                let stays = places[place] == 0;
                if stays {
                    places[place] = left;
                    left += 1;
                }
                place += 1;
                stays
            });
            key.values.shrink_to_fit();
        }
        for cell in self.sides.iter_mut().flat_map(|kept| &mut kept.cells) {
            cell.value = places[cell.key as usize][cell.value as usize];
        }
    }
}

impl Kept {
    fn halve(&mut self) {
        self.level += 1;
        let level = self.level;
        let mut end = 0;
        let cells = &mut self.cells;
        self.events.retain_mut(|event| {
            let stays = event.level >= level;
            if stays {
                let length = event.cells.len();
                cells.copy_within(event.cells.clone(), end);
                event.cells = end..end + length;
                end += length;
            }
            stays
        });
        self.cells.truncate(end);
    }
}

fn asked(given: Given<'_>) -> Option<Asked<'_>> {
    match given {
        Given::Text(text) => Some(Asked::Text(
            &text[..text.floor_char_boundary(TEXT_BYTES_MAX)],
        )),
        Given::Flag(true) => Some(Asked::Text("true")),
        Given::Flag(false) => Some(Asked::Text("false")),
        // Adding zero makes one zero of the two that there are.
        Given::Number(number) => {
            (!number.is_nan()).then(|| Asked::Number((number + 0.0).to_bits()))
        }
    }
}

fn number_of(values: &mut IndexSet<Stored>, asked: &Asked<'_>) -> u32 {
    let found = values.get_index_of(asked).unwrap_or_else(|| {
        let stored = match asked {
            Asked::Text(text) => Stored::Text((*text).into()),
            Asked::Number(bits) => Stored::Number(*bits),
        };
        values.insert_full(stored).0
    });
    // There are never more values than cells.
    u32::try_from(found).unwrap_or(u32::MAX)
}

/// The finaliser of splitmix64: every bit of the result depends on every bit of the number.
#[inline]
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
