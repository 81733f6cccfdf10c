//! Censuses: which attributes the rows of a segment have, of which types, and with which values most.
//!
//! ```text
//! rollups/logs-0000000007-000.census.parquet   of segments/logs-0000000007-000.parquet
//! ```
//!
//! A row for each key and type: how many rows have it, and the values that are there most, at most
//! [`CENSUS_VALUES_MAX`] of them. Keys are counted exactly up to [`CENSUS_KEYS_MAX`] of them; values by a
//! part of the rows once there are many, so their counts are estimates. The attributes of a resource
//! count for each of its rows. A census lives and dies with its segment; one that cannot be read is made
//! of the rows.
//!
//! [`CENSUS_VALUES_MAX`]: crate::limits::CENSUS_VALUES_MAX
//! [`CENSUS_KEYS_MAX`]: crate::limits::CENSUS_KEYS_MAX

mod count;
mod file;

use std::collections::BTreeMap;

pub(crate) use count::Count;
pub(crate) use file::{load, write};

use crate::segment::Kind;

/// What the catalog knows of a census.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CensusMeta {
    /// On disk.
    pub(crate) bytes: u64,
    /// CRC-32C of the file.
    pub(crate) crc: u32,
}

/// Which attributes there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Census(pub(crate) BTreeMap<(String, Kind), Counted>);

/// How often a key is there with a value of one type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counted {
    pub(crate) rows: u64,
    /// The values as texts and how many rows have them, the most frequent first.
    pub(crate) values: Vec<(String, u64)>,
    /// Whether there are others.
    pub(crate) has_more: bool,
}

impl Census {
    pub(crate) fn memory_bytes(&self) -> usize {
        let counted = self.0.iter().map(|((key, _), counted)| {
            let values = counted.values.iter().map(|(value, _)| value.len() + 32);
            key.len() + 128 + values.sum::<usize>()
        });
        counted.sum()
    }
}
