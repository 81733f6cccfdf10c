//! Which attributes of a file get a column of their own.
//!
//! Decided for each file from what is in it. An attribute gets a column if one row in a hundred has
//! it or if it is one of the [`conventions`](super::conventions), at most [`PROMOTED_MAX`] of them,
//! those that save most first. A key whose values are of several types gets a column for each, so
//! that no type is ever in another's way.

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::columns::{AttributeLists, Columns};
use super::conventions::has_column;
use super::table::Damage;
use super::value::{BOOL, DOUBLE, INT, STRING};
use crate::hash::HashMap;
use crate::limits::{KEYS_COUNTED_MAX, PROMOTED_MAX};

/// The types of values that can have a column. Of an attribute, what to read it as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    String,
    /// 64-bit integers.
    Int,
    /// Doubles.
    Double,
    /// Truth values.
    Bool,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::String, Kind::Int, Kind::Double, Kind::Bool];

    /// As values of it are tagged in a list of attributes.
    pub(super) fn tag(self) -> u8 {
        match self {
            Kind::String => STRING,
            Kind::Int => INT,
            Kind::Double => DOUBLE,
            Kind::Bool => BOOL,
        }
    }

    pub(crate) fn of_tag(tag: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.tag() == tag)
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Kind::String => DataType::Utf8,
            Kind::Int => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Bool => DataType::Boolean,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Kind::String => "",
            Kind::Int => "#int",
            Kind::Double => "#double",
            Kind::Bool => "#bool",
        }
    }
}

/// An attribute with a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Promoted {
    pub(crate) key: String,
    pub(crate) kind: Kind,
}

impl Promoted {
    /// The name of its column.
    pub(crate) fn column(&self) -> String {
        format!("a.{}{}", self.key, self.kind.suffix())
    }
}

/// How often each attribute occurs, as far as that matters for columns.
#[derive(Debug, Default)]
pub(super) struct Counts {
    rows: u64,
    keys: KeyTable,
    /// By key and kind, how many rows have it first of its name.
    counts: Vec<[u64; 4]>,
    /// The row that had a key last, counted from one.
    seen: Vec<u64>,
}

impl Counts {
    /// Counts the rows of a batch whose `attributes` are a list.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        let lists = AttributeLists::new(Columns(batch).get("attributes")?)?;
        let numbers = lists.keys.distinct().map(|key| self.number(key));
        let numbers: Vec<Option<usize>> = numbers.collect();
        for row in 0..batch.num_rows() {
            self.rows += 1;
            for item in lists.range(row) {
                let Some(key) = numbers[lists.keys.code(item)] else {
                    continue;
                };
                let tag = lists.tag(item);
                let first = std::mem::replace(&mut self.seen[key], self.rows) != self.rows;
                if let Some(kind) = Kind::of_tag(tag).filter(|_| first) {
                    self.counts[key][kind as usize] += 1;
                }
            }
        }
        Ok(())
    }

    /// Counts rows of a file in which an attribute has a column.
    pub(super) fn add_promoted(&mut self, promoted: &Promoted, rows: u64) {
        if let Some(key) = self.number(&promoted.key) {
            self.counts[key][promoted.kind as usize] += rows;
        }
    }

    /// Counts rows of a file that have nothing but what has a column.
    pub(super) fn add_rows(&mut self, rows: u64) {
        self.rows += rows;
    }

    fn number(&mut self, key: &str) -> Option<usize> {
        let number = self.keys.find_or_add(key)?;
        if number == self.seen.len() {
            self.seen.push(0);
            self.counts.push([0; 4]);
        }
        Some(number)
    }

    /// The columns that a file with these rows gets, by key and kind.
    pub(super) fn promoted(&self) -> Vec<Promoted> {
        let enough = |key: &str, rows: u64| {
            // `#` is what tells the types of one key apart.
            !key.contains('#') && (rows * ROWS_PER_PROMOTED >= self.rows || has_column(key))
        };
        let mut candidates = Vec::new();
        for (key, counts) in self.keys.names.iter().zip(&self.counts) {
            for kind in Kind::ALL {
                let rows = counts[kind as usize];
                if rows > 0 && enough(key, rows) {
                    candidates.push((rows * key.len() as u64, key, kind));
                }
            }
        }
        candidates.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        candidates.truncate(PROMOTED_MAX);
        let promoted = candidates.into_iter().map(|(_, key, kind)| Promoted {
            key: key.to_owned(),
            kind,
        });
        let mut promoted: Vec<Promoted> = promoted.collect();
        promoted.sort();
        promoted
    }
}

/// Keys and their numbers.
#[derive(Debug, Default)]
struct KeyTable {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl KeyTable {
    /// The number of a key, unless there are too many already.
    fn find_or_add(&mut self, key: &str) -> Option<usize> {
        if let Some(number) = self.numbers.get(key) {
            return Some(*number);
        }
        let number = self.names.len();
        if number >= KEYS_COUNTED_MAX {
            return None;
        }
        self.names.push(key.to_owned());
        self.numbers.insert(key.to_owned(), number);
        Some(number)
    }
}

/// One row in so many must have an attribute that gets a column.
const ROWS_PER_PROMOTED: u64 = 100;
