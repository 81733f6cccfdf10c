//! Several batches as one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};
use throughline_telemetry::Signal;

use super::dictionary::{Interner, dictionary};
use super::schema::schema;

/// The rows of canonical batches of one signal, in this order. Unlike Arrow's own function it leaves
/// each text once in its dictionary.
pub(crate) fn concat(signal: Signal, batches: &[RecordBatch]) -> RecordBatch {
    if let [batch] = batches {
        return batch.clone();
    }
    let schema = schema(signal);
    if batches.is_empty() {
        return RecordBatch::new_empty(Arc::clone(schema));
    }
    let columns = (0..schema.fields().len()).map(|column| {
        let parts: Vec<&dyn Array> = batches
            .iter()
            .map(|batch| &**batch.column(column))
            .collect();
        joined(&parts)
    });
    let batch = RecordBatch::try_new(Arc::clone(schema), columns.collect());
    batch.expect("the columns are those of the schema")
}

fn joined(parts: &[&dyn Array]) -> ArrayRef {
    match parts[0].data_type() {
        DataType::Dictionary(..) => dictionaries(parts),
        DataType::List(_) => lists(parts),
        DataType::Struct(_) => structs(parts),
        _ => arrow::compute::concat(parts).expect("a buffer is far below what an array can hold"),
    }
}

fn dictionaries(parts: &[&dyn Array]) -> ArrayRef {
    let mut interner = Interner::default();
    let mut keys = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        let part: &DictionaryArray<Int32Type> = part.as_dictionary();
        let texts: &StringArray = part.values().as_string();
        let places: Vec<i32> = texts
            .iter()
            .map(|text| interner.key(text.unwrap_or_default()))
            .collect();
        let place = |key: &i32| places[usize::try_from(*key).unwrap_or_default()];
        keys.extend(part.keys().values().iter().map(place));
    }
    dictionary(keys, interner.finish())
}

fn lists(parts: &[&dyn Array]) -> ArrayRef {
    let parts: Vec<&ListArray> = parts.iter().map(|part| part.as_list()).collect();
    let mut offsets = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    let mut items: Vec<ArrayRef> = Vec::with_capacity(parts.len());
    let mut end = 0;
    offsets.push(end);
    for part in &parts {
        let own = part.value_offsets();
        let (first, last) = (own[0], own[own.len() - 1]);
        offsets.extend(own[1..].iter().map(|offset| offset - first + end));
        end += last - first;
        let at = |offset: i32| usize::try_from(offset).unwrap_or_default();
        items.push(part.values().slice(at(first), at(last - first)));
    }
    let items: Vec<&dyn Array> = items.iter().map(|items| &**items).collect();
    let DataType::List(field) = parts[0].data_type() else {
        unreachable!("it was just seen to be a list")
    };
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let lists = ListArray::try_new(Arc::clone(field), offsets, joined(&items), None);
    Arc::new(lists.expect("the offsets are those of the items"))
}

fn structs(parts: &[&dyn Array]) -> ArrayRef {
    let parts: Vec<&StructArray> = parts.iter().map(|part| part.as_struct()).collect();
    let columns = (0..parts[0].num_columns()).map(|column| {
        let columns: Vec<&dyn Array> = parts.iter().map(|part| &**part.column(column)).collect();
        joined(&columns)
    });
    let joined = StructArray::try_new(parts[0].fields().clone(), columns.collect(), None);
    Arc::new(joined.expect("the columns are of one length"))
}
