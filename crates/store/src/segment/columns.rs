//! Columns that several tables have: ids, texts, attributes, resources, scopes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, Int32Array, ListArray, RecordBatch, StringArray, StructArray,
    UInt8Array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{Field, Int32Type};
use arrow::error::ArrowError;

use super::table::Damage;
use crate::batch::{attribute_fields, typed};

/// A list column of the items of all rows, one after the other, and how many each row has.
pub(super) fn lists(
    lengths: impl Iterator<Item = usize>,
    items: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field, offsets, items, None)?))
}

/// The items of lists of attributes.
pub(super) fn attribute_items(
    keys: ArrayRef,
    types: ArrayRef,
    values: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let items = StructArray::try_new(attribute_fields().clone(), vec![keys, types, values], None)?;
    Ok(Arc::new(items))
}

/// Access to the columns of a batch by name and type.
pub(super) struct Columns<'a>(pub(super) &'a RecordBatch);

impl<'a> Columns<'a> {
    pub(super) fn get<T: Array + 'static>(&self, name: &str) -> Result<&'a T, Damage> {
        let column = self.0.column_by_name(name);
        let column = column.ok_or_else(|| Damage::new(format!("no column {name}")))?;
        typed(column, name)
    }

    /// A column of texts that repeat.
    pub(super) fn texts(&self, name: &str) -> Result<Texts<'a>, Damage> {
        Texts::new(self.get(name)?, name)
    }
}

/// Texts that repeat, to be read.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    codes: &'a Int32Array,
    texts: &'a StringArray,
}

impl<'a> Texts<'a> {
    fn new(column: &'a DictionaryArray<Int32Type>, name: &str) -> Result<Self, Damage> {
        let texts: &StringArray = typed(column.values(), name)?;
        let codes = column.keys();
        // Without a way out in the middle it takes several codes at a time.
        let bounds = codes.values().iter().fold((0, -1), |(low, high), code| {
            (std::cmp::min(low, *code), std::cmp::max(high, *code))
        });
        let known = i32::try_from(texts.len()).unwrap_or(i32::MAX);
        if codes.null_count() > 0 || bounds.0 < 0 || bounds.1 >= known {
            return Err(Damage::new(format!("column {name} has bad codes")));
        }
        Ok(Texts { codes, texts })
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn value(&self, row: usize) -> &'a str {
        self.texts.value(self.code(row))
    }

    /// The place of a row's text among the distinct ones.
    pub(crate) fn code(&self, row: usize) -> usize {
        usize::try_from(self.codes.value(row)).expect("codes were checked")
    }

    /// The distinct texts; one may be there twice.
    pub(crate) fn distinct(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let texts = self.texts;
        (0..texts.len()).map(|code| texts.value(code))
    }
}

/// A column of texts that repeat.
pub(crate) fn texts_of<'a>(column: &'a ArrayRef, name: &str) -> Result<Texts<'a>, Damage> {
    Texts::new(typed(column, name)?, name)
}

/// A column of lists of attributes.
pub(crate) fn attribute_lists(column: &ArrayRef) -> Result<AttributeLists<'_>, Damage> {
    AttributeLists::new(typed(column, "attributes")?)
}

/// A list column whose items have several columns.
pub(super) struct Lists<'a> {
    offsets: &'a ScalarBuffer<i32>,
    items: &'a StructArray,
}

impl<'a> Lists<'a> {
    pub(super) fn new(column: &'a ListArray) -> Result<Self, Damage> {
        Ok(Lists {
            offsets: column.offsets().inner(),
            items: typed(column.values(), "item")?,
        })
    }

    /// Where the items of a row are.
    pub(super) fn range(&self, row: usize) -> std::ops::Range<usize> {
        let at = |row: usize| usize::try_from(self.offsets[row]).expect("offsets are not negative");
        at(row)..at(row + 1)
    }

    pub(super) fn get<T: Array + 'static>(&self, name: &str) -> Result<&'a T, Damage> {
        let column = self.items.column_by_name(name);
        let column = column.ok_or_else(|| Damage::new(format!("no column {name}")))?;
        typed(column, name)
    }
}

/// A column of attributes.
pub(crate) struct AttributeLists<'a> {
    lists: Lists<'a>,
    pub(crate) keys: Texts<'a>,
    types: &'a UInt8Array,
    values: &'a StringArray,
}

impl<'a> AttributeLists<'a> {
    pub(super) fn new(column: &'a ListArray) -> Result<Self, Damage> {
        let lists = Lists::new(column)?;
        Ok(AttributeLists {
            keys: Texts::new(lists.get("key")?, "key")?,
            types: lists.get("type")?,
            values: lists.get("value")?,
            lists,
        })
    }

    /// Where the items of a row are.
    pub(crate) fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.lists.range(row)
    }

    /// The distinct keys that an item has.
    pub(super) fn used_keys(&self) -> impl Iterator<Item = &'a str> {
        let mut used = vec![false; self.keys.distinct().len()];
        (0..self.keys.len()).for_each(|item| used[self.keys.code(item)] = true);
        let keys = self.keys.distinct().zip(used);
        keys.filter(|(_, used)| *used).map(|(key, _)| key)
    }

    /// By the code of a key, its place among the distinct keys in order.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<(&str, usize)> = self.keys.distinct().zip(0..).collect();
        order.sort_unstable();
        let mut ranks = vec![0; order.len()];
        let mut rank = 0;
        for (at, (key, code)) in order.iter().enumerate() {
            rank += u32::from(at > 0 && order[at - 1].0 != *key);
            ranks[*code] = rank;
        }
        ranks
    }

    pub(crate) fn tag(&self, item: usize) -> u8 {
        self.types.value(item)
    }

    /// Key, type and text of an item.
    pub(crate) fn item(&self, item: usize) -> (&'a str, u8, &'a str) {
        (
            self.keys.value(item),
            self.types.value(item),
            self.values.value(item),
        )
    }
}
