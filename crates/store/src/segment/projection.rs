//! Some columns and some attributes of some rows, and nothing else of a file.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};

use super::attributes::Cells;
use super::columns::{AttributeLists, Columns, Texts};
use super::form::{ATTRIBUTES, Form};
use super::promotion::Kind;
use super::table::Damage;
use super::value;
use crate::error::ReadError;

/// What is wanted of each row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Projection<'a> {
    /// Columns of the canonical schema.
    pub(crate) columns: Vec<&'a str>,
    /// Keys of attributes, wherever a file has them.
    pub(crate) attributes: Vec<&'a str>,
}

impl Projection<'_> {
    /// Whether a column of a file is needed.
    pub(super) fn needs(&self, form: &Form, column: &str) -> bool {
        if column == ATTRIBUTES {
            let mut keys = self.attributes.iter();
            return self.columns.contains(&column) || keys.any(|key| form.may_be_left(key));
        }
        let of_attribute = |key: &&str| {
            let mut promoted = form
                .promoted
                .iter()
                .filter(|promoted| promoted.key == **key);
            promoted.any(|promoted| promoted.column() == column)
        };
        self.columns.contains(&column) || self.attributes.iter().any(of_attribute)
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Projected {
    path: PathBuf,
    form: Form,
    batch: RecordBatch,
}

impl Projected {
    pub(super) fn new(path: PathBuf, form: Form, batch: RecordBatch) -> Self {
        Projected { path, form, batch }
    }

    /// Of rows that never were in a file.
    pub(crate) fn of_canonical(batch: RecordBatch) -> Self {
        Projected::new(PathBuf::from("a buffer"), Form::default(), batch)
    }

    /// All that was read, as it lies in the file.
    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// A column that was asked for, whatever it holds.
    pub(crate) fn column(&self, name: &str) -> Result<ArrayRef, ReadError> {
        let column = self.batch.column_by_name(name);
        let column = column.ok_or_else(|| self.damage(Damage::new(format!("no column {name}"))));
        column.map(Arc::clone)
    }

    /// An attribute that was asked for, if all its values have a column of this kind or there are
    /// none at all.
    pub(crate) fn whole_attribute(&self, key: &str, kind: Kind) -> Option<ArrayRef> {
        if self.form.may_be_left(key) {
            return None;
        }
        let mut promoted = self.form.promoted.iter().filter(|it| it.key == key);
        match (promoted.next(), promoted.next()) {
            (None, _) => Some(new_null_array(&kind.data_type(), self.rows())),
            (Some(only), None) if only.kind == kind => {
                self.batch.column_by_name(&only.column()).cloned()
            }
            _ => None,
        }
    }

    /// The lists of attributes that have no column.
    pub(crate) fn residual(&self) -> Result<AttributeLists<'_>, ReadError> {
        let lists = AttributeLists::new(self.get(ATTRIBUTES)?);
        lists.map_err(|damage| self.damage(damage))
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// A column that was asked for.
    pub(crate) fn get<T: Array + 'static>(&self, name: &str) -> Result<&T, ReadError> {
        Columns(&self.batch).get(name).map_err(|it| self.damage(it))
    }

    /// A column of texts that repeat.
    pub(crate) fn texts(&self, name: &str) -> Result<Texts<'_>, ReadError> {
        let texts = Columns(&self.batch).texts(name);
        texts.map_err(|damage| self.damage(damage))
    }

    /// An attribute that was asked for.
    pub(crate) fn attribute(&self, key: &str) -> Result<AttributeCells<'_>, ReadError> {
        let cells = AttributeCells::new(&self.batch, &self.form, key);
        cells.map_err(|damage| self.damage(damage))
    }

    pub(crate) fn damage(&self, damage: Damage) -> ReadError {
        ReadError::corrupt(&self.path, damage)
    }
}

/// The first value of one attribute in each row.
pub(crate) struct AttributeCells<'a> {
    columns: Vec<(Kind, Cells<'a>)>,
    residual: Option<AttributeLists<'a>>,
    /// By place among the distinct keys of the residual, whether it is this one.
    is_key: Vec<bool>,
}

impl<'a> AttributeCells<'a> {
    fn new(batch: &'a RecordBatch, form: &Form, key: &str) -> Result<Self, Damage> {
        let mut columns = Vec::new();
        for promoted in form.promoted.iter().filter(|promoted| promoted.key == key) {
            let name = promoted.column();
            let column = batch.column_by_name(&name);
            let column = column.ok_or_else(|| Damage::new(format!("no column {name}")))?;
            columns.push((promoted.kind, Cells::new(promoted.kind, column)?));
        }
        let residual = form
            .may_be_left(key)
            .then(|| Columns(batch).get(ATTRIBUTES));
        let residual = residual.transpose()?.map(AttributeLists::new).transpose()?;
        let distinct = residual.iter().flat_map(|lists| lists.keys.distinct());
        Ok(AttributeCells {
            is_key: distinct.map(|distinct| distinct == key).collect(),
            columns,
            residual,
        })
    }

    /// Whether a row's value reads like this text.
    pub(crate) fn is(&self, row: usize, text: &str) -> Result<bool, Damage> {
        Ok(match self.find(row) {
            None => false,
            Some((tag, found)) if tag == value::STRING => found == text,
            Some((tag, found)) => value::from_text(tag, &found)?.to_text() == text,
        })
    }

    /// Type and text of a row's value.
    pub(crate) fn find(&self, row: usize) -> Option<(u8, std::borrow::Cow<'a, str>)> {
        if let Some((kind, cells)) = self.columns.iter().find(|(_, cells)| !cells.is_null(row)) {
            return Some((kind.tag(), cells.text(row)));
        }
        let lists = self.residual.as_ref()?;
        let item = lists
            .range(row)
            .find(|item| self.is_key[lists.keys.code(*item)])?;
        let (_, tag, text) = lists.item(item);
        Some((tag, text.into()))
    }
}
