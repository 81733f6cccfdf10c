//! Slices of batches without what the other rows have.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};

use super::dictionary::dictionary;

/// The same rows. Lists hold the items of these rows alone, and of dictionaries that are large beside
/// them what is used: whoever looks through all items or all texts looks through no more than these.
pub(crate) fn compact(batch: &RecordBatch) -> RecordBatch {
    let columns = batch.columns().iter().map(column).collect();
    let batch = RecordBatch::try_new(batch.schema(), columns);
    batch.expect("the columns have the types and the rows that they had")
}

fn column(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Dictionary(..) => used(array),
        DataType::List(_) => list(array.as_list()),
        DataType::Struct(_) => {
            let array: &StructArray = array.as_struct();
            let columns = array.columns().iter().map(column).collect();
            let array =
                StructArray::try_new(array.fields().clone(), columns, array.nulls().cloned());
            Arc::new(array.expect("the columns have the lengths that they had"))
        }
        _ => Arc::clone(array),
    }
}

fn list(array: &ListArray) -> ArrayRef {
    let offsets = array.value_offsets();
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let at = |offset: i32| usize::try_from(offset).expect("offsets are not negative");
    let items = array.values().slice(at(first), at(last - first));
    let offsets: ScalarBuffer<i32> = offsets.iter().map(|offset| offset - first).collect();
    let DataType::List(field) = array.data_type() else {
        unreachable!("it is a list")
    };
    let list = ListArray::try_new(
        Arc::clone(field),
        OffsetBuffer::new(offsets),
        column(&items),
        array.nulls().cloned(),
    );
    Arc::new(list.expect("the offsets are those of the items"))
}

/// A column of texts that repeat, with the texts that a row has, in the order in which they come.
fn used(array: &ArrayRef) -> ArrayRef {
    let texts: &DictionaryArray<Int32Type> = array.as_dictionary();
    let known = texts.values().len();
    if known * SMALL <= texts.len() || texts.null_count() > 0 {
        return Arc::clone(array);
    }
    let values: &StringArray = texts.values().as_string();
    let mut places: Vec<i32> = vec![-1; known];
    let mut kept: Vec<&str> = Vec::new();
    let keys = texts.keys().values().iter().map(|key| {
        let at = usize::try_from(*key).expect("keys are not negative");
        if places[at] < 0 {
            places[at] = i32::try_from(kept.len()).expect("there are no more than there were");
            kept.push(values.value(at));
        }
        places[at]
    });
    let keys: Vec<i32> = keys.collect();
    dictionary(keys, Arc::new(StringArray::from_iter_values(kept)))
}

/// Of a dictionary with a text for so many rows it is not asked which are used.
const SMALL: usize = 16;

#[cfg(test)]
mod tests {
    use throughline_testkit::builders::span;

    use super::*;
    use crate::batch::SpanRows;
    use crate::testing::span_batch;

    #[test]
    fn a_slice_keeps_its_rows_and_nothing_else() {
        let spans: Vec<_> = (1..40)
            .map(|id| {
                let span = span(&format!("service {id}")).in_trace(id).id(id);
                let span = span.attribute("number", i64::try_from(id).unwrap());
                span.event(&format!("event {id}"), 1).build()
            })
            .collect();
        let whole = span_batch(&spans);
        let slice = whole.slice(10, 5);
        let compacted = compact(&slice);
        let expect = &spans[10..15];
        let rows = SpanRows::new(&compacted).unwrap();
        let owners = crate::batch::Owners::read(&compacted).unwrap();
        let found: Vec<_> = (0..5).map(|row| rows.at(&owners, row).unwrap()).collect();
        assert_eq!(found, expect);
        let texts = |name: &str| {
            let column = compacted.column_by_name(name).unwrap();
            column.as_dictionary::<Int32Type>().values().len()
        };
        assert_eq!((texts("service"), texts("resource")), (5, 5));
        let items = |name: &str| compacted.column_by_name(name).unwrap().as_list::<i32>();
        assert_eq!(
            (
                items("attributes").values().len(),
                items("events").values().len()
            ),
            (5, 5)
        );
    }
}
