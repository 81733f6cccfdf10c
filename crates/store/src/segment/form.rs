//! The form of a file: how the columns of a canonical batch lie in it.
//!
//! A canonical batch has a fixed schema, that of its [`Table`](super::table::Table). In a file three
//! of its columns are taken apart:
//!
//! ```text
//! parent_span_id          ->  parent_ordinal:u32?  parent_span_id:[u8;8]?       every form
//! attributes:[(k,type,v)] ->  a.K:text? a.K#int:i64? a.K#double:f64? a.K#bool:bool?  attributes    from form 2
//! resource                ->  resource  resource_environment:text?              from form 3
//! ```
//!
//! The key/value metadata of the Parquet file says which form it is and which attributes have a
//! column; a file that says nothing is of form 1:
//!
//! ```text
//! throughline.form     = "3"
//! throughline.promoted = [{"key":"http.route","kind":"string"}, ...]     sorted
//! throughline.residual = ["app.rare", ...]      sorted; left out if there are more than 1000
//! ```
//!
//! Both directions are pure functions of one batch. What comes back has equal rows; the attributes
//! of each are sorted by key, values of one key in their order.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray, ListArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::file::metadata::KeyValue;
use serde::de::DeserializeOwned;

use super::attributes::{Splitter, merge};
use super::columns::{AttributeLists, Columns};
use super::parents::{from_ordinals, to_ordinals};
use super::promotion::Promoted;
use super::resources::{self, RESOURCE};
use super::table::Damage;
use crate::batch::typed;

/// The form of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    /// Whether the [ids](super::resources) of resources have a column.
    has_environments: bool,
    /// The attributes with a column, sorted.
    pub(crate) promoted: Vec<Promoted>,
    /// The keys in the residual lists, sorted, if the file says.
    pub(crate) residual: Option<Vec<String>>,
}

impl Form {
    /// Of a file that is yet to be written.
    pub(super) fn with(promoted: Vec<Promoted>) -> Self {
        Form {
            has_environments: true,
            promoted,
            residual: None,
        }
    }

    /// The form that the metadata of a file tells of.
    pub(super) fn read(metadata: Option<&Vec<KeyValue>>) -> Result<Self, Damage> {
        let find = |key: &str| {
            let mut pairs = metadata.into_iter().flatten();
            let pair = pairs.find(|pair| pair.key == key);
            pair.and_then(|pair| pair.value.as_deref())
        };
        match find(FORM_KEY) {
            None => Ok(Form::default()),
            Some(form @ (FORM | FORM_2)) => Ok(Form {
                has_environments: form == FORM,
                promoted: sorted(PROMOTED_KEY, find(PROMOTED_KEY))?.unwrap_or_default(),
                residual: sorted(RESIDUAL_KEY, find(RESIDUAL_KEY))?,
            }),
            Some(form) => Err(Damage::new(format!("form {form} is unknown"))),
        }
    }

    /// Whether an attribute may be in a residual list.
    pub(super) fn may_be_left(&self, key: &str) -> bool {
        let known = self.residual.as_ref();
        known.is_none_or(|keys| keys.binary_search_by(|left| (**left).cmp(key)).is_ok())
    }

    /// What a file of this form says of it, the keys in its residual lists aside.
    pub(super) fn metadata(&self) -> Vec<KeyValue> {
        let promoted = serde_json::to_string(&self.promoted).expect("text is always JSON");
        vec![
            KeyValue::new(FORM_KEY.to_owned(), FORM.to_owned()),
            KeyValue::new(PROMOTED_KEY.to_owned(), promoted),
        ]
    }

    /// The columns of a file with these canonical columns.
    pub(super) fn schema(&self, canonical: &Schema) -> SchemaRef {
        let mut fields: Vec<Arc<Field>> = Vec::new();
        for field in canonical.fields() {
            match field.name().as_str() {
                PARENT => {
                    let ordinal = Field::new(ORDINAL, DataType::UInt32, true);
                    fields.extend([Arc::new(ordinal), Arc::clone(field)]);
                }
                ATTRIBUTES => {
                    let promoted = self.promoted.iter().map(|promoted| {
                        let data_type = promoted.kind.data_type();
                        Arc::new(Field::new(promoted.column(), data_type, true))
                    });
                    fields.extend(promoted);
                    fields.push(Arc::clone(field));
                }
                RESOURCE if self.has_environments => {
                    fields.extend([Arc::clone(field), Arc::new(resources::field())]);
                }
                _ => fields.push(Arc::clone(field)),
            }
        }
        Arc::new(Schema::new(fields))
    }
}

/// What a file says of the keys in its residual lists, if they are few enough to be said.
pub(super) fn residual_metadata(keys: &BTreeSet<String>) -> Option<KeyValue> {
    let few = keys.len() <= RESIDUAL_KEYS_MAX;
    few.then(|| {
        let keys = serde_json::to_string(keys).expect("text is always JSON");
        KeyValue::new(RESIDUAL_KEY.to_owned(), keys)
    })
}

/// A sorted list in the metadata.
fn sorted<T: DeserializeOwned + Ord>(
    name: &str,
    json: Option<&str>,
) -> Result<Option<Vec<T>>, Damage> {
    let list = json.map(serde_json::from_str::<Vec<T>>).transpose();
    let list = list.map_err(|error| Damage::new(format!("{name}: {error}")))?;
    if list.as_ref().is_some_and(|list| !list.is_sorted()) {
        return Err(Damage::new(format!("{name} is not sorted")));
    }
    Ok(list)
}

/// Canonical batches to those of a file.
#[derive(Debug)]
pub(super) struct ToFile {
    schema: SchemaRef,
    has_environments: bool,
    splitter: Splitter,
    /// Keys seen in residual lists, up to one too many to be listed.
    pub(super) residual: BTreeSet<String>,
}

impl ToFile {
    pub(super) fn new(form: &Form, canonical: &Schema) -> Self {
        ToFile {
            schema: form.schema(canonical),
            has_environments: form.has_environments,
            splitter: Splitter::new(&form.promoted),
            residual: BTreeSet::new(),
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// A batch that has the rows of a trace all or not at all.
    pub(super) fn batch(&mut self, canonical: &RecordBatch) -> Result<RecordBatch, Damage> {
        let columns_in = Columns(canonical);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (field, column) in canonical.schema().fields().iter().zip(canonical.columns()) {
            match field.name().as_str() {
                PARENT => {
                    let (ordinals, far) = to_ordinals(
                        columns_in.get("trace_id")?,
                        columns_in.get("span_id")?,
                        columns_in.get(PARENT)?,
                    )?;
                    columns.extend([ordinals, far]);
                }
                ATTRIBUTES => {
                    let (promoted, residual) = self.splitter.split(columns_in.get(ATTRIBUTES)?)?;
                    self.note_residual(&residual)?;
                    columns.extend(promoted);
                    columns.push(residual);
                }
                RESOURCE if self.has_environments => {
                    let (shared, own) = resources::split(column)?;
                    columns.extend([shared, own]);
                }
                _ => columns.push(Arc::clone(column)),
            }
        }
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }

    fn note_residual(&mut self, residual: &ArrayRef) -> Result<(), Damage> {
        let lists = AttributeLists::new(typed(residual, ATTRIBUTES)?)?;
        for key in lists.used_keys() {
            if self.residual.len() <= RESIDUAL_KEYS_MAX && !self.residual.contains(key) {
                self.residual.insert(key.to_owned());
            }
        }
        Ok(())
    }
}

/// A batch of a file, of whole traces, to a canonical one. Columns that were not read are not made.
pub(super) fn from_file(form: &Form, batch: &RecordBatch) -> Result<RecordBatch, Damage> {
    let batch = &resources::whole(batch.clone())?;
    let columns_in = Columns(batch);
    let mut fields: Vec<Arc<Field>> = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let name = field.name().as_str();
        if name == ORDINAL || is_promoted(name) {
            continue;
        }
        let column = match name {
            PARENT => {
                let far: &FixedSizeBinaryArray = columns_in.get(PARENT)?;
                let (traces, spans) = (columns_in.get("trace_id")?, columns_in.get("span_id")?);
                from_ordinals(traces, spans, columns_in.get(ORDINAL)?, far)?
            }
            ATTRIBUTES => {
                let residual: &ListArray = columns_in.get(ATTRIBUTES)?;
                let promoted = form.promoted.iter().map(|promoted| {
                    let name = promoted.column();
                    let column = batch.column_by_name(&name);
                    let column = column.ok_or_else(|| Damage::new(format!("no column {name}")))?;
                    Ok((promoted.clone(), Arc::clone(column)))
                });
                merge(&promoted.collect::<Result<Vec<_>, Damage>>()?, residual)?
            }
            _ => Arc::clone(column),
        };
        fields.push(Arc::clone(field));
        columns.push(column);
    }
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

/// Whether a column of a file has an attribute.
pub(super) fn is_promoted(column: &str) -> bool {
    column.starts_with(PROMOTED_PREFIX)
}

const FORM_KEY: &str = "throughline.form";
const PROMOTED_KEY: &str = "throughline.promoted";
const RESIDUAL_KEY: &str = "throughline.residual";
const RESIDUAL_KEYS_MAX: usize = 1000;
const FORM: &str = "3";
const FORM_2: &str = "2";
const PROMOTED_PREFIX: &str = "a.";
pub(super) const PARENT: &str = "parent_span_id";
pub(super) const ORDINAL: &str = "parent_ordinal";
pub(super) const ATTRIBUTES: &str = "attributes";
