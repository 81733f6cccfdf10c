//! What reading rows of all signals has in common.

use arrow::array::{Array, ArrayRef, FixedSizeBinaryArray, RecordBatch};

use crate::segment::Damage;

/// A column of a batch, by name.
pub(super) fn column<'a, T: Array + 'static>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a T, Damage> {
    let column = batch.column_by_name(name);
    let column = column.ok_or_else(|| Damage::new(format!("no column {name}")))?;
    typed(column, name)
}

/// A column as what it should be.
pub(crate) fn typed<'a, T: Array + 'static>(
    column: &'a ArrayRef,
    name: &str,
) -> Result<&'a T, Damage> {
    let typed = column.as_any().downcast_ref();
    typed.ok_or_else(|| Damage::new(format!("column {name} is {}", column.data_type())))
}

/// The id of a row, or none where there is none.
pub(crate) fn id_at<T, E: std::fmt::Display>(
    column: &FixedSizeBinaryArray,
    row: usize,
    make: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<Option<T>, Damage> {
    if column.is_null(row) {
        return Ok(None);
    }
    let id = make(column.value(row)).map_err(|error| Damage::new(format!("bad id: {error}")))?;
    Ok(Some(id))
}

/// The id of a row that must have one.
pub(crate) fn required_id_at<T, E: std::fmt::Display>(
    column: &FixedSizeBinaryArray,
    row: usize,
    make: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, Damage> {
    id_at(column, row, make)?.ok_or_else(|| Damage::new("no id"))
}
