//! A filter over the columns of batches.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::error::ArrowError;

use super::compare::Check;
use super::words::PhraseFinder;
use super::{Condition, Filter, Operator, SearchError};
use crate::dataset::{Dataset, Shape};
use crate::limits::{CONDITION_DEPTH_MAX, CONDITIONS_MAX};
use crate::scan::{Bounds, Scan, ScanColumn};
use crate::segment::{Kind, SegmentMeta};
use crate::token::Phrase;

/// A filter that was understood, and the columns that it needs.
#[derive(Debug)]
pub(crate) struct Predicate {
    columns: Vec<(ScanColumn, Shape)>,
    root: Node,
}

#[derive(Debug)]
enum Node {
    Is(usize, Check),
    Says(usize, PhraseFinder),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
}

impl Predicate {
    /// Understands a filter. What kinds the values of attributes are is looked up in the scan.
    pub(crate) fn new(scan: &Scan, dataset: Dataset, filter: &Filter) -> Result<Self, SearchError> {
        let mut builder = Builder {
            scan,
            dataset,
            columns: Vec::new(),
            conditions: 0,
        };
        let root = builder.node(filter, 0)?;
        Ok(Predicate {
            columns: builder.columns,
            root,
        })
    }

    /// Whether it holds for every row.
    pub(crate) fn is_trivial(&self) -> bool {
        matches!(&self.root, Node::All(all) if all.is_empty())
    }

    /// What is to be read.
    pub(crate) fn columns(&self) -> Vec<ScanColumn> {
        self.columns.iter().map(|(read, _)| read.clone()).collect()
    }

    /// For which rows it holds. The first columns of the batch are those of [`Self::columns`].
    pub(crate) fn holds(&self, batch: &RecordBatch) -> Result<BooleanBuffer, ArrowError> {
        let shaped: Vec<OnceCell<ArrayRef>> = vec![OnceCell::new(); self.columns.len()];
        let rows = Rows {
            batch,
            columns: &self.columns,
            shaped: &shaped,
        };
        rows.hold(&self.root)
    }
}

struct Builder<'a> {
    scan: &'a Scan,
    dataset: Dataset,
    columns: Vec<(ScanColumn, Shape)>,
    conditions: usize,
}

impl Builder<'_> {
    fn node(&mut self, filter: &Filter, depth: usize) -> Result<Node, SearchError> {
        if depth > CONDITION_DEPTH_MAX {
            return Err(SearchError::Invalid(format!(
                "filters may be nested {CONDITION_DEPTH_MAX} deep at most"
            )));
        }
        let mut nodes = |filters: &[Filter]| -> Result<Vec<Node>, SearchError> {
            let nodes = filters.iter().map(|filter| self.node(filter, depth + 1));
            nodes.collect()
        };
        Ok(match filter {
            Filter::All(all) => Node::All(nodes(all)?),
            Filter::Any(any) => Node::Any(nodes(any)?),
            Filter::Not(not) => Node::Not(Box::new(self.node(not, depth + 1)?)),
            Filter::Is(condition) => self.condition(condition)?,
            Filter::Says(phrase) => self.phrase(phrase)?,
        })
    }

    fn condition(&mut self, condition: &Condition) -> Result<Node, SearchError> {
        self.count()?;
        let place = self.column(&condition.column)?;
        let data_type = self.columns[place].1.data_type();
        let check = Check::new(condition, &data_type).map_err(SearchError::Invalid)?;
        Ok(Node::Is(place, check))
    }

    fn phrase(&mut self, phrase: &Phrase) -> Result<Node, SearchError> {
        if self.dataset.column(BODY).is_none() {
            let what = "only log records have words to look for";
            return Err(SearchError::Invalid(what.to_owned()));
        }
        self.count()?;
        Ok(Node::Says(self.column(BODY)?, PhraseFinder::new(phrase)))
    }

    fn count(&mut self) -> Result<(), SearchError> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return Err(SearchError::Invalid(format!(
                "there may be {CONDITIONS_MAX} conditions at most"
            )));
        }
        Ok(())
    }

    /// The place of a column, of which there is one each.
    fn column(&mut self, name: &str) -> Result<usize, SearchError> {
        let (read, shape) = match self.dataset.column(name) {
            Some(column) => (ScanColumn::Stored(column.stored), column.shape),
            None => {
                let kind = self.scan.kind(self.dataset.signal(), name)?;
                let kind = kind.unwrap_or(Kind::String);
                let key = name.to_owned();
                (ScanColumn::Attribute { key, kind }, Shape::of(kind))
            }
        };
        let column = (read, shape);
        let known = self.columns.iter().position(|known| *known == column);
        Ok(known.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        }))
    }
}

/// The rows of one batch.
struct Rows<'a> {
    batch: &'a RecordBatch,
    columns: &'a [(ScanColumn, Shape)],
    shaped: &'a [OnceCell<ArrayRef>],
}

impl Rows<'_> {
    fn hold(&self, node: &Node) -> Result<BooleanBuffer, ArrowError> {
        let rows = self.batch.num_rows();
        match node {
            Node::Is(place, check) => check.holds(self.column(*place)?),
            Node::Says(place, phrase) => Ok(phrase.find(self.column(*place)?)),
            Node::Not(node) => Ok(!&self.hold(node)?),
            Node::All(all) => {
                let mut holds = BooleanBuffer::new_set(rows);
                for node in all {
                    if holds.count_set_bits() == 0 {
                        break;
                    }
                    holds = &holds & &self.hold(node)?;
                }
                Ok(holds)
            }
            Node::Any(any) => {
                let mut holds = BooleanBuffer::new_unset(rows);
                for node in any {
                    if holds.count_set_bits() == rows {
                        break;
                    }
                    holds = &holds | &self.hold(node)?;
                }
                Ok(holds)
            }
        }
    }

    /// A column as queries see it, but that texts that repeat stay as they are.
    fn column(&self, place: usize) -> Result<&ArrayRef, ArrowError> {
        if let Some(made) = self.shaped[place].get() {
            return Ok(made);
        }
        let stored = self.batch.column(place);
        let made = match self.columns[place].1 {
            Shape::Text => Arc::clone(stored),
            shape => shape.make(stored)?,
        };
        Ok(self.shaped[place].get_or_init(|| made))
    }
}

/// What the catalog must say of a segment so that a filter can hold for a row of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Needs {
    /// A span that failed.
    failed: bool,
    /// A log record that is at least this grave.
    severity: f64,
    /// A span that is at least this long.
    duration_ms: f64,
}

impl Needs {
    pub(super) fn of(dataset: Dataset, filter: &Filter) -> Self {
        let mut needs = Needs::default();
        needs.add(dataset, filter);
        needs
    }

    #[allow(clippy::cast_precision_loss)] // as the column is made
    pub(super) fn may_be_in(&self, segment: &SegmentMeta) -> bool {
        (!self.failed || segment.errors > 0)
            && f64::from(segment.max_severity) >= self.severity
            && segment.max_duration_nanos as f64 / 1e6 >= self.duration_ms
    }

    fn add(&mut self, dataset: Dataset, filter: &Filter) {
        let condition = match filter {
            Filter::All(all) => {
                all.iter().for_each(|filter| self.add(dataset, filter));
                return;
            }
            Filter::Is(condition) => condition,
            Filter::Says(_) | Filter::Any(_) | Filter::Not(_) => return,
        };
        let number = condition.value.as_f64();
        let least = matches!(condition.op, Operator::Eq | Operator::Gt | Operator::GtEq);
        let least = number.filter(|_| least).unwrap_or_default();
        match (dataset, condition.column.as_str()) {
            (Dataset::Spans, "duration_ms") => self.duration_ms = self.duration_ms.max(least),
            (Dataset::Logs, "severity_number") => self.severity = self.severity.max(least),
            (Dataset::Spans, "status") => {
                self.failed |= condition.op == Operator::Eq && condition.value == "error";
            }
            _ => {}
        }
    }
}

/// What a filter says that helps to leave rows out.
pub(super) fn bound(filter: &Filter, dataset: Dataset, bounds: &mut Bounds) {
    match filter {
        Filter::All(all) => all.iter().for_each(|filter| bound(filter, dataset, bounds)),
        Filter::Says(phrase) => bounds.words.extend(phrase.hashes()),
        Filter::Is(Condition {
            column,
            op: Operator::Eq,
            value: serde_json::Value::String(text),
        }) => match column.as_str() {
            "service" => bounds.service = Some(text.clone()),
            "name" => bounds.name = Some(text.clone()),
            "trace_id" => bounds.trace_id = text.parse().ok().or(bounds.trace_id),
            key if dataset.column(key).is_none() && is_only_text(text) => {
                bounds.attributes.push((key.to_owned(), text.clone()));
            }
            _ => {}
        },
        _ => {}
    }
}

/// Whether a text reads as no number and no truth value: those are equal to texts that look different.
fn is_only_text(text: &str) -> bool {
    text.trim().parse::<f64>().is_err() && text.parse::<bool>().is_err()
}

const BODY: &str = "body";
