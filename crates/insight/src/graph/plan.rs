//! What a query's names mean: variables become places of a row, properties and functions what they are.

mod expression;
mod patterns;

use super::mistake::Fault;
use super::syntax::{Direction, Query};
use super::value::Value;
use super::vocabulary::{Aggregate, Function, Label, Property, Types};
use expression::Resolver;

pub(super) use super::syntax::Operator;

/// A query that can be answered.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) slots: usize,
    pub(super) nodes: Vec<NodeSlot>,
    pub(super) pieces: Vec<Piece>,
    pub(super) conditions: Vec<Condition>,
    pub(super) is_distinct: bool,
    pub(super) columns: Vec<Column>,
    /// Columns that only order.
    pub(super) hidden: Vec<Expr>,
    pub(super) aggregates: Vec<AggregateCall>,
    /// By the number of a column, hidden ones behind the others, and whether downwards.
    pub(super) order: Vec<(usize, bool)>,
    pub(super) skip: usize,
    pub(super) limit: Option<usize>,
    pub(super) uses: Uses,
}

/// What of the graph a query speaks of that is not always there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Operations as nodes.
    pub operations: bool,
    /// What functions cost.
    pub cost: bool,
    /// When functions changed.
    pub changed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) what: Expr,
    /// Whether it is no aggregate, and so tells groups apart.
    pub(super) is_key: bool,
    /// In what it is, if it is a number.
    pub(super) unit: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct AggregateCall {
    pub(super) aggregate: Aggregate,
    pub(super) is_distinct: bool,
    /// None counts rows.
    pub(super) of: Option<Expr>,
}

/// A condition, and the places of a row that it needs.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) what: Expr,
    pub(super) needs: Vec<usize>,
}

/// A node of a pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeSlot {
    pub(super) slot: usize,
    pub(super) labels: Vec<Vec<Label>>,
    pub(super) properties: Vec<(Property, Value)>,
}

/// What is between two nodes of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) slot: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) direction: Direction,
    pub(super) types: Types,
    pub(super) properties: Vec<(Property, Value)>,
    pub(super) way: Way,
}

/// How a piece goes from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By one relationship.
    One,
    /// By so many, if there is a way at all: once, however many ways there are.
    Any(usize, usize),
    /// By so many, each way that there is.
    Each(usize, usize),
    /// By as few as there need be.
    Shortest(usize, usize),
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Constant(Value),
    Node(usize),
    Edge(usize),
    /// The relationships of a piece of several.
    Edges(usize),
    /// The nodes and the pieces of a pattern, one after the other.
    Path(Vec<usize>),
    Property(Box<Expr>, Property, Side),
    Index(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    IsNull(Box<Expr>, bool),
    Call(Function, Vec<Expr>),
    Exists(Box<SubPattern>),
    /// What an aggregate became.
    Aggregate(usize),
}

/// A pattern of which there must be one, beside what is bound.
#[derive(Clone, Debug)]
pub(super) struct SubPattern {
    pub(super) nodes: Vec<NodeSlot>,
    pub(super) pieces: Vec<Piece>,
    /// Those of its places that are bound outside.
    pub(super) bound: Vec<usize>,
}

/// Which window a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Now,
    Before,
    /// Now less before.
    Difference,
}

/// The plan of a query.
pub(super) fn plan(query: &Query) -> Result<Plan, Fault> {
    let mut resolver = Resolver::new(query.compared.is_some());
    for pattern in &query.patterns {
        resolver.pattern(pattern)?;
    }
    for condition in &query.conditions {
        resolver.condition(condition)?;
    }
    resolver.finish(query)
}
