//! Attributes as a list of `{key, type, value}`.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, ListArray, StringArray, StringBuilder, StructArray,
    UInt8Array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use throughline_telemetry::Attributes;
#[cfg(test)]
use throughline_telemetry::Value;
use throughline_telemetry::wire::walk::{AttributeView, ValueView};

use super::dictionary::{Interner, dictionary};
use super::rows::typed;
use super::schema::attribute_fields;
use crate::segment::{Damage, value};

/// Builds a column of attributes.
#[derive(Debug, Default)]
pub(super) struct AttributesBuilder {
    ends: Ends,
    interner: Interner,
    keys: Vec<i32>,
    types: Vec<u8>,
    values: StringBuilder,
    /// The key that the attribute at each place in its list had last: one library writes its keys in
    /// one order.
    hints: Vec<i32>,
}

impl AttributesBuilder {
    /// Adds the list of the next row.
    #[cfg(test)]
    pub(super) fn push(&mut self, attributes: &Attributes) {
        for (key, value) in attributes.iter() {
            self.add(key, value);
        }
        self.end();
    }

    /// Adds an attribute to the list of the next row.
    #[cfg(test)]
    pub(super) fn add(&mut self, key: &str, value: &Value) {
        let (tag, text) = value::to_text(value);
        self.values.append_value(text);
        self.keyed(key, tag);
    }

    /// Adds the list of the next row.
    pub(super) fn push_views(&mut self, attributes: &[AttributeView<'_>]) {
        for attribute in attributes {
            let tag = append_view(&mut self.values, &attribute.value);
            self.keyed(attribute.key, tag);
        }
        self.end();
    }

    /// Ends the list of the row.
    pub(super) fn end(&mut self) {
        self.ends.push(self.keys.len());
    }

    /// The key and the type of the value that was added last.
    fn keyed(&mut self, key: &str, tag: u8) {
        let place = self.keys.len() - self.ends.last();
        if place == self.hints.len() {
            self.hints.push(-1);
        }
        let key = self.interner.key_like(key, self.hints[place]);
        self.hints[place] = key;
        self.keys.push(key);
        self.types.push(tag);
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![
            dictionary(self.keys, self.interner.finish()),
            Arc::new(UInt8Array::from(self.types)),
            Arc::new(self.values.finish()),
        ];
        self.ends.list(attribute_fields(), columns)
    }
}

/// Adds the text of a value to a column. Its type.
pub(super) fn append_view(column: &mut StringBuilder, value: &ValueView<'_>) -> u8 {
    match value {
        ValueView::String(text) => {
            column.append_value(text);
            value::STRING
        }
        ValueView::Int(number) => {
            write!(column, "{number}").expect("memory takes any text");
            column.append_value("");
            value::INT
        }
        other => {
            let other = other.to_value();
            let (tag, text) = value::to_text(&other);
            column.append_value(text);
            tag
        }
    }
}

/// Where the lists of a column end.
#[derive(Debug)]
pub(super) struct Ends(Vec<i32>);

impl Default for Ends {
    fn default() -> Self {
        Ends(vec![0])
    }
}

impl Ends {
    /// The next list ends before this item.
    pub(super) fn push(&mut self, items: usize) {
        let end = i32::try_from(items).expect("the bytes of a batch are limited to less");
        self.0.push(end);
    }

    fn last(&self) -> usize {
        let last = self.0.last().copied().unwrap_or_default();
        usize::try_from(last).unwrap_or_default()
    }

    /// The column of lists of items that consist of these columns.
    pub(super) fn list(self, fields: &Fields, columns: Vec<ArrayRef>) -> ArrayRef {
        let items = StructArray::try_new(fields.clone(), columns, None);
        let items = items.expect("the columns are built to the schema");
        let field = Field::new("item", DataType::Struct(fields.clone()), false);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.0));
        let lists = ListArray::try_new(Arc::new(field), offsets, Arc::new(items), None);
        Arc::new(lists.expect("the lists end within the items"))
    }
}

/// A list column whose items have several columns.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    offsets: &'a [i32],
    items: &'a StructArray,
}

impl<'a> Lists<'a> {
    pub(super) fn new(column: &'a ListArray) -> Result<Self, Damage> {
        Ok(Lists {
            offsets: column.offsets(),
            items: typed(column.values(), "item")?,
        })
    }

    /// Where the items of a row are.
    pub(super) fn range(&self, row: usize) -> std::ops::Range<usize> {
        let at = |row: usize| usize::try_from(self.offsets[row]).unwrap_or_default();
        at(row)..at(row + 1)
    }

    pub(super) fn get<T: Array + 'static>(&self, name: &str) -> Result<&'a T, Damage> {
        let column = self.items.column_by_name(name);
        let column = column.ok_or_else(|| Damage::new(format!("no column {name}")))?;
        typed(column, name)
    }
}

/// A column of attributes, to read.
#[derive(Clone, Copy)]
pub(super) struct AttributeLists<'a> {
    lists: Lists<'a>,
    keys: &'a [i32],
    texts: &'a StringArray,
    types: &'a [u8],
    values: &'a StringArray,
}

impl<'a> AttributeLists<'a> {
    pub(super) fn new(column: &'a ListArray) -> Result<Self, Damage> {
        let lists = Lists::new(column)?;
        let keys: &DictionaryArray<Int32Type> = lists.get("key")?;
        let types: &UInt8Array = lists.get("type")?;
        Ok(AttributeLists {
            keys: keys.keys().values(),
            texts: typed(keys.values(), "key")?,
            types: types.values(),
            values: lists.get("value")?,
            lists,
        })
    }

    /// Whether the first attribute of this key in a row may have this text; `None` if there is none.
    /// How values other than texts and integers are written is not looked at.
    pub(super) fn may_be(&self, row: usize, key: &str, text: &str) -> Option<bool> {
        let key_of = |item: &usize| self.keys[*item];
        let wanted = (0..self.texts.len()).find(|at| self.texts.value(*at) == key)?;
        let wanted = i32::try_from(wanted).ok()?;
        let item = self.lists.range(row).find(|item| key_of(item) == wanted)?;
        let has = self.values.value(item);
        Some(match self.types[item] {
            value::STRING | value::INT => has == text,
            _ => true,
        })
    }

    /// The attributes of a row by key, values of one key in their order: as a file gives them back.
    pub(super) fn sorted_at(&self, row: usize) -> Result<Attributes, Damage> {
        let mut attributes = self.at(row)?;
        attributes.0.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(attributes)
    }

    /// The attributes of a row, in the order they were written.
    pub(super) fn at(&self, row: usize) -> Result<Attributes, Damage> {
        let items = self.lists.range(row).map(|item| {
            let key = usize::try_from(self.keys[item]).ok();
            let key = key.filter(|key| *key < self.texts.len());
            let key = key.ok_or_else(|| Damage::new("a key that is not in its dictionary"))?;
            let value = value::from_text(self.types[item], self.values.value(item))?;
            Ok((self.texts.value(key).to_owned(), value))
        });
        items.collect::<Result<Vec<_>, Damage>>().map(Attributes)
    }
}
