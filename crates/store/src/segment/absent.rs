//! Columns that some row groups have nothing in, which need not be read there.
//!
//! Most traces have no links, and most attributes with a column are of one service. What a footer
//! counts tells; each column that is read costs some twenty microseconds, whatever is in it.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StringArray, new_empty_array,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;

use super::table::Damage;

/// Which columns each row group has nothing in.
#[derive(Debug)]
pub(super) struct Absent {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    rows: Range<usize>,
    /// By place in the schema of the file.
    absent: Vec<bool>,
}

impl Absent {
    pub(super) fn of(metadata: &ParquetMetaData, schema: &Schema) -> Self {
        let leaves = metadata.file_metadata().schema_descr();
        let mut begin = 0;
        let groups = metadata.row_groups().iter().map(|group| {
            let mut absent = vec![true; schema.fields().len()];
            for (leaf, column) in group.columns().iter().enumerate() {
                let root = leaves.get_column_root_idx(leaf);
                if let Some(absent) = absent.get_mut(root) {
                    *absent &= has_nothing(column, schema.field(root));
                }
            }
            let rows = usize::try_from(group.num_rows()).unwrap_or_default();
            begin += rows;
            Group {
                rows: begin - rows..begin,
                absent,
            }
        });
        Absent {
            groups: groups.collect(),
        }
    }

    /// Whether a column has nothing in any of these rows.
    pub(super) fn is_absent(&self, column: usize, rows: &[Range<usize>]) -> bool {
        self.groups.iter().all(|group| {
            let is_read =
                |rows: &Range<usize>| rows.start < group.rows.end && rows.end > group.rows.start;
            group.absent[column] || !rows.iter().any(is_read)
        })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let groups = self.groups.iter();
        groups
            .map(|group| group.absent.len() + size_of::<Group>())
            .sum()
    }
}

/// A batch with the columns that were wanted and not read.
pub(super) fn complete(batch: &RecordBatch, wanted: &Schema) -> Result<RecordBatch, Damage> {
    let rows = batch.num_rows();
    let columns = wanted.fields().iter().map(|field| {
        let read = batch.column_by_name(field.name());
        read.map_or_else(|| nothing(field, rows), |column| Ok(Arc::clone(column)))
    });
    let columns = columns.collect::<Result<Vec<_>, Damage>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::new(wanted.clone());
    Ok(RecordBatch::try_new_with_options(
        schema, columns, &options,
    )?)
}

/// Whether all rows have null, no items, or no text.
fn has_nothing(column: &ColumnChunkMetaData, field: &Field) -> bool {
    let Some(statistics) = column.statistics() else {
        return false;
    };
    let nulls = statistics.null_count_opt().unwrap_or_default();
    match field.data_type() {
        DataType::Utf8 if !field.is_nullable() => match statistics {
            // The greatest text is none: all of them are.
            Statistics::ByteArray(texts) => {
                texts.max_is_exact() && texts.max_opt().is_some_and(|max| max.data().is_empty())
            }
            _ => false,
        },
        DataType::List(_) => i64::try_from(nulls) == Ok(column.num_values()),
        _ => field.is_nullable() && i64::try_from(nulls) == Ok(column.num_values()),
    }
}

/// A column of nothing.
fn nothing(field: &Field, rows: usize) -> Result<ArrayRef, Damage> {
    Ok(match field.data_type() {
        DataType::List(item) => Arc::new(ListArray::try_new(
            Arc::clone(item),
            OffsetBuffer::new_zeroed(rows),
            new_empty_array(item.data_type()),
            None,
        )?),
        DataType::Utf8 if !field.is_nullable() => {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows)))
        }
        other => new_null_array(other, rows),
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use throughline_telemetry::Signal;

    use super::*;
    use crate::batch::schema;

    #[test]
    fn what_was_not_read_has_nothing_in_it() {
        let read = RecordBatch::try_new_with_options(
            Arc::new(Schema::empty()),
            Vec::new(),
            &RecordBatchOptions::new().with_row_count(Some(3)),
        );
        let spans = schema(Signal::Traces);
        let wanted = ["parent_span_id", "status_message", "attributes", "links"];
        let wanted = wanted.map(|name| spans.field_with_name(name).unwrap().clone());
        let wanted = Schema::new(wanted.to_vec());
        let batch = complete(&read.unwrap(), &wanted).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (3, 4));
        assert_eq!(batch.column(0).null_count(), 3);
        let links: &ListArray = batch.column(3).as_any().downcast_ref().unwrap();
        assert_eq!((links.null_count(), links.values().len()), (0, 0));
    }
}
