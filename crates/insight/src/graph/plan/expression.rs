//! Expressions, of which every name means something.

use std::collections::BTreeMap;

use super::patterns::Parts;
use super::{AggregateCall, Column, Condition, Expr, NodeSlot, Operator, Piece, Plan, Uses};
use crate::graph::mistake::{Fault, Place, meant};
use crate::graph::syntax::{Expr as Written, ExprKind, Item, Name, Query, Sort};
use crate::graph::vocabulary::{self, Aggregate, Function, Owner, Property};

/// What a name of a query is.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    Node(usize),
    Edge(usize),
    Edges(usize),
    Path(Vec<usize>),
}

pub(super) struct Resolver {
    pub(super) slots: usize,
    pub(super) names: BTreeMap<String, Bound>,
    pub(super) is_compared: bool,
    pub(super) uses: Uses,
    /// Places that the condition at hand needs.
    pub(super) needs: Vec<usize>,
    nodes: Vec<NodeSlot>,
    pieces: Vec<Piece>,
    conditions: Vec<Condition>,
    aggregates: Vec<AggregateCall>,
    where_aggregates: Aggregates,
}

/// Whether something may be aggregated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregates {
    May,
    InCondition,
    InAggregate,
}

impl Resolver {
    pub(super) fn new(is_compared: bool) -> Self {
        Resolver {
            slots: 0,
            names: BTreeMap::new(),
            is_compared,
            uses: Uses::default(),
            needs: Vec::new(),
            nodes: Vec::new(),
            pieces: Vec::new(),
            conditions: Vec::new(),
            aggregates: Vec::new(),
            where_aggregates: Aggregates::InCondition,
        }
    }

    pub(super) fn take(&mut self, parts: Parts) {
        self.nodes.extend(parts.nodes);
        self.pieces.extend(parts.pieces);
    }

    /// What stands behind WHERE: what AND joins are conditions of their own, so that each is asked as soon as it can
    /// be.
    pub(super) fn condition(&mut self, written: &Written) -> Result<(), Fault> {
        if let ExprKind::Binary(Operator::And, left, right) = &written.kind {
            self.condition(left)?;
            return self.condition(right);
        }
        self.needs.clear();
        let what = self.resolve(written)?;
        let mut needs = std::mem::take(&mut self.needs);
        needs.sort_unstable();
        needs.dedup();
        self.conditions.push(Condition { what, needs });
        Ok(())
    }

    pub(super) fn finish(mut self, query: &Query) -> Result<Plan, Fault> {
        self.where_aggregates = Aggregates::May;
        let mut columns = Vec::new();
        for item in &query.items {
            columns.push(self.column(item)?);
        }
        let is_grouped = !self.aggregates.is_empty();
        if is_grouped {
            let pairs = query.items.iter().zip(&columns);
            for (item, _) in pairs.filter(|(_, column)| !column.is_key) {
                ungrouped(&item.what, &query.items)?;
            }
        }
        let (mut hidden, mut order) = (Vec::new(), Vec::new());
        for sort in &query.order {
            let place = match by_column(sort, &query.items) {
                Some(place) => place,
                None => {
                    hidden.push(self.hidden(sort, query, is_grouped)?);
                    columns.len() + hidden.len() - 1
                }
            };
            order.push((place, sort.is_descending));
        }
        Ok(Plan {
            slots: self.slots,
            nodes: self.nodes,
            pieces: self.pieces,
            conditions: self.conditions,
            is_distinct: query.is_distinct,
            columns,
            hidden,
            aggregates: self.aggregates,
            order,
            skip: query.skip,
            limit: query.limit,
            uses: self.uses,
        })
    }

    fn column(&mut self, item: &Item) -> Result<Column, Fault> {
        let before = self.aggregates.len();
        let what = self.resolve(&item.what)?;
        Ok(Column {
            name: item.name.clone(),
            unit: unit(&what, &self.aggregates),
            is_key: self.aggregates.len() == before,
            what,
        })
    }

    /// What is ordered by without being returned.
    fn hidden(&mut self, sort: &Sort, query: &Query, is_grouped: bool) -> Result<Expr, Fault> {
        let place = &sort.by.place;
        if query.is_distinct {
            let what = "with DISTINCT, order by what is returned";
            return Err(Fault::new(what, place));
        }
        let before = self.aggregates.len();
        let written = self.without_aliases(&sort.by, &query.items);
        let what = self.resolve(&written)?;
        if is_grouped {
            ungrouped(&written, &query.items)?;
        } else if self.aggregates.len() > before {
            let what = "order by an aggregate that is returned, such as RETURN f.name, count(*) AS n ORDER BY n";
            return Err(Fault::new(what, place));
        }
        Ok(what)
    }

    /// With what columns are in the place of their names.
    fn without_aliases(&self, written: &Written, items: &[Item]) -> Written {
        let mut written = written.clone();
        if let ExprKind::Variable(name) = &written.kind
            && !self.names.contains_key(name)
            && let Some(item) = items.iter().find(|item| item.name == *name)
        {
            return item.what.clone();
        }
        for child in children_mut(&mut written) {
            *child = self.without_aliases(child, items);
        }
        written
    }

    fn resolve(&mut self, written: &Written) -> Result<Expr, Fault> {
        let place = &written.place;
        Ok(match &written.kind {
            ExprKind::Literal(value) => Expr::Constant(value.clone()),
            ExprKind::Variable(name) => self.variable(name, place)?,
            ExprKind::Property(of, name) => return self.property_of(of, name),
            ExprKind::Index(of, index) => self.index(of, index)?,
            ExprKind::List(items) => {
                let items = items.iter().map(|item| self.resolve(item));
                Expr::List(items.collect::<Result<_, _>>()?)
            }
            ExprKind::Not(of) => Expr::Not(self.boxed(of)?),
            ExprKind::Negate(of) => Expr::Negate(self.boxed(of)?),
            ExprKind::Binary(operator, left, right) => {
                Expr::Binary(*operator, self.boxed(left)?, self.boxed(right)?)
            }
            ExprKind::IsNull(of, is_null) => Expr::IsNull(self.boxed(of)?, *is_null),
            ExprKind::Call {
                name,
                is_distinct,
                arguments,
            } => return self.call(name, *is_distinct, arguments),
            ExprKind::CountAll => self.aggregate(Aggregate::Count, false, None, place)?,
            ExprKind::Exists(pattern) => match self.where_aggregates {
                Aggregates::InCondition => self.exists(pattern)?,
                _ => return Err(Fault::new("ask for a pattern in WHERE", place)),
            },
        })
    }

    fn boxed(&mut self, written: &Written) -> Result<Box<Expr>, Fault> {
        Ok(Box::new(self.resolve(written)?))
    }

    fn variable(&mut self, name: &str, place: &Place) -> Result<Expr, Fault> {
        let Some(bound) = self.names.get(name) else {
            let names: Vec<&str> = self.names.keys().map(String::as_str).collect();
            let what = match names.is_empty() {
                true => {
                    format!("`{name}` is not in MATCH: name it there, such as ({name}:Function)")
                }
                false => format!(
                    "`{name}` is not in MATCH: {}",
                    meant(name, names.into_iter())
                ),
            };
            return Err(Fault::new(what, place));
        };
        Ok(match bound {
            Bound::Node(slot) => {
                self.needs.push(*slot);
                Expr::Node(*slot)
            }
            Bound::Edge(slot) => {
                self.needs.push(*slot);
                Expr::Edge(*slot)
            }
            Bound::Edges(slot) => {
                self.needs.push(*slot);
                Expr::Edges(*slot)
            }
            Bound::Path(along) => {
                self.needs.extend(along);
                Expr::Path(along.clone())
            }
        })
    }

    fn property_of(&mut self, of: &Written, name: &Name) -> Result<Expr, Fault> {
        let of = self.resolve(of)?;
        let owner = match &of {
            Expr::Node(_) | Expr::Call(Function::StartNode | Function::EndNode, _) => {
                Some(Owner::Node)
            }
            Expr::Edge(_) => Some(Owner::Relationship),
            Expr::Edges(_) | Expr::Path(_) => {
                let what = "this is several: nodes(p) and relationships(p) are lists, of which [0] is the first";
                return Err(Fault::new(what, &name.place));
            }
            _ => None,
        };
        let (property, side) = self.property(name, owner)?;
        Ok(Expr::Property(Box::new(of), property, side))
    }

    fn index(&mut self, of: &Written, index: &Written) -> Result<Expr, Fault> {
        let list = self.resolve(of)?;
        if let Expr::Property(_, Property::Errors | Property::Throttles, _) = list {
            let what = "errors are counted and not told apart by name: `throttles` are those refused because there were \
                        too many";
            return Err(Fault::new(what, &index.place));
        }
        Ok(Expr::Index(Box::new(list), self.boxed(index)?))
    }

    fn call(
        &mut self,
        name: &Name,
        is_distinct: bool,
        arguments: &[Written],
    ) -> Result<Expr, Fault> {
        let place = &name.place;
        if let Some(aggregate) = Aggregate::named(&name.text) {
            let [of] = arguments else {
                let what = format!("{} takes one value", name.text);
                return Err(Fault::new(what, place));
            };
            return self.aggregate(aggregate, is_distinct, Some(of), place);
        }
        let Some(function) = Function::named(&name.text) else {
            let names = vocabulary::functions().map(|word| word.name);
            let what = format!(
                "there is no function `{}`: {}",
                name.text,
                meant(&name.text, names)
            );
            return Err(Fault::new(what, place));
        };
        let (few, many) = function.arguments();
        if !(few..=many).contains(&arguments.len()) || is_distinct {
            let count = match (few, many) {
                (1, 1) => "one value".to_owned(),
                _ => format!("{few} to {many} values"),
            };
            let what = format!("{} takes {count} between its brackets", name.text);
            return Err(Fault::new(what, place));
        }
        let arguments = arguments.iter().map(|argument| self.resolve(argument));
        Ok(Expr::Call(function, arguments.collect::<Result<_, _>>()?))
    }

    fn aggregate(
        &mut self,
        aggregate: Aggregate,
        is_distinct: bool,
        of: Option<&Written>,
        place: &Place,
    ) -> Result<Expr, Fault> {
        match self.where_aggregates {
            Aggregates::May => {}
            Aggregates::InCondition => {
                let what = "WHERE is asked of each row, before anything is aggregated";
                return Err(Fault::new(what, place));
            }
            Aggregates::InAggregate => {
                let what = "an aggregate of an aggregate means nothing";
                return Err(Fault::new(what, place));
            }
        }
        self.where_aggregates = Aggregates::InAggregate;
        let of = of.map(|of| self.resolve(of)).transpose();
        self.where_aggregates = Aggregates::May;
        self.aggregates.push(AggregateCall {
            aggregate,
            is_distinct,
            of: of?,
        });
        Ok(Expr::Aggregate(self.aggregates.len() - 1))
    }
}

/// The column that is ordered by: by its name, or written alike.
fn by_column(sort: &Sort, items: &[Item]) -> Option<usize> {
    let is_named =
        |item: &Item| matches!(&sort.by.kind, ExprKind::Variable(name) if *name == item.name);
    items
        .iter()
        .position(|item| is_named(item) || item.what.is_same(&sort.by))
}

/// Beside aggregates there stand only values by which rows are grouped.
fn ungrouped(written: &Written, items: &[Item]) -> Result<(), Fault> {
    if items.iter().any(|item| item.what.is_same(written)) && !has_aggregate(written) {
        return Ok(());
    }
    match &written.kind {
        ExprKind::Literal(_) | ExprKind::CountAll => Ok(()),
        ExprKind::Call { name, .. } if Aggregate::named(&name.text).is_some() => Ok(()),
        ExprKind::Variable(_) | ExprKind::Exists(_) => {
            let what = "this is different within a group: return it by itself too, so that rows are grouped by it";
            Err(Fault::new(what, &written.place))
        }
        _ => children(written)
            .into_iter()
            .try_for_each(|child| ungrouped(child, items)),
    }
}

fn has_aggregate(written: &Written) -> bool {
    match &written.kind {
        ExprKind::CountAll => true,
        ExprKind::Call { name, .. } if Aggregate::named(&name.text).is_some() => true,
        _ => children(written).into_iter().any(has_aggregate),
    }
}

fn children(written: &Written) -> Vec<&Written> {
    match &written.kind {
        ExprKind::Literal(_) | ExprKind::Variable(_) | ExprKind::CountAll | ExprKind::Exists(_) => {
            Vec::new()
        }
        ExprKind::Property(of, _)
        | ExprKind::Not(of)
        | ExprKind::Negate(of)
        | ExprKind::IsNull(of, _) => vec![of],
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) => vec![a, b],
        ExprKind::List(items) => items.iter().collect(),
        ExprKind::Call { arguments, .. } => arguments.iter().collect(),
    }
}

fn children_mut(written: &mut Written) -> Vec<&mut Written> {
    match &mut written.kind {
        ExprKind::Literal(_) | ExprKind::Variable(_) | ExprKind::CountAll | ExprKind::Exists(_) => {
            Vec::new()
        }
        ExprKind::Property(of, _)
        | ExprKind::Not(of)
        | ExprKind::Negate(of)
        | ExprKind::IsNull(of, _) => vec![of],
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) => vec![a, b],
        ExprKind::List(items) => items.iter_mut().collect(),
        ExprKind::Call { arguments, .. } => arguments.iter_mut().collect(),
    }
}

/// In what a column is, where that is plain.
fn unit(what: &Expr, aggregates: &[AggregateCall]) -> &'static str {
    match what {
        Expr::Property(_, property, _) => property.word().unit,
        Expr::Aggregate(place) => {
            let call = &aggregates[*place];
            match (&call.of, call.aggregate) {
                (_, Aggregate::Count) => "count",
                (Some(of), Aggregate::Sum | Aggregate::Avg | Aggregate::Min | Aggregate::Max) => {
                    unit(of, aggregates)
                }
                _ => "",
            }
        }
        Expr::Call(Function::Round | Function::Abs, arguments) => {
            arguments.first().map_or("", |of| unit(of, aggregates))
        }
        Expr::Call(Function::Length | Function::Size, _) => "count",
        _ => "",
    }
}
