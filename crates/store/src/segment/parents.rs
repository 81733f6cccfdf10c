//! Parents as places inside a trace: the id of a parent is that of another row and need not be
//! stored twice.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, UInt32Array, UInt32Builder,
};

use super::table::Damage;
use crate::hash::HashMap;

/// For each row the place of its parent, counted from the first row of the trace; where the parent
/// is not in the batch, its id. The rows of a trace are next to each other and all in the batch.
pub(super) fn to_ordinals(
    trace_ids: &FixedSizeBinaryArray,
    span_ids: &FixedSizeBinaryArray,
    parents: &FixedSizeBinaryArray,
) -> Result<(ArrayRef, ArrayRef), Damage> {
    let rows = trace_ids.len();
    let mut ordinals = UInt32Builder::with_capacity(rows);
    let mut far = FixedSizeBinaryBuilder::with_capacity(rows, SPAN_ID_BYTES);
    let mut begin = 0;
    while begin < rows {
        let end = trace_end(trace_ids, begin);
        let places = Places::of(span_ids, begin..end);
        for row in begin..end {
            let parent = parents.is_valid(row).then(|| parents.value(row));
            let place = parent.and_then(|parent| places.find(parent));
            ordinals.append_option(place);
            match parent.filter(|_| place.is_none()) {
                Some(parent) => far.append_value(parent)?,
                None => far.append_null(),
            }
        }
        begin = end;
    }
    Ok((Arc::new(ordinals.finish()), Arc::new(far.finish())))
}

/// The ids of parents, from rows that begin with the first of a trace.
pub(super) fn from_ordinals(
    trace_ids: &FixedSizeBinaryArray,
    span_ids: &FixedSizeBinaryArray,
    ordinals: &UInt32Array,
    far: &FixedSizeBinaryArray,
) -> Result<ArrayRef, Damage> {
    let rows = trace_ids.len();
    let mut parents = FixedSizeBinaryBuilder::with_capacity(rows, SPAN_ID_BYTES);
    let mut begin = 0;
    while begin < rows {
        let end = trace_end(trace_ids, begin);
        for row in begin..end {
            if ordinals.is_valid(row) {
                let place = begin + ordinals.value(row) as usize;
                if place >= end {
                    return Err(Damage::new("a parent lies outside of its trace"));
                }
                parents.append_value(span_ids.value(place))?;
            } else if far.is_valid(row) {
                parents.append_value(far.value(row))?;
            } else {
                parents.append_null();
            }
        }
        begin = end;
    }
    Ok(Arc::new(parents.finish()))
}

fn trace_end(trace_ids: &FixedSizeBinaryArray, begin: usize) -> usize {
    let id = trace_ids.value(begin);
    (begin + 1..trace_ids.len())
        .find(|row| trace_ids.value(*row) != id)
        .unwrap_or(trace_ids.len())
}

/// Where the spans of a trace are, the first of those with the same id.
enum Places<'a> {
    Few(&'a FixedSizeBinaryArray, std::ops::Range<usize>),
    Many(HashMap<&'a [u8], u32>),
}

impl<'a> Places<'a> {
    fn of(span_ids: &'a FixedSizeBinaryArray, rows: std::ops::Range<usize>) -> Self {
        if rows.len() <= FEW {
            return Places::Few(span_ids, rows);
        }
        let mut places = HashMap::with_capacity_and_hasher(rows.len(), Default::default());
        for (place, row) in (0..).zip(rows) {
            places.entry(span_ids.value(row)).or_insert(place);
        }
        Places::Many(places)
    }

    fn find(&self, id: &[u8]) -> Option<u32> {
        match self {
            Places::Few(span_ids, rows) => {
                let mut places = (0..).zip(rows.clone());
                places
                    .find(|(_, row)| span_ids.value(*row) == id)
                    .map(|(place, _)| place)
            }
            Places::Many(places) => places.get(id).copied(),
        }
    }
}

const SPAN_ID_BYTES: i32 = 8;

/// Spans of a trace up to which looking at each beats a table.
const FEW: usize = 24;
