//! Columns that several tables have: ids, texts, attributes, resources, scopes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, Int32Array,
    ListArray, RecordBatch, StringArray, StringBuilder, StringDictionaryBuilder, StructArray,
    UInt8Array, UInt8Builder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, TimeUnit};
use arrow::error::ArrowError;
use throughline_telemetry::{Attributes, Resource, Scope};

use super::table::Damage;
use super::value;

/// A column that must have a value in each row.
pub(super) fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

pub(super) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// Texts that repeat.
pub(super) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

pub(super) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(required("item", item)))
}

pub(super) fn attributes_type() -> DataType {
    list_of(DataType::Struct(attribute_fields()))
}

fn attribute_fields() -> Fields {
    Fields::from(vec![
        required("key", dictionary()),
        required("type", DataType::UInt8),
        required("value", DataType::Utf8),
    ])
}

/// Texts as a column.
pub(super) fn texts<'a>(rows: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows))
}

/// Texts that repeat as a column.
pub(super) fn repeated<'a>(rows: impl Iterator<Item = &'a str>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    rows.for_each(|text| builder.append_value(text));
    Arc::new(builder.finish())
}

/// Ids of `N` bytes as a column.
pub(super) fn ids<const N: usize>(
    rows: impl ExactSizeIterator<Item = Option<[u8; N]>>,
) -> Result<ArrayRef, ArrowError> {
    let width = i32::try_from(N).expect("an id has few bytes");
    let mut builder = FixedSizeBinaryBuilder::with_capacity(rows.len(), width);
    for row in rows {
        match row {
            Some(id) => builder.append_value(id)?,
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A list column of the items of all rows, one after the other, and how many each row has.
pub(super) fn lists(
    lengths: impl Iterator<Item = usize>,
    items: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(required("item", items.data_type().clone()));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field, offsets, items, None)?))
}

/// Attributes as a column.
pub(super) fn attributes<'a>(
    rows: impl Iterator<Item = &'a Attributes> + Clone,
) -> Result<ArrayRef, ArrowError> {
    let mut keys = StringDictionaryBuilder::<Int32Type>::new();
    let mut types = UInt8Builder::new();
    let mut values = StringBuilder::new();
    for (key, value) in rows.clone().flat_map(Attributes::iter) {
        let (tag, text) = value::to_text(value);
        keys.append_value(key);
        types.append_value(tag);
        values.append_value(text);
    }
    let items = attribute_items(
        Arc::new(keys.finish()),
        Arc::new(types.finish()),
        Arc::new(values.finish()),
    )?;
    lists(rows.map(|attributes| attributes.0.len()), items)
}

/// The items of lists of attributes.
pub(super) fn attribute_items(
    keys: ArrayRef,
    types: ArrayRef,
    values: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let items = StructArray::try_new(attribute_fields(), vec![keys, types, values], None)?;
    Ok(Arc::new(items))
}

/// Resources as a column. Rows that share a resource share its text.
pub(super) fn resources<'a>(
    rows: impl Iterator<Item = &'a Arc<Resource>>,
) -> Result<ArrayRef, ArrowError> {
    let mut by_pointer: HashMap<*const Resource, i32> = HashMap::new();
    let mut by_text: HashMap<String, i32> = HashMap::new();
    let mut texts: Vec<String> = Vec::new();
    let mut keys = Vec::new();
    for resource in rows {
        // The rows hold the resources, so a pointer stays the name of one.
        let key = *by_pointer.entry(Arc::as_ptr(resource)).or_insert_with(|| {
            let text = value::attributes_to_json(&resource.attributes);
            *by_text.entry(text.clone()).or_insert_with(|| {
                texts.push(text);
                i32::try_from(texts.len() - 1).expect("a batch has few rows")
            })
        });
        keys.push(key);
    }
    let texts = Arc::new(StringArray::from_iter_values(texts));
    let column = DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), texts)?;
    Ok(Arc::new(column))
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

    /// The resources of all rows, each distinct one made once.
    pub(super) fn resources(&self) -> Result<Vec<Arc<Resource>>, Damage> {
        let column = self.texts("resource")?;
        let mut made: Vec<Option<Arc<Resource>>> = vec![None; column.texts.len()];
        let mut resources = Vec::with_capacity(column.len());
        for row in 0..column.len() {
            let code = column.code(row);
            let slot = &mut made[code];
            let resource = match slot {
                Some(resource) => Arc::clone(resource),
                None => {
                    let attributes = value::attributes_from_json(column.texts.value(code))?;
                    Arc::clone(slot.insert(Arc::new(Resource { attributes })))
                }
            };
            resources.push(resource);
        }
        Ok(resources)
    }

    /// The scopes of all rows, each distinct one made once.
    pub(super) fn scopes(&self) -> Result<Vec<Arc<Scope>>, Damage> {
        let names = self.texts("scope_name")?;
        let versions = self.texts("scope_version")?;
        let mut made: HashMap<(&str, &str), Arc<Scope>> = HashMap::new();
        let rows = (0..names.len()).map(|row| (names.value(row), versions.value(row)));
        let scopes = rows.map(|(name, version)| {
            let scope = made.entry((name, version)).or_insert_with(|| {
                Arc::new(Scope {
                    name: name.to_owned(),
                    version: version.to_owned(),
                })
            });
            Arc::clone(scope)
        });
        Ok(scopes.collect())
    }
}

/// Texts that repeat, to be read.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    codes: &'a Int32Array,
    texts: &'a StringArray,
}

impl<'a> Texts<'a> {
    fn new(column: &'a DictionaryArray<Int32Type>, name: &str) -> Result<Self, Damage> {
        let texts: &StringArray = typed(column.values(), name)?;
        let codes = column.keys();
        let known = 0..i32::try_from(texts.len()).unwrap_or(i32::MAX);
        if codes.null_count() > 0 || codes.values().iter().any(|code| !known.contains(code)) {
            return Err(Damage::new(format!("column {name} has bad codes")));
        }
        Ok(Texts { codes, texts })
    }

    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    pub(super) fn value(&self, row: usize) -> &'a str {
        self.texts.value(self.code(row))
    }

    /// The place of a row's text among the distinct ones.
    pub(super) fn code(&self, row: usize) -> usize {
        usize::try_from(self.codes.value(row)).expect("codes were checked")
    }

    /// The distinct texts; one may be there twice.
    pub(super) fn distinct(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let texts = self.texts;
        (0..texts.len()).map(|code| texts.value(code))
    }
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
pub(super) struct AttributeLists<'a> {
    lists: Lists<'a>,
    pub(super) keys: Texts<'a>,
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
    pub(super) fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.lists.range(row)
    }

    pub(super) fn tag(&self, item: usize) -> u8 {
        self.types.value(item)
    }

    /// Key, type and text of an item.
    pub(super) fn item(&self, item: usize) -> (&'a str, u8, &'a str) {
        (
            self.keys.value(item),
            self.types.value(item),
            self.values.value(item),
        )
    }

    pub(super) fn at(&self, row: usize) -> Result<Attributes, Damage> {
        let items = self.range(row).map(|item| {
            let (key, tag, text) = self.item(item);
            Ok((key.to_owned(), value::from_text(tag, text)?))
        });
        items.collect::<Result<Vec<_>, Damage>>().map(Attributes)
    }
}

/// The id of a row, or none where there is none.
pub(super) fn id_at<T, E: std::fmt::Display>(
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
pub(super) fn required_id_at<T, E: std::fmt::Display>(
    column: &FixedSizeBinaryArray,
    row: usize,
    make: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Result<T, Damage> {
    id_at(column, row, make)?.ok_or_else(|| Damage::new("no id"))
}

pub(super) fn typed<'a, T: Array + 'static>(
    column: &'a ArrayRef,
    name: &str,
) -> Result<&'a T, Damage> {
    let typed = column.as_any().downcast_ref();
    typed.ok_or_else(|| Damage::new(format!("column {name} is {}", column.data_type())))
}
