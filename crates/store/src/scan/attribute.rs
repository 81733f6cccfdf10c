//! Attributes as columns of one kind.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;

use crate::error::ReadError;
use crate::segment::{Column, Damage, Kind, Projected, attributes_from_json, value};

/// The values of attributes that resources have, each resource read once.
pub(super) struct Resources {
    keys: Vec<String>,
    /// By the JSON of a resource.
    known: HashMap<String, Arc<[Value]>>,
}

/// Type and text of a value, if there is one.
type Value = Option<(u8, String)>;

impl Resources {
    pub(super) fn new(keys: Vec<String>) -> Self {
        Resources {
            keys,
            known: HashMap::new(),
        }
    }

    /// The attributes of the rows of a batch, to be taken in the order of the keys.
    pub(super) fn attributes(&mut self, read: &Projected) -> Result<Attributes, ReadError> {
        let mut of_row = Vec::new();
        if !self.keys.is_empty() {
            let texts = read.texts("resource")?;
            let mut of_code: Vec<Option<Arc<[Value]>>> = vec![None; texts.distinct().len()];
            of_row.reserve(texts.len());
            for row in 0..texts.len() {
                let code = texts.code(row);
                let values = match &of_code[code] {
                    Some(values) => Arc::clone(values),
                    None => {
                        let values = self.values(texts.value(row));
                        let values = values.map_err(|damage| read.damage(damage))?;
                        Arc::clone(of_code[code].insert(values))
                    }
                };
                of_row.push(values);
            }
        }
        Ok(Attributes { of_row, next: 0 })
    }

    fn values(&mut self, json: &str) -> Result<Arc<[Value]>, Damage> {
        if let Some(values) = self.known.get(json) {
            return Ok(Arc::clone(values));
        }
        let attributes = attributes_from_json(json)?;
        let values = self.keys.iter().map(|key| {
            let (tag, text) = value::to_text(attributes.get(key)?);
            Some((tag, text.into_owned()))
        });
        let values: Arc<[Value]> = values.collect();
        self.known.insert(json.to_owned(), Arc::clone(&values));
        Ok(values)
    }
}

/// The attributes of one batch.
pub(super) struct Attributes {
    of_row: Vec<Arc<[Value]>>,
    next: usize,
}

impl Attributes {
    /// The next one as a column.
    pub(super) fn next(
        &mut self,
        read: &Projected,
        key: &str,
        kind: Kind,
    ) -> Result<ArrayRef, ReadError> {
        let number = self.next;
        self.next += 1;
        let of_resource = |row: usize| self.of_row[row][number].as_ref();
        let any = (0..self.of_row.len()).any(|row| of_resource(row).is_some());
        if let Some(whole) = read.whole_attribute(key, kind).filter(|_| !any) {
            return Ok(whole);
        }
        let cells = read.attribute(key)?;
        let mut column = Column::new(kind);
        for row in 0..read.rows() {
            let found = cells.find(row).or_else(|| {
                let (tag, text) = of_resource(row)?;
                Some((*tag, Cow::Borrowed(text.as_str())))
            });
            let pushed = push(&mut column, found);
            pushed.map_err(|damage| read.damage(damage))?;
        }
        Ok(column.finish(read.rows()))
    }
}

/// Puts a value at the end of a column, or null if there is none that it can have.
fn push(column: &mut Column, found: Option<(u8, Cow<'_, str>)>) -> Result<(), Damage> {
    let found = found.filter(|(tag, _)| *tag != value::NULL);
    match column {
        Column::Texts(texts) => match found {
            None => texts.append_null(),
            Some((value::STRING | value::INT | value::BOOL, text)) => texts.append_value(text),
            Some((tag, text)) => texts.append_value(value::from_text(tag, &text)?.to_text()),
        },
        Column::Ints(ints) => ints.append_option(match found {
            Some((value::INT, text)) => text.parse().ok(),
            Some((value::DOUBLE, text)) => value::double(&text).and_then(whole),
            _ => None,
        }),
        Column::Doubles(doubles) => doubles.append_option(match found {
            Some((value::INT, text)) => text.parse().ok().and_then(exact),
            Some((value::DOUBLE, text)) => value::double(&text),
            _ => None,
        }),
        Column::Bools(bools) => bools.append_option(match found {
            Some((value::BOOL, text)) => Some(text == "true"),
            _ => None,
        }),
    }
    Ok(())
}

/// A double as an integer, if it is one.
#[allow(clippy::cast_possible_truncation)] // within the bounds that are checked
fn whole(number: f64) -> Option<i64> {
    (number.trunc() == number && number.abs() <= EXACT_MAX).then_some(number as i64)
}

/// An integer as a double, if there is one.
#[allow(clippy::cast_precision_loss)] // within the bounds that are checked
fn exact(number: i64) -> Option<f64> {
    let double = number as f64;
    (double.abs() <= EXACT_MAX).then_some(double)
}

/// Up to here every integer is a double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
