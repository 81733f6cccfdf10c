//! Spans that are there twice in a trace of a batch.

use arrow::array::{
    Array, FixedSizeBinaryArray, Int64Array, RecordBatch, TimestampNanosecondArray,
};

use crate::batch::typed;
use crate::hash::HashMap;
use crate::segment::Damage;

/// Looks for spans that are there twice in a trace.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Rows that do not count, in order.
    pub(super) left_out: Vec<usize>,
    ids: Vec<[u8; 8]>,
}

impl Copies {
    /// Looks through whole traces that lie beside each other. Of copies the one that ended last counts.
    pub(super) fn find(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        self.left_out.clear();
        let get = |name: &str| {
            let column = batch.column_by_name(name);
            column.ok_or_else(|| Damage::new(format!("no column {name}")))
        };
        let trace_ids: &FixedSizeBinaryArray = typed(get("trace_id")?, "trace_id")?;
        let span_ids: &FixedSizeBinaryArray = typed(get("span_id")?, "span_id")?;
        let starts = typed::<TimestampNanosecondArray>(get("start")?, "start")?.values();
        let durations = typed::<Int64Array>(get("duration")?, "duration")?.values();
        let end = |row: usize| starts[row].wrapping_add(durations[row]).cast_unsigned();
        let mut first = 0;
        while first < trace_ids.len() {
            let trace = trace_ids.value(first);
            let mut next = first + 1;
            while next < trace_ids.len() && trace_ids.value(next) == trace {
                next += 1;
            }
            self.ids.clear();
            let ids = (first..next).map(|row| <[u8; 8]>::try_from(span_ids.value(row)));
            let ids = ids.map(Result::unwrap_or_default);
            self.ids.extend(ids);
            self.ids.sort_unstable();
            if self.ids.windows(2).any(|pair| pair[0] == pair[1]) {
                let mut kept: HashMap<&[u8], usize> = HashMap::default();
                for row in first..next {
                    let best = kept.entry(span_ids.value(row)).or_insert(row);
                    if *best != row {
                        let loser = if end(row) > end(*best) {
                            std::mem::replace(best, row)
                        } else {
                            row
                        };
                        self.left_out.push(loser);
                    }
                }
            }
            first = next;
        }
        self.left_out.sort_unstable();
        Ok(())
    }
}
