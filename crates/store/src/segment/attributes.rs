//! Lists of attributes to columns and what is left of the lists, and back.
//!
//! Of each key a row may have one value in a column: its first, if there is a column for a value of
//! that type. All others stay in the residual list, sorted by key, values of the same key in their
//! order. So the list that comes back is sorted by key, and the first value of a key is its first
//! again.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, BooleanArray, BooleanBuilder, DictionaryArray, Float64Array,
    Float64Builder, Int32Array, Int64Array, Int64Builder, ListArray, StringArray, StringBuilder,
    UInt8Builder, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use throughline_telemetry::Value;

use super::columns::{AttributeLists, attribute_items, lists};
use super::promotion::{Kind, Promoted};
use super::table::Damage;
use super::value;
use crate::batch::typed;
use crate::hash::HashMap;

/// Takes lists of attributes apart, one batch after the other.
#[derive(Debug)]
pub(super) struct Splitter {
    /// By key, its number and its column for each kind.
    keys: HashMap<String, (usize, Slots)>,
    kinds: Vec<Kind>,
}

type Slots = [Option<usize>; 4];

impl Splitter {
    /// For these columns, which are sorted.
    pub(super) fn new(promoted: &[Promoted]) -> Self {
        let mut keys: HashMap<String, (usize, Slots)> = HashMap::default();
        for (slot, promoted) in promoted.iter().enumerate() {
            let number = keys.len();
            let key = keys.entry(promoted.key.clone());
            let (_, slots) = key.or_insert((number, [None; 4]));
            slots[promoted.kind as usize] = Some(slot);
        }
        Splitter {
            keys,
            kinds: promoted.iter().map(|promoted| promoted.kind).collect(),
        }
    }

    /// The columns, and the residual list.
    pub(super) fn split(
        &self,
        attributes: &ListArray,
    ) -> Result<(Vec<ArrayRef>, ArrayRef), Damage> {
        let lists_in = AttributeLists::new(attributes)?;
        let rows = attributes.len();
        let mut columns: Vec<Column> = self.kinds.iter().map(|kind| Column::new(*kind)).collect();
        let distinct = lists_in.keys.distinct();
        let known: Vec<_> = distinct.map(|key| self.keys.get(key)).collect();
        let ranks = lists_in.ranks();
        let mut seen = vec![0; self.keys.len()]; // the row that had a key last, counted from one
        let mut left: Vec<u32> = Vec::new();
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let begin = left.len();
            for item in lists_in.range(row) {
                let taken = known[lists_in.keys.code(item)].is_some_and(|(key, slots)| {
                    let (_, tag, text) = lists_in.item(item);
                    let first = std::mem::replace(&mut seen[*key], row + 1) != row + 1;
                    let kind = Kind::of_tag(tag).filter(|_| first);
                    let slot = kind.and_then(|kind| slots[kind as usize]);
                    slot.is_some_and(|slot| columns[slot].put(row, text))
                });
                if !taken {
                    left.push(u32::try_from(item).map_err(|_| Damage::new("too many items"))?);
                }
            }
            left[begin..].sort_by_key(|item| ranks[lists_in.keys.code(*item as usize)]);
            lengths.push(left.len() - begin);
        }
        let items = take(attributes.values(), &UInt32Array::from(left), None)?;
        let residual = lists(lengths.into_iter(), items)?;
        let columns = columns.into_iter().map(|column| column.finish(rows));
        Ok((columns.collect(), residual))
    }
}

/// Puts lists together again from columns, which are sorted as their names are, and the residual.
pub(super) fn merge(
    columns: &[(Promoted, ArrayRef)],
    residual: &ListArray,
) -> Result<ArrayRef, Damage> {
    let lists_in = AttributeLists::new(residual)?;
    let mut items = Items::default();
    let codes: Vec<i32> = lists_in
        .keys
        .distinct()
        .map(|key| items.code(key))
        .collect();
    let mut cells = Vec::with_capacity(columns.len());
    for (promoted, column) in columns {
        let code = items.code(&promoted.key);
        cells.push((promoted, code, Cells::new(promoted.kind, column)?));
    }
    let mut lengths = Vec::with_capacity(residual.len());
    for row in 0..residual.len() {
        let begin = items.codes.len();
        let mut left = lists_in.range(row).peekable();
        let keep = |items: &mut Items, item: usize| {
            let (_, tag, text) = lists_in.item(item);
            items.push(codes[lists_in.keys.code(item)], tag, text);
        };
        for (promoted, code, cells) in &cells {
            if cells.is_null(row) {
                continue;
            }
            while let Some(item) = left.next_if(|item| lists_in.keys.value(*item) < &*promoted.key)
            {
                keep(&mut items, item);
            }
            items.push(*code, promoted.kind.tag(), &cells.text(row));
        }
        left.for_each(|item| keep(&mut items, item));
        lengths.push(items.codes.len() - begin);
    }
    Ok(items.finish(lengths)?)
}

/// A column of values of one kind in the making.
pub(crate) enum Column {
    Texts(StringBuilder),
    Ints(Int64Builder),
    Doubles(Float64Builder),
    Bools(BooleanBuilder),
}

impl Column {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::String => Column::Texts(StringBuilder::new()),
            Kind::Int => Column::Ints(Int64Builder::new()),
            Kind::Double => Column::Doubles(Float64Builder::new()),
            Kind::Bool => Column::Bools(BooleanBuilder::new()),
        }
    }

    /// Puts a value at a row after all before, unless another text would come back.
    fn put(&mut self, row: usize, text: &str) -> bool {
        match self {
            Column::Texts(builder) => {
                builder.append_nulls(row - builder.len());
                builder.append_value(text);
            }
            Column::Ints(builder) => {
                let Some(number) = int(text) else {
                    return false;
                };
                builder.append_nulls(row - builder.len());
                builder.append_value(number);
            }
            Column::Doubles(builder) => {
                let Some(number) = double(text) else {
                    return false;
                };
                builder.append_nulls(row - builder.len());
                builder.append_value(number);
            }
            Column::Bools(builder) => {
                if !matches!(text, "true" | "false") {
                    return false;
                }
                builder.append_nulls(row - builder.len());
                builder.append_value(text == "true");
            }
        }
        true
    }

    /// The column of so many rows. Those at the end that have got nothing are null.
    pub(crate) fn finish(self, rows: usize) -> ArrayRef {
        match self {
            Column::Texts(mut builder) => {
                builder.append_nulls(rows - builder.len());
                Arc::new(builder.finish())
            }
            Column::Ints(mut builder) => {
                builder.append_nulls(rows - builder.len());
                Arc::new(builder.finish())
            }
            Column::Doubles(mut builder) => {
                builder.append_nulls(rows - builder.len());
                Arc::new(builder.finish())
            }
            Column::Bools(mut builder) => {
                builder.append_nulls(rows - builder.len());
                Arc::new(builder.finish())
            }
        }
    }
}

/// The number of a text, if just that text comes back from it.
fn int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.starts_with(['0', '+']) || text == "0";
    text.parse().ok().filter(|_| plain)
}

/// The same of a double.
fn double(text: &str) -> Option<f64> {
    match value::from_text(Kind::Double.tag(), text).ok()? {
        Value::Double(number) if value::double_text(number) == text => Some(number),
        _ => None,
    }
}

/// A column to be read.
pub(super) enum Cells<'a> {
    Texts(&'a StringArray),
    Ints(&'a Int64Array),
    Doubles(&'a Float64Array),
    Bools(&'a BooleanArray),
}

impl<'a> Cells<'a> {
    pub(super) fn new(kind: Kind, column: &'a ArrayRef) -> Result<Self, Damage> {
        Ok(match kind {
            Kind::String => Cells::Texts(typed(column, "attribute")?),
            Kind::Int => Cells::Ints(typed(column, "attribute")?),
            Kind::Double => Cells::Doubles(typed(column, "attribute")?),
            Kind::Bool => Cells::Bools(typed(column, "attribute")?),
        })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Texts(column) => column.is_null(row),
            Cells::Ints(column) => column.is_null(row),
            Cells::Doubles(column) => column.is_null(row),
            Cells::Bools(column) => column.is_null(row),
        }
    }

    /// The text of a value, as a list has it.
    pub(super) fn text(&self, row: usize) -> Cow<'a, str> {
        match self {
            Cells::Texts(column) => Cow::Borrowed(column.value(row)),
            Cells::Ints(column) => column.value(row).to_string().into(),
            Cells::Doubles(column) => value::double_text(column.value(row)).into(),
            Cells::Bools(column) => Cow::Borrowed(if column.value(row) { "true" } else { "false" }),
        }
    }
}

/// Items of lists of attributes in the making.
#[derive(Default)]
struct Items {
    keys: Vec<String>,
    known: HashMap<String, i32>,
    codes: Vec<i32>,
    tags: UInt8Builder,
    values: StringBuilder,
}

impl Items {
    fn code(&mut self, key: &str) -> i32 {
        if let Some(code) = self.known.get(key) {
            return *code;
        }
        let code = i32::try_from(self.keys.len()).expect("a batch has few keys");
        self.keys.push(key.to_owned());
        self.known.insert(key.to_owned(), code);
        code
    }

    fn push(&mut self, code: i32, tag: u8, text: &str) {
        self.codes.push(code);
        self.tags.append_value(tag);
        self.values.append_value(text);
    }

    fn finish(mut self, lengths: Vec<usize>) -> Result<ArrayRef, ArrowError> {
        let texts = Arc::new(StringArray::from_iter_values(self.keys));
        let keys = DictionaryArray::<Int32Type>::try_new(Int32Array::from(self.codes), texts)?;
        let items = attribute_items(
            Arc::new(keys),
            Arc::new(self.tags.finish()),
            Arc::new(self.values.finish()),
        )?;
        lists(lengths.into_iter(), items)
    }
}
