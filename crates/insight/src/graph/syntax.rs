//! A query as it was written, before anybody knows what its names mean.

use super::mistake::Place;
use super::value::Value;
use super::vocabulary::{Label, Types};

#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) patterns: Vec<Pattern>,
    /// All of them must hold.
    pub(super) conditions: Vec<Expr>,
    pub(super) is_distinct: bool,
    pub(super) items: Vec<Item>,
    pub(super) order: Vec<Sort>,
    pub(super) skip: usize,
    pub(super) limit: Option<usize>,
    pub(super) during: Option<Times>,
    pub(super) compared: Option<Times>,
}

/// What is returned, and under which name.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) what: Expr,
    pub(super) name: String,
}

#[derive(Clone, Debug)]
pub(super) struct Sort {
    pub(super) by: Expr,
    pub(super) is_descending: bool,
}

/// A time in words, or from one to another.
#[derive(Clone, Debug)]
pub(super) struct Times {
    pub(super) from: String,
    pub(super) to: Option<String>,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Nodes, and what is between them.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) name: Option<Name>,
    pub(super) is_shortest: bool,
    pub(super) start: NodePattern,
    pub(super) pieces: Vec<(EdgePattern, NodePattern)>,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) struct NodePattern {
    pub(super) name: Option<Name>,
    /// One of each must hold.
    pub(super) labels: Vec<Vec<Label>>,
    pub(super) properties: Vec<(Name, Value)>,
}

#[derive(Clone, Debug)]
pub(super) struct EdgePattern {
    pub(super) name: Option<Name>,
    /// One of them; any if there is none.
    pub(super) types: Types,
    pub(super) direction: Direction,
    /// Of a piece of several, the fewest and the most.
    pub(super) hops: Option<(usize, usize)>,
    pub(super) properties: Vec<(Name, Value)>,
    pub(super) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Right,
    Left,
    Either,
}

#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum ExprKind {
    Literal(Value),
    Variable(String),
    Property(Box<Expr>, Name),
    Index(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// Whether it should be null.
    IsNull(Box<Expr>, bool),
    Call {
        name: Name,
        is_distinct: bool,
        arguments: Vec<Expr>,
    },
    CountAll,
    Exists(Box<Pattern>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    Xor,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    StartsWith,
    EndsWith,
    Contains,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Expr {
    /// Whether both are written alike, wherever they stand.
    pub(super) fn is_same(&self, other: &Expr) -> bool {
        use ExprKind as Kind;
        let all = |a: &[Expr], b: &[Expr]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b))
        };
        match (&self.kind, &other.kind) {
            (Kind::Literal(a), Kind::Literal(b)) => a == b,
            (Kind::Variable(a), Kind::Variable(b)) => a == b,
            (Kind::Property(a, x), Kind::Property(b, y)) => x.text == y.text && a.is_same(b),
            (Kind::Index(a, x), Kind::Index(b, y)) => a.is_same(b) && x.is_same(y),
            (Kind::List(a), Kind::List(b)) => all(a, b),
            (Kind::Not(a), Kind::Not(b)) | (Kind::Negate(a), Kind::Negate(b)) => a.is_same(b),
            (Kind::Binary(o, a, x), Kind::Binary(p, b, y)) => {
                o == p && a.is_same(b) && x.is_same(y)
            }
            (Kind::IsNull(a, x), Kind::IsNull(b, y)) => x == y && a.is_same(b),
            (Kind::Call { .. }, Kind::Call { .. }) => self.is_same_call(other),
            (Kind::CountAll, Kind::CountAll) => true,
            _ => false,
        }
    }

    fn is_same_call(&self, other: &Expr) -> bool {
        let parts = |expr: &Expr| match &expr.kind {
            ExprKind::Call {
                name,
                is_distinct,
                arguments,
            } => Some((name.text.to_lowercase(), *is_distinct, arguments.clone())),
            _ => None,
        };
        let (Some(a), Some(b)) = (parts(self), parts(other)) else {
            return false;
        };
        let same = a.2.iter().zip(&b.2).all(|(a, b)| a.is_same(b));
        a.0 == b.0 && a.1 == b.1 && a.2.len() == b.2.len() && same
    }
}
