//! Which attributes there are, and which values: for those who are about to name one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use throughline_telemetry::Signal;

use super::Reader;
use crate::census::{Census, Count};
use crate::error::ReadError;
use crate::limits::CENSUS_SEGMENTS_MAX;
use crate::segment::Kind;

/// A key of attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeKey {
    /// The key.
    pub key: String,
    /// The types of its values.
    pub kinds: Vec<Kind>,
    /// Rows that have it, or whose resource has.
    pub rows: u64,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeValue {
    /// The value as text.
    pub value: String,
    /// Its type.
    pub kind: Kind,
    /// About how many rows have it.
    pub rows: u64,
}

/// Some of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// Those that most rows have first.
    pub items: Vec<T>,
    /// Whether there are, or may be, others.
    pub truncated: bool,
}

impl Reader<'_> {
    pub(crate) fn attribute_keys(
        &self,
        signal: Signal,
        prefix: &str,
        limit: usize,
    ) -> Result<Listed<AttributeKey>, ReadError> {
        let (censuses, mut truncated) = self.censuses(signal)?;
        let mut found: HashMap<&str, AttributeKey> = HashMap::new();
        for census in &censuses {
            for ((key, kind), counted) in &census.0 {
                if !key.starts_with(prefix) {
                    continue;
                }
                let known = found.entry(key).or_insert_with(|| AttributeKey {
                    key: key.clone(),
                    kinds: Vec::new(),
                    rows: 0,
                });
                known.rows += counted.rows;
                if !known.kinds.contains(kind) {
                    known.kinds.push(*kind);
                }
            }
        }
        let mut items: Vec<AttributeKey> = found.into_values().collect();
        items.iter_mut().for_each(|item| item.kinds.sort_unstable());
        items.sort_unstable_by(|a, b| (Reverse(a.rows), &a.key).cmp(&(Reverse(b.rows), &b.key)));
        truncated |= items.len() > limit;
        items.truncate(limit);
        Ok(Listed { items, truncated })
    }

    pub(crate) fn attribute_values(
        &self,
        signal: Signal,
        key: &str,
        prefix: &str,
        limit: usize,
    ) -> Result<Listed<AttributeValue>, ReadError> {
        let (censuses, mut truncated) = self.censuses(signal)?;
        let mut found: HashMap<(&str, Kind), u64> = HashMap::new();
        for census in &censuses {
            for kind in Kind::ALL {
                let Some(counted) = census.0.get(&(key.to_owned(), kind)) else {
                    continue;
                };
                truncated |= counted.has_more;
                let values = counted.values.iter();
                for (value, rows) in values.filter(|(value, _)| value.starts_with(prefix)) {
                    *found.entry((value, kind)).or_default() += rows;
                }
            }
        }
        let items = found
            .into_iter()
            .map(|((value, kind), rows)| AttributeValue {
                value: value.to_owned(),
                kind,
                rows,
            });
        let mut items: Vec<AttributeValue> = items.collect();
        items
            .sort_unstable_by(|a, b| (Reverse(a.rows), &a.value).cmp(&(Reverse(b.rows), &b.value)));
        truncated |= items.len() > limit;
        items.truncate(limit);
        Ok(Listed { items, truncated })
    }

    /// Of the buffers and the newest segments, and whether there are more.
    fn censuses(&self, signal: Signal) -> Result<(Vec<Arc<Census>>, bool), ReadError> {
        let mut censuses = Vec::new();
        for view in &self.snapshot.buffers {
            let mut count = Count::default();
            let chunks = match signal {
                Signal::Traces => &view.rows.spans,
                Signal::Logs => &view.rows.logs,
                Signal::Metrics => &view.rows.metrics,
            };
            let corrupt = |damage| ReadError::corrupt("a buffer".as_ref(), damage);
            for chunk in chunks.iter() {
                count.add(&chunk.batch).map_err(corrupt)?;
            }
            censuses.push(Arc::new(count.finish().map_err(corrupt)?));
        }
        let mut segments = self.snapshot.segments.of(signal).to_vec();
        segments.sort_unstable_by_key(|segment| Reverse((segment.last, segment.id)));
        let mut are_all = segments.len() <= CENSUS_SEGMENTS_MAX;
        for segment in segments.iter().take(CENSUS_SEGMENTS_MAX) {
            let census = self.files.census(segment);
            are_all &= census.is_some();
            censuses.extend(census);
        }
        Ok((censuses, !are_all))
    }
}
