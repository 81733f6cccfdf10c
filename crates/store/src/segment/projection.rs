//! Some columns and some attributes of some rows, and nothing else of a file.

use std::path::PathBuf;

use arrow::array::{Array, RecordBatch};

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
            return self.attributes.iter().any(|key| form.may_be_left(key));
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

    fn find(&self, row: usize) -> Option<(u8, std::borrow::Cow<'a, str>)> {
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
